"""Time at the gate: one person before one reader, and what a queue of them makes. Pure but for the reader.

Simulated time runs in seconds from the moment the hand sets out. A reader is given the newest frame when it
is done with the one before; frames in between are dropped, for every reader alike (a naive loop that works
off the driver's queue would answer later still).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.lane.hand import FRAMES_PER_SECOND, GIVE_UP_S, Condition, Manner, Thing
from bench.lane.picture import Showing
from bench.lane.readers import STEP_UP_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.lane.hand import Person
    from bench.lane.picture import Luma
    from bench.lane.readers import Reader

LEAD_S = 0.2
"""Empty frames before each person: what a reader remembers of the last one must wear off by itself."""

ANSWER_S = 0.08
"""Assumed: frame from sensor to memory 50 ms, event onto the card and lamp on 30 ms; the same for all."""

REACT_S = 0.25
"""Simple reaction to a light, 0.2-0.3 s: then the hand goes and the next person comes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one person fared with one reader.

    Attributes:
        at_s: when something was read; None when nothing was.
        right: whether all that was read is what the code holds.
        looked: frames looked at.
        busy_s: processor seconds on the modelled machine.
        present_s: how long frames came in.
        left_out: frames with the whole code in the picture that were not looked at.
    """

    at_s: float | None
    right: bool
    looked: int
    busy_s: float
    present_s: float
    left_out: int = 0

    @property
    def served(self) -> bool:
        """Whether the person has what they came for."""
        return self.at_s is not None and self.right


@dataclass(frozen=True, slots=True)
class Summary:
    """A group of people with one reader. Times in frames; infinite where nothing was read.

    Attributes:
        people: how many.
        median, p95: from the first frame with the whole code in the picture to the answer.
        sharp_median, sharp_p95: the same from the first sharp frame: the reader's own share.
        never: share without an answer.
        wrong: answers with another text than the code's.
        per_minute: people served in a minute of the lane.
        load: share of one core while somebody stands there.
        looked: frames looked at in a second.
    """

    people: int
    median: float
    p95: float
    sharp_median: float
    sharp_p95: float
    never: float
    wrong: int
    per_minute: float
    load: float
    looked: float


@dataclass(frozen=True, slots=True)
class Marks:
    """What is kept of a person once the frames are gone.

    Attributes:
        seed, manner, condition, thing: what `people.person` was asked for.
        detour: the wrong places tried first.
        whole_s: when the whole code is first in the picture; None when it never is.
        sharp_s: when it is first also sharp; None when it never is.
    """

    seed: int
    manner: Manner
    condition: Condition
    thing: Thing
    detour: tuple[str, ...]
    whole_s: float | None
    sharp_s: float | None


class Film:
    """A person's frames, each drawn once for all readers."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self._showing = Showing(person)
        self._frames: dict[int, Luma] = {}

    def luma(self, index: int) -> Luma:
        """The frame of that index."""
        if index not in self._frames:
            self._frames[index] = self._showing.luma(index)
        return self._frames[index]


def marks_of(seed: int, manner: Manner, condition: Condition, person: Person) -> Marks:
    """What is to be kept of the person."""
    times = [index / FRAMES_PER_SECOND for index in range(round(GIVE_UP_S * FRAMES_PER_SECOND))]
    whole_s = next((at_s for at_s in times if person.in_field(at_s)), None)
    sharp_s = next((at_s for at_s in times if person.sharp(at_s)), None)
    return Marks(seed, manner, condition, person.thing, person.detour, whole_s, sharp_s)


def newest_frame(now_s: float) -> int:
    """Index of the last frame taken by then."""
    return math.floor(now_s * FRAMES_PER_SECOND + 1e-6)


def play(reader: Reader, film: Film) -> Answer:
    """Shows the person to the reader."""
    now = -LEAD_S
    last, looked, left_out, busy_s = None, 0, 0, 0.0
    while now < GIVE_UP_S:
        index = newest_frame(now)
        if index == last:
            now = (index + 1) / FRAMES_PER_SECOND
            continue
        last, looked = index, looked + 1
        reading = reader.read(film.luma(index), now)
        left_out += reading.left_out and film.person.in_field(index / FRAMES_PER_SECOND)
        busy_s += reading.busy_s
        now += reading.took_s
        if reading.texts:
            right = all(text == film.person.text for text in reading.texts)
            return Answer(now, right, looked, busy_s, now + LEAD_S, left_out)
    return Answer(None, False, looked, busy_s, GIVE_UP_S + LEAD_S, left_out)


def cycle_s(answer: Answer) -> float:
    """How long one person keeps the lane; without an answer, until they are sent aside."""
    until = GIVE_UP_S if answer.at_s is None else answer.at_s + ANSWER_S + REACT_S
    return STEP_UP_S + until


def per_minute(answers: Iterable[Answer]) -> float:
    """People served in a minute; those who were not, or wrongly, cost their time all the same."""
    answers = tuple(answers)
    return 60 * sum(answer.served for answer in answers) / sum(cycle_s(answer) for answer in answers)


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least that share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def waited(since_s: float | None, answer: Answer) -> float:
    """Frames from then to the answer, in parts of a frame; 0 when it came before, infinite when never."""
    if answer.at_s is None or not answer.right:
        return math.inf
    return 0.0 if since_s is None else frames_between(since_s, answer.at_s)


def frames_between(earlier_s: float | None, later_s: float | None) -> float:
    """In parts of a frame; 0 the wrong way round, infinite when one never comes."""
    if earlier_s is None or later_s is None:
        return math.inf
    return max(0.0, later_s - earlier_s) * FRAMES_PER_SECOND


def summary(played: Sequence[tuple[Marks, Answer]]) -> Summary:
    """What is worth saying of a group."""
    whole = [waited(marks.whole_s, answer) for marks, answer in played]
    sharp = [waited(marks.sharp_s, answer) for marks, answer in played]
    answers = [answer for _, answer in played]
    present_s = sum(answer.present_s for answer in answers)
    return Summary(
        people=len(answers),
        median=percentile(whole, 0.5),
        p95=percentile(whole, 0.95),
        sharp_median=percentile(sharp, 0.5),
        sharp_p95=percentile(sharp, 0.95),
        never=sum(answer.at_s is None for answer in answers) / len(answers),
        wrong=sum(answer.at_s is not None and not answer.right for answer in answers),
        per_minute=per_minute(answers),
        load=sum(answer.busy_s for answer in answers) / present_s,
        looked=sum(answer.looked for answer in answers) / present_s,
    )
