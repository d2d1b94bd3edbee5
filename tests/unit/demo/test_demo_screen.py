from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from device.demo.board import Board
from device.demo.screen import LiveScreen, Moment, PlainScreen, compose, screen_for
from tests.support.said import panel_line, scan_event, scan_line, status_line, wire_event

PICTURE = np.linspace(0, 255, 96 * 54).reshape(54, 96).astype(np.uint8)


def console(width: int, height: int, *, terminal: bool = True) -> Console:
    return Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=terminal,
        color_system="truecolor" if terminal else None,
        record=True,
        legacy_windows=False,
    )


def busy_board() -> Board:
    board = Board()
    board.hear(panel_line("red", tone_hz=500))
    board.hear(scan_line(2, "vn.cccd", "granted", "ok", 41))
    board.hear(scan_line(3, "vn.cccd", "denied", "denied_by_list", 39))
    board.hear(status_line(frames=120, stored=3, pending=1, confirmed=2))
    board.receive((scan_event(2, "vn.cccd", "granted", "ok"),))
    return board


def drawn(board: Board, width: int, height: int, moment: Moment | None = None) -> str:
    paper = console(width, height)
    paper.print(compose(board, moment or Moment(4.2, 26.0, PICTURE), paper), end="")
    return paper.export_text()


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (132, 43), (220, 60)])
def test_the_whole_gate_fits_the_terminal(size: tuple[int, int]) -> None:
    lines = drawn(busy_board(), *size).splitlines()
    assert len(lines) == size[1]
    assert max(len(line) for line in lines) <= size[0]
    text = "\n".join(lines)
    for fact in (
        "RED",
        "green",
        "500 Hz",
        "released",
        "121 frames",
        "3 stored, 1 to send",
        "connected, 2 confirmed",
        "1 events, 1 of them scans",
        "DENIED",
        "on the deny list",
        "39 ms",
        "event 2, vn.cccd, granted, ok, subject 0123456789ab",
    ):
        assert fact in text, fact


def test_the_newest_verdict_stands_first() -> None:
    text = drawn(busy_board(), 80, 24)
    assert text.index("DENIED") < text.index("GRANTED")


def test_before_anything_was_said_the_screen_says_so() -> None:
    text = drawn(Board(), 80, 24, Moment(0.0, 26.0, None))
    assert "the daemon starts" in text
    assert "nobody has shown a code yet" in text
    assert "nothing yet" in text


def test_a_pulled_relay_is_told_in_words() -> None:
    board = Board()
    board.hear(panel_line("green", "relay", tone_hz=1200))
    text = drawn(board, 80, 24)
    assert "PULLED, the door opens" in text
    assert "GREEN" in text


def test_the_live_screen_gives_the_terminal_back() -> None:
    paper = console(80, 24)
    with LiveScreen(paper) as screen:
        screen.show(busy_board(), Moment(1.0, 26.0, PICTURE))
    assert isinstance(paper.file, io.StringIO)
    written = paper.file.getvalue()
    assert written.index("\x1b[?1049h") < written.index("DENIED") < written.index("\x1b[?1049l")


def test_plain_lines_tell_each_thing_once() -> None:
    paper = console(80, 24, terminal=False)
    board = busy_board()
    with PlainScreen(paper) as screen:
        for _ in range(3):
            screen.show(board, Moment(4.2, 26.0, None))
        board.hear(panel_line("blue"))
        board.receive((wire_event(4, "gate.lifecycle.v1", {"what": "stopped"}),))
        board.receive((wire_event(5, "gate.coverage.v1", {}),))
        screen.show(board, Moment(5.0, 26.0, None))
    assert paper.export_text().splitlines() == [
        "   4.2 s  gate      chip ID card: GRANTED: may pass (event 2, 41 ms)",
        "   4.2 s  gate      chip ID card: DENIED: on the deny list (event 3, 39 ms)",
        "   4.2 s  district  event 2, vn.cccd, granted, ok, subject 0123456789ab...",
        "   4.2 s  panel     red, 500 Hz",
        "   5.0 s  district  event 4, the gate stopped",
        "   5.0 s  district  event 5, gate.coverage.v1",
        "   5.0 s  panel     blue",
    ]


def test_a_terminal_that_can_show_it_gets_the_live_screen() -> None:
    assert isinstance(screen_for(console(80, 24), plain=False), LiveScreen)
    assert isinstance(screen_for(console(80, 24), plain=True), PlainScreen)
    assert isinstance(screen_for(console(79, 24), plain=False), PlainScreen)
    assert isinstance(screen_for(console(80, 23), plain=False), PlainScreen)
    assert isinstance(screen_for(console(80, 24, terminal=False), plain=False), PlainScreen)


def test_without_colour_the_picture_is_drawn_with_ink() -> None:
    paper = Console(width=80, height=24, file=io.StringIO(), force_terminal=True, no_color=True, record=True)
    paper.print(compose(Board(), Moment(1.0, 26.0, PICTURE), paper))
    assert "%" in paper.export_text()
