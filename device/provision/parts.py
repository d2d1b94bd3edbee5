"""A long text as several codes shown one after another, and put together again. Pure; time as argument.

Each part is `GATEPART1:SET/N/OF:` and a piece of the text. SET is the beginning of the text's hash: it keeps
the parts of one text together, and a text that was put together wrongly is found out.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

PREFIX: Final = b"GATEPART1:"

PIECE_BYTES: Final = 570
"""With what stands before it, a version 15 code at level M: 77 modules a side, on a laptop's screen read by a
camera of 1280 x 720 from an arm's length."""

MAX_PARTS: Final = 44
"""As many as the longest card takes; at four a second they pass in eleven seconds."""

FORGET_AFTER_S: Final = 60.0
"""Whoever shows the next code of a set does so within seconds."""

MAX_SETS: Final = 3
"""Collected at once: one person shows one. 3 x 44 x 570 bytes are all the memory there is for it."""

_SET_DIGITS: Final = 8
_PART: Final = re.compile(
    f"GATEPART1:([0-9A-F]{{8}})/([1-9][0-9]?)/([1-9][0-9]?):([0-9A-Z $%*+./:-]{{1,{PIECE_BYTES}}})".encode()
)


def is_part(content: bytes) -> bool:
    """Whether a code calls itself a part of something longer."""
    return content.startswith(PREFIX)


def split(text: bytes) -> tuple[bytes, ...]:
    """The codes for a text: itself where it fits into one.

    Raises:
        ValueError: it is longer than `MAX_PARTS` codes.
    """
    if len(text) <= PIECE_BYTES:
        return (text,)
    count = -(-len(text) // PIECE_BYTES)
    if count > MAX_PARTS:
        raise ValueError(f"this text takes {count} codes, and {MAX_PARTS} are the most")
    size = -(-len(text) // count)  # all alike, so that the codes are of one size
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    name = _name(text)
    return tuple(
        b"%s%s/%d/%d:%s" % (PREFIX, name, n, len(pieces), piece) for n, piece in enumerate(pieces, 1)
    )


@dataclass(slots=True)
class _Set:
    """Parts that belong together, as far as they have come."""

    of: int
    seen_at: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    whole: bool = False


class Collector:
    """Puts parts together, in any order, shown any number of times. Belongs to one thread.

    Attributes:
        forgotten: sets that were given up incomplete: too old, too many at once, or wrong.
    """

    def __init__(self) -> None:
        self._sets: dict[bytes, _Set] = {}
        self.forgotten = 0

    def add(self, content: bytes, now: float) -> bytes | None:
        """The whole text with its last part, once; None before, after, and for what is no part.

        Args:
            content: of a code.
            now: seconds on a clock that only goes forward.
        """
        self._forget(now)
        found = _PART.fullmatch(content)
        if found is None:
            return None
        name, number, of, piece = found[1], int(found[2]), int(found[3]), found[4]
        if not 1 < of <= MAX_PARTS or number > of:
            return None
        one = self._set(name, of, now)
        if one is None or one.whole:
            return None
        one.pieces.setdefault(number, piece)
        return self._text(name, one) if len(one.pieces) == of else None

    @property
    def progress(self) -> tuple[int, int]:
        """Of the set that a part came to last: parts there are, parts it has. (0, 0) where there is none."""
        if not self._sets:
            return 0, 0
        one = max(self._sets.values(), key=lambda one: one.seen_at)
        return one.of if one.whole else len(one.pieces), one.of

    def _set(self, name: bytes, of: int, now: float) -> _Set | None:
        one = self._sets.get(name)
        if one is None:
            if len(self._sets) >= MAX_SETS:
                self._drop(min(self._sets, key=lambda name: self._sets[name].seen_at))
            one = self._sets[name] = _Set(of, now)
        if one.of != of:
            return None
        one.seen_at = now
        return one

    def _text(self, name: bytes, one: _Set) -> bytes | None:
        text = b"".join(one.pieces[number] for number in range(1, one.of + 1))
        if _name(text) != name:
            # Somebody has mixed a part of their own in: from the beginning.
            self._drop(name)
            return None
        one.whole, one.pieces = True, {}
        return text

    def _forget(self, now: float) -> None:
        for name in [name for name, one in self._sets.items() if now - one.seen_at > FORGET_AFTER_S]:
            self._drop(name)

    def _drop(self, name: bytes) -> None:
        self.forgotten += not self._sets.pop(name).whole


def _name(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:_SET_DIGITS].upper().encode()
