"""The pictures of the README, from a real run: ``python -m device.demo.pictures docs/images``.

`demo.svg` is the screen at its busiest moment, `scene.jpg` the contact sheet of what the camera sees.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from device.demo.run import demo
from device.demo.scene import contact_sheet
from device.demo.screen import compose

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from device.demo.board import Board
    from device.demo.screen import Moment

WIDTH, HEIGHT = 112, 38
"""Columns and rows: wide enough for the picture to be recognised, narrow enough for a page."""

VERDICTS_SEEN = 7
"""By then every outcome has been seen, and two people stand at the gate at once."""

_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


class Photographer:
    """A screen that keeps one moment: a grant, after one answer of each kind.

    Attributes:
        svg: the moment; empty until it has come.
    """

    def __init__(self) -> None:
        self.svg = ""
        self._console = Console(
            width=WIDTH,
            height=HEIGHT,
            file=io.StringIO(),
            record=True,
            force_terminal=True,
            color_system="truecolor",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, board: Board, moment: Moment) -> None:
        """Takes the picture when everything is in it."""
        arrived = len(board.received_scans())
        lit = board.lamps.get("green") and board.lamps.get("relay")
        if not self.svg and lit and min(len(board.verdicts), arrived) >= VERDICTS_SEEN:
            self._console.print(compose(board, moment, self._console), end="")
            # Without the fonts that rich would have the reader's browser fetch from elsewhere.
            self.svg = _FONT.sub("", self._console.export_svg(title="make demo"))


def main(folder: Path) -> int:
    """Writes both pictures; 0 when the demonstration went well and its moment was seen."""
    folder.mkdir(parents=True, exist_ok=True)
    photographer = Photographer()
    code = demo(screen=photographer)
    if not photographer.svg:
        return code or 1
    (folder / "demo.svg").write_text(photographer.svg, encoding="utf-8")
    (folder / "scene.jpg").write_bytes(contact_sheet())
    return code


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
