"""Follows a running daemon to its end: its log and the district onto the board, the board onto the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from device.demo.screen import Moment

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from device.demo.board import Board
    from device.demo.child import Child
    from device.demo.district import District
    from device.demo.scene import Scene
    from device.runtime import Clock

REDRAWS_PER_SECOND = 12
"""As many as the scene has pictures."""

PATIENCE_S = 60.0
"""How much longer than the scene the daemon may take: it starts, and at the end empties its journal."""

ARRIVE_WITHIN_S = 5.0
"""How long the last messages may take over loopback after the daemon has ended."""


class Screen(Protocol):
    """Where the gate is shown."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, board: Board, moment: Moment) -> None:
        """Shows the present state. Never blocks for longer than drawing takes."""
        ...


class Pace:
    """Where the scene is: the daemon says once a second how far it is, the clock goes on from there."""

    def __init__(self, frames_per_second: float) -> None:
        self._fps = frames_per_second
        self._frames = 0
        self._position_s = 0.0
        self._since: float | None = None

    def position_s(self, board: Board, now: float) -> float | None:
        """Seconds into the scene, never less than before; None before the first frame."""
        if not board.ready:
            return None
        if self._since is None or board.frames_seen != self._frames:
            self._frames, self._since = board.frames_seen, now
        self._position_s = max(self._position_s, self._frames / self._fps + now - self._since)
        return self._position_s


class Watch:
    """Reads and redraws in one thread.

    Args:
        district: the subscriber at the broker.
        board: where everything is put together.
        scene: what the camera sees.
        screen: see `Screen`; entered by the caller.
        clock: for the pace of the picture and for patience.
    """

    def __init__(
        self, *, district: District, board: Board, scene: Scene, screen: Screen, clock: Clock
    ) -> None:
        self._district = district
        self._board = board
        self._scene = scene
        self._screen = screen
        self._clock = clock
        self._pace = Pace(scene.frames_per_second)

    def follow(self, daemon: Child) -> int | None:
        """Blocks until the daemon has ended and the last message is here.

        Returns:
            Its exit code; None when it outlived the scene by `PATIENCE_S`.
        """
        lines = daemon.lines()
        give_up_at = self._clock.monotonic() + self._scene.duration_s + PATIENCE_S
        while not lines.ended and self._clock.monotonic() < give_up_at:
            for line in lines.read(1 / REDRAWS_PER_SECOND):
                self._board.hear(line)
            self._receive()
            self._screen.show(self._board, self._moment())
        code = daemon.wait(PATIENCE_S) if lines.ended else None
        self._await_the_last()
        return code

    def _receive(self, timeout_s: float = 0.0) -> None:
        """Hands to the board what has arrived; waits up to `timeout_s` for each message."""
        while True:
            try:
                events = self._district.take(timeout_s)
            except ValueError:
                self._board.unreadable += 1
                continue
            if events is None:
                return
            self._board.receive(events)

    def _await_the_last(self) -> None:
        """What the broker has confirmed is on its way to the subscriber."""
        until = self._clock.monotonic() + ARRIVE_WITHIN_S
        while len(self._board.arrived) < self._board.counters.stored and self._clock.monotonic() < until:
            self._receive(timeout_s=0.1)
        self._screen.show(self._board, self._moment())

    def _moment(self) -> Moment:
        scene = self._scene
        position_s = self._pace.position_s(self._board, self._clock.monotonic())
        if position_s is None:
            return Moment(0.0, scene.duration_s, None)
        index = min(int(position_s * scene.frames_per_second), scene.frames - 1)
        return Moment(position_s, scene.duration_s, scene.small[index])
