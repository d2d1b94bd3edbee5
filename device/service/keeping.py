"""Files that must be whole or not there at all: keys and trust lists."""

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
    _sync_folder(path.parent)


def write_over(path: Path, content: bytes, *, mode: int) -> None:
    """A file, in the place of the one that may be there. Blocks until it is on the disk.

    Raises:
        OSError: it cannot be written; the one before is untouched.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    _write(draft, content, mode)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    _sync_folder(path.parent)


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


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
