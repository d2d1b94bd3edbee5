"""The one thing that is kept of an identifier: a keyed pseudonym.

HMAC-SHA256 over the canonical identifier, cut to 16 bytes, 32 lowercase hex digits. Whoever has the key
can test a guess, and ID numbers can all be guessed: the key is the secret, and it stays out of the journal
and off the broker. 16 bytes leave no collision to expect below 10^18 persons.

A key may be replaced. Events then carry the new subject and the new key's id at once; for a while, the
overlap, the gate also reckons what a person was called under the key before, so that lists and anti-passback
go on knowing them. The former name stays inside the gate: no event links the two.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Self

SUBJECT_BYTES = 16
"""Half of SHA-256: an event and a list entry stay small."""

MIN_KEY_BYTES = 16
"""A shorter key could itself be guessed."""

KEY_BYTES = 32
"""Of a key made here: as long as the hash the pseudonyms are made with."""

_KEY_ID_BYTES = 4
"""Tells the few keys apart that a district ever has; it proves nothing."""

_KEY_ID_OF = b"gate-scanner pseudonym key"


def canonical(identifier: str) -> str:
    """The one form an identifier is hashed in: NFC, without white space around it. Case is kept."""
    return unicodedata.normalize("NFC", identifier).strip()


def subject_of(identifier: str, *, key: bytes) -> str | None:
    """The pseudonym, or None when there is no identifier. Pure.

    Raises:
        ValueError: the key is shorter than `MIN_KEY_BYTES`; a mistake of ours, the configuration checks it.
    """
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"the pseudonym key needs at least {MIN_KEY_BYTES} bytes")
    form = canonical(identifier)
    if not form:
        return None
    digest = hmac.digest(key, form.encode("utf-8", "surrogatepass"), "sha256")
    return digest[:SUBJECT_BYTES].hex()


def _id_of(key: bytes) -> str:
    return hmac.digest(key, _KEY_ID_OF, "sha256")[:_KEY_ID_BYTES].hex()


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The key subjects are made with and, in an overlap, the one before. Immutable; safe from any thread.

    Attributes:
        key: in force.
        previous: the one before it, if persons are still to be known by it.
        until: end of the overlap, exclusive, aware; None with `previous` means for good.
        key_id: names `key` in events, 8 hex digits.

    Raises:
        ValueError: a key is shorter than `MIN_KEY_BYTES`.
    """

    key: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)
    until: datetime | None = None
    key_id: str = field(init=False)

    def __post_init__(self) -> None:
        for key in (self.key, self.previous):
            if key is not None and len(key) < MIN_KEY_BYTES:
                raise ValueError(f"the pseudonym key needs at least {MIN_KEY_BYTES} bytes")
        object.__setattr__(self, "key_id", _id_of(self.key))

    @classmethod
    def for_once(cls) -> Self:
        """Under a key that nobody has again: for those who only ask."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Names of the keys whose pseudonyms are known here, that of `key` first."""
        return (self.key_id,) if self.previous is None else (self.key_id, _id_of(self.previous))

    def subject(self, identifier: str) -> str | None:
        """The pseudonym in force; None when there is no identifier."""
        return subject_of(identifier, key=self.key)

    def ever(self, identifier: str) -> tuple[str, ...]:
        """Every name the person may have in events: under the key in force, and the one before."""
        keys = (self.key, self.previous)
        names = (subject_of(identifier, key=key) for key in keys if key is not None)
        return tuple(name for name in names if name is not None)

    def former(self, identifier: str, utc: datetime, *, trusted: bool) -> str | None:
        """What a person was called under the key before; None without one, and after the overlap.

        A clock that is not trusted ends no overlap: in doubt, who was denied stays denied.
        """
        if self.previous is None or self._is_over(utc, trusted=trusted):
            return None
        return subject_of(identifier, key=self.previous)

    def matches(self, key_id: str, utc: datetime, *, trusted: bool) -> bool:
        """Whether persons are known now by subjects that were made with the key of this name."""
        return key_id == self.key_id or (key_id in self.key_ids and not self._is_over(utc, trusted=trusted))

    def _is_over(self, utc: datetime, *, trusted: bool) -> bool:
        return trusted and self.until is not None and utc >= self.until
