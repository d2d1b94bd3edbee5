from __future__ import annotations

import io

from rich.console import Console

from device.demo.board import Said
from device.demo.check import Answer, Summary
from device.demo.report import print_failure, print_summary
from device.demo.story import Expected
from device.model import Outcome, Reason

PASS = Expected("vn.cccd", Outcome.GRANTED, Reason.OK)
SAID = Said(2, "vn.cccd", "granted", "ok", 40)


def paper() -> Console:
    return Console(width=100, file=io.StringIO(), record=True)


def summary(*answers: Answer, complaints: tuple[str, ...] = ()) -> Summary:
    return Summary(
        answers=answers,
        read=1,
        granted=1,
        denied=0,
        attention=0,
        stored=3,
        confirmed=3,
        arrived=3,
        complaints=complaints,
    )


def test_a_good_end_is_said_in_one_sentence_below_the_figures() -> None:
    console = paper()
    print_summary(console, summary(Answer("somebody", PASS, SAID)), "mosquitto")
    lines = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert "somebody GRANTED: may pass as intended" in lines
    assert "confirmed by the broker (mosquitto) 3" in lines
    assert lines[-1] == "Every code was read as intended, and every event arrived."


def test_an_answer_that_was_not_intended_stands_beside_the_intended_one() -> None:
    console = paper()
    print_summary(
        console, summary(Answer("somebody", PASS, None), complaints=("somebody: not as intended",)), "x"
    )
    text = " ".join(console.export_text().split())
    assert "somebody no answer intended: GRANTED: may pass, vn.cccd" in text
    assert "every event arrived" not in text


def test_a_failure_shows_what_and_the_last_lines_of_the_daemon() -> None:
    console = paper()
    print_failure(console, "no broker", ("one", "two"), ["error capture: [gone]"])
    assert console.export_text().splitlines() == [
        "The demonstration failed: no broker",
        "  one",
        "  two",
        "The daemon's last lines:",
        "  error capture: [gone]",
    ]
