"""Which lines are on at a given moment: the patterns and the relay's pulse laid over each other. Pure.

Time is an argument, so a whole day of cues plays in a test without waiting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.gpio.patterns import PERMANENT, TEMPORARY, Lamp, state_at
from device.model import Cue

if TYPE_CHECKING:
    from device.gpio.patterns import Pattern, Step


@dataclass(frozen=True, slots=True)
class LineState:
    """What every line should do.

    Attributes:
        lamps: the lamps that are lit.
        tone_hz: the tone that sounds, None for silence.
        relay: whether the relay is pulled.
    """

    lamps: frozenset[Lamp] = frozenset()
    tone_hz: int | None = None
    relay: bool = False


REST: Final = LineState()
"""Everything dark, silent and released: before the start, after the end, and when in doubt."""


class PatternPlayer:
    """Plays one temporary pattern over one permanent one, and the relay's pulse beside both.

    Every `now` is in seconds of one monotonic clock and never smaller than the one before. Used from
    one thread.

    Args:
        relay_pulse_s: how long the relay is pulled for one person; positive.
        now: when the first permanent state, STARTING, begins.
    """

    def __init__(self, *, relay_pulse_s: float, now: float) -> None:
        if relay_pulse_s <= 0:
            raise ValueError(f"a relay pulse lasts more than {relay_pulse_s} s")
        self._relay_pulse_s = relay_pulse_s
        self._relay_until = now
        self._permanent = PERMANENT[Cue.STARTING]
        self._permanent_since = now
        self._temporary: Pattern | None = None
        self._temporary_since = now

    def show(self, cue: Cue, now: float) -> None:
        """Begins a temporary pattern. It replaces the one that plays, at once. The relay is left alone."""
        self._temporary = TEMPORARY[cue]
        self._temporary_since = now

    def rest(self, cue: Cue, now: float) -> None:
        """Sets the permanent state. A temporary pattern that plays is played to its end first."""
        if self._permanent is not PERMANENT[cue]:
            self._permanent = PERMANENT[cue]
            self._permanent_since = now

    def pulse(self, now: float) -> None:
        """Pulls the relay for a full pulse from now; one that is still running is made longer."""
        self._relay_until = now + self._relay_pulse_s

    def advance(self, now: float) -> tuple[LineState, float]:
        """What the lines should do now, and the moment (after `now`) until which that stays so."""
        step, change_at = self._step(now)
        relay_ms = _ms(self._relay_until - now)
        relay = relay_ms > 0
        if relay:
            change_at = min(change_at, now + relay_ms / 1000)
        return LineState(step.lamps, step.tone_hz, relay), change_at

    def _step(self, now: float) -> tuple[Step, float]:
        if self._temporary is not None:
            found = state_at(self._temporary, _ms(now - self._temporary_since))
            if found is not None:
                return found[0], now + found[1] / 1000
            self._temporary = None
            self._permanent_since = now
        found = state_at(self._permanent, _ms(now - self._permanent_since))
        if found is None:
            raise AssertionError("a permanent pattern has no end")
        return found[0], now + found[1] / 1000


def _ms(seconds: float) -> float:
    """Milliseconds, rounded to a microsecond: what ends now must not last 1e-11 ms longer."""
    return round(seconds * 1000, 3)
