from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from device.decode.finding import Finding, Quad
from device.decode.ladder import Ladder
from device.decode.regions import Region, busy_regions, whole
from device.decode.steps import Step, first_step, further_steps
from device.decode.zxing import Zxing
from tests.support.clock import ManualClock
from tests.support.codes import Held, code, empty, scene, shown

if TYPE_CHECKING:
    from device.decode.finding import Luma

CARD = "046090123456|191234567|Trần Văn Mẫu|05061990|Nam|Tổ 3, Phường Thử Nghiệm, Thành phố Ví Dụ|12072021"
SQUARE: Quad = ((0, 0), (9, 0), (9, 9), (0, 9))


@dataclass
class Script:
    """An engine that says what it was told to, and takes its time."""

    clock: ManualClock
    answers: list[tuple[Finding, ...] | Exception] = field(default_factory=list)
    takes_ms: float = 1.0
    asked: int = 0
    name: str = "script"

    def read(self, luma: Luma) -> tuple[Finding, ...]:
        assert luma.size
        self.asked += 1
        self.clock.advance(self.takes_ms / 1000)
        answer = self.answers.pop(0) if self.answers else ()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _as_is(luma: Luma) -> Luma:
    return luma


def _ladder(first: Script, *further: Script) -> Ladder:
    steps = [Step(f"step{i}", _as_is, engine, blind=True) for i, engine in enumerate(further)]
    return Ladder(
        first=Step("first", _as_is, first, doubtful=False), further=steps, reader=first, clock=first.clock
    )


def _real() -> Ladder:
    engines = ("zxing", "zbar")
    return Ladder(
        first=first_step(engines), further=further_steps(engines), reader=Zxing(), clock=ManualClock()
    )


BUSY = np.random.default_rng(1).integers(0, 256, (720, 1280), dtype=np.uint8)


def test_what_the_first_step_reads_ends_the_climb() -> None:
    clock = ManualClock()
    first = Script(clock, [(Finding(SQUARE, b"gate"),)])
    further = Script(clock)
    look = _ladder(first, further).look(BUSY, budget_ms=100)
    assert [s.content for s in look.symbols] == [b"gate"]
    assert further.asked == 0


def test_a_poster_that_is_read_does_not_hide_a_code_that_is_not() -> None:
    clock = ManualClock()
    elsewhere: Quad = ((600, 300), (700, 300), (700, 400), (600, 400))
    first = Script(clock, [(Finding(SQUARE, b"poster"), Finding(elsewhere, None))] * 2)
    further = Script(clock)
    ladder = _ladder(first, further)
    look = ladder.look(BUSY, budget_ms=100)
    assert further.asked == 0  # what was just read is answered first
    assert [s.content for s in look.symbols] == [b"poster"]
    assert len(look.unread) == 1
    ladder.look(BUSY, budget_ms=100)
    assert further.asked == 1


def test_an_engine_that_throws_costs_its_findings_only() -> None:
    clock = ManualClock()
    first = Script(clock, [RuntimeError("bad luck")])
    further = Script(clock, [(Finding(SQUARE, b"a content that is long"),)])
    look = _ladder(first, further).look(BUSY, budget_ms=100)
    assert [s.content for s in look.symbols] == [b"a content that is long"]
    assert look.failures == 1


def test_no_step_begins_after_the_budget_and_the_next_frame_goes_on() -> None:
    clock = ManualClock()
    scripts = [Script(clock, takes_ms=30) for _ in range(4)]
    ladder = _ladder(Script(clock), *scripts)
    ladder.look(BUSY, budget_ms=50)
    assert [s.asked for s in scripts] == [1, 1, 0, 0]
    ladder.look(BUSY, budget_ms=50)
    assert [s.asked for s in scripts] == [1, 1, 1, 1]


def test_a_glance_is_the_first_step_alone() -> None:
    clock = ManualClock()
    first, further = Script(clock), Script(clock)
    _ladder(first, further).look(BUSY, budget_ms=0)
    assert (first.asked, further.asked) == (1, 0)


def test_a_calm_scene_is_not_climbed_for() -> None:
    clock = ManualClock()
    further = Script(clock)
    _ladder(Script(clock), further).look(empty(), budget_ms=100)
    assert further.asked == 0


def test_a_code_burnt_out_beyond_what_an_engine_corrects_is_repaired() -> None:
    luma = code(CARD)
    luma[80:150, 76:146] = 255
    assert all(finding.content is None for finding in Zxing().read(luma))
    (symbol,) = _real().look(luma, budget_ms=100).symbols
    assert symbol.content == CARD.encode()
    assert symbol.engine == "repaired"
    assert symbol.corners[0] == (16, 16)


def test_a_code_too_small_for_the_first_look_is_enlarged() -> None:
    frame = shown("a gate pass, some way off", Held(module_px=1.5, turn_deg=20, blur_px=0.6))
    (symbol,) = _real().look(frame, budget_ms=100).symbols
    assert symbol.content == b"a gate pass, some way off"


def test_what_is_seen_and_not_read_is_told() -> None:
    symbol = code(CARD)
    symbol[80:160, 60:170] = 0
    look = _real().look(scene((symbol, (640, 360), Held())), budget_ms=100)
    assert look.symbols == ()
    assert len(look.unread) >= 1


def test_regions_surround_what_stands_out() -> None:
    frame = shown(CARD, Held(turn_deg=30))
    (region,) = busy_regions(frame, 3)
    assert region.left < 540
    assert region.right > 740
    assert region.top < 260
    assert region.bottom > 460
    assert region.of(frame).shape[0] < 500


def test_a_calm_scene_has_no_regions_and_a_busy_one_is_a_region() -> None:
    assert busy_regions(empty(), 3) == ()
    assert busy_regions(BUSY, 3) == (whole(BUSY),)


def test_corners_come_back_from_a_region_and_its_scale() -> None:
    region = Region(100, 50, 300, 250)
    assert region.outward(((0, 0), (20, 0), (20, 20), (0, 20)), 2.0)[2] == (110, 60)


def test_where_nothing_looks_like_a_code_only_the_blind_steps_look() -> None:
    clock = ManualClock()
    blind, other = Script(clock), Script(clock)
    ladder = Ladder(
        first=Step("first", _as_is, Script(clock), doubtful=False),
        further=[Step("blind", _as_is, blind, blind=True), Step("other", _as_is, other)],
        reader=Script(clock),
        clock=clock,
    )
    ladder.look(BUSY, budget_ms=100)
    assert (blind.asked, other.asked) == (1, 0)


def test_parts_of_a_code_are_worth_every_step_and_nobody_is_told() -> None:
    clock = ManualClock()
    blind = Script(clock, [(Finding(SQUARE, None, hint=True),)])
    other = Script(clock)
    ladder = Ladder(
        first=Step("first", _as_is, Script(clock), doubtful=False),
        further=[Step("blind", _as_is, blind, blind=True), Step("other", _as_is, other)],
        reader=Script(clock),
        clock=clock,
    )
    look = ladder.look(BUSY, budget_ms=100)
    assert other.asked == 1
    assert look.unread == ()


def test_one_code_seen_by_several_steps_is_one_place() -> None:
    clock = ManualClock()
    first = Script(clock, [(Finding(SQUARE, None), Finding(SQUARE, None))])
    closer = Script(clock, [(Finding(SQUARE, None),)])
    ladder = Ladder(
        first=Step("first", _as_is, first, doubtful=False),
        further=[Step("closer", _as_is, closer, closer=True)],
        reader=first,
        clock=clock,
    )
    look = ladder.look(BUSY, budget_ms=100)
    assert closer.asked == 1
    assert len(look.unread) == 1


def test_a_step_that_makes_the_picture_larger_tells_places_of_the_frame() -> None:
    clock = ManualClock()
    seen: Quad = ((200, 100), (400, 100), (400, 300), (200, 300))
    engine = Script(clock, [(Finding(seen, b"a content that is long"),)])

    def twice(luma: Luma) -> Luma:
        return np.kron(luma, np.ones((2, 2), np.uint8))

    ladder = Ladder(
        first=Step("first", _as_is, Script(clock), doubtful=False),
        further=[Step("twice", twice, engine, wide=True, blind=True)],
        reader=engine,
        clock=clock,
    )
    (symbol,) = ladder.look(BUSY, budget_ms=100).symbols
    assert symbol.corners == ((100, 50), (200, 50), (200, 150), (100, 150))


def test_a_step_that_is_not_worth_a_look_is_none() -> None:
    clock = ManualClock()
    engine = Script(clock)
    ladder = Ladder(
        first=Step("first", _as_is, Script(clock), doubtful=False),
        further=[Step("never", lambda _: None, engine, blind=True)],
        reader=engine,
        clock=clock,
    )
    look = ladder.look(BUSY, budget_ms=100)
    assert engine.asked == 0
    assert look.failures == 0


@given(
    budget_ms=st.integers(0, 200),
    takes=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    flags=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=8, max_size=8),
    seen=st.booleans(),
)
def test_a_look_spends_its_budget_and_one_step_at_most(
    *, budget_ms: int, takes: list[int], flags: list[tuple[bool, bool]], seen: bool
) -> None:
    clock = ManualClock()
    first = Script(clock, [(Finding(SQUARE, None),)] if seen else [])
    steps = [
        Step(f"step{i}", _as_is, Script(clock, takes_ms=ms), wide=True, blind=blind, closer=closer)
        for i, (ms, (blind, closer)) in enumerate(zip(takes, flags, strict=False))
    ]
    ladder = Ladder(first=Step("first", _as_is, first), further=steps, reader=first, clock=clock)
    before = clock.monotonic()
    ladder.look(BUSY, budget_ms=budget_ms)
    spent_ms = (clock.monotonic() - before) * 1000
    assert spent_ms <= max(first.takes_ms, budget_ms) + max(takes) + 0.001
