"""Files the configuration names, looked at where the daemon will run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from device.config.loader import load, load_text
from device.credential.signing import SigningKey
from device.errors import ConfigError, Problem
from device.privacy.sealing import OpeningKey

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\n"
PUBLIC = "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"
LOCKED = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIF\n-----END ENCRYPTED PRIVATE KEY-----\n"
SEAL = OpeningKey(OpeningKey.generate()).public_pem.decode()
SIGNS = SigningKey(SigningKey.generate()).public_pem.decode()
NOBODY = 65534
OLD_LOCKED = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a gate whose files are as they should be."""
    (tmp_path / "pictures").mkdir()
    contents = {"deny.txt": "1\n", "allow.txt": "2\n", "pseudonym.key": "k" * 32, "mqtt.password": "p\n"}
    contents |= {
        "ca.pem": CERTIFICATE,
        "gate.pem": CERTIFICATE,
        "gate.key": KEY,
        "district.pub": PUBLIC,
        "seal.pub": SEAL,
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "gate.yaml").write_text(
        """\
gate: {tenant: a, site: b, name: c}
camera: {source: replay, replay: {path: pictures}}
policy:
  deny_list: deny.txt
  allow_list: allow.txt
privacy:
  pseudonym_key_file: pseudonym.key
  seal_to: seal.pub
uplink:
  host: h
  username: u
  password_file: mqtt.password
  tls:
    ca_file: ca.pem
    cert_file: gate.pem
    key_file: gate.key
  district_key_file: district.pub
""",
        encoding="utf-8",
    )
    return tmp_path


def problems_in(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(folder / "gate.yaml")
    return caught.value.problems


def only_problem_in(folder: Path) -> Problem:
    (problem,) = problems_in(folder)
    return problem


def test_files_that_are_there_are_no_problem(folder: Path) -> None:
    settings = load(folder / "gate.yaml")
    assert settings.privacy.pseudonym_key_file == folder / "pseudonym.key"


def test_files_are_not_looked_for_on_a_laptop(folder: Path) -> None:
    for name in ("deny.txt", "gate.key", "pseudonym.key"):
        (folder / name).unlink()
    shutil.rmtree(folder / "pictures")
    load(folder / "gate.yaml", check_files=False)


def test_every_missing_file_is_named_with_its_line(folder: Path) -> None:
    names = ("deny.txt", "pseudonym.key", "mqtt.password", "ca.pem")
    for name in names:
        (folder / name).unlink()
    assert [problem.line for problem in problems_in(folder)] == [4, 7, 12, 14]


def test_a_file_that_is_only_misspelt_is_recognised(folder: Path) -> None:
    (folder / "deny.txt").rename(folder / "deny_list.txt")
    problem = only_problem_in(folder)
    assert problem.message == f"{folder / 'deny.txt'} is not there"
    assert problem.hint == "did you mean deny_list.txt?"


def test_a_missing_folder_is_said_to_be_missing(folder: Path) -> None:
    text = (folder / "gate.yaml").read_text(encoding="utf-8").replace("deny.txt", "lists/deny.txt")
    with pytest.raises(ConfigError, match="there is no folder"):
        load_text(text, base_dir=folder, check_files=True)


def test_a_secret_written_for_the_name_of_its_file_is_not_repeated(folder: Path) -> None:
    text = (folder / "gate.yaml").read_text(encoding="utf-8").replace("mqtt.password", "hunter2hunter2")
    with pytest.raises(ConfigError) as caught:
        load_text(text, base_dir=folder, check_files=True)
    assert "hunter2" not in str(caught.value)
    assert "never the secret itself" in str(caught.value)


def test_a_folder_is_no_file(folder: Path) -> None:
    (folder / "ca.pem").unlink()
    (folder / "ca.pem").mkdir()
    assert "is a folder or a device" in only_problem_in(folder).message


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    (folder / "deny.txt").unlink()
    os.mkfifo(folder / "deny.txt")
    assert "is a folder or a device" in only_problem_in(folder).message


def test_an_empty_secret_is_no_secret(folder: Path) -> None:
    (folder / "mqtt.password").write_text("\n", encoding="utf-8")
    assert only_problem_in(folder).message == "the file with the password is empty"


def test_an_empty_list_is_a_list(folder: Path) -> None:
    (folder / "deny.txt").write_text("", encoding="utf-8")
    load(folder / "gate.yaml")


def test_a_short_key_is_refused(folder: Path) -> None:
    (folder / "pseudonym.key").write_text("short", encoding="utf-8")
    problem = only_problem_in(folder)
    assert problem.message == "the file with the key has 5 bytes, and needs 16 at least"
    assert "/dev/urandom" in problem.hint


def test_certificate_and_key_exchanged_are_recognised(folder: Path) -> None:
    (folder / "gate.pem").write_text(KEY, encoding="utf-8")
    (folder / "gate.key").write_text(CERTIFICATE, encoding="utf-8")
    certificate, key = problems_in(folder)
    assert "holds a private key, not a certificate" in certificate.message
    assert "holds a certificate, not a private key" in key.message
    assert certificate.hint == key.hint == "were cert_file and key_file exchanged?"


def test_the_districts_private_key_does_not_belong_on_a_gate(folder: Path) -> None:
    (folder / "district.pub").write_text(KEY, encoding="utf-8")
    problem = only_problem_in(folder)
    assert "holds a private key, not a public key" in problem.message
    assert "stays with the district" in problem.hint


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (SIGNS, "holds a key that seals nothing", "an X25519 key is needed"),
        (KEY, "holds a private key, not a public one", "stays with the district"),
        ("MDEyMzQ1Njc4OQ==", "holds 10 bytes in base64", ""),
        ("", "is empty", ""),
    ],
)
def test_what_identities_are_sealed_to_must_be_the_districts_public_key(
    folder: Path, content: str, message: str, hint: str
) -> None:
    (folder / "seal.pub").write_text(content, encoding="utf-8")
    problem = only_problem_in(folder)
    assert problem.path == "privacy.seal_to"
    assert message in problem.message
    assert hint in problem.hint


def test_a_certificate_in_another_form_is_refused(folder: Path) -> None:
    (folder / "ca.pem").write_bytes(b"0\x82\x03\x04")
    assert "-----BEGIN CERTIFICATE-----" in only_problem_in(folder).hint


@pytest.mark.parametrize("content", [LOCKED, OLD_LOCKED])
def test_a_key_with_a_passphrase_is_refused(folder: Path, content: str) -> None:
    (folder / "gate.key").write_text(content, encoding="utf-8")
    assert "locked with a passphrase" in only_problem_in(folder).message


def test_one_file_may_hold_certificate_and_key(folder: Path) -> None:
    (folder / "gate.pem").write_text(CERTIFICATE + KEY, encoding="utf-8")
    (folder / "gate.key").write_text(CERTIFICATE + KEY, encoding="utf-8")
    load(folder / "gate.yaml")


def test_pictures_are_looked_for_only_when_they_are_replayed(folder: Path) -> None:
    shutil.rmtree(folder / "pictures")
    assert only_problem_in(folder).path == "camera.replay.path"
    text = (folder / "gate.yaml").read_text(encoding="utf-8").replace("source: replay", "source: v4l2")
    load_text(text, base_dir=folder, check_files=True)


def test_a_name_no_file_can_have_is_an_answer_too(folder: Path) -> None:
    text = (folder / "gate.yaml").read_text(encoding="utf-8").replace("deny.txt", "d" * 900)
    with pytest.raises(ConfigError, match=r"policy\.deny_list"):
        load_text(text, base_dir=folder, check_files=True)


@contextmanager
def nobodys_rights() -> Iterator[None]:
    """Root may read everything, so root becomes somebody who may not."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was == 0:
            os.seteuid(was)


def test_a_file_that_may_not_be_read_names_who_has_to(folder: Path) -> None:
    text = (folder / "gate.yaml").read_text(encoding="utf-8")
    lists_and_secrets = ("deny.txt", "allow.txt", "pseudonym.key", "mqtt.password")
    names = (*lists_and_secrets, "ca.pem", "gate.pem", "gate.key", "district.pub", "seal.pub")
    for name in names:
        (folder / name).chmod(0)
    with nobodys_rights(), pytest.raises(ConfigError) as caught:
        load_text(text, base_dir=folder, check_files=True)
    refused = [problem for problem in caught.value.problems if "may not be read" in problem.message]
    assert len(refused) == len(names)
    assert {problem.hint for problem in refused} == {
        "the user this runs as, gate-scanner, must be able to read it"
    }


def test_a_configuration_that_may_not_be_read_says_so(folder: Path) -> None:
    (folder / "gate.yaml").chmod(0)
    with nobodys_rights(), pytest.raises(ConfigError, match="may not be read"):
        load(folder / "gate.yaml")


def test_a_list_that_has_gone_is_no_mistake_where_the_gate_has_kept_one(folder: Path) -> None:
    config = folder / "gate.yaml"
    text = config.read_text(encoding="utf-8").replace("policy:", "journal: {path: journal.db}\npolicy:")
    config.write_text(text, encoding="utf-8")
    (folder / "deny.txt").unlink()
    with pytest.raises(ConfigError, match="deny_list"):
        load(config)
    (folder / "lists").mkdir()
    (folder / "lists" / "deny.list").touch()
    assert load(config).policy.deny_list == folder / "deny.txt"
    (folder / "allow.txt").unlink()
    with pytest.raises(ConfigError, match="allow_list"):
        load(config)


def test_a_key_in_a_list_of_keys_is_looked_at(folder: Path) -> None:
    config = folder / "gate.yaml"
    text = config.read_text(encoding="utf-8").replace(
        "policy:", "policy:\n  list_keys: [district.pub, gate.key]"
    )
    config.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(config)
    (problem,) = refused.value.problems
    assert (problem.path, problem.line) == ("policy.list_keys[2]", 4)
