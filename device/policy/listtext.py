"""Lists as people write them: one identifier a line.

An identifier stands as the card carries it, or as ``subject:`` and 32 hex digits (what events show). ``#``
begins a comment, at the beginning of a line or after a space. On a roster two times may follow, each behind
a comma: from and until; a day as the end includes that day. Identifiers are hashed at once and never kept,
so a stolen box tells nobody who is on its list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from device.credential.pseudonym import canonical, subject_of
from device.policy.lists import CONTENTS, ListKind
from device.policy.subjects import packed, window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

    from device.policy.subjects import Roster, Subjects

MAX_PROBLEMS = 20
"""After this many a technician needs the first ones, and memory needs a bound."""

MAX_ENTRIES = 1_000_000
"""Five times the largest list there is to be; 24 MB of roster."""

PAUSE_EVERY_LINES = 500
"""A millisecond or two of work: nobody who waits for the interpreter notices it."""

_SUBJECT = re.compile(r"subject:([0-9a-fA-F]{32})")
_COMMENT = re.compile(r"(?:^|\s)#.*")
_IDENTIFIER = re.compile(r"\S(?:.{0,126}\S)?")
_COLUMNS = re.compile(r"[,;|\t]")
_ODD_DIGITS = re.compile(r"[0-9]{8}|[0-9]{11}|[0-9]{13}")


class _Unusable(Exception):
    """A line that cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class ListProblem:
    """A line that cannot be used. `message` never repeats what the line holds."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class ParsedList:
    """What a list's text says.

    Attributes:
        content: the usable entries.
        problems: the first `MAX_PROBLEMS` unusable lines.
        unusable: how many there are in all.
    """

    content: Subjects | Roster
    problems: tuple[ListProblem, ...] = ()
    unusable: int = 0


def nothing() -> None:
    """A pause of no length."""


def parse_list(
    lines: Iterable[str],
    kind: ListKind = ListKind.DENY,
    *,
    key: bytes,
    timezone: ZoneInfo,
    pause: Callable[[], None] = nothing,
) -> ParsedList:
    """Reads a list's lines. Raises nothing for any text.

    Args:
        lines: of the file.
        kind: a roster's lines may have times.
        key: of the pseudonyms, see `subject_of`.
        timezone: in which a roster's times without an offset are meant.
        pause: called every few lines, so that others come to their turn.
    """
    entries: set[bytes] = set()
    problems: list[ListProblem] = []
    unusable = 0
    for number, line in enumerate(lines, start=1):
        if not number % PAUSE_EVERY_LINES:
            pause()
        text = canonical(_COMMENT.sub("", line.removeprefix("\ufeff") if number == 1 else line))
        if not text:
            continue
        try:
            entries.add(_entry(text, kind, key, timezone, full=len(entries) >= MAX_ENTRIES))
        except _Unusable as why:
            unusable += 1
            if len(problems) < MAX_PROBLEMS:
                problems.append(ListProblem(number, str(why)))
    content = CONTENTS[kind].of_body(b"".join(sorted(entries)))
    return ParsedList(content, tuple(problems), unusable)


def _entry(text: str, kind: ListKind, key: bytes, timezone: ZoneInfo, *, full: bool) -> bytes:
    if full:
        raise _Unusable(f"a list has at most {MAX_ENTRIES} entries")
    if kind is not ListKind.ROSTER:
        return packed(_subject(text, key))
    identifier, begins, ends, *more = (*(canonical(part) for part in text.split(",")), "", "")
    if any(more):
        raise _Unusable("a roster's line is an identifier, and after commas from and until")
    try:
        first, last = _moment(begins, timezone), _moment(ends, timezone, day_after=True)
    except (ValueError, OverflowError):
        raise _Unusable("times are written 2026-03-02 or 2026-03-02T07:30") from None
    subject = _subject(identifier, key)
    try:
        return window(subject, first, last)
    except (ValueError, OverflowError):
        raise _Unusable("from must come before until, both between 1970 and 2106") from None


def _moment(text: str, timezone: ZoneInfo, *, day_after: bool = False) -> datetime | None:
    """A moment or a day; None for no text. Raises ValueError, OverflowError."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
    else:
        moment = datetime.combine(day + timedelta(days=int(day_after)), time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone)).astimezone(UTC)


def _subject(entry: str, key: bytes) -> str:
    given = _SUBJECT.fullmatch(entry)
    if given:
        return given[1].lower()
    if entry.lower().startswith("subject:"):
        raise _Unusable("'subject:' must be followed by exactly 32 hex digits")
    if not _IDENTIFIER.fullmatch(entry) or not entry.isprintable():
        raise _Unusable("an identifier has at most 128 characters, none of them invisible")
    if _COLUMNS.search(entry):
        raise _Unusable("one identifier a line, without other columns")
    if _ODD_DIGITS.fullmatch(entry):
        count = len(entry)
        raise _Unusable(
            f"{count} digits, where an ID number has 12 (or 9): was a leading zero lost in a spreadsheet?"
        )
    subject = subject_of(entry, key=key)
    if subject is None:
        raise _Unusable("an identifier has at most 128 characters, none of them invisible")
    return subject
