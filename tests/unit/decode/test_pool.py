"""Who looks at which frame, with children that answer when the test says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from device.decode.finding import SYMBOLOGY, Look
from device.decode.motion import Effort
from device.decode.pool import DecoderPool
from device.errors import DecoderDied
from device.model import Corners, Frame, Symbol
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from device.decode.finding import Luma

HERE: Corners = ((100, 100), (200, 100), (200, 200), (100, 200))
BUDGET_MS = 150.0
UNREAD = Look(unread=(HERE,))


def _read(content: bytes, corners: Corners = HERE) -> Look:
    return Look(symbols=(Symbol(content, SYMBOLOGY, "zxing", corners),))


@dataclass(eq=False)
class ScriptedChild:
    """Sees what it is told to; a climb ends when the test says so."""

    pid: int
    clock: ManualClock
    glance: Look = field(default_factory=Look)
    climb: Look = field(default_factory=Look)
    is_ready: bool = True
    is_done: bool = False
    dead: bool = False
    killed: bool = False
    asked: list[tuple[int, float]] = field(default_factory=list)

    @property
    def filtered(self) -> bool:
        return True

    def ready(self) -> bool:
        return self.is_ready

    def await_ready(self, timeout_s: float) -> bool:
        self._live()
        if not self.is_ready:
            self.clock.advance(timeout_s)
        return self.is_ready

    def begin(self, luma: Luma, *, sequence: int, budget_ms: float) -> None:
        self._live()
        self.is_done = False
        self.asked.append((sequence, budget_ms))

    def finished(self) -> bool:
        return self.is_done or self.dead

    def finish(self, until: float) -> Look:
        self._live()
        climbed = self.asked[-1][1] > 0
        if climbed and not self.is_done and self.clock.monotonic() >= until:
            raise DecoderDied("overran its deadline")
        return self.climb if climbed else self.glance

    def look_at_file(
        self,
        file: Luma,
        *,
        sequence: int,
        frames: int,
        budget_ms: float,
        until: float,
    ) -> Look | None:
        self._live()
        return self.climb

    def kill(self) -> None:
        self.killed = True

    @property
    def climbs(self) -> list[int]:
        """Sequences of the frames it climbed for."""
        return [sequence for sequence, budget_ms in self.asked if budget_ms > 0]

    def _live(self) -> None:
        if self.dead:
            raise DecoderDied("has ended")


@dataclass
class Scene:
    """Says of each frame what the test says."""

    worth: Effort = Effort.CLIMB
    forgotten: int = 0

    def effort(self, plane: object, *, unread: bool) -> Effort:
        return self.worth

    def forget(self) -> None:
        self.forgotten += 1


class Gate:
    """A pool whose children and scene the test makes."""

    def __init__(self, *, cores: int = 2) -> None:
        self.clock = ManualClock()
        self.born: list[ScriptedChild] = []
        self.scene = Scene()
        self.shown = 0
        self.pool = DecoderPool(
            child=self._child,
            deadline_ms=1000,
            clock=self.clock,
            budget_ms=BUDGET_MS,
            cores=cores,
            gate=self.scene,
        )
        self.pool.start()
        self.first, self.second = self.born

    def show(self) -> Look:
        """One more frame, a thirtieth of a second after the one before."""
        self.shown += 1
        self.clock.advance(1 / 30)
        return self.pool.look(Frame(np.zeros((4, 4), np.uint8), self.shown, self.clock.monotonic()))

    def _child(self) -> ScriptedChild:
        self.born.append(ScriptedChild(len(self.born), self.clock, is_ready=len(self.born) < 2))
        return self.born[-1]


def test_what_is_seen_and_not_read_is_climbed_for_beside_while_every_frame_is_glanced_at() -> None:
    gate = Gate()
    gate.first.glance = UNREAD
    for _ in range(4):
        assert gate.show() == UNREAD
    assert gate.first.asked == [(n, 0.0) for n in (1, 2, 3, 4)]
    assert gate.second.asked == [(1, BUDGET_MS)]


def test_what_a_climb_has_read_is_told_with_a_later_frame_and_how_old_it_is() -> None:
    gate = Gate()
    gate.first.glance, gate.second.climb = UNREAD, _read(b"hard")
    gate.show()
    gate.show()
    gate.second.is_done = True
    look = gate.show()
    assert [s.content for s in look.symbols] == [b"hard"]
    assert look.unread == ()
    assert look.behind_s == pytest.approx(2 / 30)
    assert gate.second.climbs == [1, 3]  # and the newest frame is climbed for next


def test_what_a_climb_has_read_is_told_also_when_nothing_moves_any_more() -> None:
    gate = Gate()
    gate.first.glance, gate.second.climb = UNREAD, _read(b"hard")
    gate.show()
    gate.scene.worth, gate.second.is_done = Effort.NONE, True
    assert gate.show().symbols == gate.second.climb.symbols
    assert gate.show().symbols == gate.second.climb.symbols
    assert gate.pool.stats.unchanged == 2


def test_nobody_climbs_for_what_a_glance_has_read() -> None:
    gate = Gate()
    gate.first.glance = _read(b"easy")
    gate.show()
    gate.show()
    assert gate.second.asked == []


def test_an_unchanged_scene_is_looked_at_by_nobody() -> None:
    gate = Gate()
    gate.scene.worth = Effort.NONE
    gate.show()
    assert gate.first.asked == gate.second.asked == []


def test_on_one_core_one_child_glances_and_climbs_in_turn() -> None:
    gate = Gate(cores=1)
    gate.first.glance, gate.first.climb = UNREAD, _read(b"hard")
    looks = [gate.show() for _ in range(5)]
    assert [budget_ms for _, budget_ms in gate.first.asked] == [0.0, 0.0, 0.0, BUDGET_MS, 0.0]
    assert gate.second.asked == []
    assert [len(look.symbols) for look in looks] == [0, 0, 0, 1, 1]


def test_until_the_other_child_is_ready_one_does_both_in_turn() -> None:
    gate = Gate()
    gate.first.glance, gate.second.is_ready = UNREAD, False
    for _ in range(4):
        gate.show()
    assert gate.first.climbs == [4]


def test_a_climb_that_overruns_costs_no_frame() -> None:
    gate = Gate()
    gate.first.glance = UNREAD
    gate.show()
    gate.clock.advance(1)
    assert gate.show() == UNREAD
    assert gate.second.killed
    assert gate.pool.children == (gate.first, gate.born[2])
    assert gate.pool.stats.lost == 1


def test_a_climber_that_dies_costs_no_frame() -> None:
    gate = Gate()
    gate.first.glance = UNREAD
    gate.show()
    gate.second.dead = True
    assert gate.show() == UNREAD
    assert gate.pool.children == (gate.first, gate.born[2])


def test_when_the_one_that_glances_dies_the_climber_takes_over_and_its_climb_is_not_lost() -> None:
    gate = Gate()
    gate.first.glance = gate.second.glance = UNREAD
    gate.second.climb = _read(b"hard")
    gate.show()
    gate.first.dead = True
    with pytest.raises(DecoderDied):
        gate.show()
    look = gate.show()
    assert [s.content for s in look.symbols] == [b"hard"]
    assert gate.second.asked == [(1, BUDGET_MS), (3, 0.0)]
    assert gate.first.killed


def test_children_that_load_slower_than_a_frame_may_wait_are_given_their_time() -> None:
    gate = Gate()
    gate.first.dead = gate.second.dead = True
    for _ in range(2):
        with pytest.raises(DecoderDied, match="has ended"):
            gate.show()
    third, fourth = gate.born[2:]
    for _ in range(10):
        with pytest.raises(DecoderDied, match="still loading"):
            gate.show()
    third.is_ready = True
    third.glance = third.climb = _read(b"at last")
    assert gate.show().symbols == third.glance.symbols
    assert gate.pool.children == (third, fourth)
    assert gate.pool.stats.lost == 12


def test_children_that_never_load_are_replaced() -> None:
    gate = Gate()
    gate.first.dead = gate.second.dead = True
    for _ in range(2 + 70):
        with pytest.raises(DecoderDied):
            gate.show()
    third, fourth = gate.born[2:4]
    assert (third.killed, fourth.killed) == (True, True)
    assert gate.pool.children == tuple(gate.born[4:])


def test_a_climber_that_never_loads_is_replaced() -> None:
    gate = Gate()
    gate.second.is_ready = False
    gate.clock.advance(61)
    gate.show()
    assert gate.second.killed
    assert not gate.first.killed


def test_after_a_death_the_next_frame_is_new_whatever_it_shows() -> None:
    gate = Gate()
    gate.first.dead = True
    with pytest.raises(DecoderDied):
        gate.show()
    assert gate.scene.forgotten == 1


def test_a_closed_pool_says_so_also_with_a_climb_under_way() -> None:
    gate = Gate()
    gate.first.glance = UNREAD
    gate.show()
    gate.pool.close()
    assert gate.first.killed
    assert gate.second.killed
    with pytest.raises(DecoderDied, match="closed"):
        gate.show()
