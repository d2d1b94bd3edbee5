"""Signed kinds: what is verified is believed, everything else is an answer."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from device.credential import base45
from device.credential.flaw import Flawed
from device.credential.registry import parse
from device.credential.trust import NOBODY, Trust, Use
from device.model import Credential, Standing
from tests.support.issuer import KID, Issuer

NOT_BEFORE, EXPIRES = 1_767_225_600, 1_798_761_600  # 2026 and 2027 begin
PASS: dict[int, Any] = {1: "office", 2: "mau", 3: ["gate-a"], 4: EXPIRES, 5: NOT_BEFORE, 7: b"\x01\x02"}
JWT: dict[str, Any] = {"iss": "office", "sub": "mau", "aud": ["gate-a"], "exp": EXPIRES, "nbf": NOT_BEFORE}
PERSON: dict[int, Any] = {4: EXPIRES, 169: {1: "99887766", 4: "Hoàng Thử", 8: "19950317"}}
ENTRY = {"ci": "URN:UVCI:01:XX:ABC#S", "co": "XX"}
CERTIFICATE: dict[str, Any] = {
    "ver": "1.3.0",
    "nam": {"fn": "Hoàng", "gn": "Thử"},
    "dob": "1995-03-17",
    "v": [ENTRY],
}
HEALTH: dict[int, Any] = {1: "XX", 4: EXPIRES, 6: NOT_BEFORE, -260: {1: CERTIFICATE}}
CARD: dict[str, Any] = {
    "iss": "https://issuer.example",
    "nbf": NOT_BEFORE,
    "vc": {
        "credentialSubject": {
            "fhirBundle": {
                "entry": [
                    {"resource": {"resourceType": "Immunization"}},
                    {
                        "resource": {
                            "resourceType": "Patient",
                            "name": [{"family": "Hoàng", "given": ["Thử"]}],
                            "birthDate": "1995-03-17",
                        }
                    },
                ]
            }
        }
    },
}

EDDSA, ES256, PS256 = Issuer("EdDSA"), Issuer("ES256"), Issuer("PS256")
ISSUERS = pytest.mark.parametrize("issuer", [EDDSA, ES256], ids=["EdDSA", "ES256"])


def standing(content: bytes, trust: Trust) -> tuple[str, str]:
    credential = parse(content, trust=trust)
    assert not (credential.identifier and credential.standing is not Standing.VERIFIED)
    return credential.standing.value, credential.detail


# -- what is verified -----------------------------------------------------------------------------


@ISSUERS
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("tag", [b"", b"\xd2", b"\xd8\x3d\xd2"], ids=["untagged", "tagged", "double tagged"])
def test_a_gate_pass_of_a_trusted_issuer_is_verified(issuer: Issuer, *, compressed: bool, tag: bytes) -> None:
    content = issuer.cwt(PASS, compressed=compressed, tag=tag)
    assert parse(content, trust=issuer.trust(Use.PASS)) == Credential(
        kind="cwt.pass",
        standing=Standing.VERIFIED,
        identifier="office/mau",
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        expires=datetime(2027, 1, 1, tzinfo=UTC),
        issuer="office",
        audience=("gate-a",),
    )


@ISSUERS
def test_a_compact_jws_of_a_trusted_issuer_is_verified(issuer: Issuer) -> None:
    credential = parse(issuer.jws(JWT), trust=issuer.jose_trust(Use.PASS))
    assert (credential.kind, credential.standing) == ("jws.pass", Standing.VERIFIED)
    assert (credential.identifier, credential.audience) == ("office/mau", ("gate-a",))
    assert credential.expires == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("issuer", [ES256, PS256], ids=["ES256", "PS256"])
def test_a_health_certificate_of_a_trusted_country_is_verified(issuer: Issuer) -> None:
    credential = parse(issuer.hc1(HEALTH), trust=issuer.trust(Use.DCC_VACCINATION))
    assert (credential.kind, credential.standing) == ("eu.dcc", Standing.VERIFIED)
    assert credential.identifier == "URN:UVCI:01:XX:ABC#S"
    assert (credential.name, credential.born) == ("Hoàng Thử", date(1995, 3, 17))
    assert credential.not_before == datetime(2026, 1, 1, tzinfo=UTC)
    # The last second counts: the end, which does not, is one later.
    assert credential.expires == datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_a_signed_identity_is_verified() -> None:
    credential = parse(ES256.cwt(PERSON), trust=ES256.trust(Use.IDENTITY))
    assert (credential.kind, credential.standing) == ("cwt.claim169", Standing.VERIFIED)
    assert (credential.identifier, credential.name) == ("office/99887766", "Hoàng Thử")
    assert credential.born == date(1995, 3, 17)


def test_a_smart_health_card_is_verified() -> None:
    credential = parse(ES256.shc(CARD), trust=ES256.jose_trust(Use.SHC))
    assert (credential.kind, credential.standing) == ("shc", Standing.VERIFIED)
    assert (credential.name, credential.born) == ("Hoàng Thử", date(1995, 3, 17))


def test_a_pass_is_valid_no_longer_than_the_key_that_signed_it() -> None:
    begins, ends = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    trust = Trust([EDDSA.key(not_before=begins, not_after=ends)])
    credential = parse(EDDSA.cwt(PASS), trust=trust)
    assert (credential.not_before, credential.expires) == (begins, ends)


# -- who signed -----------------------------------------------------------------------------------


def test_all_keys_that_share_a_kid_are_tried() -> None:
    others = [Issuer("ES256"), PS256, Issuer("EdDSA")]
    trust = Trust([*(other.key(issuer="another") for other in others), EDDSA.key()])
    assert parse(EDDSA.cwt(PASS), trust=trust).issuer == "office"


def test_a_key_with_another_kid_does_not_count_even_where_it_signed() -> None:
    renamed = Issuer("EdDSA", kid=b"another")
    content = renamed.cwt(PASS, protected={1: -8, 4: KID})
    assert standing(content, renamed.trust()) == ("unknown_issuer", "")
    assert standing(content, Trust([EDDSA.key(), renamed.key()])) == ("bad_signature", "")


def test_the_protected_kid_wins() -> None:
    content = EDDSA.cwt(PASS, unprotected={4: b"another"})
    assert standing(content, EDDSA.trust())[0] == "verified"
    content = EDDSA.cwt(PASS, protected={1: -8, 4: b"another"}, unprotected={4: KID})
    assert standing(content, EDDSA.trust())[0] == "unknown_issuer"


def test_an_unprotected_kid_counts_when_it_is_the_only_one() -> None:
    content = EDDSA.cwt(PASS, protected={1: -8}, unprotected={4: KID})
    assert standing(content, EDDSA.trust())[0] == "verified"


def test_a_message_without_kid_is_nobodys() -> None:
    assert standing(EDDSA.cwt(PASS, protected={1: -8}), EDDSA.trust())[0] == "unknown_issuer"
    assert standing(EDDSA.jws(JWT, header={"alg": "EdDSA"}), EDDSA.jose_trust())[0] == "unknown_issuer"


@pytest.mark.parametrize(
    ("content", "uses"),
    [
        (EDDSA.cwt(PASS), [Use.DCC_VACCINATION, Use.IDENTITY, Use.SHC]),
        (EDDSA.cwt(PERSON), [Use.PASS]),
        (EDDSA.hc1(HEALTH), [Use.PASS, Use.DCC_TEST, Use.DCC_RECOVERY]),
        (EDDSA.hc1(HEALTH | {-260: {1: CERTIFICATE | {"t": [ENTRY]}}}), [Use.DCC_VACCINATION]),
    ],
    ids=["pass", "identity", "certificate", "certificate of two kinds"],
)
def test_a_key_signs_nothing_it_is_not_listed_for(content: bytes, uses: list[Use]) -> None:
    assert standing(content, EDDSA.trust(*uses)) == ("unknown_issuer", "key_not_for_this_use")


def test_jose_keys_sign_nothing_they_are_not_listed_for() -> None:
    assert standing(ES256.jws(JWT), ES256.jose_trust(Use.SHC)) == ("unknown_issuer", "key_not_for_this_use")
    assert standing(ES256.shc(CARD), ES256.jose_trust(Use.PASS)) == ("unknown_issuer", "key_not_for_this_use")


def test_nothing_is_verified_without_a_trust_list() -> None:
    for content in (EDDSA.cwt(PASS), ES256.hc1(HEALTH), EDDSA.jws(JWT), ES256.shc(CARD), ES256.cwt(PERSON)):
        assert standing(content, NOBODY)[0] == "unknown_issuer"


def test_another_algorithm_than_the_keys_own_is_a_bad_signature() -> None:
    assert standing(ES256.cwt(PASS, protected={1: -8, 4: KID}), ES256.trust())[0] == "bad_signature"
    assert standing(EDDSA.cwt(PASS, protected={1: -37, 4: KID}), EDDSA.trust())[0] == "bad_signature"


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()], ids=["P-384", "secp256k1"])
def test_keys_of_other_curves_are_not_trusted(curve: ec.EllipticCurve) -> None:
    with pytest.raises(Flawed):
        Issuer("ES256", curve=curve).key()


# -- one bit --------------------------------------------------------------------------------------

SIGNED = [
    (EDDSA.cwt(PASS), EDDSA.trust(Use.PASS)),
    (ES256.cwt(PASS, compressed=True), ES256.trust(Use.PASS)),
    (ES256.hc1(HEALTH), ES256.trust(Use.DCC_VACCINATION)),
    (EDDSA.jws(JWT), EDDSA.jose_trust(Use.PASS)),
    (ES256.shc(CARD), ES256.jose_trust(Use.SHC)),
]


@settings(max_examples=300)
@given(which=st.sampled_from(SIGNED), at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_flipped_bit_of_the_text_is_never_verified(which: tuple[bytes, Trust], at: int, bit: int) -> None:
    content, trust = which
    broken = bytearray(content)
    broken[at % len(broken)] ^= 1 << bit
    assert parse(bytes(broken), trust=trust).standing is not Standing.VERIFIED


@settings(max_examples=300)
@given(issuer=st.sampled_from([EDDSA, ES256, PS256]), at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_flipped_bit_of_the_signed_bytes_is_never_verified(issuer: Issuer, at: int, bit: int) -> None:
    broken = bytearray(issuer.sign1(PASS))
    broken[1 + at % (len(broken) - 1)] ^= 1 << bit  # not the tag, which nobody signs
    credential = parse(base45.encode(bytes(broken)).encode(), trust=issuer.trust())
    assert credential.standing is not Standing.VERIFIED


# -- broken claims --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({4: None}, "time"),
        ({4: "1798761600"}, "time"),
        ({4: True}, "time"),
        ({4: float("nan")}, "time"),
        ({4: float("inf")}, "time"),
        ({4: -1}, "time"),
        ({4: 1 << 63}, "time"),
        ({4: b"\x01"}, "time"),
        ({5: float("nan")}, "time"),
        ({3: []}, "audience"),
        ({3: [""]}, "audience"),
        ({3: [7]}, "audience"),
        ({3: ["a"] * 65}, "audience"),
        ({2: 7}, "subject"),
        ({2: "a\nb"}, "subject"),
        ({2: "\u202emau"}, "subject"),
        ({2: "x" * 257}, "subject"),
        ({2: None, 7: b""}, "subject"),
        ({7: "text"}, "id"),
        ({-260: {1: CERTIFICATE}}, "health_certificate_without_prefix"),
    ],
)
def test_a_pass_with_broken_claims_is_malformed_however_well_it_is_signed(
    changes: dict[int, Any], detail: str
) -> None:
    claims = {key: value for key, value in (PASS | changes).items() if value is not None}
    assert standing(EDDSA.cwt(claims), EDDSA.trust()) == ("malformed", detail)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"exp": None}, "time"),
        ({"exp": "1798761600"}, "time"),
        ({"exp": True}, "time"),
        ({"exp": 1e400}, "json"),
        ({"exp": [EXPIRES]}, "time"),
        ({"nbf": "now"}, "time"),
        ({"aud": {}}, "audience"),
        ({"sub": None}, "subject"),
        ({"sub": {"a": 1}}, "subject"),
    ],
)
def test_a_jws_with_broken_claims_is_malformed_however_well_it_is_signed(
    changes: dict[str, Any], detail: str
) -> None:
    claims = {key: value for key, value in (JWT | changes).items() if value is not None}
    assert standing(EDDSA.jws(claims), EDDSA.jose_trust()) == ("malformed", detail)


@pytest.mark.parametrize("health", [None, 7, {}, {1: "text"}, {2: CERTIFICATE}])
def test_a_health_certificate_without_certificate_is_malformed(health: object) -> None:
    assert standing(ES256.hc1(HEALTH | {-260: health}), ES256.trust()) == ("malformed", "claims")


def test_a_certificate_marked_with_date_tags_is_read() -> None:
    entry = ENTRY | {"sc": cbor2.CBORTag(0, "2021-02-20T12:34:56Z")}
    content = ES256.hc1(HEALTH | {-260: {1: {"t": [entry]}}})
    assert parse(content, trust=ES256.trust()).identifier == "URN:UVCI:01:XX:ABC#S"
