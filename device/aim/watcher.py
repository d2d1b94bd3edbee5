"""Keeps the newest sight with its measures, and drives a sweep when asked: what the page shows."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.aim.measures import measure
from device.aim.sweep import Best, Setting, Sweep
from device.errors import CameraError

if TYPE_CHECKING:
    from device.aim.measures import Measures
    from device.aim.sight import Sight
    from device.aim.watching import Watching
    from device.model import Controls

log = logging.getLogger(__name__)

PACE_SIGHTS: Final = 30
"""A second of frames: the figure stands still enough to be read."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What the page shows.

    Attributes:
        number: counts up.
        sight: the newest.
        measures: of it.
        frames_per_second: the camera gives, lost ones included.
        sweeping: which setting is being tried; None for none.
        progress: of that, 0 to 1.
        best: what the last sweep came to; None before one.
    """

    number: int
    sight: Sight
    measures: Measures
    frames_per_second: float
    sweeping: Setting | None
    progress: float
    best: Best | None


class Watcher:
    """Runs in a thread of its own. All but `run` may be called from any thread.

    Args:
        watching: where sights come from; opened and closed by `run`.
    """

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._changed = threading.Condition()
        self._shown: Shown | None = None
        self._asked: Setting | None = None
        self._sweep: Sweep | None = None
        self._best: Best | None = None
        self._pace: deque[tuple[int, float]] = deque(maxlen=PACE_SIGHTS)
        self.ended = threading.Event()
        """Set when no more sights come; `trouble` says why."""
        self.trouble = ""

    def run(self, stop: threading.Event) -> None:
        """The thread: one sight after the other until told to stop, or until there are no more."""
        try:
            with self._watching as watching:
                controls: Controls | None = None
                while not stop.is_set():
                    controls = self._take(watching.next(controls))
        except CameraError as error:
            self.trouble = str(error)
        finally:
            self.ended.set()
            with self._changed:
                self._changed.notify_all()

    def ask(self, setting: Setting) -> None:
        """Begins a sweep; a running one is given up."""
        with self._changed:
            self._asked = setting

    def newer(self, than: int, timeout_s: float) -> Shown | None:
        """What is shown, as soon as it is newer; None when it is not within the time. Blocks so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: self.ended.is_set() or (self._shown is not None and self._shown.number > than),
                timeout_s,
            )
            return self._shown if self._shown is not None and self._shown.number > than else None

    def _take(self, sight: Sight) -> Controls | None:
        measures = measure(sight)
        controls = self._step(sight, measures)
        self._pace.append((sight.sequence, sight.captured_at))
        with self._changed:
            self._shown = Shown(
                number=self._shown.number + 1 if self._shown else 1,
                sight=sight,
                measures=measures,
                frames_per_second=self._frames_per_second(),
                sweeping=self._sweep.setting if self._sweep else None,
                progress=self._sweep.progress if self._sweep else 0.0,
                best=self._best,
            )
            self._changed.notify_all()
        return controls

    def _step(self, sight: Sight, measures: Measures) -> Controls | None:
        with self._changed:
            asked, self._asked = self._asked, None
        if asked is not None:
            self._sweep, self._best = Sweep(asked), None
            return self._sweep.begin()
        if self._sweep is None:
            return None
        match self._sweep.take(sight, measures):
            case Best() as best:
                controls = self._sweep.controls_for(best)
                self._sweep, self._best = None, best
                return controls
            case controls:
                return controls

    def _frames_per_second(self) -> float:
        (first, since), (last, until) = self._pace[0], self._pace[-1]
        return (last - first) / (until - since) if until > since else 0.0
