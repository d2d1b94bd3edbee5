"""Trust list files: read whole, and an entry added without losing the others."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

from device.credential.trust import Trust, parse_trust
from device.durable import write_over
from device.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SECRET = "rotation_secret"  # noqa: S105 - the name of a field


def read_trust(path: Path) -> Trust:
    """The keys in a trust list, those of every gate.

    Raises:
        GateError: the file cannot be read, or an entry in it cannot be used.
    """
    return _parsed(path, _text(path))


def add_entry(path: Path, entry: Mapping[str, object]) -> int:
    """Puts an entry into a trust list, which is made when there is none; how many keys it has then.

    The same key with the same name takes the place of its older entry, and the list's `version` grows. A
    list that holds a secret can be read by its owner only. Blocks until it is on the disk.

    Raises:
        GateError: the list cannot be used or written; then it is as it was.
    """
    document = json.loads(_checked(path)) if path.exists() else {"keys": []}
    keys: list[dict[str, object]] = document["keys"]
    names = ("kid", "kid_text", "issuer", "spki")
    same = [key for key in keys if all(key.get(name) == entry.get(name) for name in names)]
    kept = [key for key in keys if key not in same]
    version = document.get("version")
    document["version"] = version + 1 if isinstance(version, int) else 1
    document["keys"] = [*kept, {**(same[0] if same else {}), **entry}]
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    keys_now = len(_parsed(path, text))
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    if any(key.get(_SECRET) for key in document["keys"]):
        mode = 0o600
    try:
        write_over(path, text.encode(), mode=mode)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    return keys_now


def _checked(path: Path) -> str:
    text = _text(path)
    _parsed(path, text)
    return text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error


def _parsed(path: Path, text: str) -> Trust:
    parsed = parse_trust(text, audiences=None)
    if parsed.problems:
        raise GateError(f"{path}: {'; '.join(parsed.problems)}")
    return parsed.trust
