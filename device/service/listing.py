"""Lists for an office that has no software of its own: made of lines or of a spreadsheet, and looked into."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.durable import write_over
from device.errors import GateError, ListError
from device.policy.listfile import Header, make_list, read_list
from device.policy.lists import ListKind
from device.policy.listtext import parse_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from device.credential.pseudonym import Pseudonyms
    from device.credential.signing import SigningKey
    from device.policy.listfile import ListFile, Verify
    from device.policy.listtext import ParsedList

_SEPARATORS = ",;\t"
"""What spreadsheets put between columns, by the country they are set to."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a spreadsheet has what a list needs, by the names in its first row.

    Attributes:
        identifier: of the person or pass.
        begins: on a roster, from when on; empty for no such column.
        ends: on a roster, until when; empty for no such column.
    """

    identifier: str
    begins: str = ""
    ends: str = ""


def lines_of(text: str, columns: Columns) -> Iterator[str]:
    """The rows of a spreadsheet as the lines of a list; an empty one for the names, so that numbers agree.

    Raises:
        GateError: a column is not there, or this is no table of columns.
    """
    text = text.removeprefix("\ufeff")
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        names = [name.strip() for name in next(rows, [])]
        places = [_place(names, name) for name in (columns.identifier, columns.begins, columns.ends) if name]
        yield ""
        for row in rows:
            yield ",".join(row[place].strip() if place < len(row) else "" for place in places)
    except csv.Error as error:
        raise GateError(f"this is no table of columns: {error}") from None


def _place(names: list[str], name: str) -> int:
    if name not in names:
        there = ", ".join(names[:20]) or "none"
        raise GateError(f"there is no column {name}; the first row has: {there}")
    return names.index(name)


def read_lines(
    lines: Iterable[str], kind: ListKind, *, pseudonyms: Pseudonyms, timezone: ZoneInfo, skip: bool
) -> ParsedList:
    """The entries of a list's lines.

    Args:
        lines: see `parse_list`.
        kind: of the list.
        pseudonyms: what persons are called at the gates.
        timezone: of a roster's times.
        skip: leave out lines that cannot be used.

    Raises:
        GateError: a line cannot be used, and `skip` is not given.
    """
    parsed = parse_list(lines, kind, key=pseudonyms.key, timezone=timezone)
    if parsed.unusable and not skip:
        told = "\n".join(f"  line {problem.line}: {problem.message}" for problem in parsed.problems)
        raise GateError(
            f"{counted(parsed.unusable, 'line')} cannot be used (--skip leaves them out):\n{told}"
        )
    return parsed


def next_version(now: datetime, before: int) -> int:
    """A version that is greater than any made earlier, without knowing them: the time, 20261122013000."""
    return max(int(now.strftime("%Y%m%d%H%M%S")), before + 1)


def make(
    parsed: ParsedList,
    kind: ListKind,
    *,
    key: SigningKey | None,
    pseudonyms: Pseudonyms,
    version: int,
    issued_at: datetime,
    effective_from: datetime,
    gates: tuple[str, ...],
) -> ListFile:
    """A list for the gates, signed where there is a key. Pure."""
    header = Header(
        kind=kind,
        version=version,
        issued_at=issued_at,
        effective_from=effective_from,
        pseudonyms=pseudonyms.key_id,
        gates=gates,
        key=key.kid.hex() if key else "",
    )
    return make_list(header, parsed.content, key.sign if key else None)


def write(found: ListFile, path: Path) -> None:
    """Writes a list over the one that may be there. Raises GateError."""
    try:
        write_over(path, found.raw, mode=0o644)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error


def look(path: Path, keys: Mapping[str, Verify] | None) -> ListFile:
    """The list in a file, with its signature checked by these keys, or not at all.

    Raises:
        GateError: it cannot be read, is broken, or not signed by one of them.
    """
    try:
        with path.open("rb") as file:
            return read_list(file, keys)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    except ListError as error:
        raise GateError(f"{path}: {error}") from error


def as_json(found: ListFile, *, verified: bool) -> dict[str, object]:
    """What a list says of itself, for programs."""
    header = found.header
    return {
        "kind": header.kind.value,
        "version": header.version,
        "issued_at": header.issued_at.isoformat(),
        "effective_from": header.effective_from.isoformat(),
        "count": len(found.content),
        "gates": list(header.gates),
        "pseudonyms": header.pseudonyms,
        "key": header.key,
        "verified": verified,
    }


def as_text(found: ListFile, *, verified: bool) -> str:
    """The same for a person, a few lines."""
    header = found.header
    meaning = {
        ListKind.DENY: "who is refused",
        ListKind.ALLOW: "who may pass",
        ListKind.ROSTER: "who is expected, and when",
    }[header.kind]
    signed = f"by the key {header.key}" if header.key else "by nobody"
    proof = "good" if verified else "not checked" if header.key else "none"
    lines = [
        f"{header.kind}: {meaning}; {counted(len(found.content), 'entry')}",
        f"  version: {header.version}, issued {_local(header.issued_at)}",
        f"  in force: {_since(header)}",
        f"  gates: {', '.join(header.gates) or 'every gate'}",
        f"  pseudonyms: made with the key {header.pseudonyms}",
        f"  signed {signed}; signature: {proof}",
    ]
    return "\n".join(lines)


def counted(number: int, what: str) -> str:
    """`1 entry`, `2 entries`."""
    several = f"{what.removesuffix('y')}ies" if what.endswith("y") else f"{what}s"
    return f"{number} {what if number == 1 else several}"


def _since(header: Header) -> str:
    if header.effective_from <= header.issued_at:
        return "at once"
    return f"from {_local(header.effective_from)} on"


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M %z")
