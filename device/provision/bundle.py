"""A configuration with the files it names, as the body of a card: compressed, and sealed where it is secret.

The body is a CBOR map: `{"clear": BYTES}`, or `{"key": ID, "enc": BYTES, "ciphertext": BYTES}`, HPKE as for
identities (see `privacy.sealing`), bound to the card's serial and gate. BYTES are zlib over a CBOR map of
file names and contents.
"""

from __future__ import annotations

import base64
import re
import zlib
from typing import TYPE_CHECKING, Final, TypeAlias

from device.credential import cbor
from device.credential.flaw import Flawed
from device.credential.inflate import MAX_INFLATED_BYTES, inflate
from device.model import CardReason, Sealed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.privacy.sealing import OpeningKey, SealingKey

CONFIGURATION: Final = "gate.yaml"
"""What the file is called on the gate, whatever its name on the laptop."""

MAX_FILES: Final = 32
"""Three times what a configuration can name."""

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", re.ASCII)
"""One folder, nothing hidden: such a name leads nowhere else."""

_PURPOSE: Final = "gate-scanner card v1"
_END: Final = b"\n"  # sealing pads with spaces and takes all of them off: what ends in this keeps its own

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
    plain = cbor.encode({name: content for name, content in files.items()})  # noqa: C416 - a map of wider type
    if len(plain) > MAX_INFLATED_BYTES:
        raise ValueError(f"the files have {len(plain)} bytes, and {MAX_INFLATED_BYTES} are the most")
    packed = zlib.compress(plain, 9)
    if seal is None:
        return cbor.encode({"clear": packed})
    sealed = seal.seal(packed + _END, context=_context(serial, gate))
    enc, ciphertext = _bytes(sealed.enc), _bytes(sealed.ciphertext)
    return cbor.encode({"key": sealed.key, "enc": enc, "ciphertext": ciphertext})


def unpack(body: bytes, *, serial: int, gate: str, key: OpeningKey | None) -> Files | CardReason:
    """The files; else why not: `OTHER_DEVICE` where the key does not open it, `MALFORMED`. Total.

    Args:
        body: of a card whose signature was checked.
        serial: of the card.
        gate: likewise.
        key: of this device.
    """
    try:
        match cbor.decode(body):
            case {"clear": bytes() as packed, **more} if not more:
                return _files(packed)
            case {"key": str() as name, "enc": bytes() as enc, "ciphertext": bytes() as text, **more} if (
                not more
            ):
                sealed = Sealed(name, _text(enc), _text(text))
                opened = key.open(sealed, context=_context(serial, gate)) if key else None
                return _files(opened.removesuffix(_END)) if opened is not None else CardReason.OTHER_DEVICE
            case _:
                return CardReason.MALFORMED
    except (Flawed, ValueError):
        return CardReason.MALFORMED


def _files(packed: bytes) -> Files:
    """Raises Flawed or ValueError."""
    match cbor.decode(inflate(packed)):
        case dict() as found:
            files = {name: content for name, content in found.items() if isinstance(name, str)}
            whole = {name: content for name, content in files.items() if isinstance(content, bytes)}
            if len(whole) != len(found):
                raise Flawed("files")
            _check(whole)
            return whole
        case _:
            raise Flawed("files")


def _check(files: Mapping[str, bytes]) -> None:
    if CONFIGURATION not in files:
        raise ValueError(f"there is no {CONFIGURATION} among the files")
    if len(files) > MAX_FILES:
        raise ValueError(f"these are {len(files)} files, and {MAX_FILES} are the most")
    if not all(NAME.fullmatch(name) for name in files):
        raise ValueError("a file's name has 1 to 64 letters, digits, dots, dashes and underscores")


def _context(serial: int, gate: str) -> bytes:
    return f"{_PURPOSE}\n{serial}\n{gate}".encode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
