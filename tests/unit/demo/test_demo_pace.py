from __future__ import annotations

from device.demo.board import Board
from device.demo.watch import Pace
from tests.support.said import log_line, status_line


def test_the_scene_is_nowhere_before_the_daemon_is_ready() -> None:
    assert Pace(10).position_s(Board(), 100.0) is None


def test_between_two_statements_the_clock_goes_on() -> None:
    board, pace = Board(), Pace(10)
    board.hear(log_line("ready"))
    assert pace.position_s(board, 100.0) == 0.0
    assert pace.position_s(board, 100.5) == 0.5
    board.hear(status_line(frames=19))
    assert pace.position_s(board, 101.5) == 2.0
    assert pace.position_s(board, 101.75) == 2.25


def test_the_scene_never_runs_backwards() -> None:
    board, pace = Board(), Pace(10)
    board.hear(log_line("ready"))
    assert pace.position_s(board, 100.0) == 0.0
    assert pace.position_s(board, 103.0) == 3.0
    board.hear(status_line(frames=9))
    assert pace.position_s(board, 103.0) == 3.0
    assert pace.position_s(board, 105.5) == 3.5
