"""What a card brings, as its body: compressed, and sealed to a device where it is secret. Pure and total.

The body is a CBOR map: `{"clear": BYTES}`, or `{"key": ID, "enc": BYTES, "ciphertext": BYTES}`, HPKE as for
identities (see `privacy.sealing`), bound to the card's serial and gate. BYTES are zlib over CBOR.
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Final

from device.credential import cbor
from device.credential.flaw import Flawed
from device.credential.inflate import MAX_INFLATED_BYTES, inflate
from device.model import CardReason, Sealed

if TYPE_CHECKING:
    from device.credential.cbor import Plain
    from device.privacy.sealing import OpeningKey, SealingKey

_PURPOSE: Final = "gate-scanner card v1"
_END: Final = b"\n"  # sealing pads with spaces and takes all of them off: what ends in this keeps its own


def close(said: Plain, *, serial: int, gate: str, seal: SealingKey | None) -> bytes:
    """The body of a card.

    Args:
        said: what it brings.
        serial: of the card.
        gate: likewise.
        seal: to whom it is sealed; None leaves it readable to whoever sees the card.

    Raises:
        ValueError: it is more than any gate would take.
    """
    plain = cbor.encode(said)
    if len(plain) > MAX_INFLATED_BYTES:
        raise ValueError(f"the files have {len(plain)} bytes, and {MAX_INFLATED_BYTES} are the most")
    packed = zlib.compress(plain, 9)
    if seal is None:
        return cbor.encode({"clear": packed})
    sealed = seal.seal(packed + _END, context=_context(serial, gate))
    enc, ciphertext = _bytes(sealed.enc), _bytes(sealed.ciphertext)
    return cbor.encode({"key": sealed.key, "enc": enc, "ciphertext": ciphertext})


def open_up(body: bytes, *, serial: int, gate: str, key: OpeningKey | None) -> Plain | CardReason:
    """What the body brings; else why not: `OTHER_DEVICE` where the key does not open it, `MALFORMED`.

    Args:
        body: of a card whose signature was checked.
        serial: of the card.
        gate: likewise.
        key: of this device.
    """
    try:
        match cbor.decode(body):
            case {"clear": bytes() as packed, **more} if not more:
                return cbor.decode(inflate(packed))
            case {"key": str() as name, "enc": bytes() as enc, "ciphertext": bytes() as text, **more} if (
                not more
            ):
                sealed = Sealed(name, _text(enc), _text(text))
                opened = key.open(sealed, context=_context(serial, gate)) if key else None
                if opened is None:
                    return CardReason.OTHER_DEVICE
                return cbor.decode(inflate(opened.removesuffix(_END)))
            case _:
                return CardReason.MALFORMED
    except (Flawed, ValueError):
        return CardReason.MALFORMED


def _context(serial: int, gate: str) -> bytes:
    return f"{_PURPOSE}\n{serial}\n{gate}".encode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
