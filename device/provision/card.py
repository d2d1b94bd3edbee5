"""A card of the provisioner: what it says, as the text of a QR code and back. Pure and total.

The text is `GATECARD1:` and base45 of a COSE_Sign1 (RFC 9052) by Ed25519 over a CBOR map: only characters of
a QR code's alphanumeric mode. Of every card there is one form only, so a text with any bit changed is no card
or none of this key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from device.credential import base45, cbor
from device.credential.cose import open_sign1, to_be_signed
from device.credential.flaw import Flawed
from device.credential.signature import Algorithm
from device.model import CardKind, CardReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.credential.cbor import Plain
    from device.credential.cose import Sign1
    from device.credential.signature import PublicKey
    from device.credential.signing import SigningKey

PREFIX: Final = b"GATECARD1:"

MAX_CARD_BYTES: Final = 24_000
"""Of the text: 40 codes shown one after another, twice what a configuration with all its files takes."""

MAX_SERIAL: Final = 2**53 - 1
"""As large as a whole number in an event may be."""

_GATE: Final = re.compile(r"(?:[a-z0-9-]{1,48}/){2}[a-z0-9-]{1,48}", re.ASCII)
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z, the last one that datetime knows
_TAG_SIGN1: Final = b"\xd2"
_EDDSA: Final = -8
_KIND, _SERIAL, _ANY_OR_GATE, _FROM, _UNTIL, _ONCE, _BODY = range(1, 8)


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says.

    Attributes:
        kind: what it is for.
        serial: its number, 1 to `MAX_SERIAL`; the provisioner counts up.
        gate: TENANT/SITE/NAME of the gate it is for; empty for every gate that knows the key.
        effective_from: start of validity, inclusive; None begins at once.
        until: end of validity, exclusive; None for a card that is good once.
        once: each gate takes it once.
        body: what it brings, by kind; may be secret.

    Raises:
        ValueError: no gate would take such a card.
    """

    kind: CardKind
    serial: int
    gate: str = ""
    effective_from: datetime | None = None
    until: datetime | None = None
    once: bool = True
    body: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.serial <= MAX_SERIAL:
            raise ValueError(f"a card's serial is a whole number from 1 to {MAX_SERIAL}")
        if self.gate and not _GATE.fullmatch(self.gate):
            raise ValueError("a card's gate is TENANT/SITE/NAME, each 1 to 48 of a-z, 0-9 and '-'")
        if not self.once and self.until is None:
            raise ValueError("a card that is good more than once needs an end")


def is_card(content: bytes) -> bool:
    """Whether a code calls itself a card."""
    return content.startswith(PREFIX)


def write(card: Card, key: SigningKey) -> bytes:
    """The text of the card, signed.

    Raises:
        ValueError: the key is none of Ed25519, or the card is too long.
    """
    if key.algorithm is not Algorithm.EDDSA:
        raise ValueError("cards are signed with an Ed25519 key")
    payload = cbor.encode(
        {
            _KIND: card.kind.value,
            _SERIAL: card.serial,
            _ANY_OR_GATE: card.gate,
            _FROM: _seconds(card.effective_from),
            _UNTIL: _seconds(card.until),
            _ONCE: card.once,
            _BODY: card.body,
        }
    )
    protected = cbor.encode({1: _EDDSA, 4: key.kid})
    text = PREFIX + _form(protected, payload, key.sign(to_be_signed(protected, payload)))
    if len(text) > MAX_CARD_BYTES:
        raise ValueError(f"this card takes {len(text)} characters, and {MAX_CARD_BYTES} are the most")
    return text


def read(content: bytes, keys: Mapping[bytes, PublicKey]) -> Card | CardReason:
    """The card, once its signature is checked; else why it is none. Raises nothing, whatever the content.

    Args:
        content: of the code, or of all of them put together.
        keys: of provisioners, by their `kid`.
    """
    if not is_card(content) or len(content) > MAX_CARD_BYTES:
        return CardReason.MALFORMED
    try:
        text = content.removeprefix(PREFIX)
        message = open_sign1(base45.decode(text.decode("ascii")))
        if _form(message.protected, message.payload, message.signature) != text:
            return CardReason.MALFORMED
        signer = keys.get(message.kid or b"")
        if signer is None:
            return CardReason.UNKNOWN_KEY
        return _said(message) if _signed(message, signer) else CardReason.BAD_SIGNATURE
    except (Flawed, ValueError):
        return CardReason.MALFORMED


def objection(card: Card, *, gate: str, utc: datetime, trusted: bool) -> CardReason | None:
    """What gate and time have against a card; None for nothing. Pure.

    Args:
        card: whose signature was checked.
        gate: TENANT/SITE/NAME of this gate.
        utc: now, aware.
        trusted: whether `utc` may be believed.
    """
    if card.gate not in {"", gate}:
        return CardReason.OTHER_GATE
    if not trusted and (card.effective_from or card.until):
        return CardReason.CLOCK_NOT_TRUSTED
    if card.effective_from is not None and utc < card.effective_from:
        return CardReason.NOT_YET
    if card.until is not None and utc >= card.until:
        return CardReason.EXPIRED
    return None


def _form(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """The one form of a message: nothing may stand outside of what is signed."""
    return base45.encode(_TAG_SIGN1 + cbor.encode([protected, {}, payload, signature])).encode()


def _signed(message: Sign1, key: PublicKey) -> bool:
    if message.algorithm is not Algorithm.EDDSA:
        return False
    signed = to_be_signed(message.protected, message.payload)
    return key.verifies(Algorithm.EDDSA, signed, message.signature)


def _said(message: Sign1) -> Card:
    """Raises Flawed or ValueError: signed, and yet no card, as a later version may make them."""
    match cbor.decode(message.payload):
        case {
            1: str() as kind,
            2: int() as serial,
            3: str() as gate,
            4: begins,
            5: ends,
            6: bool() as once,
            7: bytes() as body,
            **more,
        } if not more and not isinstance(serial, bool):
            return Card(CardKind(kind), serial, gate, _moment(begins), _moment(ends), once, body)
        case _:
            raise Flawed("card")


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _moment(seconds: Plain) -> datetime | None:
    match seconds:
        case None:
            return None
        case int() if not isinstance(seconds, bool) and 0 <= seconds <= _LAST_SECOND:
            return datetime.fromtimestamp(seconds, UTC)
        case _:
            raise Flawed("time")
