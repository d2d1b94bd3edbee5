"""One flipped bit of a signed code, whichever it is, and nobody is granted by it."""

from __future__ import annotations

import contextlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential import base45
from device.credential.flaw import Flawed
from device.credential.inflate import inflate
from device.credential.registry import PERSONAL_KINDS, parse
from device.credential.rotation import code_at
from device.credential.signature import PublicKey
from device.credential.signing import Grant, SigningKey, cwt_pass, jws_pass, with_proof, with_rotating_code
from device.credential.trust import Trust, parse_trust
from device.model import Outcome
from device.policy.decide import Moment, decide
from device.policy.lists import Lists
from device.policy.rules import Rules
from device.service.passes import trust_entry
from tests.support.issuer import Issuer

NOW = datetime(2026, 3, 2, 8, 0, 10, tzinfo=UTC)
ENDS = NOW + timedelta(days=300)
OFFICE, HOLDER = SigningKey(SigningKey.generate()), SigningKey(SigningKey.generate())
ROTATING = trust_entry(OFFICE, issuer="office", rotating=True)
OFFICE_TRUST = parse_trust(
    json.dumps({"keys": [ROTATING, trust_entry(OFFICE, issuer="office", form="jws")]})
).trust
EDDSA, ES256, PS256 = Issuer("EdDSA"), Issuer("ES256"), Issuer("PS256")
DCC: dict[int, Any] = {
    1: "XX",
    4: int(ENDS.timestamp()),
    6: int(NOW.timestamp()) - 999,
    -260: {
        1: {
            "ver": "1.3.0",
            "nam": {"fn": "Hoàng"},
            "dob": "1995-03-17",
            "v": [{"ci": "URN:UVCI:01:X", "co": "XX"}],
        }
    },
}
SHC = {
    "nbf": int(NOW.timestamp()) - 999,
    "vc": {
        "credentialSubject": {
            "fhirBundle": {
                "entry": [
                    {"resource": {"resourceType": "Immunization"}},
                    {
                        "resource": {
                            "resourceType": "Patient",
                            "name": [{"family": "H"}],
                            "birthDate": "1995-03-17",
                        }
                    },
                ]
            }
        }
    },
}
PERSON = {4: int(ENDS.timestamp()), 169: {1: "99887766", 4: "Hoàng Thử", 8: "19950317"}}
PASS = {2: "mau", 4: int(ENDS.timestamp())}


def rotating() -> bytes:
    text = cwt_pass(Grant("mau", ENDS, number=b"number", rotates=True), OFFICE)
    found = parse(text.encode(), trust=OFFICE_TRUST).rotation
    assert found is not None
    return with_rotating_code(text, code_at(found.key, NOW)).encode()


def bound() -> bytes:
    text = cwt_pass(Grant("mau", ENDS, holder=PublicKey(HOLDER.spki)), OFFICE)
    return with_proof(text, HOLDER, NOW).encode()


CODES: dict[str, tuple[bytes, Trust]] = {
    "pass": (cwt_pass(Grant("mau", ENDS, audience=("gate-a",)), OFFICE).encode(), OFFICE_TRUST),
    "pass ES256": (ES256.cwt(PASS), ES256.trust()),
    "pass compressed": (EDDSA.cwt(PASS, compressed=True), EDDSA.trust()),
    "pass with kid outside": (EDDSA.cwt(PASS, protected={1: -8}, unprotected={4: EDDSA.kid}), EDDSA.trust()),
    "pass with all outside": (
        EDDSA.cwt(PASS, protected={}, unprotected={1: -8, 4: EDDSA.kid}),
        EDDSA.trust(),
    ),
    "rotating pass": (rotating(), OFFICE_TRUST),
    "bound pass": (bound(), OFFICE_TRUST),
    "pass JWS": (jws_pass(Grant("mau", ENDS), OFFICE).encode(), OFFICE_TRUST),
    "pass JWS ES256": (ES256.jws({"sub": "mau", "exp": int(ENDS.timestamp())}), ES256.jose_trust()),
    "identity": (ES256.cwt(PERSON), ES256.trust()),
    "HC1 ES256": (ES256.hc1(DCC), ES256.trust()),
    "HC1 PS256": (PS256.hc1(DCC), PS256.trust()),
    "health card": (ES256.shc(SHC), ES256.jose_trust()),
}
EACH_CODE = pytest.mark.parametrize("name", CODES)


def granted(content: bytes, trust: Trust) -> bool:
    verdict = decide(
        parse(content, trust=trust),
        subject="00" * 16,
        rules=Rules(accept=PERSONAL_KINDS, audiences=frozenset({"gate-a"})),
        lists=Lists(),
        moment=Moment(utc=NOW, trusted=True, monotonic=0.0),
    )
    return verdict.outcome is Outcome.GRANTED


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@EACH_CODE
@given(st.data())
def test_no_flipped_bit_of_a_signed_code_is_granted(name: str, data: st.DataObject) -> None:
    content, trust = CODES[name]
    assert granted(content, trust)
    assert not granted(flipped(content, data.draw(st.integers(0, 8 * len(content) - 1))), trust)


@pytest.mark.slow
@EACH_CODE
def test_not_one_bit_of_a_signed_code_can_be_flipped(name: str) -> None:
    content, trust = CODES[name]
    assert [bit for bit in range(8 * len(content)) if granted(flipped(content, bit), trust)] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name in CODES if "HC1" not in name and "JWS" not in name and name != "health card"]
)
def test_not_one_bit_inside_the_base45_of_a_pass_can_be_flipped(name: str) -> None:
    content, trust = CODES[name]
    data = base45.decode(content.decode())
    texts = (base45.encode(flipped(data, bit)).encode() for bit in range(8 * len(data)))
    assert not any(granted(text, trust) for text in texts)


@given(st.binary(max_size=400), st.integers(0, 9), st.data())
def test_bits_that_mean_nothing_are_zero_in_what_inflates(
    content: bytes, level: int, data: st.DataObject
) -> None:
    packed = zlib.compress(content, level)
    assert inflate(packed) == content
    byte = data.draw(st.sampled_from([2, len(packed) - 5]))
    with contextlib.suppress(Flawed):
        assert inflate(flipped(packed, 8 * byte + data.draw(st.integers(0, 7)))) != content
