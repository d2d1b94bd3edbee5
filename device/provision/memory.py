"""What a gate remembers of cards: which were used, and whether one has suspended it. On the card, bounded."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from device.durable import write_over
from device.model import CardKind, CardReason

if TYPE_CHECKING:
    from pathlib import Path

    from device.provision.card import Card

log = logging.getLogger(__name__)

MAX_USED: Final = 512
"""A card a day for more than a year. Serials below those remembered count as used: they only go up."""

_MAX_FILE_BYTES: Final = 64 * 1024  # some 10 KB are written


@dataclass(frozen=True, slots=True)
class Known:
    """What is remembered. Pure.

    Attributes:
        key: whose serials these are, the name of the provisioner's key.
        suspended: whether a card has suspended the gate.
        used: serials of cards that are good once, ascending.
        floor: those up to this one were forgotten.
    """

    key: str
    suspended: bool = False
    used: tuple[int, ...] = ()
    floor: int = 0

    def objection(self, card: Card) -> CardReason | None:
        """What there is against a card; None for nothing."""
        if not card.once:
            return None
        if card.serial in self.used:
            return CardReason.USED
        return CardReason.OLDER if card.serial <= self.floor else None

    def after(self, card: Card) -> Known:
        """What is remembered once this card was taken."""
        suspended = {CardKind.SUSPEND: True, CardKind.RESUME: False}.get(card.kind, self.suspended)
        used = tuple(sorted({*self.used, card.serial})) if card.once else self.used
        forgotten, kept = used[:-MAX_USED], used[-MAX_USED:]
        return replace(self, suspended=suspended, used=kept, floor=max(self.floor, *forgotten[-1:], 0))


class Memory:
    """What is remembered, and its file. `suspended` may be asked from any thread, the rest from one.

    A file that cannot be understood leaves the gate suspended: it may have been. A card resumes it.

    Args:
        path: of the file; made with the first card.
        key: the name of the provisioner's key; cards of another one are another count.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._known = _read(path, key)
        if self._known.suspended:
            log.warning("the gate is suspended by a card; one that resumes it ends that")

    def suspended(self) -> bool:
        """Whether a card has suspended the gate. Never blocks."""
        return self._known.suspended

    def objection(self, card: Card) -> CardReason | None:
        """See `Known.objection`."""
        return self._known.objection(card)

    def note(self, card: Card) -> None:
        """Remembers a card, from now on and after a start. Blocks until it is on the card.

        Raises:
            OSError: it counts from now on, and would be forgotten by a start.
        """
        after = self._known.after(card)
        if after == self._known:
            return
        self._known = after
        told = {"key": after.key, "suspended": after.suspended, "used": after.used, "floor": after.floor}
        write_over(self._path, json.dumps(told).encode(), mode=0o600)


def _read(path: Path, key: str) -> Known:
    try:
        with path.open("rb") as file:
            known = _known(json.loads(file.read(_MAX_FILE_BYTES)))
    except FileNotFoundError:
        return Known(key)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "damaged"
        log.error("%s: %s; the gate may have been suspended, so it is", path, reason)
        return Known(key, suspended=True)
    return known if known.key == key else Known(key, known.suspended)


def _known(told: object) -> Known:
    """Raises ValueError."""
    match told:
        case {"key": str(key), "suspended": bool(suspended), "used": [*used], "floor": int(floor)} if all(
            isinstance(serial, int) for serial in used
        ):
            return Known(key, suspended, tuple(used), floor)
        case _:
            raise ValueError("of another form")
