from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
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
from device.credential.trust import parse_trust
from device.errors import GateError
from device.model import Standing
from device.service.passes import ALGORITHMS, FORMS, draw, issue, make_key, read_key, trust_entry

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


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "issuer.pem"
    make_key(path)
    before = path.read_bytes()
    with pytest.raises(GateError, match="never replaced"):
        make_key(path, "es256")
    assert path.read_bytes() == before


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
        with pytest.raises(GateError, match="no unencrypted") as caught:
            read_key(path)
        assert "secret words" not in str(caught.value)
    with pytest.raises(Flawed):
        SigningKey(b"")
    with pytest.raises(ValueError, match="RSA"):
        SigningKey.generate(Algorithm.PS256)


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
