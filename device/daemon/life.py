"""The life of the process from the first thread to the last: readiness, watchdog, an orderly end.

Knows threads and counters, no room: `app.py` makes the parts and hands them over.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from device.daemon.books import Books
from device.daemon.status import Status
from device.errors import ConfigError, GateError
from device.model import Cue, Lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from device.daemon.ports import (
        Capture,
        Configuration,
        Inputs,
        Journal,
        Lists,
        RestingPanel,
        Scan,
        Slot,
        Uplink,
    )
    from device.model import CheckupEvent, ClockReading
    from device.nightly import Nightly
    from device.notify import Notifier
    from device.runtime import Clock, Supervisor

log = logging.getLogger(__name__)

TICK_S = 0.25
"""How often main looks at the workers: a fraction of every deadline it checks."""

STATUS_EVERY_S = 1.0
"""The service manager keeps only the newest line; a person watching it wants it to move."""

DRAIN_AT_STOP_S = 0.5
"""Asked to stop: what is on its way may arrive. With the uplink's own goodbye, which takes 1.5 s where nobody
answers any more, that is 2 s."""

DRAIN_AT_STOP_EVENTS = 50
"""As many as one message takes. A backlog is not worth waiting for: it goes on after the next start."""

DRAIN_AT_END_S = 30.0
"""A replayed scene has ended: nobody waits at the gate, so the broker may take its time."""

ANEW_WITHIN_S = 90.0
"""What the watchdog grants a process that begins anew: as much as the unit grants a start."""


class Daemon:
    """Runs the parts until asked to stop, until a replayed scene has ended, or until one of them dies.

    Used from the main thread only.

    Args:
        intake: capture and scan: what ends first.
        output: panel and forwarder: what ends last.
        slot: between capture and scan; the last frame in it is still answered.
        capture: for its counters.
        scan: for its counters.
        inputs: for its counters; None when nothing is wired.
        lists: for their versions and ages.
        journal: for lifecycle events, counters and upkeep.
        uplink: for its counters; None when no uplink is configured.
        panel: for its permanent state.
        nightly: when the gate looks itself over.
        checkup: does so; blocks for seconds at most.
        report: set when the coverage interval is to be told now.
        suspended: whether a card has suspended the gate; never blocks.
        configuration: looked at again when `changed` is set.
        clock: for intervals and events.
        notifier: the service manager.
        version: of the software, for lifecycle events.
        beat: file of the last sign of life.
        before: the last sign of life of the run before.
        first_frame: set when the camera works.
        ended: set when a finite source has no more frames.
        stop: set when the process is asked to stop.
        changed: set when the process is asked to look at its configuration again.

    Attributes:
        stuck: names of the parts that would not stop in time.
    """

    def __init__(
        self,
        *,
        intake: Supervisor,
        output: Supervisor,
        slot: Slot,
        capture: Capture,
        scan: Scan,
        inputs: Inputs | None,
        lists: Lists,
        journal: Journal,
        uplink: Uplink | None,
        panel: RestingPanel,
        nightly: Nightly,
        checkup: Callable[[], CheckupEvent],
        report: threading.Event,
        suspended: Callable[[], bool],
        configuration: Configuration,
        clock: Clock,
        notifier: Notifier,
        version: str,
        beat: Path,
        before: ClockReading | None,
        first_frame: threading.Event,
        ended: threading.Event,
        stop: threading.Event,
        changed: threading.Event,
    ) -> None:
        self._intake = intake
        self._output = output
        self._slot = slot
        self._capture = capture
        self._scan = scan
        self._journal = journal
        self._uplink = uplink
        self._panel = panel
        self._nightly = nightly
        self._checkup = checkup
        self._configuration = configuration
        self._clock = clock
        self._notifier = notifier
        self._before = before
        self._first_frame = first_frame
        self._ended = ended
        self._stop = stop
        self._changed = changed
        self._books = Books(
            journal=journal,
            capture=capture,
            scan=scan,
            inputs=inputs,
            report=report,
            clock=clock,
            version=version,
            beat=beat,
        )
        self._status = Status(
            slot=slot,
            capture=capture,
            scan=scan,
            inputs=inputs,
            lists=lists,
            journal=journal,
            uplink=uplink,
            suspended=suspended,
            notifier=notifier,
        )
        self._status_at = clock.monotonic()
        self._resting = Cue.STARTING
        self._refused = ""
        self._anew = False
        self.stuck: list[str] = []

    def run(self) -> bool:
        """Blocks for the life of the process; whether it is to begin anew, with a changed configuration.

        Raises:
            WorkerDied: a part died; all others have been stopped.
        """
        why = "part_died"
        try:
            self._panel.rest(self._resting)
            self._output.start()
            self._books.open(self._before, self._configuration.digest)
            self._intake.start()
            while not self._stop.wait(TICK_S) and not self._over() and not self._anew:
                self._tick()
            why = "asked" if self._stop.is_set() else "configured" if self._anew else "scene_ended"
        finally:
            if why == "configured":
                self._notifier.patience(ANEW_WITHIN_S)
            else:
                self._notifier.stopping()
            self._wind_down(why)
        return why == "configured"

    # -- while it runs ----------------------------------------------------------------------------

    def _tick(self) -> None:
        self._intake.check()
        self._output.check()
        self._notifier.watchdog()
        self._show_state()
        self._books.keep()
        now = self._clock.monotonic()
        if now - self._status_at >= STATUS_EVERY_S:
            self._status_at = now
            self._status.tell(self._resting, self._refused)
        if self._nightly.due():
            self._books.append(self._checkup())
        if self._changed.is_set():
            self._changed.clear()
            self._take_over()

    def _over(self) -> bool:
        return self._ended.is_set() and self._slot.empty

    def _show_state(self) -> None:
        """The permanent state: STARTING until the first frame, FAULT while it is blind or cannot record."""
        if not self._first_frame.is_set():
            return
        works = self._scan.stats().recording and not self._capture.stats.trouble
        resting = Cue.READY if works else Cue.FAULT
        if resting is self._resting:
            return
        if self._resting is Cue.STARTING:
            log.info("ready")
            self._notifier.ready()
        self._resting = resting
        self._panel.rest(resting)

    # -- a changed configuration ------------------------------------------------------------------

    def _take_over(self) -> None:
        self._notifier.reloading()
        try:
            change = self._configuration.look()
        except GateError as error:
            self._refuse(error)
        else:
            self._refused = ""
            detail = "at_once" if change.apply else "anew"
            # Recorded first, so that no event decided by the new rules stands before it.
            self._books.record(Lifecycle.CONFIGURED, detail, configuration=change.digest)
            log.info("the configuration is taken over (%s), %s", change.digest, detail.replace("_", " "))
            self._anew = change.apply is None
            if change.apply:
                change.apply()
        self._status.tell(self._resting, self._refused)
        if self._resting is not Cue.STARTING and not self._anew:
            self._notifier.ready()

    def _refuse(self, error: GateError) -> None:
        """The settings in force stay; log, status and journal say so."""
        lines = str(error).splitlines()
        for line in lines:
            log.error("%s", line)
        log.error("the configuration is refused; what was in force stays in force")
        more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
        self._refused = f"{lines[0]}{more}"
        # What stands in the file may be a secret at the wrong place: the event says only where.
        problems = error.problems if isinstance(error, ConfigError) else ()
        where = f"line {problems[0].line}{more}" if problems else "a list or key"
        self._books.record(Lifecycle.CONFIGURATION_REFUSED, where, configuration=self._configuration.digest)

    # -- the end ----------------------------------------------------------------------------------

    def _wind_down(self, why: str) -> None:
        self.stuck += self._intake.stop()
        self._books.close(why)
        if why == "scene_ended":
            self._drain(DRAIN_AT_END_S)
        elif self._journal.stats().pending <= DRAIN_AT_STOP_EVENTS:
            self._drain(DRAIN_AT_STOP_S)
        self._status.tell(self._resting, self._refused)
        self.stuck += self._output.stop()
        if self.stuck:
            log.error("did not stop in time: %s", ", ".join(self.stuck))

    def _drain(self, patience_s: float) -> None:
        """Waits until the broker has everything: a bounded time, and only while it is connected at all."""
        until = self._clock.monotonic() + patience_s
        pause = threading.Event()  # never set: waiting for it is a pause
        while self._uplink and self._uplink.stats().connected and self._clock.monotonic() < until:
            if not self._journal.stats().pending:
                return
            self._notifier.watchdog()
            pause.wait(TICK_S / 5)
