"""Checkpoints: now and then the gate signs its own chain, so that nobody can rewrite it from the start.

The hash chain alone shows a change only to those who know one of its links. A checkpoint is an event like
any other, with an Ed25519 signature over its own canonical data (all of them but the signature). Its `prev`
holds on to everything before it, so one signature covers the whole journal up to there.

The key lies beside the journal: who holds the card can sign as this gate, and who holds only the events
cannot. The district learns the public key when the gate is set up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from device.durable import read_or_make_secret
from device.errors import JournalUnusable
from device.journal.record import encoded, parse
from device.model import EventType

if TYPE_CHECKING:
    from pathlib import Path

    from device.model import StoredEvent

# RFC 8032: the seed of an Ed25519 key.
_SEED_BYTES: Final = 32


class Signer:
    """Holds the gate's private key. From any thread.

    Args:
        seed: 32 bytes that nobody else knows.
    """

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key: Final = self._key.public_key().public_bytes_raw().hex()
        """64 lowercase hex digits."""

    @classmethod
    def load_or_create(cls, path: Path) -> Signer:
        """The key in a file of 32 bytes, readable by its owner only; made when absent.

        Raises:
            JournalUnusable: the file cannot be read or made, or is something else.
        """
        try:
            seed, _ = read_or_make_secret(path, _SEED_BYTES)
        except OSError as error:
            raise JournalUnusable(f"{path}: {error}") from error
        if len(seed) != _SEED_BYTES:
            raise JournalUnusable(f"{path}: a signing key has {_SEED_BYTES} bytes")
        return cls(seed)

    def sign(self, data: bytes) -> str:
        """The signature over these bytes, 128 lowercase hex digits."""
        return self._key.sign(data).hex()


def complaint(event: StoredEvent, *, key: str = "") -> str | None:
    """What is wrong with a checkpoint's signature, or None; other events have none to be wrong. Total.

    Args:
        event: any event.
        key: the public key it must be signed with; without it the one the checkpoint names is taken.
    """
    if event.type != EventType.CHECKPOINT:
        return None
    data = parse(event.data) or {}
    named, signature = data.get("key"), data.pop("signature", None)
    if key and named != key:
        return "is signed with another key"
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(str(named)))
        public.verify(bytes.fromhex(str(signature)), encoded(data))
    except (ValueError, InvalidSignature):
        return "its signature does not hold"
    return None
