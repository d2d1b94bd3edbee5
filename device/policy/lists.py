"""Deny and allow lists: read from text, kept as pseudonyms, looked up in microseconds.

A list file has one entry a line: an identifier as the card carries it, or ``subject:`` and 32 hex digits
(what events show). ``#`` begins a comment, at the beginning of a line or after a space. Identifiers are
hashed at once and never kept, so a stolen box tells nobody who is on its list.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from device.credential.pseudonym import SUBJECT_BYTES, canonical, subject_of

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PROBLEMS = 20
"""After this many a technician needs the first ones, and memory needs a bound."""

_SUBJECT = re.compile(r"subject:([0-9a-fA-F]{32})")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_IDENTIFIER = re.compile(r"\S(?:.{0,126}\S)?")
_COLUMNS = re.compile(r"[,;|\t]")
_ODD_DIGITS = re.compile(r"[0-9]{8}|[0-9]{11}|[0-9]{13}")


class Subjects:
    """An immutable set of pseudonyms, packed: 16 bytes each, found by bisection.

    200,000 of them take 3.2 MB where a frozenset of strings takes 26 MB. Safe from any thread.

    Raises:
        ValueError: a subject is not 32 hex digits.
    """

    __slots__ = ("_high", "_low", "digest")

    def __init__(self, subjects: Iterable[str] = ()) -> None:
        unique = sorted({_halves(subject) for subject in subjects})
        # Two arrays of eight bytes each: `bisect` compares in the first without making a Python object.
        self._high = array("Q", (high for high, _ in unique))
        self._low = array("Q", (low for _, low in unique))
        content = hashlib.sha256(self._high.tobytes() + self._low.tobytes())
        self.digest = content.hexdigest()
        """Names the content: the same for the same set, whatever the order it came in."""

    def __len__(self) -> int:
        return len(self._high)

    def __contains__(self, subject: str) -> bool:
        high, low = _halves(subject)
        at = bisect_left(self._high, high)
        while at < len(self._high) and self._high[at] == high:
            if self._low[at] == low:
                return True
            at += 1
        return False

    def any_of(self, subjects: Iterable[str]) -> bool:
        """Whether at least one of them is in it."""
        return any(subject in self for subject in subjects)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subjects) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Subjects({len(self)})"


def _halves(subject: str) -> tuple[int, int]:
    """The pseudonym as two numbers of 64 bits. Raises ValueError when it is none."""
    data = bytes.fromhex(subject)
    if len(data) != SUBJECT_BYTES:
        raise ValueError("a subject is 32 hex digits")
    return int.from_bytes(data[:8], "big"), int.from_bytes(data[8:], "big")


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists in force.

    Attributes:
        deny: who is refused whatever else holds.
        allow: who alone may pass; None when no such list is configured.
    """

    deny: Subjects = field(default_factory=Subjects)
    allow: Subjects | None = None


@dataclass(frozen=True, slots=True)
class ListProblem:
    """A line that cannot be used. `message` never repeats what the line holds."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class ParsedList:
    """What a list file says.

    Attributes:
        subjects: the usable entries.
        problems: the first `MAX_PROBLEMS` unusable lines.
        unusable: how many there are in all.
    """

    subjects: Subjects
    problems: tuple[ListProblem, ...] = ()
    unusable: int = 0


def parse_list(text: str, *, key: bytes) -> ParsedList:
    """Reads a list file's text. Pure; raises nothing for any text.

    Args:
        text: of the file.
        key: of the pseudonyms, see `subject_of`.
    """
    subjects: set[str] = set()
    problems: list[ListProblem] = []
    unusable = 0
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        entry = canonical(_COMMENT.sub("", line))
        if not entry:
            continue
        message = _problem(entry)
        if not message:
            given = _SUBJECT.fullmatch(entry)
            subject = given[1].lower() if given else subject_of(entry, key=key)
            subjects.add(subject or "")
            continue
        unusable += 1
        if len(problems) < MAX_PROBLEMS:
            problems.append(ListProblem(number, message))
    return ParsedList(Subjects(subjects), tuple(problems), unusable)


def _problem(entry: str) -> str:
    """What is wrong with an entry; empty when nothing is."""
    if entry.lower().startswith("subject:") and not _SUBJECT.fullmatch(entry):
        return "'subject:' must be followed by exactly 32 hex digits"
    if not _IDENTIFIER.fullmatch(entry) or not entry.isprintable():
        return "an identifier has at most 128 characters, none of them invisible"
    if _COLUMNS.search(entry):
        return "one identifier a line, without other columns"
    if _ODD_DIGITS.fullmatch(entry):
        count = len(entry)
        return f"{count} digits, where an ID number has 12 (or 9): was a leading zero lost in a spreadsheet?"
    return ""
