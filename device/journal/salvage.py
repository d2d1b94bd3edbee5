"""Gets events out of a damaged file without SQLite: whatever page they lie on, in whatever state it is.

SQLite refuses a table from its first bad page on. But an event is a type word followed by canonical JSON,
whole within one page, in the database or in its log; so both are searched from end to end. What is found
counts only if it is canonical and carries a number, and it is *proved* only if the event after it holds on
to its hash. Of several copies of an event the proved one is taken: a log keeps older copies for a while.

An event longer than a page is not found; none of ours is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.journal.chain import link
from device.journal.database import PAGE_BYTES
from device.journal.record import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# In a row of the table the type word stands directly before the data.
_START: Final = re.compile(rb"(gate\.[a-z]{1,20}\.v[0-9]{1,3})\{")
# Places kept in memory, some 200 bytes each; a journal of 100 MiB has so many.
MAX_EVENTS: Final = 200_000
# Searched between two looks at the time: some 50 ms on a small machine.
_CHUNK_BYTES: Final = 256 * 1024
# What a card reads or fails to read as one.
_SECTOR_BYTES: Final = 4096
_LOG_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Salvaged:
    """An event found in a damaged file.

    Attributes:
        seq: its number there.
        type: its type word.
        data: canonical JSON.
        proved: the event after it was found as well and holds on to it.
    """

    seq: int
    type: str
    data: bytes
    proved: bool


@dataclass(frozen=True, slots=True)
class _Copy:
    """Where a copy of an event lies; its bytes are read again when they are wanted."""

    file: Path
    at: int
    length: int
    type: str
    digest: str
    prev: object


def salvage(path: Path, *, after_seq: int) -> Iterator[Salvaged | None]:
    """Every event above `after_seq` that can be found in a damaged file and its log, by number.

    None is yielded now and then while the search goes on, so that the caller can do something else.
    A sector that cannot be read costs the events in it. At most `MAX_EVENTS` are found.
    """
    copies: defaultdict[int, list[_Copy]] = defaultdict(list)
    for file in (path, log_of(path)):
        for chunk in _chunks(file):
            for seq, copy in _copies(file, *chunk):
                known = {other.digest for other in copies.get(seq, ())}
                if seq > after_seq and copy.digest not in known and len(copies) < MAX_EVENTS:
                    copies[seq].append(copy)
            yield None
    for seq in sorted(copies):
        wanted = {copy.prev for copy in copies.get(seq + 1, ())}
        best = next((copy for copy in copies[seq] if copy.digest in wanted), None)
        chosen = best or copies[seq][0]
        data = _read(chosen.file, chosen.at, chosen.length)
        if parse(data) is not None:
            yield Salvaged(seq, chosen.type, data, proved=best is not None)


@dataclass(frozen=True, slots=True)
class Beyond:
    """What lies in the log of a journal beyond an event, whether SQLite accepts it or not.

    Attributes:
        commits: so many hold newer events.
        newest: the highest number among them; 0 for none.
    """

    commits: int
    newest: int


def beyond(path: Path, last: int) -> Beyond:
    """Looks through the log for events after number `last`, commit by commit.

    The log is a header and frames, each a page with a header of its own that marks the last of a commit
    (https://www.sqlite.org/fileformat.html#the_write_ahead_log).
    """
    log = log_of(path)
    size = log.stat().st_size if log.exists() else 0
    commits, newest, newer = 0, 0, False
    for offset in range(_LOG_HEADER_BYTES, size, _FRAME_HEADER_BYTES + PAGE_BYTES):
        frame = _read(log, offset, min(_FRAME_HEADER_BYTES + PAGE_BYTES, size - offset))
        numbers = [seq for seq, _ in _copies(log, offset, frame) if seq > last]
        newest = max([newest, *numbers])
        newer = newer or bool(numbers)
        ends_commit = any(frame[4:8])
        if newer and ends_commit:
            commits, newer = commits + 1, False
    return Beyond(commits + newer, newest)


def delivered_through(path: Path) -> int:
    """How far a damaged journal was delivered, if its own record can still be read; otherwise 0."""
    with contextlib.suppress(sqlite3.Error, TypeError, ValueError):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        with contextlib.closing(db):
            return max(0, int(db.execute("SELECT sent FROM journal").fetchone()[0]))
    return 0


def log_of(path: Path) -> Path:
    """The write-ahead log of a database."""
    return path.with_name(f"{path.name}-wal")


def _chunks(file: Path) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each piece of a file; every event begins in one and is whole in it."""
    size = file.stat().st_size if file.exists() else 0
    for offset in range(0, size, _CHUNK_BYTES):
        yield offset, _read(file, offset, min(_CHUNK_BYTES + PAGE_BYTES, size - offset))


def _read(file: Path, offset: int, length: int) -> bytes:
    """Bytes of a file; sectors that cannot be read are zeros. Not mapped: there they would be a signal."""
    with file.open("rb", buffering=0) as handle:
        found = _piece(handle.fileno(), offset, length)
        if len(found) == length:
            return found
        # Reading ahead, the kernel may fail more than it has to.
        os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        places = range(offset, offset + length, _SECTOR_BYTES)
        sizes = (min(_SECTOR_BYTES, offset + length - at) for at in places)
        return b"".join(
            _piece(handle.fileno(), at, size).ljust(size, b"\0")
            for at, size in zip(places, sizes, strict=True)
        )


def _piece(handle: int, offset: int, length: int) -> bytes:
    """What can be read: where a bad sector lies within, the kernel gives what stands before it, or fails."""
    try:
        return os.pread(handle, length, offset)
    except OSError:
        return b""


def _copies(file: Path, offset: int, content: bytes) -> Iterator[tuple[int, _Copy]]:
    """What is an event in a piece of a file, with its number."""
    for match in _START.finditer(content):
        start = match.end() - 1
        text = content[start : start + PAGE_BYTES].decode(errors="replace")
        try:
            _, length = _DECODER.raw_decode(text)
        except (ValueError, RecursionError):
            continue
        data = text[:length].encode()
        found = parse(data) if content.startswith(data, start) else None
        seq = found.get("seq") if found else None
        if found and isinstance(seq, int) and seq > 0:
            digest, word = link(seq, data).digest, match[1].decode()
            yield seq, _Copy(file, offset + start, len(data), word, digest, found.get("prev"))
