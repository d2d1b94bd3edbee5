from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from device.credential.signing import SigningKey
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
