"""The one thing that is kept of an identifier: a keyed pseudonym.

HMAC-SHA256 over the canonical identifier, cut to 16 bytes, 32 lowercase hex digits. Whoever has the key
can test a guess, and ID numbers can all be guessed: the key is the secret, and it stays out of the journal
and off the broker. 16 bytes leave no collision to expect below 10^18 persons.
"""

from __future__ import annotations

import hmac
import unicodedata

SUBJECT_BYTES = 16
"""Half of SHA-256: an event and a list entry stay small."""

MIN_KEY_BYTES = 16
"""A shorter key could itself be guessed."""


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
