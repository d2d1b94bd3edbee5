"""A process that lives as the daemon does with its journal, and says what it promised.

    python -m tests.support.journal_writer JOURNAL [--deliver]

Appends for ever; prints each event's number once `append` has returned: that is the promise a green light
makes. With `--deliver` a second thread delivers, refuses and prunes meanwhile.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from device.errors import JournalError
from device.runtime import SystemClock
from tests.support.journal import open_journal, scan_event


def main(path: Path, *, deliver: bool) -> None:
    # Nothing that is undelivered may go: without a second thread there has to be room for all of it.
    journal = open_journal(path, max_bytes=(3 if deliver else 64) << 20, keep_days=0, clock=SystemClock())
    clock = SystemClock()

    def forward() -> None:
        while True:
            events = journal.pending(20)
            if not events:
                journal.wait_for_append(journal.stats().last_seq, 1.0)
                continue
            if events[0].seq % 7 == 0:
                journal.set_aside(events[0].seq, "0x87 not authorized")
            journal.acknowledge(events[-1].seq)
            journal.prune()

    if deliver:
        threading.Thread(target=forward, daemon=True).start()
    print(f"OPEN {journal.id} {journal.stats().last_seq}", flush=True)  # noqa: T201 - the promise
    number = journal.stats().last_seq
    while True:
        number += 1
        seq = journal.append(scan_event(number, clock.reading())).seq
        print(f"STORED {seq}", flush=True)  # noqa: T201 - the promise


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), deliver="--deliver" in sys.argv)
    except JournalError as error:
        sys.exit(str(error))
