from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential.contents import contents_of
from device.credential.signing import Grant, SigningKey
from device.credential.trust import NOBODY, Trust, parse_trust
from device.model import Standing
from device.service.inspect import inspect
from device.service.passes import FORMS, issue, trust_entry

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KEY = SigningKey(SigningKey.generate())
GRANT = Grant(
    subject="Trần Thử Mẫu",
    expires=datetime(2027, 1, 1, tzinfo=UTC),
    not_before=datetime(2026, 1, 1, tzinfo=UTC),
    audience=("gate-a",),
)


def trust(form: str) -> Trust:
    return parse_trust(json.dumps({"keys": [trust_entry(KEY, issuer="office", form=form)]})).trust


@pytest.mark.parametrize("form", FORMS)
def test_a_pass_is_told_by_its_claims_validity_and_signature(form: str) -> None:
    found = inspect(issue(GRANT, KEY, form=form).encode(), trust=trust(form), now=NOW)
    assert (found.kind, found.standing, found.issuer) == (f"{form}.pass", Standing.VERIFIED, "office")
    assert found.good
    assert found.contents is not None
    assert sorted(found.contents.claims) == ["audience", "expires", "not_before", "subject"]
    assert (found.contents.not_before, found.contents.expires) == (GRANT.not_before, GRANT.expires)
    assert found.contents.kid == KEY.kid.hex()
    assert found.validity == "valid"
    assert "signature: good, of office" in found.as_text()


@pytest.mark.parametrize("form", FORMS)
def test_who_holds_it_is_never_told(form: str) -> None:
    found = inspect(issue(GRANT, KEY, form=form).encode(), trust=trust(form), now=NOW)
    for told in (found.as_text(), json.dumps(found.as_json(), ensure_ascii=False), repr(found)):
        assert "Mẫu" not in told


@pytest.mark.parametrize("form", FORMS)
def test_an_unchecked_an_unknown_and_a_forged_signature_are_told_apart(form: str) -> None:
    text = issue(GRANT, KEY, form=form)
    unchecked = inspect(text.encode(), trust=None, now=NOW)
    assert (unchecked.standing, unchecked.good) == (None, True)
    assert "not checked" in unchecked.as_text()
    unknown = inspect(text.encode(), trust=NOBODY, now=NOW)
    assert (unknown.standing, unknown.good) == (Standing.UNKNOWN_ISSUER, False)
    entry = {**trust_entry(KEY, issuer="office", form=form)}
    entry["spki"] = trust_entry(SigningKey(SigningKey.generate()), issuer="office")["spki"]
    other = parse_trust(json.dumps({"keys": [entry]})).trust
    forged = inspect(text.encode(), trust=other, now=NOW)
    assert (forged.standing, forged.good) == (Standing.BAD_SIGNATURE, False)
    assert "altered or forged" in forged.as_text()


def test_a_pass_before_and_after_its_time_says_so() -> None:
    content = issue(GRANT, KEY).encode()
    assert inspect(content, trust=None, now=datetime(2025, 1, 1, tzinfo=UTC)).validity == "not_yet_valid"
    assert inspect(content, trust=None, now=GRANT.expires).validity == "expired"


def test_another_code_is_told_by_its_kind_alone() -> None:
    found = inspect(b"WIFI:S:home;P:secret;;", trust=None, now=NOW)
    assert (found.kind, found.good) == ("wrong.wifi", False)
    assert "secret" not in found.as_text()


@given(st.binary(max_size=300))
def test_no_content_raises(content: bytes) -> None:
    found = inspect(content, trust=trust("cwt"), now=NOW)
    found.as_text()
    json.dumps(found.as_json())


@given(st.text(max_size=300), st.sampled_from(sorted(FORMS)), st.data())
def test_what_a_message_names_itself_cannot_move_a_cursor(noise: str, form: str, data: st.DataObject) -> None:
    text = issue(GRANT, KEY, form=form)
    at = data.draw(st.integers(0, len(text)))
    for candidate in (noise, text[:at] + noise + text[at:]):
        contents = contents_of(candidate)
        if contents is not None:
            assert all(name.isprintable() for name in (*contents.claims, *contents.audience, contents.kid))
