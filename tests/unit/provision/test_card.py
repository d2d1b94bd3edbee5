from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential import base45, cbor
from device.credential.cose import to_be_signed
from device.credential.signature import Algorithm, PublicKey
from device.credential.signing import SigningKey
from device.model import CardKind, CardReason
from device.provision.card import MAX_CARD_BYTES, MAX_SERIAL, PREFIX, Card, objection, read, write

KEY, OTHER = SigningKey(SigningKey.generate()), SigningKey(SigningKey.generate())
KEYS = {KEY.kid: PublicKey(KEY.spki)}
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HERE = "phu-vang/market/north-door"
SUSPEND = Card(CardKind.SUSPEND, 7, HERE, NOW, NOW + timedelta(days=1))
TEXT = write(SUSPEND, KEY)

moments = st.none() | st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1)).map(  # noqa: DTZ001 - made UTC below
    lambda naive: naive.replace(microsecond=0, tzinfo=UTC)
)
cards = st.builds(
    Card,
    kind=st.sampled_from(CardKind),
    serial=st.integers(1, MAX_SERIAL),
    gate=st.sampled_from(["", HERE]),
    effective_from=moments,
    until=moments,
    once=st.just(True),
    body=st.binary(max_size=300),
)


@given(cards)
def test_a_card_is_read_as_it_was_written(card: Card) -> None:
    text = write(card, KEY)
    assert read(text, KEYS) == card
    assert re.fullmatch(rb"[0-9A-Z $%*+\-./:]+", text)


@given(st.integers(0, len(TEXT) * 8 - 1))
def test_a_card_with_one_bit_changed_is_never_believed(bit: int) -> None:
    changed = bytearray(TEXT)
    changed[bit // 8] ^= 1 << bit % 8
    assert isinstance(read(bytes(changed), KEYS), CardReason)


@given(st.data())
def test_a_message_with_one_bit_changed_is_never_believed(data: st.DataObject) -> None:
    message = bytearray(base45.decode(TEXT.removeprefix(PREFIX).decode()))
    bit = data.draw(st.integers(0, len(message) * 8 - 1))
    message[bit // 8] ^= 1 << bit % 8
    assert isinstance(read(PREFIX + base45.encode(bytes(message)).encode(), KEYS), CardReason)


@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda tail: PREFIX + tail))
def test_whatever_is_held_up_is_an_answer(content: bytes) -> None:
    assert isinstance(read(content, KEYS), CardReason)


def signed(payload: cbor.Plain, protected: cbor.Plain = None, unprotected: cbor.Plain = None) -> bytes:
    head = cbor.encode({1: -8, 4: KEY.kid} if protected is None else protected)
    body = cbor.encode(payload)
    parts: cbor.Plain = [head, unprotected or {}, body, KEY.sign(to_be_signed(head, body))]
    return PREFIX + base45.encode(b"\xd2" + cbor.encode(parts)).encode()


GOOD: dict[int | str, cbor.Plain] = {1: "report", 2: 1, 3: "", 4: None, 5: None, 6: True, 7: b""}


def test_the_plain_form_of_a_card_is_the_one_of_the_description() -> None:
    assert read(signed(GOOD), KEYS) == Card(CardKind.REPORT, 1)


@pytest.mark.parametrize(
    "payload",
    [
        [],
        GOOD | {8: 1},
        GOOD | {1: "dance"},
        GOOD | {2: 0},
        GOOD | {2: True},
        GOOD | {2: 1.0},
        GOOD | {2: MAX_SERIAL + 1},
        GOOD | {3: "door"},
        GOOD | {4: -1},
        GOOD | {4: 10**12},
        GOOD | {5: "never"},
        GOOD | {6: False},
        GOOD | {7: "text"},
    ],
)
def test_what_is_signed_and_yet_no_card_is_malformed(payload: cbor.Plain) -> None:
    assert read(signed(payload), KEYS) is CardReason.MALFORMED


def test_nothing_stands_beside_what_is_signed() -> None:
    assert read(signed(GOOD, unprotected={9: b"note"}), KEYS) is CardReason.MALFORMED


def test_the_key_says_how_it_is_checked_and_not_the_card() -> None:
    assert read(signed(GOOD, protected={1: -7, 4: KEY.kid}), KEYS) is CardReason.BAD_SIGNATURE


def test_a_card_of_another_key_is_told_from_a_forged_one() -> None:
    assert read(write(SUSPEND, OTHER), KEYS) is CardReason.UNKNOWN_KEY
    forged = {OTHER.kid: PublicKey(KEY.spki)}
    assert read(write(SUSPEND, OTHER), forged) is CardReason.BAD_SIGNATURE


def test_a_card_that_no_gate_would_take_is_not_made() -> None:
    for wrong in ({"serial": 0}, {"serial": 1, "gate": "door"}, {"serial": 1, "once": False}):
        with pytest.raises(ValueError, match="card"):
            Card(CardKind.REPORT, **wrong)
    with pytest.raises(ValueError, match="characters"):
        write(Card(CardKind.CONFIGURATION, 1, body=bytes(MAX_CARD_BYTES)), KEY)
    with pytest.raises(ValueError, match="Ed25519"):
        write(SUSPEND, SigningKey(SigningKey.generate(Algorithm.ES256)))


def test_secrets_of_a_card_are_in_no_repr() -> None:
    assert "hidden" not in repr(Card(CardKind.CONFIGURATION, 1, body=b"hidden"))


def test_gate_and_time_are_checked() -> None:
    def said(card: Card, *, gate: str = HERE, utc: datetime = NOW, trusted: bool = True) -> str | None:
        return objection(card, gate=gate, utc=utc, trusted=trusted)

    assert said(SUSPEND) is None
    assert said(SUSPEND, gate="phu-vang/market/south-door") == "other_gate"
    assert said(SUSPEND, utc=NOW - timedelta(seconds=1)) == "not_yet"
    assert said(SUSPEND, utc=NOW + timedelta(days=1)) == "expired"
    assert said(SUSPEND, trusted=False) == "clock_not_trusted"
    assert said(Card(CardKind.REPORT, 1), gate="any/other/gate", trusted=False) is None
