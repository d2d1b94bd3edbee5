"""Whether the gate did what the scene intended, and whether all of it reached the district. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.demo import words
from device.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.demo.board import Board, Said
    from device.demo.story import Expected, Showing

TOGETHER_S = 1.0
"""People who come up within this time of each other may be answered in either order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one showing.

    Attributes:
        who: see `Showing`.
        wanted: what the scene intended.
        said: what the gate answered; None when it did not.
    """

    who: str
    wanted: Expected
    said: Said | None

    @property
    def as_intended(self) -> bool:
        """Whether kind, outcome and reason are the intended ones."""
        return self.said is not None and _answers(self.wanted, self.said)


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures at the end.

    Attributes:
        answers: one for each showing.
        read: presentations the gate answered.
        granted: of these.
        denied: of these.
        attention: of these.
        stored: events in the journal, the device's own (that it started, say) among them.
        confirmed: of these by the broker.
        arrived: of these at the district's subscriber.
        complaints: what was not as it should be, in plain words; empty when all was well.
    """

    answers: tuple[Answer, ...]
    read: int
    granted: int
    denied: int
    attention: int
    stored: int
    confirmed: int
    arrived: int
    complaints: tuple[str, ...]


def summarise(showings: Sequence[Showing], board: Board, exit_code: int | None) -> Summary:
    """Compares the script with what the daemon said and what the district received.

    Args:
        showings: the script.
        board: everything heard and received.
        exit_code: of the daemon; None when it had to be stopped.
    """
    verdicts = tuple(board.verdicts)
    answers, unasked = match(showings, verdicts)
    outcomes = Counter(said.outcome for said in verdicts)
    complaints = [f"{a.who}: not as intended" for a in answers if not a.as_intended]
    if unasked:
        complaints.append(f"{len(unasked)} answers that nobody in the scene asked for")
    if exit_code != 0:
        how = "did not end by itself" if exit_code is None else f"ended with exit code {exit_code}"
        complaints.append(f"the daemon {how}")
    return Summary(
        answers=answers,
        read=len(verdicts),
        granted=outcomes[Outcome.GRANTED],
        denied=outcomes[Outcome.DENIED],
        attention=outcomes[Outcome.ATTENTION],
        stored=board.counters.stored,
        confirmed=board.counters.confirmed,
        arrived=len(board.arrived),
        complaints=(*complaints, *_undelivered(verdicts, board)),
    )


def match(
    showings: Sequence[Showing], verdicts: Sequence[Said]
) -> tuple[tuple[Answer, ...], tuple[Said, ...]]:
    """Gives each showing its verdict, in order of time; the answers, and verdicts that are left over.

    People who come up together are one group: within it whoever was expected to be told so was told so.
    """
    answers, rest = [], list(verdicts)
    for group in _groups(showings):
        said, rest = rest[: len(group)], rest[len(group) :]
        waiting = []
        for showing in group:
            fitting = next((s for s in said if _answers(showing.expected, s)), None)
            if fitting is None:
                waiting.append(showing)
            else:
                said.remove(fitting)
                answers.append(Answer(showing.who, showing.expected, fitting))
        answers += [Answer(s.who, s.expected, said.pop(0) if said else None) for s in waiting]
    return tuple(answers), tuple(rest)


def told(said: Said | Expected | None) -> str:
    """A verdict in the words of the screen."""
    return "no answer" if said is None else f"{words.outcome(said.outcome)}: {words.reason(said.reason)}"


def _answers(wanted: Expected, said: Said) -> bool:
    return (wanted.kind, wanted.outcome, wanted.reason) == (said.kind, said.outcome, said.reason)


def _groups(showings: Sequence[Showing]) -> list[list[Showing]]:
    groups: list[list[Showing]] = []
    for showing in sorted(showings, key=lambda s: s.starts_s):
        if groups and showing.starts_s - groups[-1][0].starts_s < TOGETHER_S:
            groups[-1].append(showing)
        else:
            groups.append([showing])
    return groups


def _undelivered(verdicts: Sequence[Said], board: Board) -> list[str]:
    """The daemon says how many events there are: the district has to have each, unaltered."""
    complaints, counters = [], board.counters
    received = {said.seq: said for said in board.received_scans()}
    missing = [said.seq for said in verdicts if said.seq not in received]
    if missing:
        complaints.append(f"verdicts that never reached the district: events {missing}")
    altered = [said.seq for said in verdicts if received.get(said.seq, said) != said]
    if altered:
        complaints.append(f"verdicts that reached the district otherwise: events {altered}")
    if counters.pending or counters.set_aside:
        complaints.append(
            f"{counters.pending} events still wait, {counters.set_aside} were refused by the broker"
        )
    if len(board.arrived) != counters.stored:
        complaints.append(f"{counters.stored} events were stored, {len(board.arrived)} arrived")
    if board.unreadable:
        complaints.append(f"{board.unreadable} messages at the district were no events")
    return complaints
