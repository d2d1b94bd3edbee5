"""Sealing to the district's public key: whoever takes the box cannot open what it has sealed.

HPKE (RFC 9180), base mode, single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, which
needs no AES instructions. A fresh key agreement for each event, some 0.3 ms on a server, keeps them apart:
even the gate cannot open what it sealed. What a sealed identity belongs to goes into HPKE's
`info`, as RFC 9180, section 8.1, advises for the single-shot forms: moved to another event, it does not open.

The only importer of `cryptography` in this room.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from device.model import Sealed

KEY_BYTES = 32
"""Of an X25519 key, and of what HPKE sends along with it."""

KEY_ID_BYTES = 8
"""Finds the key among the few a district has; not meant to prove anything."""

PAD_BYTES = 32
"""Sealed texts have a multiple of this length, so that it does not tell the name: nearly all have 64."""

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_PURPOSE = "gate-scanner identity v1"


class NoSealingKey(ValueError):
    """A file does not hold the key that is asked for.

    Attributes:
        message: what it holds instead, as the end of a sentence that begins with the file's name.
        hint: what to do; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.message = message
        self.hint = hint


def binding(
    *, source: str, event_type: str, boot: str, uptime_ms: int, kind: str, subject: str | None
) -> bytes:
    """The bytes that tie a sealed identity to its event. Pure; every argument stands in the event in clear.

    Args:
        source: the gate's path, `gate/v1/TENANT/SITE/NAME`.
        event_type: CloudEvents type word.
        boot: the kernel's boot id; with `uptime_ms` the moment that is this event's own.
        uptime_ms: milliseconds since boot.
        kind: of the credential.
        subject: pseudonym; None when there is none.
    """
    parts = (_PURPOSE, source, event_type, boot, str(uptime_ms), kind, subject or "")
    return "\n".join(parts).encode("utf-8", "surrogatepass")


class SealingKey:
    """The district's public key, which seals. Immutable; safe from any thread.

    Attributes:
        key_id: names the key in events, 16 hex digits of the SHA-256 over its 32 bytes.

    Args:
        content: of a file: the key in PEM, or its 32 bytes in base64.

    Raises:
        NoSealingKey: it is none.
    """

    __slots__ = ("_key", "key_id")

    def __init__(self, content: bytes) -> None:
        self._key = _public(content)
        self.key_id = _id_of(self._key)
        try:
            self.seal(b"", context=b"")
        except ValueError:
            raise NoSealingKey("holds a key that seals nothing", "it was not made as a key") from None

    def seal(self, text: bytes, *, context: bytes) -> Sealed:
        """What only the private key opens, and only with the same context."""
        padded = text.ljust(-(-max(len(text), 1) // PAD_BYTES) * PAD_BYTES)
        blob = _SUITE.encrypt(padded, self._key, info=context)
        return Sealed(key=self.key_id, enc=_b64(blob[:KEY_BYTES]), ciphertext=_b64(blob[KEY_BYTES:]))


class OpeningKey:
    """The district's private key, which opens. Has no repr of its secret; never on a gate.

    Attributes:
        key_id: as the public half's.

    Args:
        content: of a file: the key in PKCS #8 PEM, unencrypted.

    Raises:
        NoSealingKey: it is none.
    """

    __slots__ = ("_key", "key_id")

    def __init__(self, content: bytes) -> None:
        try:
            key = load_pem_private_key(content, password=None)
        except TypeError:
            raise NoSealingKey("is locked with a passphrase", "openssl pkey unlocks it") from None
        except (ValueError, UnsupportedAlgorithm):
            raise NoSealingKey("holds no private key", "gate-scanner keys seal makes one") from None
        if not isinstance(key, X25519PrivateKey):
            raise NoSealingKey("holds a private key that opens nothing", "it is not X25519: it signs")
        self._key = key
        self.key_id = _id_of(key.public_key())

    @staticmethod
    def generate() -> bytes:
        """A new key as unencrypted PKCS #8 PEM, for a file only its owner can read."""
        return X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_pem(self) -> bytes:
        """The public half, SubjectPublicKeyInfo in PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def open(self, sealed: Sealed, *, context: bytes) -> bytes | None:
        """What was sealed; None when it was changed, sealed to another key or for another event. Total."""
        enc, ciphertext = _strict(sealed.enc), _strict(sealed.ciphertext)
        if enc is None or ciphertext is None or len(enc) != KEY_BYTES or sealed.key != self.key_id:
            return None
        try:
            return _SUITE.decrypt(enc + ciphertext, self._key, info=context).rstrip(b" ")
        except (InvalidTag, ValueError):
            return None


def _public(content: bytes) -> X25519PublicKey:
    if b"PRIVATE KEY-----" in content:
        hint = "the private one stays with the district; gate-scanner keys seal writes both"
        raise NoSealingKey("holds a private key, not a public one", hint)
    if b"-----BEGIN" not in content:
        return _from_base64(content)
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        raise NoSealingKey("holds no public key", "gate-scanner keys seal makes one") from None
    if not isinstance(key, X25519PublicKey):
        raise NoSealingKey("holds a key that seals nothing", "an X25519 key is needed; others only sign")
    return key


def _from_base64(content: bytes) -> X25519PublicKey:
    text = content.strip()
    try:
        raw = base64.b64decode(
            text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4), validate=True
        )
    except binascii.Error:
        raise NoSealingKey("holds no public key", "PEM, or its 32 bytes in base64") from None
    if len(raw) != KEY_BYTES:
        raise NoSealingKey(f"holds {len(raw)} bytes in base64, and an X25519 key has {KEY_BYTES}")
    return X25519PublicKey.from_public_bytes(raw)


def _id_of(key: X25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).digest()[:KEY_ID_BYTES].hex()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _strict(text: str) -> bytes | None:
    """The bytes whose one form this is; None for any other text."""
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if _b64(data) == text else None
