from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from device.credential.flaw import Flawed
from device.credential.registry import parse
from device.credential.signature import Algorithm
from device.credential.signing import Grant, SigningKey
from device.credential.trust import NOBODY, parse_trust
from device.errors import GateError
from device.model import Standing
from device.service.inspect import inspect
from device.service.passes import (
    ALGORITHMS,
    FORMS,
    NUMBER_BYTES,
    draw,
    issue,
    make_key,
    numbered,
    of_now,
    read_key,
    trust_entry,
)

if TYPE_CHECKING:
    from pathlib import Path

GRANT = Grant(
    subject="mau",
    issuer="office",
    expires=datetime(2027, 1, 1, tzinfo=UTC),
    not_before=datetime(2026, 1, 1, tzinfo=UTC),
    audience=("gate-a", "gate-b"),
    number=b"\x01\x02\x03\x04\x05\x06\x07\x08",
)
KEYS = {name: SigningKey(SigningKey.generate(algorithm)) for name, algorithm in ALGORITHMS.items()}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_gate_that_lists_the_key_verifies_its_passes(form: str, algorithm: str) -> None:
    key = KEYS[algorithm]
    listed = parse_trust(json.dumps({"keys": [trust_entry(key, issuer="office", form=form)]}))
    assert listed.problems == ()
    credential = parse(issue(GRANT, key, form=form).encode(), trust=listed.trust)
    assert (credential.kind, credential.standing) == (f"{form}.pass", Standing.VERIFIED)
    assert (credential.identifier, credential.issuer) == ("office/mau", "office")
    assert (credential.not_before, credential.expires) == (GRANT.not_before, GRANT.expires)
    assert credential.audience == GRANT.audience


@given(
    subject=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60),
    audience=st.lists(st.from_regex(r"[a-z0-9-]{1,48}", fullmatch=True), max_size=5),
    form=st.sampled_from(sorted(FORMS)),
)
def test_whatever_is_granted_reads_back(subject: str, audience: list[str], form: str) -> None:
    key = KEYS["ed25519"]
    listed = parse_trust(json.dumps({"keys": [trust_entry(key, issuer="office", form=form)]}))
    grant = Grant(subject=subject, expires=GRANT.expires, audience=tuple(audience))
    credential = parse(issue(grant, key, form=form).encode(), trust=listed.trust)
    assert credential.identifier == f"office/{subject}"
    assert credential.audience == tuple(audience)


def test_a_pass_as_cwt_is_a_much_smaller_code_than_as_jws() -> None:
    sizes = {form: len(issue(GRANT, KEYS["ed25519"], form=form)) for form in FORMS}
    assert sizes["cwt"] < 0.85 * sizes["jws"]


def test_a_key_file_is_its_owners_only_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"
    key = make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(path).kid == key.kid
    assert len(key.kid) == 8


def test_a_key_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"
    make_key(path)
    before = path.read_bytes()
    with pytest.raises(GateError, match="kept"):
        make_key(path, "es256")
    assert path.read_bytes() == before
    key = make_key(path, "es256", force=True)
    assert read_key(path).kid == key.kid
    assert path.read_bytes() != before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["issuer.pem"]


def test_a_missing_folder_or_file_is_told_without_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="No such file"):
        make_key(tmp_path / "missing" / "issuer.pem")
    with pytest.raises(GateError, match="No such file"):
        read_key(tmp_path / "missing.pem")


def test_what_is_no_key_of_ours_is_refused_without_showing_it(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    other = rsa.generate_private_key(65537, 2048)
    for content in (b"secret words", other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())):
        path.write_bytes(content)
        with pytest.raises(GateError, match="private key") as caught:
            read_key(path)
        assert "secret words" not in str(caught.value)
    with pytest.raises(Flawed):
        SigningKey(b"")
    with pytest.raises(ValueError, match="RSA"):
        SigningKey.generate(Algorithm.PS256)


def test_a_pass_for_nobody_and_one_that_rotates_get_a_number() -> None:
    anybody = Grant(subject="", expires=GRANT.expires)
    assert len(numbered(anybody).number) == NUMBER_BYTES
    assert numbered(anybody).number != numbered(anybody).number
    assert len(numbered(Grant(subject="mau", expires=GRANT.expires, rotates=True)).number) == NUMBER_BYTES
    assert numbered(GRANT) == GRANT
    assert numbered(Grant(subject="mau", expires=GRANT.expires)).number == b""


def test_a_pass_for_one_passage_is_known_by_its_number_and_its_holder() -> None:
    key = KEYS["ed25519"]
    trust = parse_trust(json.dumps({"keys": [trust_entry(key, issuer="office")]})).trust
    first, second = (
        parse(issue(numbered(Grant("mau", GRANT.expires, once=True)), key).encode(), trust=trust)
        for _ in range(2)
    )
    assert first.once
    assert first.identifier != second.identifier
    assert first.aliases == second.aliases == ("office/mau",)
    nobodys = parse(issue(numbered(Grant("", GRANT.expires, once=True)), key).encode(), trust=trust)
    assert (nobodys.once, nobodys.aliases) == (True, ())
    assert not parse(issue(GRANT, key).encode(), trust=trust).once


@pytest.mark.parametrize(
    "bad",
    [
        Grant(subject="line\nbreak", expires=GRANT.expires),
        Grant(subject="x" * 257, expires=GRANT.expires),
        Grant(subject="", expires=GRANT.expires),
        Grant(subject="x" * 300, expires=GRANT.expires, number=b"1", once=True),
        Grant(subject="mau", expires=GRANT.expires, audience=tuple(map(str, range(65)))),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_pass_that_no_gate_would_take_is_not_issued(bad: Grant, form: str) -> None:
    with pytest.raises(GateError, match="no gate would take"):
        issue(bad, KEYS["ed25519"], form=form)


def test_a_rotating_pass_is_shown_with_the_code_of_the_moment() -> None:
    key = KEYS["ed25519"]
    entry = trust_entry(key, issuer="office", rotating=True)
    trust = parse_trust(json.dumps({"keys": [entry]})).trust
    moment = datetime(2026, 3, 2, 8, 0, 20, tzinfo=UTC)
    text = issue(numbered(replace(GRANT, rotates=True)), key)
    assert inspect(text.encode(), trust=trust, now=moment).rotating == "missing"
    shown, left_s = of_now(text, trust, moment)
    assert left_s == 10
    assert inspect(shown.encode(), trust=trust, now=moment).rotating == "current"
    assert inspect(shown.encode(), trust=trust, now=moment + timedelta(minutes=5)).rotating == "old"
    with pytest.raises(GateError, match="does not verify"):
        of_now(text, NOBODY, moment)
    with pytest.raises(GateError, match="no changing code"):
        of_now(issue(GRANT, key), trust, moment)


@pytest.mark.parametrize("form", FORMS)
def test_a_drawn_pass_is_read_by_the_gates_reader(tmp_path: Path, form: str) -> None:
    cv2 = pytest.importorskip("cv2")
    text = issue(GRANT, KEYS["ed25519"], form=form)
    path = tmp_path / "pass.png"
    assert "modules a side" in draw(text, path)
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.bytes == text.encode()


def test_a_terminal_gets_lines_and_a_bad_file_name_a_sentence(tmp_path: Path) -> None:
    assert len(draw("text").splitlines()) > 10
    with pytest.raises(GateError):
        draw("text", tmp_path / "missing" / "pass.png")
    with pytest.raises(GateError):
        draw("text", tmp_path / "pass.unknown")
    with pytest.raises(GateError, match="do not fit"):
        draw("x" * 5000)
