"""Sets of pseudonyms, packed and sorted as a list file carries them: found by bisection, nothing unpacked."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from device.credential.pseudonym import SUBJECT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

WINDOW_BYTES = 8
"""Beginning and end of a window, seconds since 1970, 32 bits each: enough until the year 2106."""

FOR_EVER = 2**32 - 1
"""As a window's end: it has none."""


class Packed:
    """An immutable set of entries of equal size, kept in ascending order. Safe from any thread.

    It holds their bytes and nothing else: 200,000 pseudonyms take 3.2 MB, where a frozenset of texts takes
    26 MB.

    Args:
        entries: in any order; the same one twice counts once.

    Raises:
        ValueError: an entry is of another size.
    """

    __slots__ = ("body", "digest")

    entry_bytes: ClassVar[int] = SUBJECT_BYTES

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        unique = set(entries)
        if any(len(entry) != self.entry_bytes for entry in unique):
            raise ValueError(f"an entry has {self.entry_bytes} bytes")
        self.body = b"".join(sorted(unique))
        """The entries, one behind the other."""
        self.digest = _digest(self.body)
        """Names the content: the same for the same entries, whatever the order they came in."""

    @classmethod
    def of_body(cls, body: bytes) -> Self:
        """The set that these bytes are, as `body` had them.

        Raises:
            ValueError: they break off within an entry, or are not in strictly ascending order.
        """
        size = cls.entry_bytes
        if len(body) % size:
            raise ValueError("a list breaks off within an entry")
        before = b""
        for at in range(0, len(body), size):
            entry = body[at : at + size]
            if entry <= before:
                raise ValueError("a list is not in order")
            before = entry
        found = cls()
        found.body, found.digest = body, _digest(body)
        return found

    def __len__(self) -> int:
        return len(self.body) // self.entry_bytes

    def _first_not_below(self, subject: bytes) -> int:
        """Where in the body entries begin that are this subject's or come after it."""
        size, body = self.entry_bytes, self.body
        at = bisect_left(range(len(self)), subject, key=lambda n: body[n * size : n * size + SUBJECT_BYTES])
        return at * size

    def __contains__(self, subject: str) -> bool:
        wanted = packed(subject)
        at = self._first_not_below(wanted)
        return self.body[at : at + SUBJECT_BYTES] == wanted

    def any_of(self, subjects: Iterable[str]) -> bool:
        """Whether at least one of them is in it."""
        return any(subject in self for subject in subjects)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)})"


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Subjects(Packed):
    """A set of pseudonyms, 16 bytes each.

    Raises:
        ValueError: one of them is not 32 hex digits.
    """

    __slots__ = ()

    def __init__(self, subjects: Iterable[str] = ()) -> None:
        super().__init__(packed(subject) for subject in subjects)


class Roster(Packed):
    """Who is expected, and when: entries that `window` makes, 24 bytes each; several for one person."""

    __slots__ = ()

    entry_bytes = SUBJECT_BYTES + WINDOW_BYTES

    def expects(self, subjects: Iterable[str], at: datetime) -> bool:
        """Whether at least one of them is expected at this moment."""
        now = at.timestamp()
        return any(begins <= now < ends for subject in subjects for begins, ends in self._windows(subject))

    def _windows(self, subject: str) -> Iterator[tuple[int, float]]:
        wanted, size = packed(subject), self.entry_bytes
        at = self._first_not_below(wanted)
        while self.body[at : at + SUBJECT_BYTES] == wanted:
            begins = int.from_bytes(self.body[at + SUBJECT_BYTES : at + SUBJECT_BYTES + 4], "big")
            ends = int.from_bytes(self.body[at + SUBJECT_BYTES + 4 : at + size], "big")
            yield begins, float("inf") if ends == FOR_EVER else ends
            at += size


def window(subject: str, begins: datetime | None, ends: datetime | None) -> bytes:
    """A roster's entry.

    Args:
        subject: pseudonym.
        begins: inclusive; None for always.
        ends: exclusive; None for ever.

    Raises:
        ValueError: it ends before it begins, or lies before 1970 or after 2106.
    """
    earliest, latest = datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(FOR_EVER, UTC)
    if not earliest <= (begins or earliest) < (ends or latest) <= latest:
        raise ValueError("a window ends before it begins")
    first = int(begins.timestamp()) if begins else 0
    last = int(ends.timestamp()) if ends else FOR_EVER
    return packed(subject) + first.to_bytes(4, "big") + last.to_bytes(4, "big")


def packed(subject: str) -> bytes:
    """The 16 bytes of a pseudonym. Raises ValueError when it is none."""
    data = bytes.fromhex(subject)
    if len(data) != SUBJECT_BYTES:
        raise ValueError("a subject is 32 hex digits")
    return data
