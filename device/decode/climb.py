"""What is done with one frame: looks, repairs, and what came of them."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from device.decode.finding import SYMBOLOGY, Finding, Look
from device.decode.regions import whole
from device.decode.repair import clean_picture, repaired
from device.decode.soften import soften
from device.decode.structure import fixed_share
from device.model import Symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from device.decode.agreement import Agreement
    from device.decode.evidence import Evidence
    from device.decode.finding import Luma, Quad
    from device.decode.regions import Region
    from device.decode.soften import Soft
    from device.decode.steps import Engine, Step
    from device.decode.structure import Grid
    from device.model import Corners

log = logging.getLogger(__name__)

# Repairs tried in one frame: each costs as much as several looks.
_MAX_REPAIRS = 6
# Repairs of one symbol in one frame: further findings of it hardly differ.
_MAX_REPAIRS_A_PLACE = 3
# Share of the modules fixed by the standard that are right: below, none could be repaired (measured, of 35);
# below the other, one in twenty, and a better view of it may come.
_WORTH_TRYING = 0.8
_LIKELY = 0.9
# A repair may begin when it is expected to end within the budget; a dear one within so much of it: it would
# never begin otherwise. It is interrupted in any case when the budget is spent.
_DEAR_SHARE = 0.35
# What a repair is expected to cost falls by this share with each cheaper one: most end early.
_PACE_FALLS = 0.1
# Findings whose middles are nearer than this share of their size are one symbol.
_SAME_PLACE = 0.3

_Answer = TypeVar("_Answer")


class Stopwatch(Protocol):
    """Counts what is spent: a clock of the machine, or of the work done."""

    def monotonic(self) -> float:
        """Seconds; only differences mean anything."""
        ...


class Pace:
    """What repairs cost on this machine, learnt from those before: milliseconds a module."""

    def __init__(self) -> None:
        self._ms_a_module = 0.0

    def expected_ms(self, modules: int) -> float:
        """Of a symbol of so many modules; nothing before anything is known."""
        return self._ms_a_module * modules

    def note(self, modules: int, spent_ms: float) -> None:
        """A repair has ended."""
        self._ms_a_module = max(spent_ms / modules, self._ms_a_module * (1 - _PACE_FALLS))


class Climb:
    """Collects what is seen in one frame. An exception on the way costs its own findings, nothing else.

    Args:
        luma: the frame.
        agreement: says which readings may be believed.
        evidence: adds up what earlier frames told of the same symbol.
        pace: says what a repair will cost, and learns from it.
        reader: reads the content of a repaired symbol, drawn anew.
        clock: for the budget.
        budget_ms: from now.
    """

    def __init__(
        self,
        luma: Luma,
        *,
        agreement: Agreement,
        evidence: Evidence,
        pace: Pace,
        reader: Engine,
        clock: Stopwatch,
        budget_ms: float,
    ) -> None:
        self._luma = luma
        self._agreement = agreement
        self._evidence = evidence
        self._pace = pace
        self._reader = reader
        self._clock = clock
        self._began = clock.monotonic()
        self._budget_ms = budget_ms
        self._failures = 0
        # With the share of the modules fixed by the standard that are right.
        self._pending: list[tuple[float, Finding]] = []
        self._repairs: list[Finding] = []
        self.symbols: list[Symbol] = []
        self.unread: list[Finding] = []
        self.hinted = False

    @property
    def spent_ms(self) -> float:
        """Since the climb began."""
        return (self._clock.monotonic() - self._began) * 1000

    @property
    def out_of_time(self) -> bool:
        """Whether no further step may begin."""
        return self.spent_ms >= self._budget_ms

    def _going(self) -> bool:
        return not self.out_of_time

    def take_each(self, step: Step, regions: Iterable[Region]) -> None:
        """Looks at several regions in one way, while there is time."""
        for region in regions:
            if self.out_of_time:
                return
            self.take(step, region)

    def take(self, step: Step, region: Region) -> None:
        """Looks at a region in one way."""
        picture = region.of(self._luma)
        prepared = self._guarded(lambda: step.prepare(picture))
        if prepared is None:
            return
        for finding in self._guarded(lambda: step.engine.read(prepared)) or ():
            corners = region.outward(finding.corners, prepared.shape[1] / picture.shape[1])
            if finding.hint:
                self.hinted = True
            elif finding.content is None:
                self._note_unread(finding, corners)
            elif self._agreement.believes(finding, doubtful=step.doubtful):
                self._note(finding.content, step.name, corners)

    def repair_unread(self, *, likely_only: bool = False) -> None:
        """Tries to repair what has been seen and not read, and not tried; of one symbol the likeliest only.

        Args:
            likely_only: the rest may wait for a better view of the same symbol.
        """
        bar = _LIKELY if likely_only else _WORTH_TRYING
        tried = [(share, finding) for share, finding in self._pending if share >= bar]
        self._pending = [(share, finding) for share, finding in self._pending if share < bar]
        for finding in _best_of_each(tried):
            if finding.grid is None:
                continue
            near = sum(_same_place(finding.corners, other.corners) for other in self._repairs)
            if (
                near >= _MAX_REPAIRS_A_PLACE
                or len(self._repairs) >= _MAX_REPAIRS
                or not self._affords(finding.grid)
            ):
                continue
            if any(_same_place(finding.corners, symbol.corners) for symbol in self.symbols):
                continue
            self._repairs.append(finding)
            before_ms = self.spent_ms
            self._guarded(partial(self._repair, finding, finding.grid))
            self._pace.note(finding.grid.size, self.spent_ms - before_ms)

    @property
    def left(self) -> list[Finding]:
        """What was seen and is not read yet, by this climb or a step of it; each place once."""
        read = [symbol.corners for symbol in self.symbols]
        left: list[Finding] = []
        for finding in self.unread:
            known = (*read, *(other.corners for other in left))
            if not any(_same_place(finding.corners, corners) for corners in known):
                left.append(finding)
        return left

    @property
    def over(self) -> bool:
        """Whether something was read and nothing is left: a poster in view must not hide a person's code."""
        return bool(self.symbols) and not self.left

    def result(self) -> Look:
        """What came of it."""
        return Look(
            symbols=tuple(self.symbols),
            unread=tuple(whole_pixels(f.corners, self._luma) for f in self.left),
            failures=self._failures,
            spent_ms=self.spent_ms,
        )

    def _affords(self, grid: Grid) -> bool:
        expected_ms = min(self._pace.expected_ms(grid.size), _DEAR_SHARE * self._budget_ms)
        return not self.out_of_time and self.spent_ms + expected_ms <= self._budget_ms

    def _repair(self, finding: Finding, grid: Grid) -> None:
        soft = soften(self._luma, finding.corners, grid, going=self._going)
        if soft is None:
            return
        if not self._read_repaired(soft, "repaired", finding.corners):
            total = self._evidence.add(soft)
            if total is not None:
                self._read_repaired(total, "repaired/frames", finding.corners)

    def _read_repaired(self, soft: Soft, name: str, corners: Quad) -> bool:
        grid = repaired(soft, going=self._going)
        if grid is None:
            return False
        for clean in self._reader.read(clean_picture(grid)):
            if clean.content is not None:
                self._note(clean.content, name, corners)
                return True
        return False

    def _note(self, content: bytes, name: str, corners: Quad) -> None:
        if not any(content == s.content and _same_place(corners, s.corners) for s in self.symbols):
            self.symbols.append(Symbol(content, SYMBOLOGY, name, whole_pixels(corners, self._luma)))

    def _note_unread(self, finding: Finding, corners: Quad) -> None:
        moved = Finding(corners=corners, content=None, side=finding.side, grid=finding.grid)
        self.unread.append(moved)
        if finding.grid is not None:
            self._pending.append((fixed_share(finding.grid), moved))

    def _guarded(self, attempt: Callable[[], _Answer]) -> _Answer | None:
        try:
            return attempt()
        except Exception as error:  # noqa: BLE001 - whatever a library throws costs its findings, not the process
            self._failures += 1
            log.debug("a step failed: %s", type(error).__name__)
            return None


def _best_of_each(ranked: list[tuple[float, Finding]]) -> list[Finding]:
    """Of several findings of one symbol the highest."""
    best: list[Finding] = []
    for _, finding in sorted(ranked, key=lambda pair: -pair[0]):
        if not any(_same_place(finding.corners, other.corners) for other in best):
            best.append(finding)
    return best


def _same_place(a: Quad | Corners, b: Quad | Corners) -> bool:
    (ax, ay), (bx, by) = _middle(a), _middle(b)
    size = max(abs(a[0][0] - a[2][0]), abs(a[0][1] - a[2][1]), abs(a[1][0] - a[3][0]), abs(a[1][1] - a[3][1]))
    return max(abs(ax - bx), abs(ay - by)) <= _SAME_PLACE * size


def _middle(corners: Quad | Corners) -> tuple[float, float]:
    return sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4


def whole_pixels(corners: Quad, luma: Luma) -> Corners:
    """Corners as pixels inside the frame."""
    area = whole(luma)
    a, b, c, d = (
        (min(max(round(x), 0), area.right - 1), min(max(round(y), 0), area.bottom - 1)) for x, y in corners
    )
    return a, b, c, d
