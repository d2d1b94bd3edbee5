"""Who is inside, and what was used, outlives the process: nobody goes in once more after a power cut."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.credential.signing import Grant
from device.journal.reader import JournalReader
from device.service.passes import issue, make_key, numbered, trust_entry
from device.service.trustfile import add_entry
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, BINH, Gate

pytestmark = pytest.mark.slow


def answers(config: Path, folder: Path, people: int) -> list[tuple[str, str]]:
    """What the first so many people are told; then the daemon is killed."""
    with Daemon(config, folder) as daemon:
        daemon.wait_for(lambda d: len(d.scans()) >= people, "everybody is answered")
        return [(scan["outcome"], scan["reason"]) for scan in daemon.scans()[:people]]


def test_a_person_inside_is_known_after_the_process_was_killed(tmp_path: Path) -> None:
    policy = {"accept": ["vn.cccd"], "repeat_s": 0, "passback": {"mode": "hard"}, "capacity": 1}
    gate = Gate(tmp_path, changes={"policy": policy})
    gate.hold(ANNA)
    gate.hold(BINH)
    config = gate.write()
    assert answers(config, tmp_path, 2) == [("granted", "ok"), ("denied", "full")]
    assert answers(config, tmp_path, 2) == [("denied", "passback"), ("denied", "full")]
    with JournalReader(gate.journal) as journal:
        assert all(b"046190123456" not in event.data for event in journal.events())


def test_a_pass_for_one_passage_stays_used_after_the_process_was_killed(tmp_path: Path) -> None:
    key = make_key(tmp_path / "office.pem")
    add_entry(tmp_path / "trust.json", trust_entry(key, issuer="office"))
    expires = datetime(2099, 1, 1, tzinfo=UTC)
    gate = Gate(
        tmp_path,
        changes={"policy": {"accept": ["cwt.pass"]}, "credentials": {"trust_list": "trust.json"}},
    )
    gate.hold(issue(numbered(Grant("1042", expires, once=True)), key))
    gate.hold(issue(Grant("1042", expires), key))
    config = gate.write()
    assert answers(config, tmp_path, 2) == [("granted", "ok"), ("granted", "ok")]
    assert answers(config, tmp_path, 1) == [("denied", "replayed")]
