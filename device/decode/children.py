"""The decoder's two children: one at work, one beside it that takes over when the first dies."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from device.errors import DecoderDied

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.decode.climb import Stopwatch
    from device.decode.finding import Look, Luma

log = logging.getLogger(__name__)

START_S = 60.0
"""Loading numpy, OpenCV and the engines takes 0.3 s on a desktop, some 3 s on a Pi with a cold card; 45 s
were seen on an emulated processor whose host was busy. The unit allows 90 s, camera included."""

# One at work and one beside it: a third would wait for both to die within the second a start takes.
_CHILDREN = 2


class Onlooker(Protocol):
    """A process that looks at frames. Used from one thread; `kill` from any. See `process.Child`."""

    @property
    def pid(self) -> int:
        """Process id."""
        ...

    @property
    def filtered(self) -> bool:
        """Whether the kernel filters its system calls; known when it is ready."""
        ...

    def ready(self) -> bool:
        """Whether it has loaded its libraries. Never blocks; raises `DecoderDied`."""
        ...

    def await_ready(self, timeout_s: float) -> bool:
        """Whether it has by then; blocks until it has; raises `DecoderDied`."""
        ...

    def begin(self, luma: Luma, *, sequence: int, budget_ms: float) -> None:
        """Asks for a look and does not wait; raises `DecoderDied`, `ValueError`."""
        ...

    def finished(self) -> bool:
        """Whether `finish` would return or raise at once."""
        ...

    def finish(self, until: float) -> Look:
        """What it sees in the frame of `begin`; raises `DecoderDied`."""
        ...

    def look_at_file(
        self, file: Luma, *, sequence: int, frames: int, budget_ms: float, until: float
    ) -> Look | None:
        """What it sees in a picture file; raises `DecoderDied`, `ValueError`."""
        ...

    def kill(self) -> None:
        """Ends it."""
        ...


class Children:
    """Keeps two of them alive. `replace` is called from one thread, the rest from any.

    Args:
        start: starts one; does not wait until it is ready.
        clock: how long they have been loading.
    """

    def __init__(self, start: Callable[[], Onlooker], *, clock: Stopwatch) -> None:
        self._start = start
        self._clock = clock
        self._started_at: dict[Onlooker, float] = {}
        self._lock = threading.Lock()
        self._alive: list[Onlooker] = []
        self._closed = False
        self._started = 0

    @property
    def started(self) -> int:
        """How many so far."""
        return self._started

    @property
    def alive(self) -> tuple[Onlooker, ...]:
        """The one at work, then the one beside it."""
        with self._lock:
            return tuple(self._alive)

    def front(self) -> Onlooker:
        """The one at work.

        Raises:
            DecoderDied: there is none: it is closed.
        """
        with self._lock:
            if not self._alive:
                raise DecoderDied("the decoder is closed")
            return self._alive[0]

    def beside(self) -> Onlooker | None:
        """The other one, once it is ready; never blocks."""
        alive = self.alive
        if len(alive) < _CHILDREN:
            return None
        try:
            if alive[1].ready():
                return alive[1]
            self.check_start(alive[1])
        except DecoderDied as error:
            self.replace(alive[1], str(error))
        return None

    def check_start(self, child: Onlooker) -> None:
        """Of one that is not ready: raises DecoderDied when it never will be."""
        if self._clock.monotonic() - self._started_at[child] >= START_S:
            raise DecoderDied("the decoder's child did not start in time")

    def replace(self, child: Onlooker, why: str) -> None:
        """Takes this one out, lets the other take over and starts a new one."""
        with self._lock:
            if self._closed:
                return
            self._alive.remove(child)
            del self._started_at[child]
        log.warning("decoder replaced: %s", why)
        child.kill()
        self.fill()

    def fill(self) -> None:
        """Starts as many as are missing."""
        with self._lock:
            while not self._closed and len(self._alive) < _CHILDREN:
                child = self._start()
                self._started_at[child] = self._clock.monotonic()
                self._alive.append(child)
                self._started += 1

    def close(self) -> None:
        """Ends them. Idempotent; blocks a few seconds at most."""
        with self._lock:
            self._closed = True
            alive, self._alive = self._alive, []
        for child in alive:
            child.kill()
