"""The demonstration from the first picture to the last sum: scene, broker, daemon, district, screen.

The daemon is the real one, in a process of its own, on the shipped `config/demo.yaml`; only the port of the
broker is put in. Everything it and the broker write lies in a temporary folder that is removed at the end.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import Progress

from device.demo.board import Board
from device.demo.broker import HOST, Broker, Kind, search_path
from device.demo.check import summarise
from device.demo.child import Child
from device.demo.district import District
from device.demo.report import print_failure, print_summary
from device.demo.scene import draw
from device.demo.screen import Moment, screen_for
from device.demo.settings import prepare
from device.errors import ExitCode, GateError
from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from device.demo.check import Summary
    from device.demo.scene import Scene
    from device.demo.settings import Prepared
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


def demo(
    *,
    plain: bool = False,
    broker: Kind = Kind.AUTO,
    console: Console | None = None,
    screen: Screen | None = None,
) -> int:
    """Runs the demonstration; blocks for about half a minute. Main thread only.

    Args:
        plain: lines instead of a live screen, as it is without a terminal anyway.
        broker: which one is started.
        console: where everything is written; standard output.
        screen: where the gate is shown; chosen by `plain` and the console when None.

    Returns:
        0 when every code was read as the scene intended and every event arrived, otherwise 1.

    Raises:
        KeyboardInterrupt: Ctrl-C, SIGTERM or SIGHUP; everything started has been ended and removed.
    """
    console = console or Console()
    screen = screen or screen_for(console, plain=plain)
    board = Board()
    with _signals_interrupt(), tempfile.TemporaryDirectory(prefix="gate-demo-") as name:
        folder = Path(name)
        try:
            with Broker(folder, kind=broker, path=search_path(os.environ)) as started:
                summary = _with_broker(started, folder, board, console, screen, SystemClock())
        except GateError as error:
            print_failure(console, str(error), (), board.last_lines)
            return ExitCode.BROKEN
    if summary.read:
        print_summary(console, summary, started.kind)
    if summary.complaints:
        print_failure(console, "not everything was as it should be", summary.complaints, board.last_lines)
    return ExitCode.BROKEN if summary.complaints else ExitCode.OK


def _with_broker(
    broker: Broker, folder: Path, board: Board, console: Console, screen: Screen, clock: Clock
) -> Summary:
    settings = prepare(folder, broker_port=broker.port)
    console.print(
        f"A gate without hardware; the broker is {broker.kind} on port {broker.port}.", highlight=False
    )
    scene = _drawn(settings, console)
    environ = {
        name: value for name, value in os.environ.items() if name not in {"NOTIFY_SOCKET", "WATCHDOG_USEC"}
    }
    with District(host=HOST, port=broker.port) as district:
        command = [sys.executable, "-m", "device", "run", "--config", str(settings.file), "--log", "json"]
        with Child(command, environ=environ) as daemon, screen:
            code = _watch(daemon, district, board, scene, screen, clock)
            _await_the_last(district, board, clock)
    return summarise(scene.showings, board, code)


def _drawn(settings: Prepared, console: Console) -> Scene:
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("drawing the scene", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return draw(settings.scene, frames_per_second=settings.frames_per_second, progress=tell)


def _watch(
    daemon: Child, district: District, board: Board, scene: Scene, screen: Screen, clock: Clock
) -> int | None:
    """Shows the gate until the daemon ends; its exit code, None when it had to be stopped."""
    pace = Pace(scene.frames_per_second)
    lines = daemon.lines()
    give_up_at = clock.monotonic() + scene.duration_s + PATIENCE_S
    while not lines.ended and clock.monotonic() < give_up_at:
        for line in lines.read(1 / REDRAWS_PER_SECOND):
            board.hear(line)
        _take_all(district, board)
        screen.show(board, _moment(scene, pace.position_s(board, clock.monotonic())))
    return daemon.wait(PATIENCE_S) if lines.ended else None


def _take_all(district: District, board: Board, timeout_s: float = 0.0) -> bool:
    """Hands what has arrived to the board; whether there was anything."""
    any_came = False
    while True:
        try:
            events = district.take(timeout_s)
        except ValueError:
            board.unreadable += 1
            continue
        if events is None:
            return any_came
        any_came = True
        board.receive(events)


def _await_the_last(district: District, board: Board, clock: Clock) -> None:
    """What the broker has confirmed is on its way to the subscriber."""
    until = clock.monotonic() + ARRIVE_WITHIN_S
    while len(board.arrived) < board.counters.stored and clock.monotonic() < until:
        _take_all(district, board, timeout_s=0.1)


def _moment(scene: Scene, position_s: float | None) -> Moment:
    if position_s is None:
        return Moment(0.0, scene.duration_s, None)
    index = min(int(position_s * scene.frames_per_second), scene.frames - 1)
    return Moment(position_s, scene.duration_s, scene.small[index])


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


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demonstration as Ctrl-C does: with everything cleaned up."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
