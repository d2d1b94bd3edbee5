from __future__ import annotations

import base64
import json
from dataclasses import fields, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from device.model import Sealed
from device.privacy.sealing import PAD_BYTES, NoSealingKey, OpeningKey, SealingKey, binding

PEM = OpeningKey.generate()
DISTRICT = OpeningKey(PEM)
GATE = SealingKey(DISTRICT.public_pem)
OTHER = OpeningKey(OpeningKey.generate())

TEXTS = st.binary(max_size=200).filter(lambda text: not text.endswith(b" "))


def one_bit_flipped(text: str, at: int) -> str:
    """Any bit of the text as it stands on the card or the wire."""
    data = bytearray(text.encode())
    data[at // 8 % len(data)] ^= 1 << at % 8
    return data.decode("latin-1")


@given(TEXTS, st.binary(max_size=100))
def test_what_is_sealed_is_what_the_district_opens(text: bytes, context: bytes) -> None:
    sealed = GATE.seal(text, context=context)
    assert DISTRICT.open(sealed, context=context) == text
    assert sealed.key == DISTRICT.key_id == GATE.key_id


@given(TEXTS, st.sampled_from([field.name for field in fields(Sealed)]), st.integers(0, 4000))
def test_with_one_bit_flipped_anywhere_nothing_opens(text: bytes, part: str, at: int) -> None:
    sealed = GATE.seal(text, context=b"event 1")
    changed = replace(sealed, **{part: one_bit_flipped(getattr(sealed, part), at)})
    assert DISTRICT.open(changed, context=b"event 1") is None


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=300))
def test_anything_may_stand_in_place_of_a_sealed_text(key: str, enc: str, ciphertext: str) -> None:
    assert DISTRICT.open(Sealed(key, enc, ciphertext), context=b"") is None
    assert DISTRICT.open(Sealed(DISTRICT.key_id, "A" * 43, "A" * 43), context=b"") is None


def test_nobody_else_opens_it_not_even_when_the_key_id_is_forged() -> None:
    sealed = GATE.seal(b"who it is", context=b"")
    assert OTHER.open(sealed, context=b"") is None
    assert OTHER.open(replace(sealed, key=OTHER.key_id), context=b"") is None


BOUND = {
    "source": "gate/v1/t/s/g",
    "event_type": "gate.scan.v1",
    "boot": "00000000-0000-4000-8000-000000000001",
    "uptime_ms": 1000,
    "kind": "vn.cccd",
    "subject": "ab" * 16,
}


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("source", "gate/v1/t/s/h"),
        ("event_type", "gate.other.v1"),
        ("boot", "00000000-0000-4000-8000-000000000002"),
        ("uptime_ms", 1001),
        ("kind", "vn.qr-national"),
        ("subject", "cd" * 16),
        ("subject", None),
    ],
)
def test_it_opens_at_its_own_event_only(part: str, other: object) -> None:
    sealed = GATE.seal(b"who it is", context=binding(**BOUND))  # type: ignore[arg-type]
    moved = binding(**{**BOUND, part: other})  # type: ignore[arg-type]
    assert DISTRICT.open(sealed, context=binding(**BOUND)) == b"who it is"  # type: ignore[arg-type]
    assert DISTRICT.open(sealed, context=moved) is None


def test_the_same_person_twice_looks_like_two_strangers() -> None:
    first, second = (GATE.seal(b"Nguyen Thi An", context=b"") for _ in range(2))
    assert first.enc != second.enc
    assert first.ciphertext != second.ciphertext


def test_lengths_tell_no_names() -> None:
    lengths = {len(GATE.seal(b"x" * size, context=b"").ciphertext) for size in range(1, PAD_BYTES + 1)}
    assert len(lengths) == 1


def test_any_program_with_hpke_opens_it_as_the_reference_says() -> None:
    """RFC 9180 single shot with `info`, the two parts one after the other, spaces behind the JSON."""
    sealed = GATE.seal(json.dumps({"name": "Trần Văn Bình"}).encode(), context=binding(**BOUND))  # type: ignore[arg-type]
    key = load_pem_private_key(PEM, None)
    assert isinstance(key, X25519PrivateKey)
    parts = (base64.urlsafe_b64decode(part + "==") for part in (sealed.enc, sealed.ciphertext))
    info = (
        b"gate-scanner identity v1\ngate/v1/t/s/g\ngate.scan.v1\n"
        b"00000000-0000-4000-8000-000000000001\n1000\nvn.cccd\n" + b"ab" * 16
    )
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    assert json.loads(suite.decrypt(b"".join(parts), key, info=info)) == {"name": "Trần Văn Bình"}


# -- keys -----------------------------------------------------------------------------------------


def raw(pem: bytes) -> bytes:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, X25519PrivateKey)
    return key.public_key().public_bytes_raw()


@pytest.mark.parametrize(
    "content",
    [
        DISTRICT.public_pem,
        base64.b64encode(raw(PEM)),
        base64.b64encode(raw(PEM)) + b"\n",
        base64.urlsafe_b64encode(raw(PEM)).rstrip(b"="),
    ],
    ids=["PEM", "base64", "with a line end", "base64url"],
)
def test_a_public_key_may_be_written_in_several_forms(content: bytes) -> None:
    assert SealingKey(content).key_id == DISTRICT.key_id


SIGNING = Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds 0 bytes in base64"),
        (b"not a key at all", "holds no public key"),
        (base64.b64encode(b"too short"), "holds 9 bytes in base64"),
        (base64.b64encode(bytes(32)), "seals nothing"),
        (PEM, "holds a private key, not a public one"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "holds no public key"),
        (
            SIGNING.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "holds a key that seals nothing (an X25519 key is needed; others only sign)",
        ),
    ],
)
def test_what_is_no_key_to_seal_to_is_told_in_words(content: bytes, message: str) -> None:
    with pytest.raises(NoSealingKey) as caught:
        SealingKey(content)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (DISTRICT.public_pem, "holds no private key"),
        (SIGNING.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), "opens nothing"),
        (
            X25519PrivateKey.generate().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
            ),
            "locked with a passphrase",
        ),
    ],
)
def test_what_is_no_key_to_open_with_is_told_in_words(content: bytes, message: str) -> None:
    with pytest.raises(NoSealingKey, match=message):
        OpeningKey(content)
