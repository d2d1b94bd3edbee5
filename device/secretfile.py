"""Secret keys the gate makes for itself: a file of random bytes, readable by its owner only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_or_make(path: Path, size_bytes: int) -> tuple[bytes, bool]:
    """What the file holds, and whether it was made just now. Blocks for a flush when it is made.

    Complete or absent: a key cut short by a power cut would stop the gate for ever.

    Raises:
        OSError: it cannot be read or made.
    """
    if path.exists():
        return path.read_bytes(), False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    secret = os.urandom(size_bytes)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secret)
        os.fsync(handle)
    finally:
        os.close(handle)
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return secret, True
