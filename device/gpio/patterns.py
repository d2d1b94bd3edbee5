"""What each cue looks and sounds like. Pure data and one pure function; no time, no pins.

Eight men in a hundred confuse red and green, so no cue is told by colour alone: position (the lamps
stand in a row), rhythm and sound each carry the meaning as well.

=============  ==========================  ================================
cue            rhythm                      sound
=============  ==========================  ================================
granted        green, steady               one short high tone
already shown  green, then yellow          two very short high tones
denied         red, two flashes a second   two long low tones
attention      yellow, one flash a second  one very long low tone
taken          yellow and blue, steady     a middle tone, then a high one
trying         yellow and blue in turn     one short middle tone
self-test      each lamp in turn           one high tone, with the last
fault          red and yellow in turn      three short tones, then quiet
ready          blue, steady                none
starting       blue, one flash a second    none
=============  ==========================  ================================

Within a cue no lamp flashes more than three times in any second, the limit at which flicker begins
to be a danger to some people (WCAG 2.3.1). Tones lie between 500 and 3000 Hz, where a small buzzer
is loud and old ears still hear. The relay is no part of a pattern: it has a pulse of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from device.model import Cue

if TYPE_CHECKING:
    from collections.abc import Mapping


class Lamp(StrEnum):
    """The lights a panel may have; the words are those of the configuration."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Step:
    """What is lit and heard for a while.

    Attributes:
        duration_ms: how long; positive.
        lamps: the lamps that are lit; all others are dark.
        tone_hz: the tone that sounds, None for silence.
    """

    duration_ms: int
    lamps: frozenset[Lamp]
    tone_hz: int | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sequence of steps, played once (temporary) or over and over (permanent).

    Attributes:
        steps: at least one.
        repeats: True for permanent states, which stay until they are replaced.
    """

    steps: tuple[Step, ...]
    repeats: bool

    @property
    def length_ms(self) -> int:
        """How long one pass takes."""
        return sum(step.duration_ms for step in self.steps)


def state_at(pattern: Pattern, elapsed_ms: float) -> tuple[Step, float] | None:
    """The step in force `elapsed_ms` (not negative) after the pattern began, and the milliseconds left in it.

    None when a temporary pattern is over. A permanent one is never over.
    """
    left_ms = elapsed_ms % pattern.length_ms if pattern.repeats else elapsed_ms
    for step in pattern.steps:
        if left_ms < step.duration_ms:
            return step, step.duration_ms - left_ms
        left_ms -= step.duration_ms
    return None


_DARK: Final = frozenset[Lamp]()
_GREEN: Final = frozenset({Lamp.GREEN})
_YELLOW: Final = frozenset({Lamp.YELLOW})
_RED: Final = frozenset({Lamp.RED})
_BLUE: Final = frozenset({Lamp.BLUE})

# "Yes" is high and "no" is low, by more than an octave, so that nobody needs to hear both to tell them apart.
_HIGH_HZ: Final = 1200
_LOW_HZ: Final = 500
# Between the two, for the technician: a fault is neither yes nor no.
_FAULT_HZ: Final = 800

TEMPORARY: Final[Mapping[Cue, Pattern]] = MappingProxyType(
    {
        Cue.GRANTED: Pattern(
            (
                Step(150, _GREEN, _HIGH_HZ),
                Step(1050, _GREEN),
            ),
            repeats=False,
        ),
        Cue.ALREADY_SHOWN: Pattern(
            (
                Step(80, _GREEN, _HIGH_HZ),
                Step(80, _GREEN),
                Step(80, _GREEN, _HIGH_HZ),
                Step(360, _GREEN),
                Step(600, _YELLOW),
            ),
            repeats=False,
        ),
        Cue.DENIED: Pattern(
            (
                Step(250, _RED, _LOW_HZ),
                Step(250, _DARK),
                Step(250, _RED, _LOW_HZ),
                Step(250, _DARK),
                Step(250, _RED),
                Step(250, _DARK),
                Step(250, _RED),
                Step(250, _DARK),
            ),
            repeats=False,
        ),
        Cue.ATTENTION: Pattern(
            (
                Step(800, _YELLOW, _LOW_HZ),
                Step(200, _DARK),
                Step(800, _YELLOW),
                Step(200, _DARK),
            ),
            repeats=False,
        ),
        # A card of the provisioner: no visitor is meant, so neither green nor red is lit.
        Cue.TAKEN: Pattern(
            (
                Step(150, _YELLOW | _BLUE, _FAULT_HZ),
                Step(150, _YELLOW | _BLUE, _HIGH_HZ),
                Step(900, _YELLOW | _BLUE),
            ),
            repeats=False,
        ),
        # As long as a network may take to be joined; what became of it, or a visitor's answer, ends it.
        Cue.TRYING: Pattern(
            (
                Step(150, _YELLOW, _FAULT_HZ),
                Step(850, _YELLOW),
                Step(1000, _BLUE),
                *(Step(1000, lamp) for _ in range(30) for lamp in (_YELLOW, _BLUE)),
            ),
            repeats=False,
        ),
        Cue.SELF_TEST: Pattern(
            (
                Step(450, _BLUE),
                Step(450, _YELLOW),
                Step(450, _RED),
                Step(450, _GREEN, _HIGH_HZ),
            ),
            repeats=False,
        ),
        Cue.FAULT: Pattern(
            (
                Step(150, _RED, _FAULT_HZ),
                Step(350, _RED),
                Step(150, _YELLOW, _FAULT_HZ),
                Step(350, _YELLOW),
                Step(150, _RED, _FAULT_HZ),
                Step(350, _RED),
                Step(500, _YELLOW),
            ),
            repeats=False,
        ),
    }
)
"""Cues that end by themselves and fall back to the permanent state."""

PERMANENT: Final[Mapping[Cue, Pattern]] = MappingProxyType(
    {
        Cue.STARTING: Pattern((Step(500, _BLUE), Step(500, _DARK)), repeats=True),
        Cue.READY: Pattern((Step(1000, _BLUE),), repeats=True),
        # One lamp is always lit: a gate in trouble must not look like one without power. No sound,
        # because it may stay like this for a night beside people who can do nothing about it.
        Cue.FAULT: Pattern((Step(1000, _RED), Step(1000, _YELLOW)), repeats=True),
    }
)
"""Cues that stay until they are replaced."""

OPENS: Final = frozenset({Cue.GRANTED, Cue.ALREADY_SHOWN})
"""Cues with which the relay lets a person through."""
