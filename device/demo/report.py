"""What stands in the terminal when the demonstration is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from device.demo.check import told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from device.demo.check import Answer, Summary


def print_summary(console: Console, summary: Summary, broker: str) -> None:
    """Each showing with its answer, then the sums."""
    console.print(_answers(summary.answers))
    sums = Table.grid(padding=(0, 2))
    sums.add_column()
    sums.add_column(justify="right")
    for what, count in (
        ("codes presented", len(summary.answers)),
        ("read and answered", summary.read),
        ("granted", summary.granted),
        ("denied", summary.denied),
        ("attention (wrong kind of code)", summary.attention),
        ("events in the journal, the device's own among them", summary.stored),
        (f"confirmed by the broker ({broker})", summary.confirmed),
        ("arrived at the district's subscriber", summary.arrived),
    ):
        sums.add_row(what, str(count))
    console.print(sums)
    console.print()
    if not summary.complaints:
        console.print(Text("Every code was read as intended, and every event arrived.", "bold green"))


def print_failure(console: Console, what: str, complaints: Iterable[str], last_lines: Iterable[str]) -> None:
    """What went wrong, and the daemon's last words."""
    console.print(Text(f"The demonstration failed: {what}", "bold red"))
    for complaint in complaints:
        console.print(Text(f"  {complaint}"))
    lines = list(last_lines)
    if lines:
        console.print(Text("The daemon's last lines:", "bold"))
    for line in lines:
        console.print(Text(f"  {line}", "dim"))


def _answers(answers: Iterable[Answer]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    for heading in ("shown", "answer", ""):
        table.add_column(heading)
    for answer in answers:
        wanted = Text("as intended", "green")
        if not answer.as_intended:
            wanted = Text(f"intended: {told(answer.wanted)}, {answer.wanted.kind}", "bold red")
        table.add_row(answer.who, told(answer.said), wanted)
    return table
