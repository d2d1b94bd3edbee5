"""Passes that are bound to their holder's key: shown with a proof of now, by nobody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential import base45
from device.credential.possession import COUNTERSIGNATURE
from device.credential.registry import parse
from device.credential.signature import Algorithm, PublicKey
from device.credential.signing import Grant, SigningKey, cwt_pass, with_proof, with_rotating_code
from device.credential.trust import Trust, parse_trust
from device.model import Credential, Outcome, Possession, Reason, Standing, Verdict
from device.policy.decide import Moment, decide
from device.policy.lists import Lists
from device.policy.rules import Rules, UntrustedClock
from device.service.passes import trust_entry
from tests.support.issuer import Issuer

NOW = datetime(2026, 3, 2, 8, 0, 10, tzinfo=UTC)
STEP = timedelta(seconds=30)
ISSUER = SigningKey(SigningKey.generate())
HOLDERS = {a.name: SigningKey(SigningKey.generate(a)) for a in (Algorithm.EDDSA, Algorithm.ES256)}
THIEF = SigningKey(SigningKey.generate())
EACH_HOLDER = pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)


def trust(*keys: SigningKey) -> Trust:
    entries = [trust_entry(key, issuer="office") for key in keys or (ISSUER,)]
    return parse_trust(json.dumps({"keys": entries})).trust


def bound(holder: SigningKey) -> str:
    grant = Grant(subject="mau", expires=NOW + timedelta(days=300), holder=PublicKey(holder.spki))
    return cwt_pass(grant, ISSUER)


def verdict(text: str, *, moment: datetime = NOW, trusted: bool = True, strict: bool = False) -> Verdict:
    untrusted = UntrustedClock.REFUSE if strict else UntrustedClock.ACCEPT
    return decide(
        parse(text.encode(), trust=trust()),
        subject="00" * 16,
        rules=Rules(accept=frozenset({"cwt.pass"}), untrusted_clock=untrusted),
        lists=Lists(),
        moment=Moment(utc=moment, trusted=trusted, monotonic=0.0),
    )


@EACH_HOLDER
def test_a_pass_shown_with_its_holders_proof_of_now_is_granted(holder: SigningKey) -> None:
    assert verdict(with_proof(bound(holder), holder, NOW)).reason is Reason.OK


@EACH_HOLDER
def test_a_pass_shown_without_proof_is_refused_with_a_reason_of_its_own(holder: SigningKey) -> None:
    assert verdict(bound(holder)).reason is Reason.NOT_PROVEN
    assert verdict(bound(holder), trusted=False).reason is Reason.NOT_PROVEN


@pytest.mark.parametrize("steps", [-3, -2, -1, 0, 1, 2, 100])
def test_a_screenshot_is_good_for_one_step_to_either_side(steps: int) -> None:
    holder = HOLDERS["EDDSA"]
    shown = verdict(with_proof(bound(holder), holder, NOW), moment=NOW + steps * STEP)
    if abs(steps) <= 1:
        assert shown.reason is Reason.OK
    else:
        assert (shown.reason, shown.detail) == (Reason.REPLAYED, "not_of_now")


def test_a_proof_that_cannot_be_dated_is_left_out_or_refused_as_configured() -> None:
    holder = HOLDERS["EDDSA"]
    old = with_proof(bound(holder), holder, NOW - timedelta(days=1))
    assert verdict(old, trusted=False) == Verdict(
        Outcome.GRANTED, Reason.OK, "clock_not_trusted", "policy.accept"
    )
    assert verdict(old, trusted=False, strict=True).reason is Reason.CLOCK_NOT_TRUSTED


def test_nobody_else_can_make_the_proof() -> None:
    holder = HOLDERS["EDDSA"]
    stolen = verdict(with_proof(bound(holder), THIEF, NOW))
    assert (stolen.reason, stolen.detail) == (Reason.BAD_SIGNATURE, "not_the_holders_key")


def test_a_proof_of_one_pass_proves_no_other() -> None:
    holder = HOLDERS["EDDSA"]
    one = with_proof(bound(holder), holder, NOW)
    other = cwt_pass(Grant("another", NOW + timedelta(days=9), holder=PublicKey(holder.spki)), ISSUER)
    proof = cbor2.loads(base45.decode(one)).value[1]
    parts = cbor2.loads(base45.decode(other)).value
    moved = base45.encode(b"\xd2" + cbor2.dumps([parts[0], proof, *parts[2:]]))
    assert verdict(moved).reason is Reason.BAD_SIGNATURE


def test_a_proof_without_a_key_in_the_pass_counts_for_nothing() -> None:
    paper = cwt_pass(Grant("mau", NOW + timedelta(days=1)), ISSUER)
    assert verdict(paper).reason is Reason.OK
    assert parse(with_proof(paper, THIEF, NOW).encode(), trust=trust()).possession is None


def test_a_changing_code_and_a_proof_go_together() -> None:
    holder = HOLDERS["EDDSA"]
    grant = Grant("mau", NOW + timedelta(days=1), number=b"1", rotates=True, holder=PublicKey(holder.spki))
    text = with_proof(with_rotating_code(cwt_pass(grant, ISSUER), 123), holder, NOW)
    entry = trust_entry(ISSUER, issuer="office", rotating=True)
    credential = parse(text.encode(), trust=parse_trust(json.dumps({"keys": [entry]})).trust)
    assert credential.rotation is not None
    assert credential.rotation.shown == 123
    assert credential.possession == Possession(NOW.replace(microsecond=0))


def test_a_jws_pass_that_asks_for_a_proof_is_not_taken_without() -> None:
    issuer = Issuer("EdDSA")
    claims = {"sub": "mau", "exp": int(NOW.timestamp()) + 999, "cnf": {"jwk": {}}}
    credential = parse(issuer.jws(claims), trust=issuer.jose_trust())
    assert (credential.standing, credential.detail) == (Standing.MALFORMED, "confirmation")


OWN_HEADER = cbor2.dumps({1: -8, 15: {6: int(NOW.timestamp())}})


def signed(cnf: object, unprotected: dict[int, object]) -> Credential:
    issuer = Issuer("EdDSA")
    claims = {2: "mau", 4: int(NOW.timestamp()) + 999, 8: cnf}
    return parse(issuer.cwt(claims, unprotected=unprotected), trust=issuer.trust())


@pytest.mark.parametrize(
    "cnf",
    [
        None,
        {},
        {2: b"x"},
        {3: b"kid"},
        {1: {}},
        {1: {1: 1, -1: 6}},
        {1: {1: 1, -1: 6, -2: b"short"}},
        {1: {1: 1, -1: 5, -2: bytes(32)}},
        {1: {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}},
        {1: {1: 2, -1: 1, -2: b"\xff" * 32, -3: True}},
        {1: {1: 2, -1: 1, -2: bytes(33), -3: True}},
        {1: {1: 4, -1: bytes(32)}},
        {1: {1: 1, -1: 6, -2: bytes(32)}, 3: b"kid"},
    ],
)
def test_a_key_that_nobody_can_prove_is_malformed(cnf: object) -> None:
    credential = signed(cnf, {})
    assert (credential.standing, credential.detail) == (Standing.MALFORMED, "confirmation")


@pytest.mark.parametrize(
    "proof",
    [
        [b"", {}, bytes(64)],
        [OWN_HEADER, {1: 1}, bytes(64)],
        [OWN_HEADER, {}, bytes(64), b""],
        [[OWN_HEADER, {}, bytes(64)]],
        [cbor2.dumps({1: -8}), {}, bytes(64)],
        [cbor2.dumps({1: -8, 15: {6: "now"}}), {}, bytes(64)],
        [cbor2.dumps({1: -8, 15: {6: float("nan")}}), {}, bytes(64)],
        [cbor2.dumps({1: -8, 15: {6: 1, 7: 1}}), {}, bytes(64)],
        [cbor2.dumps({1: -8, 2: [4], 15: {6: 1}}), {}, bytes(64)],
        b"x",
    ],
)
def test_a_proof_of_another_form_is_malformed(proof: object) -> None:
    credential = signed({1: {1: 1, -1: 6, -2: bytes(32)}}, {COUNTERSIGNATURE: proof})
    assert credential.standing is Standing.MALFORMED
    assert credential.detail in {"countersignature", "time", "cbor"}


def test_half_a_point_is_the_same_key_as_the_whole() -> None:
    holder = HOLDERS["ES256"]
    x, y = PublicKey(holder.spki).coordinates()
    text = bound(holder)
    parts = cbor2.loads(base45.decode(text)).value
    claims = cbor2.loads(parts[2])
    assert claims[8] == {1: {1: 2, -1: 1, -2: x, -3: bool(y[-1] & 1)}}
    whole = PublicKey.p256(b"\x04" + x + y)
    assert whole.spki == PublicKey.p256(bytes([2 + (y[-1] & 1)]) + x).spki == holder.spki


@given(moment=st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants them bare
def test_a_proof_carries_its_moment_to_the_second(moment: datetime) -> None:
    holder = HOLDERS["EDDSA"]
    credential = parse(with_proof(bound(holder), holder, moment).encode(), trust=trust())
    assert credential.possession == Possession(moment.replace(microsecond=0))
