from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential import cbor
from device.model import CardReason
from device.privacy.sealing import OpeningKey, SealingKey
from device.provision.bundle import CONFIGURATION, pack, unpack

KEY = OpeningKey(OpeningKey.generate())
SEAL = SealingKey(KEY.public_pem)
FILES = {CONFIGURATION: b"gate: {}\n", "password": b"hidden, with spaces   "}
HERE = "a/b/c"

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)
bundles = st.dictionaries(names, st.binary(max_size=80), max_size=5).map(lambda more: FILES | more)


@given(bundles, st.booleans())
def test_files_come_out_as_they_went_in_sealed_or_not(files: dict[str, bytes], sealed: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    body = pack(files, serial=3, gate=HERE, seal=SEAL if sealed else None)
    assert unpack(body, serial=3, gate=HERE, key=KEY) == files


def test_what_is_sealed_opens_for_its_device_its_card_and_its_gate_only() -> None:
    body = pack(FILES, serial=3, gate=HERE, seal=SEAL)
    assert b"hidden" not in body
    other = OpeningKey(OpeningKey.generate())
    assert unpack(body, serial=3, gate=HERE, key=other) is CardReason.OTHER_DEVICE
    assert unpack(body, serial=3, gate=HERE, key=None) is CardReason.OTHER_DEVICE
    assert unpack(body, serial=4, gate=HERE, key=KEY) is CardReason.OTHER_DEVICE
    assert unpack(body, serial=3, gate="a/b/d", key=KEY) is CardReason.OTHER_DEVICE


def in_clear(files: cbor.Plain) -> bytes:
    return cbor.encode({"clear": zlib.compress(cbor.encode(files), 9)})


@pytest.mark.parametrize(
    "body",
    [
        in_clear({"other.yaml": b""}),
        in_clear({CONFIGURATION: b"", "../passwd": b""}),
        in_clear({CONFIGURATION: b"", ".hidden": b""}),
        in_clear({CONFIGURATION: b"", "a/b": b""}),
        in_clear({CONFIGURATION: "text"}),
        in_clear({CONFIGURATION: b"", 1: b""}),
        in_clear({CONFIGURATION: b"", **{f"f{n}": b"" for n in range(40)}}),
        in_clear([]),
        cbor.encode({"clear": zlib.compress(bytes(10_000_000))}),
        cbor.encode({"clear": b"", "key": ""}),
        cbor.encode({}),
        b"",
    ],
)
def test_what_no_gate_should_write_is_malformed(body: bytes) -> None:
    assert unpack(body, serial=3, gate=HERE, key=KEY) is CardReason.MALFORMED


@given(st.binary(max_size=200))
def test_whatever_is_signed_is_an_answer(body: bytes) -> None:
    assert isinstance(unpack(body, serial=3, gate=HERE, key=KEY), CardReason)


@pytest.mark.parametrize("files", [{}, {"a": b""}, FILES | {"a b": b""}, FILES | {"big": bytes(70_000)}])
def test_files_that_no_gate_would_take_are_not_packed(files: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="file"):
        pack(files, serial=1, gate=HERE, seal=None)
