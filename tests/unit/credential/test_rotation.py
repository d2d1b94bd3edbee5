from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential.registry import parse
from device.credential.rotation import STEP_S, code_at, is_current, pass_key
from device.credential.signing import Grant, SigningKey, cwt_pass
from device.credential.trust import Trust, parse_trust
from device.model import Credential, Reason, Rotation, Standing
from device.policy.decide import Moment, decide
from device.policy.lists import Lists
from device.policy.rules import Rules, UntrustedClock
from device.service.passes import trust_entry

SECRET = bytes(range(32))
NUMBER = b"pass-one"
NOW = datetime(2026, 3, 2, 8, 0, 10, tzinfo=UTC)
ISSUER = SigningKey(SigningKey.generate())
GRANT = Grant(subject="mau", number=NUMBER, expires=NOW + timedelta(days=300), rotates=True)
MOMENTS = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001 - hypothesis wants them bare
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def trust(**changes: str) -> Trust:
    entry = trust_entry(ISSUER, issuer="office")
    secret = {"rotation_secret": base64.b64encode(SECRET).decode()}
    return parse_trust(json.dumps({"keys": [entry | secret | changes]})).trust


def reason(
    code: int | None, *, shown_at: datetime = NOW, trusted: bool = True, strict: bool = False
) -> tuple[Reason, str]:
    credential = parse(cwt_pass(GRANT, ISSUER, rotating_code=code).encode(), trust=trust())
    refuse = UntrustedClock.REFUSE if strict else UntrustedClock.ACCEPT
    verdict = decide(
        credential,
        subject=None,
        rules=Rules(accept=frozenset({"cwt.pass"}), untrusted_clock=refuse),
        lists=Lists(),
        moment=Moment(utc=shown_at, trusted=trusted, monotonic=0.0),
    )
    return verdict.reason, verdict.detail


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, 46119246),
        (1111111109, 68084774),
        (1111111111, 67062674),
        (1234567890, 91819424),
        (2000000000, 90698825),
        (20000000000, 77737706),
    ],
)
def test_codes_are_those_of_the_standards_own_examples(second: int, code: int) -> None:
    key = b"12345678901234567890123456789012"
    assert code_at(key, datetime.fromtimestamp(second, UTC)) == code


@pytest.mark.parametrize(
    ("later_s", "expected"),
    [
        (-60, Reason.REPLAYED),
        (-30, Reason.OK),
        (0, Reason.OK),
        (30, Reason.OK),
        (49, Reason.OK),
        (50, Reason.REPLAYED),
        (3600, Reason.REPLAYED),
    ],
)
def test_a_screenshot_is_soon_worth_nothing(later_s: int, expected: Reason) -> None:
    code = code_at(pass_key(SECRET, NUMBER), NOW)
    assert reason(code, shown_at=NOW + timedelta(seconds=later_s))[0] is expected


def test_a_rotating_pass_without_its_code_is_refused() -> None:
    assert reason(None)[0] is Reason.REPLAYED


def test_another_passs_code_is_refused() -> None:
    assert reason(code_at(pass_key(SECRET, b"pass-two"), NOW))[0] is Reason.REPLAYED


@pytest.mark.parametrize("code", [-1, 10**8, 2**31, 2**63])
def test_what_is_no_code_is_refused(code: int) -> None:
    assert reason(code)[0] is Reason.REPLAYED


def test_a_code_that_cannot_be_checked_is_left_out_or_refused_as_configured() -> None:
    assert reason(0, trusted=False) == (Reason.OK, "clock_not_trusted")
    assert reason(0, trusted=False, strict=True)[0] is Reason.CLOCK_NOT_TRUSTED


def test_a_gate_without_the_issuers_secret_does_not_take_rotating_passes() -> None:
    credential = parse(cwt_pass(GRANT, ISSUER, rotating_code=0).encode(), trust=trust(rotation_secret=""))
    assert (credential.standing, credential.detail) == (Standing.UNKNOWN_ISSUER, "rotation_secret_missing")


def test_a_paper_pass_of_the_same_issuer_needs_no_code() -> None:
    paper = Grant(subject="mau", number=NUMBER, expires=GRANT.expires)
    assert parse(cwt_pass(paper, ISSUER).encode(), trust=trust()).rotation is None


def test_a_rotating_pass_needs_a_number() -> None:
    broken = Grant(subject="mau", expires=GRANT.expires, rotates=True)
    credential = parse(cwt_pass(broken, ISSUER).encode(), trust=trust())
    assert (credential.standing, credential.detail) == (Standing.MALFORMED, "rotation")


def test_the_key_of_a_pass_is_in_no_words_for_a_log() -> None:
    shown = repr(Credential(kind="cwt.pass", standing=Standing.VERIFIED, rotation=Rotation(b"secret", 7)))
    assert "secret" not in shown
    assert "7" not in shown
    assert "secret" not in repr(ISSUER)


@given(key=st.binary(min_size=1, max_size=64), moment=MOMENTS, code=st.integers())
def test_exactly_the_codes_of_three_steps_are_current(key: bytes, moment: datetime, code: int) -> None:
    step = timedelta(seconds=STEP_S)
    current = {code_at(key, moment + shift) for shift in (-step, timedelta(), step)}
    assert all(is_current(key, one, moment) for one in current)
    assert is_current(key, code, moment) == (code in current)
