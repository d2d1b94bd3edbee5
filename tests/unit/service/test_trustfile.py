from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from device.credential.registry import parse
from device.credential.signing import Grant, SigningKey, cwt_pass
from device.errors import GateError
from device.service.passes import trust_entry
from device.service.trustfile import add_entry, read_trust

if TYPE_CHECKING:
    from pathlib import Path

OFFICE, VISITS = (SigningKey(SigningKey.generate()) for _ in range(2))


def test_a_missing_list_is_made_and_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    assert add_entry(path, trust_entry(OFFICE, issuer="office")) == 1
    assert add_entry(path, trust_entry(VISITS, issuer="visits", gates=["gate-a"])) == 2
    assert len(read_trust(path)) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["trust.json"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o004


def test_the_same_key_takes_its_own_place_and_what_people_added_stays(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    entry = trust_entry(OFFICE, issuer="office")
    path.write_text(json.dumps({"note": "ours", "keys": [{**entry, "not_after": "2030-01-01T00:00:00Z"}]}))
    assert add_entry(path, entry) == 1
    document = json.loads(path.read_text())
    assert document["note"] == "ours"
    assert document["keys"] == [{**entry, "not_after": "2030-01-01T00:00:00Z"}]


def test_a_list_with_a_secret_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    add_entry(path, trust_entry(OFFICE, issuer="office"))
    add_entry(path, trust_entry(VISITS, issuer="visits", rotating=True))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["keys"][1]["rotation_secret"]


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"keys": [{}]}', '{"keys": [7]}', "\x00"])
def test_a_list_that_cannot_be_used_is_told_and_left_as_it_is(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "trust.json"
    path.write_text(broken)
    with pytest.raises(GateError, match=r"trust\.json"):
        add_entry(path, trust_entry(OFFICE, issuer="office"))
    assert path.read_text() == broken


def test_a_list_that_is_not_there_or_may_not_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="No such file"):
        read_trust(tmp_path / "trust.json")
    with pytest.raises(GateError, match="No such file"):
        add_entry(tmp_path / "missing" / "trust.json", trust_entry(OFFICE, issuer="office"))


def test_the_version_grows_with_every_change(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    for version, key in enumerate((OFFICE, VISITS, OFFICE), start=1):
        add_entry(path, trust_entry(key, issuer="office"))
        assert json.loads(path.read_text())["version"] == version


def test_a_key_may_be_good_for_a_time_only(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    begins, ends = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    add_entry(path, trust_entry(OFFICE, issuer="office", not_before=begins, not_after=ends))
    grant = Grant("1042", datetime(2099, 1, 1, tzinfo=UTC))
    credential = parse(cwt_pass(grant, OFFICE).encode(), trust=read_trust(path))
    assert (credential.not_before, credential.expires) == (begins, ends)


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    entry = trust_entry(OFFICE, issuer="office")
    path.write_text(json.dumps({"keys": [entry, entry | {"uses": ["identity"]}]}))
    with pytest.raises(GateError, match="key 2: the same as key 1"):
        read_trust(path)
