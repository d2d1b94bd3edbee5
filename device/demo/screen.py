"""The gate on a terminal: lamps, sound, relay, verdicts, counters, what the district receives.

`compose` is pure; `LiveScreen` redraws it in a terminal's second screen, `PlainScreen` writes a line for
each thing that changes, for pipes and logs. Colour is never the only sign: a lamp that is on says so.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rich.console import Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from device.demo import words
from device.demo.board import LAMPS, Arrived, Board, Said
from device.demo.picture import half_blocks, inked
from device.model import Outcome

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import numpy as np
    import numpy.typing as npt
    from rich.console import Console, RenderableType

COLOURS = {"green": "#2fd565", "yellow": "#ffcc33", "red": "#ff5050", "blue": "#4f9dff"}
OUTCOME_STYLES: dict[str, str] = {
    Outcome.GRANTED: f"bold {COLOURS['green']}",
    Outcome.DENIED: f"bold {COLOURS['red']}",
    Outcome.ATTENTION: f"bold {COLOURS['yellow']}",
}

FACTS_WIDTH = 38
"""Columns that four lamps and the counters need."""

FACTS_HEIGHT = 11
"""Rows that they need."""

SMALLEST = (80, 24)
"""Columns and rows the live screen is made for; a terminal below that gets plain lines."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the scene is.

    Attributes:
        elapsed_s: since its first frame.
        duration_s: of the whole scene.
        picture: what the camera sees, small; None before the first frame.
    """

    elapsed_s: float
    duration_s: float
    picture: npt.NDArray[np.uint8] | None


class LiveScreen:
    """Redraws the whole terminal. A context manager: the terminal is as before afterwards."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, board: Board, moment: Moment) -> None:
        """Draws it anew, in the terminal's present size."""
        self._live.update(compose(board, moment, self._console), refresh=True)


class PlainScreen:
    """Writes what changed since the last call, a line each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen_verdicts = self._seen_arrivals = 0
        self._lamps = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, board: Board, moment: Moment) -> None:
        """Writes the news; nothing when there are none."""
        for said in islice(board.verdicts, self._seen_verdicts, None):
            self._write(moment, "gate", verdict_line(said))
        for arrived in islice(board.arrived.values(), self._seen_arrivals, None):
            self._write(moment, "district", arrival_line(arrived))
        lamps = _panel_words(board)
        if lamps != self._lamps:
            self._write(moment, "panel", lamps)
        self._seen_verdicts, self._seen_arrivals, self._lamps = len(board.verdicts), len(board.arrived), lamps

    def _write(self, moment: Moment, who: str, what: str) -> None:
        self._console.print(
            f"{moment.elapsed_s:6.1f} s  {who:8}  {what}", highlight=False, markup=False, soft_wrap=True
        )


def screen_for(console: Console, *, plain: bool) -> LiveScreen | PlainScreen:
    """The live screen where the console is a terminal that can show it, otherwise plain lines."""
    width, height = console.size
    able = console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf")
    if plain or not able or width < SMALLEST[0] or height < SMALLEST[1]:
        return PlainScreen(console)
    return LiveScreen(console)


def verdict_line(said: Said) -> str:
    """One verdict in plain words."""
    answer = f"{words.outcome(said.outcome)}: {words.reason(said.reason)}"
    return f"{words.kind(said.kind)}: {answer} (event {said.seq}, {said.latency_ms} ms)"


def arrival_line(arrived: Arrived) -> str:
    """One message at the district in plain words."""
    if arrived.said is None:
        return (
            f"event {arrived.seq}, the gate {arrived.what}"
            if arrived.what
            else f"event {arrived.seq}, {arrived.type}"
        )
    whose = f"subject {arrived.subject[:12]}..." if arrived.subject else "no subject"
    said = arrived.said
    return f"event {arrived.seq}, {said.kind}, {said.outcome}, {said.reason}, {whose}"


def compose(board: Board, moment: Moment, console: Console) -> Layout:
    """The whole screen for the console's size; made for 80x24 and anything larger."""
    width, height = console.size
    rows = max(FACTS_HEIGHT, min((width - FACTS_WIDTH - 4) * 9 // 32, (height - 10) * 2 // 3))
    rest = height - 1 - (rows + 2)
    verdict_rows = max(1, (rest - 4) * 3 // 5)
    root = Layout()
    upper = Layout(size=rows + 2)
    columns = min(width - FACTS_WIDTH - 8, rows * 32 // 9)
    upper.split_row(
        Layout(_camera(moment, console, columns, rows), size=columns + 4),
        Layout(_box("panel", Group(_lamps(board), _facts(board)))),
    )
    root.split_column(
        Layout(_head(moment), size=1),
        upper,
        Layout(_box("verdicts, newest first", _verdicts(board, verdict_rows)), size=verdict_rows + 2),
        Layout(_box("what arrives at the district", _district(board, max(1, rest - 4 - verdict_rows)))),
    )
    return root


def _head(moment: Moment) -> RenderableType:
    elapsed = min(moment.elapsed_s, moment.duration_s)
    title = Text(" gate-scanner demo", "bold")
    clock = Text(f"{elapsed:4.1f} of {moment.duration_s:.0f} s ")
    bar = ProgressBar(total=moment.duration_s, completed=elapsed, complete_style="grey70")
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(width=18)
    grid.add_column(ratio=1)
    grid.add_column(width=13)
    grid.add_row(title, bar, clock)
    return grid


def _camera(moment: Moment, console: Console, columns: int, rows: int) -> Panel:
    if moment.picture is None:
        content = Text("the daemon starts ...", "dim")
    elif console.no_color or console.color_system in (None, "standard"):
        content = inked(moment.picture, columns, rows)
    else:
        content = half_blocks(moment.picture, columns, rows)
    return _box("what the camera sees", content)


def _lamps(board: Board) -> RenderableType:
    """Each lamp two rows high, its name below: in capitals while it is on."""
    grid = Table.grid(expand=True)
    for _ in LAMPS:
        grid.add_column(justify="center", ratio=1)
    on = [board.lamps.get(name, False) for name in LAMPS]
    styles = [COLOURS[name] if lit else "grey35" for name, lit in zip(LAMPS, on, strict=True)]
    for lit_row, dark_row in (
        ("\u259f\u2588\u2588\u2599", "\u256d\u2500\u2500\u256e"),
        ("\u259c\u2588\u2588\u259b", "\u2570\u2500\u2500\u256f"),
    ):
        grid.add_row(
            *(Text(lit_row if lit else dark_row, style) for lit, style in zip(on, styles, strict=True))
        )
    grid.add_row(
        *(
            Text(n.upper() if lit else n, f"bold {s}" if lit else "dim")
            for n, lit, s in zip(LAMPS, on, styles, strict=True)
        )
    )
    return grid


def _facts(board: Board) -> RenderableType:
    counters = board.counters
    pulled = board.lamps.get("relay", False)
    link = "connected" if counters.connected else "not connected"
    scans = len(board.received_scans())
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", width=8)
    grid.add_column(no_wrap=True)
    grid.add_row("", "")
    grid.add_row(
        "sound", Text(f"\u266a {board.tone_hz} Hz", "bold") if board.tone_hz else Text("silent", "dim")
    )
    grid.add_row("relay", Text("PULLED, the door opens", "bold") if pulled else Text("released", "dim"))
    grid.add_row("", "")
    grid.add_row("camera", f"{board.frames_seen} frames, {counters.replaced} skipped")
    grid.add_row("journal", f"{counters.stored} stored, {counters.pending} to send")
    grid.add_row("uplink", f"{link}, {counters.confirmed} confirmed")
    grid.add_row("district", f"{len(board.arrived)} events, {scans} of them scans")
    return grid


def _verdicts(board: Board, rows: int) -> RenderableType:
    grid = Table.grid(padding=(0, 2), expand=True)
    for kwargs in ({"width": 3}, {"width": 25}, {"width": 9}, {"ratio": 1}, {"width": 8}):
        grid.add_column(no_wrap=True, **kwargs)  # type: ignore[arg-type]  # a width or a ratio, both int
    latest = islice(reversed(board.verdicts), rows)
    for age, said in enumerate(latest):
        style = "" if age == 0 else "dim"
        grid.add_row(
            Text(str(said.seq), "dim", justify="right"),
            Text(words.kind(said.kind), style),
            Text(words.outcome(said.outcome), OUTCOME_STYLES.get(said.outcome, "bold")),
            Text(words.reason(said.reason), style),
            Text(f"{said.latency_ms} ms", "dim", justify="right"),
        )
    return grid if board.verdicts else Text("nobody has shown a code yet", "dim")


def _district(board: Board, rows: int) -> RenderableType:
    latest = deque(board.arrived.values(), maxlen=rows)
    if not latest:
        return Text("nothing yet", "dim")
    return Text("\n".join(arrival_line(a) for a in reversed(latest)), no_wrap=True, overflow="ellipsis")


def _panel_words(board: Board) -> str:
    on = [name for name in LAMPS if board.lamps.get(name)]
    tone = [f"{board.tone_hz} Hz"] if board.tone_hz else []
    relay = ["relay pulled"] if board.lamps.get("relay") else []
    return ", ".join(on + tone + relay) or "dark"


def _box(title: str, content: RenderableType) -> Panel:
    return Panel(content, title=title, title_align="left", border_style="grey50", padding=(0, 1))
