"""Several frames of one symbol, none of them readable, added up until they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from device.decode.soften import Soft
from device.decode.structure import data_modules, version_of

if TYPE_CHECKING:
    from device.decode.soften import Plane

# Two looks at one symbol agree in far more modules than in half of them; two symbols do not.
_SAME_ABOVE = 0.3
# No single look may shout the others down.
_LOUDEST = np.float32(1.5)
# A symbol not seen for so many looks has been taken away.
_FORGOTTEN_AFTER_LOOKS = 30
# Symbols followed at once: as many as there are hands before a gate.
_MAX_FOLLOWED = 4


@dataclass(slots=True, eq=False)
class _Sum:
    values: Plane
    trust: Plane
    looks: int
    seen: int


class Evidence:
    """Adds up shades of symbols over the looks of one showing. Used from one thread.

    Noise, shake and the place of a glare differ from frame to frame, the modules don't: each look is
    weighted by its trust, so a module burnt out in one frame is taken from the next.
    """

    def __init__(self) -> None:
        self._sums: list[_Sum] = []
        self._look = 0

    def next_look(self) -> None:
        """A new frame begins; what has not been seen for long is dropped."""
        self._look += 1
        self._sums = [s for s in self._sums if self._look - s.seen <= _FORGOTTEN_AFTER_LOOKS]

    def forget(self) -> None:
        """Drops everything."""
        self._sums.clear()

    def add(self, soft: Soft) -> Soft | None:
        """The sum of this symbol's looks, this one included; None when it is the first."""
        weight = soft.trust * soft.trust
        values = np.clip(soft.values, -_LOUDEST, _LOUDEST) * weight
        for known in self._sums:
            if known.values.shape == values.shape and _alike(known.values, values) > _SAME_ABOVE:
                known.values = known.values + values
                known.trust = known.trust + weight
                known.looks += 1
                known.seen = self._look
                return _mean(known)
        self._sums.append(_Sum(values, weight, 1, self._look))
        del self._sums[:-_MAX_FOLLOWED]
        return None


def _alike(a: Plane, b: Plane) -> float:
    """Correlation over the data modules: the others are alike in all symbols."""
    places = data_modules(version_of(a.shape[0]))
    one, other = a[places], b[places]
    power = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / power if power else 0.0


def _mean(total: _Sum) -> Soft:
    trust = np.maximum(total.trust, np.float32(1e-3))
    share = np.minimum(np.sqrt(trust / np.float32(total.looks)), np.float32(1))
    return Soft(values=np.asarray(total.values / trust, np.float32), trust=share)
