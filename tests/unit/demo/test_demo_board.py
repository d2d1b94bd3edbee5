from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from device.demo.board import LINES_KEPT, Board, Said
from tests.support.said import log_line, panel_line, scan_event, scan_line, status_line, wire_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_the_lamps_are_as_the_panel_last_said() -> None:
    board = Board()
    board.hear(panel_line("green", "relay", tone_hz=1200))
    assert board.lamps["green"]
    assert board.lamps["relay"]
    assert not board.lamps["red"]
    assert board.tone_hz == 1200


def test_the_tone_ends_when_the_panel_says_so() -> None:
    board = Board()
    board.hear(panel_line("green", tone_hz=1200))
    board.hear(panel_line("green"))
    assert board.tone_hz is None


def test_verdicts_are_kept_in_order() -> None:
    board = Board()
    board.hear(scan_line(2, "vn.cccd", "granted", "ok", 31))
    board.hear(scan_line(3, "wrong.payment", "attention", "wrong_kind"))
    assert board.verdicts[0] == Said(2, "vn.cccd", "granted", "ok", 31)
    assert [said.seq for said in board.verdicts] == [2, 3]


def test_the_counters_are_those_of_the_last_status() -> None:
    board = Board()
    board.hear(status_line(frames=10, stored=3, pending=2, confirmed=1))
    board.hear(status_line(frames=20, stored=4, pending=0, confirmed=4))
    assert board.frames_seen == 21
    assert (board.counters.stored, board.counters.pending, board.counters.confirmed) == (4, 0, 4)
    assert board.counters.connected


def test_it_is_ready_when_the_daemon_says_so() -> None:
    board = Board()
    board.hear(log_line("opening the camera", room="capture"))
    assert not board.ready
    board.hear(log_line("ready", room="daemon"))
    assert board.ready


def test_the_last_lines_are_kept_as_people_read_them() -> None:
    board = Board()
    board.hear(b"Traceback (most recent call last):\n")
    board.hear(log_line("the camera is away", room="capture", level="error"))
    board.hear(status_line())
    assert list(board.last_lines) == [
        "Traceback (most recent call last):",
        "error capture: the camera is away",
    ]
    for number in range(2 * LINES_KEPT):
        board.hear(log_line(str(number)))
    assert len(board.last_lines) == LINES_KEPT


def test_an_event_that_arrives_twice_counts_once() -> None:
    board = Board()
    assert board.receive((scan_event(2, "vn.cccd", "granted", "ok"),))
    assert not board.receive((scan_event(2, "vn.cccd", "granted", "ok"),))
    assert board.repeats == 1
    assert len(board.arrived) == 1


def test_what_the_district_received_can_be_compared_with_what_the_gate_said() -> None:
    board = Board()
    board.receive((wire_event(1, "gate.lifecycle.v1", {"what": "started"}),))
    board.receive(
        (
            scan_event(3, "vn.cccd", "denied", "denied_by_list", 7),
            scan_event(2, "vn.cccd", "granted", "ok", 5),
        )
    )
    assert board.received_scans() == (
        Said(2, "vn.cccd", "granted", "ok", 5),
        Said(3, "vn.cccd", "denied", "denied_by_list", 7),
    )
    assert len(board.arrived) == 3


@given(st.binary())
def test_any_bytes_may_stand_in_the_log(line: bytes) -> None:
    Board().hear(line)


@given(st.sampled_from(["lines", "scan", "status", "message", "tone_hz"]), JSON, JSON)
def test_any_json_may_stand_in_the_log(name: str, value: object, tone: object) -> None:
    board = Board()
    board.hear(json.dumps({"tone_hz": tone, name: value}).encode())
    assert isinstance(board.frames_seen, int)


@given(st.dictionaries(st.sampled_from(["outcome", "credential", "latency_ms", "reason"]), JSON))
def test_a_scan_event_may_hold_anything(data: dict[str, object]) -> None:
    board = Board()
    (arrived,) = board.receive((wire_event(7, "gate.scan.v1", data),))
    assert arrived.said is not None
    assert arrived.seq == 7
