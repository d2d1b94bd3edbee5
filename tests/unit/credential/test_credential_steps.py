"""Each step of a signed code by itself, with the inputs that have broken others."""

from __future__ import annotations

import base64
import json
import tracemalloc
import zlib
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential import base45, cbor, claims
from device.credential.cose import open_sign1
from device.credential.flaw import Flawed
from device.credential.inflate import MAX_INFLATED_BYTES, inflate
from device.credential.jose import base64url, open_compact, read_object
from device.credential.registry import parse
from device.credential.trust import MAX_KEYS, Trust, Use, parse_trust
from tests.support.issuer import KID, Issuer, b64url

ISSUER = Issuer("EdDSA")


def detail(content: bytes) -> str:
    credential = parse(content, trust=ISSUER.trust())
    assert credential.standing.value == "malformed"
    return credential.detail


# -- base45 ---------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_base45_gives_back_what_it_was_given(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@given(st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", max_size=60))
def test_base45_has_one_text_for_each_content(text: str) -> None:
    try:
        data = base45.decode(text)
    except Flawed:
        return
    assert base45.encode(data) == text


@pytest.mark.parametrize(
    "text", [":::", "GGW", "::", "A", "BB8A", "bb8", "BB8\n", " BB8", "BB8=", "BB\uff18"]
)
def test_base45_refuses_ranges_lengths_and_characters(text: str) -> None:
    with pytest.raises(Flawed):
        base45.decode(text)


def test_base45_of_the_standard() -> None:
    assert base45.encode(b"Hello!!") == "%69 VD92EX0"
    assert base45.decode("QED8WEX0") == b"ietf!"


# -- inflate --------------------------------------------------------------------------------------


@given(st.binary(max_size=2000))
def test_what_was_compressed_inflates(data: bytes) -> None:
    assert inflate(zlib.compress(data)) == data
    assert inflate(zlib.compress(data)[2:-4], raw=True) == data


@given(st.binary(max_size=200))
def test_any_bytes_inflate_or_are_refused(data: bytes) -> None:
    for raw in (False, True):
        try:
            assert len(inflate(data, raw=raw)) <= MAX_INFLATED_BYTES
        except Flawed:
            continue


def test_a_bomb_is_stopped_at_the_bound() -> None:
    bomb = zlib.compress(bytes(2_900_000), 9)
    tracemalloc.start()
    with pytest.raises(Flawed, match="inflates_too_far"):
        inflate(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MAX_INFLATED_BYTES
    assert detail(b"HC1:" + base45.encode(bomb).encode()) == "inflates_too_far"


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"\0", lambda d: d[:2] + b"\xff" + d[3:]])
def test_a_stream_cut_short_lengthened_or_broken_is_refused(change: Any) -> None:  # noqa: ANN401 - a lambda
    with pytest.raises(Flawed, match="compression"):
        inflate(change(zlib.compress(b"content" * 20)))


# -- CBOR -----------------------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(1 << 64), max_value=(1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-1000, 1000) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(PLAIN)
def test_plain_data_reads_back(item: Any) -> None:  # noqa: ANN401 - of any shape
    try:
        assert cbor.decode(cbor.encode(item)) == item
    except Flawed:
        assert _depth(item) > 10


def _depth(item: object) -> int:
    inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return 1 + max(map(_depth, inner), default=0)


@given(st.binary(max_size=200))
def test_any_bytes_are_plain_data_or_refused(data: bytes) -> None:
    try:
        item = cbor.decode(data)
    except Flawed:
        return
    assert isinstance(item, bool | int | float | str | bytes | list | dict | None)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x81" * 60_000 + b"\0", id="deep lists"),
        pytest.param(b"\xc0" * 60_000 + b"\0", id="deep tags"),
        pytest.param(b"\x9f" * 60_000, id="deep lists without end"),
        pytest.param(b"\x5b\0\0\x01\0\0\0\0\0", id="a string of 2^40 bytes"),
        pytest.param(b"\xbb" + b"\xff" * 8, id="a map of 2^64 pairs"),
        pytest.param(b"\x9b" + b"\xff" * 8, id="a list of 2^64 items"),
        pytest.param(bytes.fromhex("a2010a010b"), id="a duplicate key"),
        pytest.param(bytes.fromhex("a2010afb3ff00000000000000b"), id="a key that equals another"),
        pytest.param(bytes.fromhex("a1f5f5"), id="a boolean key"),
        pytest.param(bytes.fromhex("a1810101"), id="a list as key"),
        pytest.param(bytes.fromhex("a1a00101"), id="a map as key"),
        pytest.param(bytes.fromhex("a1410101"), id="bytes as key"),
        pytest.param(bytes.fromhex("c2420101"), id="a big number"),
        pytest.param(bytes.fromhex("c2590400") + b"\xff" * 1024, id="a very big number"),
        pytest.param(bytes.fromhex("c4821bffffffffffffffff01"), id="a decimal of 2^64 digits"),
        pytest.param(bytes.fromhex("c5821bffffffffffffffff01"), id="a big float"),
        pytest.param(bytes.fromhex("d81c81d81d00"), id="a list that holds itself"),
        pytest.param(bytes.fromhex("d82361 28".replace(" ", "")), id="a regular expression"),
        pytest.param(bytes.fromhex("d8246161"), id="a MIME message"),
        pytest.param(bytes.fromhex("d9010281 01".replace(" ", "")), id="a set"),
        pytest.param(bytes.fromhex("d9d9f700"), id="the mark of CBOR"),
        pytest.param(bytes.fromhex("f7"), id="undefined"),
        pytest.param(bytes.fromhex("f0"), id="a simple value"),
        pytest.param(bytes.fromhex("61ff"), id="text that is not UTF-8"),
        pytest.param(bytes.fromhex("63eda080"), id="text with a lone surrogate"),
        pytest.param(bytes.fromhex("0000"), id="something behind the end"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_is_not_plain_data_is_refused(data: bytes) -> None:
    with pytest.raises(Flawed):
        cbor.decode(data)


# -- COSE -----------------------------------------------------------------------------------------


@given(st.binary(max_size=200) | PLAIN.map(cbor2.dumps))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        open_sign1(data)
    except Flawed:
        return


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"protected": {1: -8, 2: [1], 4: KID}}, "critical_header"),
        ({"unprotected": {2: [1]}}, "critical_header"),
        ({"protected": {1: -8, 4: "text"}}, "kid"),
        ({"protected": {1: -8, 4: b"k" * 65}}, "kid"),
        ({"protected": {1: 5, 4: KID}}, "algorithm"),  # HMAC-SHA256
        ({"protected": {1: "EdDSA", 4: KID}}, "algorithm"),
        ({"protected": {1: [-8], 4: KID}}, "algorithm"),
        ({"protected": {4: KID}}, "algorithm"),
        ({"payload": b"\x9f"}, "cbor"),
        ({"payload": b"\xa0\x00"}, "trailing_bytes"),
        ({"payload": b"\x80"}, "claims"),
    ],
)
def test_a_message_with_a_broken_header_or_payload_is_malformed(how: dict[str, Any], word: str) -> None:
    assert detail(ISSUER.cwt({4: 0, 2: "mau"}, **how)) == word


@pytest.mark.parametrize(
    "item",
    [
        [b"", {}, b""],
        [b"", {}, b"", b"", b""],
        {},
        0,
        [b"", [], b"", b""],
        [b"\xa0" * 2, {}, b"", b""],
        ["", {}, b"", b""],
    ],
)
def test_what_is_no_message_of_four_parts_is_refused(item: object) -> None:
    with pytest.raises(Flawed):
        open_sign1(cbor2.dumps(item))


@pytest.mark.parametrize("size", [0, 1, 63, 65, 96, 128])
def test_an_es256_signature_of_another_length_is_a_bad_signature(size: int) -> None:
    issuer = Issuer("ES256")
    whole = cbor2.loads(issuer.sign1({4: 0, 2: "mau"}, tag=b""))
    whole[3] = (whole[3] * 2)[:size] if size > 1 else bytes(size)
    content = base45.encode(b"\xd2" + cbor2.dumps(whole) + b"").encode()
    if len(content) >= 120:
        assert parse(content, trust=issuer.trust()).standing.value == "bad_signature"


# -- JOSE -----------------------------------------------------------------------------------------

HEADER = {"alg": "EdDSA", "kid": KID.hex()}


def jws_detail(content: bytes) -> str:
    credential = parse(content, trust=ISSUER.jose_trust())
    assert (credential.kind, credential.standing.value) == ("jws.pass", "malformed")
    return credential.detail


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (HEADER | {"alg": "none"}, "algorithm"),
        (HEADER | {"alg": "HS256"}, "algorithm"),
        (HEADER | {"alg": "eddsa"}, "algorithm"),
        (HEADER | {"alg": ["EdDSA"]}, "algorithm"),
        ({"kid": KID.hex()}, "algorithm"),
        (HEADER | {"crit": ["exp"]}, "critical_header"),
        (HEADER | {"b64": False}, "critical_header"),
        (HEADER | {"kid": 7}, "kid"),
        (HEADER | {"kid": ""}, "kid"),
        (HEADER | {"kid": "../../../../etc/passwd" * 4}, "kid"),
    ],
)
def test_a_jws_with_a_broken_header_is_malformed(header: dict[str, object], word: str) -> None:
    assert jws_detail(ISSUER.jws({"sub": "mau", "exp": 1}, header=header)) == word


def test_a_kid_that_is_a_path_is_only_a_name_nobody_has() -> None:
    content = ISSUER.jws({"sub": "mau", "exp": 1}, header=HEADER | {"kid": "../../etc/passwd"})
    assert parse(content, trust=ISSUER.jose_trust()).standing.value == "unknown_issuer"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda text: text + b"==", "base64url"),
        (lambda text: text + b"\n", "base64url"),
        (lambda text: text + b".e30", "jws"),
        (lambda text: text.replace(b".", b".\xe2\x80\x8b", 1), "base64url"),
        (lambda text: text[: text.rindex(b".")] + b".A", "base64url"),
        (lambda text: text[: text.rindex(b".")] + b".AB", "base64url"),
    ],
)
def test_a_jws_that_is_not_canonical_is_malformed(change: Any, word: str) -> None:  # noqa: ANN401 - a lambda
    assert jws_detail(change(ISSUER.jws({"sub": "mau", "exp": 1}))) == word


@pytest.mark.parametrize(
    "payload",
    [
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b'{"exp": NaN}',
        b'{"exp": Infinity}',
        b'{"exp": 1, "exp": 2}',
        b'{"sub": "\xff"}',
        b"[]",
        b"",
        b"{} {}",
        b"[" * 4000,
        b'{"a":' * 1200 + b"1" + b"}" * 1200,
        b'{"exp": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda payload: str(payload[:12]),
)
def test_what_is_not_one_plain_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(Flawed, match="json"):
        read_object(payload)


@given(st.binary(max_size=100))
def test_base64url_gives_back_what_it_was_given(data: bytes) -> None:
    assert base64url(b64url(data)) == data


@given(st.text(alphabet="AEIgkwQ_-=+/ \n", max_size=20))
def test_base64url_has_one_text_for_each_content(text: str) -> None:
    try:
        data = base64url(text)
    except Flawed:
        return
    assert b64url(data) == text


@given(st.text(max_size=100))
def test_any_text_is_a_jws_or_refused(text: str) -> None:
    try:
        open_compact(f"eyJ{text}")
    except Flawed:
        return


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("shc:/1/2/5676", "in_several_codes"),
        ("shc:/567", "digit_pairs"),
        ("shc:/5699", "digit_pairs"),
        ("shc:/", "digit_pairs"),
        ("shc:/56\n", "digit_pairs"),
        ("SHC:/5676", "jws"),
    ],
)
def test_a_health_card_with_broken_digits_is_malformed(text: str, word: str) -> None:
    assert detail(text.encode()) == word


# -- claims ---------------------------------------------------------------------------------------


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()))
def test_a_time_is_a_number_of_seconds_within_the_calendar(claim: object) -> None:
    try:
        moment = claims.moment(claim, required=True)
    except Flawed:
        return
    assert moment is not None
    assert isinstance(claim, int | float)
    assert abs(moment.timestamp() - claim) < 0.001
    assert moment.tzinfo is UTC


# -- trust list -----------------------------------------------------------------------------------


def entry(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - broken ones too
    whole = {
        "kid": base64.b64encode(KID).decode(),
        "issuer": "office",
        "spki": base64.b64encode(ISSUER.spki).decode(),
        "uses": ["pass"],
        "not_after": "2027-01-01T00:00:00+07:00",
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def test_a_trust_list_is_read() -> None:
    other = entry(issuer="another", not_after=None, spki=base64.b64encode(Issuer("EdDSA").spki).decode())
    parsed = parse_trust(json.dumps({"keys": [other, entry()]}))
    assert parsed.problems == ()
    assert len(parsed.trust) == 2
    credential = parse(ISSUER.cwt({2: "mau", 4: 2_000_000_000}), trust=parsed.trust)
    assert credential.identifier == "office/mau"
    assert credential.expires == datetime(2026, 12, 31, 17, tzinfo=UTC)


def test_a_pass_is_known_however_long_the_table_its_compression_begins_with() -> None:
    gates = [f"gate-{number * 7919 % 1000:03}" for number in range(60)]
    content = ISSUER.cwt({2: "mau", 3: gates, 4: 2_000_000_000}, compressed=True)
    assert parse(content, trust=ISSUER.trust()).audience == tuple(gates)


def test_a_key_counts_only_at_the_gates_it_is_listed_for() -> None:
    text = json.dumps({"keys": [entry(gates=["gate-a", "school"])]})
    here, there = (
        parse_trust(text, audiences=frozenset(names)) for names in ({"school", "north"}, {"gate-b"})
    )
    assert (len(here.trust), here.elsewhere) == (1, 0)
    assert (len(there.trust), there.elsewhere) == (0, 1)
    assert here.problems == there.problems == ()
    content = ISSUER.cwt({2: "mau", 4: 2_000_000_000})
    assert parse(content, trust=there.trust).standing.value == "unknown_issuer"


def test_a_jose_issuer_is_listed_with_its_kid_as_text() -> None:
    parsed = parse_trust(json.dumps({"keys": [entry(kid=None, kid_text=KID.hex())]}))
    assert parsed.problems == ()
    credential = parse(ISSUER.jws({"sub": "mau", "exp": 2_000_000_000}), trust=parsed.trust)
    assert credential.identifier == "office/mau"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kid": None}, "it needs kid"),
        ({"kid": "!"}, "base64"),
        ({"spki": base64.b64encode(b"nothing").decode()}, "no usable public key"),
        ({"rotation_secret": base64.b64encode(b"short").decode()}, "16 bytes and more"),
        ({"rotation_secret": 7}, "uses are among"),
        ({"gates": "gate-a"}, "gates is a list"),
        ({"gates": [7]}, "gates is a list"),
        ({"uses": []}, "uses are among"),
        ({"uses": ["everything"]}, "uses are among"),
        ({"issuer": ""}, "issuer is 1 to 64"),
        ({"issuer": "a/b"}, "issuer is 1 to 64"),
        ({"not_after": "2027-01-01T00:00:00"}, "with an offset"),
        ({"not_after": 7}, "with an offset"),
        ({"uses": 7}, "uses are among"),
    ],
)
def test_an_unusable_key_is_named_and_the_others_count(changes: dict[str, Any], words: str) -> None:
    parsed = parse_trust(json.dumps({"keys": [entry(**changes), entry()]}))
    assert len(parsed.trust) == 1
    assert len(parsed.problems) == 1
    assert parsed.problems[0].startswith("key 1: ")
    assert words in parsed.problems[0]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"keys": 7}', "[" * 100_000, json.dumps({"keys": [0] * (MAX_KEYS + 1)})]
)
def test_what_is_no_trust_list_trusts_nobody(text: str) -> None:
    parsed = parse_trust(text)
    assert len(parsed.trust) == 0
    assert len(parsed.problems) == 1


def test_the_digest_of_a_trust_list_does_not_depend_on_its_order() -> None:
    one, two = ISSUER.key([Use.PASS]), Issuer("ES256").key()
    assert Trust([one, two]).digest == Trust([two, one]).digest != Trust([one]).digest
