"""People hold their codes up to a gate: how soon they are read, and how many pass in a minute.

    python -m bench.gate_flow [--people N] [--machine pi4|zero2w|here | --factor F] [--cores N] [--ungated]
    python -m bench.gate_flow --sequence N      codes held still, one trouble each: read in how many frames
    python -m bench.gate_flow --frames DIR      contact sheets of what is drawn

Hands, cards, lens and sensor are a seeded model (`lane/hand.py`, `lane/people.py`, `lane/picture.py` say
where each number is from). All readers see the same frames in the same run, each always the newest when it
is done: ours is `DecoderPool` as the daemon uses it, the others are the loops most projects run. Time at
the gate is simulated; what a frame costs is measured: processor time here times a factor. A climb beside is
done at once here and answered when the modelled machine would have; with one core nothing is done beside.

The factors are estimates, not measurements. This machine has server cores of AMD's Zen 3 generation at some
3.4 GHz: about 4,900 MIPS in 7-zip's single thread. sbc-bench lists 1,769 for a Raspberry Pi 4 at 1.8 GHz
(arm64) and, from 3,030 on four cores, about 800 for a Zero 2 W at 1 GHz: 2.8 and 6. Geekbench 5, with more
image processing, has about 1,150 for such a server core, 290 and 110: 4 and 10. Taken are 4 and 9; where
the core here is another one, give `--factor`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bench.lane.hand import FRAMES_PER_SECOND, Condition, Manner, Trouble
from bench.lane.people import THINGS, held, person
from bench.lane.picture import Showing
from bench.lane.play import Film, Marks, frames_between, marks_of, percentile, play, summary, waited
from bench.lane.readers import Ours, peers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bench.lane.play import Answer, Summary
    from bench.lane.readers import Reader

    Counts = list[int]
    Played = dict[str, list[tuple[Marks, Answer]]]

FACTORS = {"pi4": 4.0, "zero2w": 9.0, "here": 1.0}

TARGETS = {Manner.PREPARED: 30.0, Manner.UNPREPARED: 20.0}
"""People a minute; a turnstile lane passes 18-28 in use."""

MEDIAN_FRAMES, P95_FRAMES, NAIVE_TIMES = 2.0, 6.0, 1.5
"""Goals at ordinary conditions, and against the naive loop."""

UNGATED = "without its gate"
"""The name of our reader when every frame is worth a climb."""

SHEET_FRAMES = (8, 11, 14, 20, 32, 48)
"""Frames of each person on a contact sheet."""


def main() -> int:
    """Plays what the arguments ask for."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--people", type=at_least_three, default=12, metavar="N", help="in each of four groups"
    )
    options.add_argument("--seed", type=int, default=1, help="other seeds, other people")
    options.add_argument("--machine", choices=FACTORS, default="pi4")
    options.add_argument("--factor", type=float, help="how much slower than this machine")
    options.add_argument("--cores", type=int, default=4, help="of the modelled machine")
    options.add_argument("--ungated", action="store_true", help="ours without its motion gate as well")
    options.add_argument("--more", action="store_true", help="more readers: pyzbar for QR codes only, OpenCV")
    options.add_argument("--sequence", type=int, metavar="N", help="frames of each code held still")
    options.add_argument("--frames", type=Path, metavar="DIR", help="write contact sheets there")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    args = options.parse_args()
    cv2.setNumThreads(1)
    if args.frames:
        return sheets(args.frames, args.seed)
    factor = args.factor or FACTORS[args.machine]
    contest = Contest(factor, cores=args.cores, ungated=args.ungated, more=args.more)
    if args.sequence:
        figures = sequences(contest, args.people, args.seed, args.sequence)
    else:
        figures = flow(contest, args.people, args.seed)
    print(f"\nfactor {factor:g}; {args.cores} cores; children lost: {contest.lost}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, default=str) + "\n", encoding="utf-8")
    return 0


class Contest:
    """The readers side by side, ours anew for each group.

    Attributes:
        factor: how much slower the modelled machine is.
        lost: frames that cost a child, so far.
    """

    def __init__(self, factor: float, *, cores: int = 4, ungated: bool = False, more: bool = False) -> None:
        self.factor = factor
        self.lost = 0
        self._cores = cores
        self._ungated = ungated
        self._more = more

    @contextmanager
    def readers(self) -> Iterator[tuple[Reader, ...]]:
        """Ours first, then the naive loop, then others."""
        with ExitStack() as stack:
            ours = [Ours(factor=self.factor, cores=self._cores)]
            others: list[Reader] = list(peers(self.factor, more=self._more))
            if self._ungated:
                ours.append(Ours(factor=self.factor, cores=self._cores, gated=False))
            for one in ours:
                stack.enter_context(one)
            yield (ours[0], *others, *ours[1:])
            self.lost += sum(one.lost for one in ours)


# -- the lane -------------------------------------------------------------------------------------


def flow(contest: Contest, people: int, seed: int) -> dict[str, object]:
    """Four groups of people, one after another; prints the tables."""
    groups = {}
    for condition, manner in product(Condition, Manner):
        with contest.readers() as readers:
            seeds = range(seed, seed + people)
            groups[condition, manner] = group(readers, manner, condition, seeds)
    ours, naive = list(next(iter(groups.values())))[:2]
    summaries = {key: {name: summary(p) for name, p in played.items()} for key, played in groups.items()}
    for (condition, manner), by_reader in summaries.items():
        table(f"{condition}, {manner}", by_reader)
        floor([marks for marks, _ in groups[condition, manner][ours]])
    things_table({key: played[ours] for key, played in groups.items()})
    targets = goals(summaries, ours, naive)
    if UNGATED in next(iter(groups.values())):
        targets |= gate_goal(groups.values(), ours)
    everybody = [
        {"reader": name, **asdict(marks), **asdict(answer)}
        for played in groups.values()
        for name, pairs in played.items()
        for marks, answer in pairs
    ]
    groups_out = {
        f"{condition}, {manner}": {name: finite(s) for name, s in by_reader.items()}
        for (condition, manner), by_reader in summaries.items()
    }
    return {
        "factor": contest.factor,
        "lost": contest.lost,
        "groups": groups_out,
        "targets": targets,
        "people": everybody,
    }


def group(readers: Sequence[Reader], manner: Manner, condition: Condition, seeds: range) -> Played:
    """People of one kind, each shown to every reader."""
    played: Played = {reader.name: [] for reader in readers}
    for count, seed in enumerate(seeds):
        progress(f"{condition}, {manner}: {count + 1} of {len(seeds)}")
        somebody = person(seed, manner, condition, THINGS[count % len(THINGS)])
        marks, film = marks_of(seed, manner, condition, somebody), Film(somebody)
        for reader in readers:
            played[reader.name].append((marks, play(reader, film)))
    progress("")
    return played


def table(title: str, by_reader: Mapping[str, Summary]) -> None:
    """One group, a line for each reader."""
    print(f"\n{title}: {next(iter(by_reader.values())).people} people")
    print(f"{'':16}{'frames from whole':>19}{'from sharp':>15}{'never':>8}{'wrong':>7}", end="")
    print(f"{'a minute':>10}{'core':>7}{'looks/s':>9}")
    for name, s in by_reader.items():
        print(f"{name:16}{told(s.median):>10}{told(s.p95):>9}{told(s.sharp_median):>8}", end="")
        print(f"{told(s.sharp_p95):>7}{s.never:>8.0%}{s.wrong:>7}{s.per_minute:>10.1f}", end="")
        print(f"{s.load:>7.0%}{s.looked:>9.1f}")


def floor(people: Sequence[Marks]) -> None:
    """What no reader can be blamed for: from whole in the picture to sharp."""
    settling = [frames_between(marks.whole_s, marks.sharp_s) for marks in people]
    told_all = f"{told(percentile(settling, 0.5)):>10}{told(percentile(settling, 0.95)):>9}"
    print(f"{'(until sharp)':16}{told_all}")


def things_table(ours: Mapping[tuple[Condition, Manner], Sequence[tuple[Marks, Answer]]]) -> None:
    """What costs our reader: median and 95th from sharp, and the never read, for each thing."""
    print("\nours by thing: frames from sharp, median / 95th (never)")
    print(f"{'':24}" + "".join(f"{thing:>20}" for thing in THINGS))
    for (condition, manner), played in ours.items():
        print(f"{condition + ', ' + manner:24}", end="")
        for thing in THINGS:
            some = [pair for pair in played if pair[0].thing is thing]
            s = summary(some)
            print(f"{f'{told(s.sharp_median)} / {told(s.sharp_p95)} ({s.never:.0%})':>20}", end="")
        print()


def goals(
    summaries: Mapping[tuple[Condition, Manner], Mapping[str, Summary]], ours: str, naive: str
) -> dict[str, bool]:
    """Says of each goal whether this run met it.

    Waiting is judged from the first frame that can be read: the hand's own way from the edge of the picture
    to there is nobody's fault, and for one person in twenty it alone takes longer than the goal.
    """
    prepared = summaries[Condition.ORDINARY, Manner.PREPARED][ours]
    median, p95 = prepared.sharp_median, prepared.sharp_p95
    wrong = sum(by_reader[ours].wrong for by_reader in summaries.values())
    met = {
        f"median {told(median)} frames, goal {MEDIAN_FRAMES:g}": median <= MEDIAN_FRAMES,
        f"95th {told(p95)} frames, goal {P95_FRAMES:g}": p95 <= P95_FRAMES,
        f"wrong texts {wrong}, goal 0": wrong == 0,
    }
    for manner, wanted in TARGETS.items():
        by_reader = summaries[Condition.ORDINARY, manner]
        rate = by_reader[ours].per_minute
        met[f"{manner}: {rate:.1f} a minute, goal {wanted:g}"] = rate >= wanted
    for (condition, manner), by_reader in summaries.items():
        rate, other = by_reader[ours].per_minute, by_reader[naive].per_minute
        times = rate / other if other else math.inf
        met[f"{condition}, {manner}: {times:.2f} x the naive loop, goal {NAIVE_TIMES:g}"] = (
            times >= NAIVE_TIMES
        )
    print()
    for words, reached in met.items():
        print(f"{'met' if reached else 'missed':8}{words}")
    return met


def gate_goal(groups: Iterable[Played], ours: str) -> dict[str, bool]:
    """Says whether the motion gate has hidden anybody: a frame not looked at while the code was in view.

    Which frames are climbed for is chance, with the gate or without: some are read sooner, some later.
    """
    with_gate = [answer for played in groups for _, answer in played[ours]]
    without = [answer for played in groups for _, answer in played[UNGATED]]
    pairs = [(waited(0.0, a), waited(0.0, b)) for a, b in zip(with_gate, without, strict=True)]
    later, sooner = sum(a > b + 1 for a, b in pairs), sum(b > a + 1 for a, b in pairs)
    left_out, of = sum(answer.left_out for answer in with_gate), len(pairs)
    print(
        f"read more than a frame later with the motion gate than without: {later} of {of}, sooner: {sooner}"
    )
    words = f"frames left out by the motion gate with a code in view: {left_out}, goal 0"
    print(f"{'met' if not left_out else 'missed':8}{words}")
    return {words: not left_out}


# -- held still -----------------------------------------------------------------------------------


def sequences(contest: Contest, each: int, seed: int, length: int) -> dict[str, object]:
    """Codes held in the middle by an unsteady hand, frame after frame; prints the table."""
    counts: dict[Trouble, dict[str, Counts]] = {}
    for trouble in Trouble:
        with contest.readers() as readers:
            counts[trouble] = {reader.name: [0, 0, 0] for reader in readers}
            for number in range(each):
                progress(f"{trouble}: {number + 1} of {each}")
                film = Film(held(seed + number, trouble))
                for reader in readers:
                    so_far = counts[trouble][reader.name]
                    counts[trouble][reader.name] = added(so_far, hold(reader, film, length))
    progress("")
    names = list(counts[Trouble.NONE])
    print(f"{each} codes of each trouble: read from the first frame / from {length}, wrong texts")
    print(f"{'':10}" + "".join(f"{name:>20}" for name in names))
    totals = {name: [0, 0, 0] for name in names}
    for trouble, by_reader in counts.items():
        totals = {name: added(totals[name], by_reader[name]) for name in names}
        print(f"{trouble:10}" + "".join(f"{cell(by_reader[name], each):>20}" for name in names))
    print(f"{'all':10}" + "".join(f"{cell(totals[name], each * len(counts)):>20}" for name in names))
    return {"each": each, "frames": length, "read first, read at all, wrong": counts}


def added(counts: Counts, more: Sequence[int]) -> Counts:
    """Place by place."""
    return [count + one for count, one in zip(counts, more, strict=True)]


def cell(counts: Counts, of: int) -> str:
    """For the table."""
    first, any_frame, wrong = counts
    return f"{first / of:.0%} / {any_frame / of:.0%} {wrong:3}"


def hold(reader: Reader, film: Film, length: int) -> tuple[bool, bool, bool]:
    """Whether the first frame was read, any of them, and whether anything was read wrongly."""
    for index in range(-2, 0):
        reader.read(film.luma(index), float(index))
    first = any_frame = wrong = False
    for index in range(length):
        texts = reader.read(film.luma(index), float(index)).texts
        right = film.person.text in texts
        first, any_frame = first or (right and index == 0), any_frame or right
        wrong = wrong or any(text != film.person.text for text in texts)
        if right:
            break
    return first, any_frame, wrong


# -- to look at -----------------------------------------------------------------------------------


def sheets(folder: Path, seed: int) -> int:
    """A picture for each group and one of the troubles, the code outlined, what blurs it written above."""
    folder.mkdir(parents=True, exist_ok=True)
    for condition, manner in product(Condition, Manner):
        people = [person(seed + n, manner, condition, THINGS[n % 3]) for n in range(6)]
        rows = [np.hstack([thumbnail(Showing(p), index) for index in SHEET_FRAMES]) for p in people]
        cv2.imwrite(str(folder / f"{condition}-{manner}.png"), np.vstack(rows))
    rows = []
    for trouble in Trouble:
        some = [held(seed + n, trouble) for n in range(len(SHEET_FRAMES))]
        rows.append(np.hstack([thumbnail(Showing(p), 0, trouble) for p in some]))
    cv2.imwrite(str(folder / "troubles.png"), np.vstack(rows))
    print(f"{len(Condition) * len(Manner) + 1} sheets in {folder}")
    return 0


def thumbnail(
    showing: Showing, index: int, title: str = ""
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A frame at three eighths."""
    someone, at_s = showing.person, index / FRAMES_PER_SECOND
    picture = cv2.cvtColor(showing.luma(index), cv2.COLOR_GRAY2BGR)
    outline = someone.corners(at_s).round().astype(np.int32)
    shade = (0, 200, 0) if someone.sharp(at_s) else (0, 140, 255)
    cv2.polylines(picture, [outline], isClosed=True, color=shade, thickness=2)
    smear = float(np.hypot(*someone.smear_px(at_s)))
    module, disc = someone.module_px(at_s), someone.defocus_px(at_s)
    words = f"{title} {index}: module {module:.1f} smear {smear:.1f} disc {disc:.1f}"
    cv2.putText(picture, words, (16, 56), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0, 255, 255), 3)
    small: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = cv2.resize(
        picture, (480, 270), interpolation=cv2.INTER_AREA
    )
    return small


# -- words ----------------------------------------------------------------------------------------


def told(frames: float) -> str:
    """A count of frames for the table."""
    return "never" if math.isinf(frames) else f"{frames:.1f}"


def finite(figures: Summary) -> dict[str, float | int | None]:
    """As JSON has it: None for what never came."""
    return {key: None if math.isinf(value) else round(value, 3) for key, value in asdict(figures).items()}


def at_least_three(text: str) -> int:
    """A count of people: one with each thing at least."""
    count = int(text)
    if count < len(THINGS):
        raise argparse.ArgumentTypeError(f"at least {len(THINGS)}: one with each thing")
    return count


def progress(words: str) -> None:
    """One line on a terminal, none in a file."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{words:60}" if words else "\r" + " " * 60 + "\r")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
