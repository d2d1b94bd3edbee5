"""`gate-scanner` as it would be if somebody had chosen `synchronous=NORMAL`: the control of the power cuts.

    python -m tests.support.careless_daemon run --config FILE

The journal reads its settings back at start and would refuse; so it is made careless after that.
"""

from __future__ import annotations

import sys
from typing import Any

from device.cli import main
from device.journal.sqlite_journal import SqliteJournal

_open = SqliteJournal.open


def _open_carelessly(*args: Any, **kwargs: Any) -> SqliteJournal:  # noqa: ANN401 - passed on
    journal = _open(*args, **kwargs)
    journal._writer._db.execute("PRAGMA synchronous = NORMAL")
    return journal


if __name__ == "__main__":
    SqliteJournal.open = _open_carelessly  # type: ignore[method-assign]  # what this program is for
    sys.exit(main(sys.argv[1:]))
