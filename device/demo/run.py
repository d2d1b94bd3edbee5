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
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from device.demo.board import Board
from device.demo.broker import HOST, Broker, Kind, search_path
from device.demo.check import summarise
from device.demo.child import Child
from device.demo.district import District
from device.demo.report import print_failure, print_summary
from device.demo.scene import draw
from device.demo.screen import screen_for
from device.demo.settings import prepare
from device.demo.watch import Watch
from device.errors import ExitCode, GateError
from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.demo.check import Summary
    from device.demo.scene import Scene
    from device.demo.settings import Prepared
    from device.demo.watch import Screen

SERVICE_MANAGER = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC"})
"""What sd_notify(3) reads from the environment."""


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
                summary = _with_broker(started, folder, board, console, screen)
        except GateError as error:
            print_failure(console, str(error), (), board.last_lines)
            return ExitCode.BROKEN
    if summary.read:
        print_summary(console, summary, started.kind)
    if summary.complaints:
        print_failure(console, "not everything was as it should be", summary.complaints, board.last_lines)
    return ExitCode.BROKEN if summary.complaints else ExitCode.OK


def _with_broker(broker: Broker, folder: Path, board: Board, console: Console, screen: Screen) -> Summary:
    settings = prepare(folder, broker_port=broker.port)
    console.print(
        f"A gate without hardware; the broker is {broker.kind} on port {broker.port}.", highlight=False
    )
    scene = _drawn(settings, console)
    command = [sys.executable, "-m", "device", "run", "--config", str(settings.file), "--log", "json"]
    # Whatever service manager there is watches this process, not the daemon.
    environ = {name: value for name, value in os.environ.items() if name not in SERVICE_MANAGER}
    with District(host=HOST, port=broker.port) as district, Child(command, environ=environ) as daemon, screen:
        watch = Watch(district=district, board=board, scene=scene, screen=screen, clock=SystemClock())
        code = watch.follow(daemon)
    return summarise(scene.showings, board, code)


def _drawn(settings: Prepared, console: Console) -> Scene:
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("drawing the scene", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return draw(settings.scene, frames_per_second=settings.frames_per_second, progress=tell)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demonstration as Ctrl-C does: with everything cleaned up.

    SIGINT is set as well: a script that starts something in the background leaves it ignored.
    """

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
