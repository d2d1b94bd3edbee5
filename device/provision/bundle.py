"""A configuration with the files it names, as the body of a card: a map of file names and contents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from device.model import CardReason
from device.provision.envelope import close, open_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.credential.cbor import Plain
    from device.privacy.sealing import OpeningKey, SealingKey

CONFIGURATION: Final = "gate.yaml"
"""What the file is called on the gate, whatever its name on the laptop."""

MAX_FILES: Final = 32
"""Three times what a configuration can name."""

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", re.ASCII)
"""One folder, nothing hidden: such a name leads nowhere else."""

Files: TypeAlias = "dict[str, bytes]"


def pack(files: Mapping[str, bytes], *, serial: int, gate: str, seal: SealingKey | None) -> bytes:
    """The body of a card.

    Args:
        files: by name; one is `CONFIGURATION`.
        serial: of the card.
        gate: likewise.
        seal: to whom it is sealed; None leaves it readable to whoever sees the card.

    Raises:
        ValueError: these are files that no gate would take.
    """
    _check(files)
    said: Plain = {name: content for name, content in files.items()}  # noqa: C416 - a map of wider type
    return close(said, serial=serial, gate=gate, seal=seal)


def unpack(body: bytes, *, serial: int, gate: str, key: OpeningKey | None) -> Files | CardReason:
    """The files; else why not: `OTHER_DEVICE` where the key does not open it, `MALFORMED`. Total.

    Args:
        body: of a card whose signature was checked.
        serial: of the card.
        gate: likewise.
        key: of this device.
    """
    found = open_up(body, serial=serial, gate=gate, key=key)
    return found if isinstance(found, CardReason) else _files(found)


def _files(found: Plain) -> Files | CardReason:
    if not isinstance(found, dict):
        return CardReason.MALFORMED
    files = {
        name: content
        for name, content in found.items()
        if isinstance(name, str) and isinstance(content, bytes)
    }
    if len(files) != len(found):
        return CardReason.MALFORMED
    try:
        _check(files)
    except ValueError:
        return CardReason.MALFORMED
    return files


def _check(files: Mapping[str, bytes]) -> None:
    if CONFIGURATION not in files:
        raise ValueError(f"there is no {CONFIGURATION} among the files")
    if len(files) > MAX_FILES:
        raise ValueError(f"these are {len(files)} files, and {MAX_FILES} are the most")
    if not all(NAME.fullmatch(name) for name in files):
        raise ValueError("a file's name has 1 to 64 letters, digits, dots, dashes and underscores")
