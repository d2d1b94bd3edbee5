"""A journal that fails its check is kept under another name, and a new one begins.

It goes when what could be saved from it was carried over and its events are past their time: it holds what
every journal holds of people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from device.durable import sync_folder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

# A card that keeps breaking must not fill up with the evidence: the oldest goes.
KEPT_FILES: Final = 4

_COMPANIONS: Final = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Replaced:
    """A damaged journal that was put aside.

    Attributes:
        path: where it lies now; `-wal` and `-shm` lie beside it.
        why: what its check found, in words without content.
        journal: its id; empty when it is not known any more.
    """

    path: Path
    why: str
    journal: str


def keep_aside(path: Path, why: str, *, journal: str) -> Replaced:
    """Renames a damaged journal to `NAME.damaged-N`, with its write-ahead log; makes it durable.

    To be called while SQLite still has it open: the last to close it would tidy up the log.

    Raises:
        OSError: the folder cannot be written.
    """
    mark_suspect(path)  # if the power goes between two renames, the next start carries on
    numbers = sorted(_kept(path))
    for number in numbers[: max(0, len(numbers) - KEPT_FILES + 1)]:
        _erase(_aside(path, number))
    number = numbers[-1] + 1 if numbers else 1
    target = _aside(path, number)
    for companion in reversed(_COMPANIONS):  # the database last: it is what the next start looks for
        source = path.with_name(path.name + companion)
        if source.exists():
            source.rename(target.with_name(target.name + companion))
    sync_folder(path.parent)
    return Replaced(path=target, why=why, journal=journal)


def kept_aside(path: Path) -> list[Path]:
    """What was put aside of the journal at `path`, in the order of their numbers.

    Raises:
        OSError: the folder cannot be read.
    """
    return [_aside(path, number) for number in sorted(_kept(path))]


def erase_old(path: Path, *, before: datetime, needed: Collection[str]) -> None:
    """Deletes what was put aside before a moment, as far as the file system remembers.

    Args:
        path: of the journal in use.
        before: aware.
        needed: names of files whose events are still to be carried over.

    Raises:
        OSError: the folder cannot be read or written.
    """
    for number in _kept(path):
        file = _aside(path, number)
        since = datetime.fromtimestamp(file.stat().st_ctime, UTC)  # renaming it was its last change
        if since < before and file.name not in needed:
            _erase(file)
            sync_folder(path.parent)


def mark_suspect(path: Path) -> None:
    """Notes that the file was found damaged while running, so that the next start replaces it."""
    _mark(path).touch()
    sync_folder(path.parent)


def is_suspect(path: Path) -> bool:
    """Whether `mark_suspect` was called since the journal was begun."""
    return _mark(path).exists()


def clear_suspect(path: Path) -> None:
    """Takes the note away, after a new file was begun."""
    _mark(path).unlink(missing_ok=True)


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.damaged-{number}")


def _erase(file: Path) -> None:
    for companion in reversed(_COMPANIONS):  # the database last: by it they are found
        file.with_name(file.name + companion).unlink(missing_ok=True)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.suspect")


def _kept(path: Path) -> set[int]:
    pattern = re.compile(re.escape(path.name) + r"\.damaged-([0-9]{1,9})", re.ASCII)
    matches = (pattern.fullmatch(entry.name) for entry in path.parent.iterdir())
    return {int(m[1]) for m in matches if m}
