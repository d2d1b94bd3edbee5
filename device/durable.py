"""Files that must be whole or not there at all: keys, secrets, trust lists. And the folders they stand in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """A file that was not there before. Blocks until it is on the disk.

    Raises:
        FileExistsError: it is there; nothing was touched.
        OSError: it cannot be written.
    """
    _write(path, content, mode)
    sync_folder(path.parent)


def write_over(path: Path, content: bytes, *, mode: int) -> None:
    """A file, in the place of the one that may be there. Blocks until it is on the disk.

    Raises:
        OSError: it cannot be written; the one before is untouched.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)  # a power cut leaves drafts behind, and process ids come again
    _write(draft, content, mode)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    sync_folder(path.parent)


def read_or_make_secret(path: Path, size_bytes: int) -> tuple[bytes, bool]:
    """What the file holds, and whether it was made just now: random bytes that only the owner may read.

    Complete or absent: a key cut short by a power cut would stop the gate for ever. Blocks for a flush when
    it is made.

    Raises:
        OSError: it cannot be read or made.
    """
    if path.exists():
        return path.read_bytes(), False
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = os.urandom(size_bytes)
    write_over(path, secret, mode=0o600)
    return secret, True


def sync_folder(folder: Path) -> None:
    """Makes created and renamed names durable.

    Raises:
        OSError: the folder cannot be opened or flushed.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write(path: Path, content: bytes, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise
