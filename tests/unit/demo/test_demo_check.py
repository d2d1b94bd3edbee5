from __future__ import annotations

from device.demo.board import Board, Said
from device.demo.check import Summary, match, summarise, told
from device.demo.story import Showing, story
from tests.support.said import scan_event, scan_line, status_line, wire_event

STORY = story()


def verdicts(showings: tuple[Showing, ...] = STORY) -> list[Said]:
    return [
        Said(i, s.expected.kind, s.expected.outcome, s.expected.reason, 40)
        for i, s in enumerate(showings, start=2)
    ]


def board_after(
    said: list[Said], *, arrived: list[Said] | None = None, pending: int = 0, set_aside: int = 0
) -> Board:
    board = Board()
    board.receive((wire_event(1, "gate.lifecycle.v1", {"what": "started"}),))
    for one in said:
        board.hear(scan_line(one.seq, one.kind, one.outcome, one.reason))
    for one in said if arrived is None else arrived:
        board.receive((scan_event(one.seq, one.kind, one.outcome, one.reason),))
    stored = len(said) + 1
    board.hear(
        status_line(frames=9, stored=stored, pending=pending, set_aside=set_aside, confirmed=stored - pending)
    )
    return board


def summary_of(board: Board, exit_code: int | None = 0) -> Summary:
    return summarise(STORY, board, exit_code)


def test_a_scene_that_went_as_intended_has_no_complaints() -> None:
    summary = summary_of(board_after(verdicts()))
    assert summary.complaints == ()
    assert all(answer.as_intended for answer in summary.answers)
    assert (summary.read, summary.granted, summary.denied, summary.attention) == (8, 6, 1, 1)
    assert summary.stored == summary.confirmed == summary.arrived == 9


def test_people_side_by_side_may_be_answered_in_either_order() -> None:
    said = verdicts()
    said[5], said[6] = said[6], said[5]
    answers, rest = match(STORY, said)
    assert all(answer.as_intended for answer in answers)
    assert rest == ()


def test_a_wrong_answer_is_told_with_the_intended_one() -> None:
    said = verdicts()
    said[3] = Said(5, "vn.cccd", "granted", "ok", 40)
    summary = summary_of(board_after(said))
    (wrong,) = (answer for answer in summary.answers if not answer.as_intended)
    assert told(wrong.said) == "GRANTED: may pass"
    assert told(wrong.wanted) == "DENIED: on the deny list"
    assert summary.complaints == (f"{STORY[3].who}: not as intended",)


def test_somebody_who_was_not_read_is_told() -> None:
    summary = summary_of(board_after(verdicts()[:-1]))
    assert summary.complaints == (f"{STORY[-1].who}: not as intended",)
    assert told(summary.answers[-1].said) == "no answer"


def test_an_answer_too_many_is_told() -> None:
    said = [*verdicts(), Said(99, "vn.cccd", "granted", "ok", 1)]
    assert summary_of(board_after(said)).complaints == ("1 answers that nobody in the scene asked for",)


def test_a_verdict_that_never_arrived_is_told() -> None:
    said = verdicts()
    complaints = summary_of(board_after(said, arrived=said[:-1])).complaints
    assert "verdicts that never reached the district: events [9]" in complaints
    assert "9 events were stored, 8 arrived" in complaints


def test_a_verdict_that_arrived_otherwise_is_told() -> None:
    said = verdicts()
    arrived = [*said[:-1], Said(9, "vn.cccd", "denied", "expired", 40)]
    assert summary_of(board_after(said, arrived=arrived)).complaints == (
        "verdicts that reached the district otherwise: events [9]",
    )


def test_events_that_wait_or_were_refused_are_told() -> None:
    complaints = summary_of(board_after(verdicts(), pending=2, set_aside=1)).complaints
    assert complaints == ("2 events still wait, 1 were refused by the broker",)


def test_a_daemon_that_did_not_end_well_is_told() -> None:
    board = board_after(verdicts())
    assert summary_of(board, exit_code=70).complaints == ("the daemon ended with exit code 70",)
    assert summary_of(board, exit_code=None).complaints == ("the daemon did not end by itself",)


def test_a_daemon_that_said_nothing_is_not_taken_for_success() -> None:
    assert len(summary_of(Board()).complaints) >= len(STORY)
