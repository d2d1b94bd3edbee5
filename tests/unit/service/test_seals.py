from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from device.cli import main
from device.errors import GateError
from device.journal.sqlite_journal import SqliteJournal
from device.keyring import opening_key
from device.model import Credential, KeptField, Outcome, Reason, ScanEvent, Standing, StoredEvent, Verdict
from device.privacy.keeping import IdentityKeeper
from device.privacy.sealing import OpeningKey, SealingKey, binding
from device.service.seals import make_seal, unseal
from device.service.store import Store
from device.uplink.wire import WireEvent
from tests.support.clock import ManualClock
from tests.support.journal import open_journal, scan_event

GATE = "gate/v1/phu-vang/an-bang/north-door"
BINH = Credential(
    "vn.cccd",
    Standing.CLAIMED,
    identifier="079088000111",
    name="Trần Văn Bình",
    born=date(1988, 2, 29),
)
WHO = {"identifier": "079088000111", "name": "Trần Văn Bình"}


def sealed_scan(number: int, key: OpeningKey, credential: Credential = BINH) -> ScanEvent:
    """A scan of a person, as the scan loop records it."""
    keeper = IdentityKeeper(
        source=GATE, seal=SealingKey(key.public_pem), fields=(KeptField.NAME, KeptField.IDENTIFIER)
    )
    plain = scan_event(number)
    clock = replace(plain.clock, uptime_ms=number)
    ref = replace(plain.credential, kind=credential.kind)
    ref = keeper.keep(credential, ref, Verdict(Outcome.GRANTED, Reason.OK), clock)
    return replace(plain, credential=ref, clock=clock)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[OpeningKey, OpeningKey]:
    """An old one and a new one, each in a file of its own."""
    return tuple(make_seal(tmp_path / f"{n}.pem", tmp_path / f"{n}.pub") for n in ("old", "new"))  # type: ignore[return-value]


def recorded(folder: Path, *events: ScanEvent) -> list[StoredEvent]:
    with_key: SqliteJournal = open_journal(folder / "journal.db")
    try:
        return [with_key.append(event) for event in events]
    finally:
        with_key.close()


def told(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    out, err = capsys.readouterr()
    return out.splitlines(), err.splitlines()


# -- keys -----------------------------------------------------------------------------------------


def test_the_private_key_is_for_its_owner_and_the_public_one_for_gates(tmp_path: Path) -> None:
    key = make_seal(tmp_path / "seal.pem", tmp_path / "seal.pub")
    assert (tmp_path / "seal.pem").stat().st_mode & 0o777 == 0o600
    assert opening_key(tmp_path / "seal.pem").key_id == key.key_id
    assert SealingKey((tmp_path / "seal.pub").read_bytes()).key_id == key.key_id


@pytest.mark.parametrize("there", ["seal.pem", "seal.pub"])
def test_a_key_that_is_there_is_never_replaced_and_no_half_of_a_pair_is_left(
    tmp_path: Path, there: str
) -> None:
    (tmp_path / there).write_text("somebody's", encoding="utf-8")
    with pytest.raises(GateError, match="exists and is kept"):
        make_seal(tmp_path / "seal.pem", tmp_path / "seal.pub")
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text(encoding="utf-8") == "somebody's"


def test_a_folder_that_is_not_there_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="No such file"):
        make_seal(tmp_path / "seal.pem", tmp_path / "nowhere" / "seal.pub")
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_to_do_with_the_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "seal", str(tmp_path / "s.pem"), str(tmp_path / "s.pub")]) == 0
    assert "privacy.seal_to" in capsys.readouterr().err
    assert main(["keys", "seal", str(tmp_path / "s.pem"), str(tmp_path / "s.pub")]) == 1


# -- opening --------------------------------------------------------------------------------------


def test_each_event_is_opened_with_the_key_it_names(
    tmp_path: Path, keys: tuple[OpeningKey, OpeningKey]
) -> None:
    old, new = keys
    events = recorded(tmp_path, sealed_scan(1, old), sealed_scan(2, new))
    assert [found.identity for found in unseal([(GATE, e) for e in events], keys)] == [WHO, WHO]
    first, second = unseal([(GATE, e) for e in events], [new])
    assert (first.identity, second.identity) == ({}, WHO)
    assert first.problem == f"sealed to key {old.key_id}, which is not among those given"


def test_what_was_moved_to_another_event_does_not_open(
    tmp_path: Path, keys: tuple[OpeningKey, OpeningKey]
) -> None:
    one, other = recorded(tmp_path, sealed_scan(1, keys[1]), sealed_scan(2, keys[1]))
    moved = json.loads(one.data)
    moved["credential"]["sealed"] = json.loads(other.data)["credential"]["sealed"]
    data = json.dumps(moved, sort_keys=True, separators=(",", ":")).encode()
    (found,) = unseal([(GATE, replace(one, data=data))], keys)
    assert "it was changed, belongs to another event" in found.problem
    (found,) = unseal([(f"{GATE}-2", one)], keys)
    assert "its gate had another name" in found.problem


def test_a_damaged_event_is_said_to_be_damaged(keys: tuple[OpeningKey, OpeningKey]) -> None:
    (found,) = unseal([(GATE, StoredEvent("j", 1, "gate.scan.v1", b'{"sealed":{'))], keys)
    assert found.problem == "the event is damaged"
    assert "not opened" in found.as_text()


@pytest.mark.parametrize("text", [b"", b"\xff", b"[1]", b"{" * 90_000, b'"\\ud800"'])
def test_anybody_may_seal_nonsense_to_a_public_key(
    tmp_path: Path, keys: tuple[OpeningKey, OpeningKey], text: bytes
) -> None:
    event = scan_event(1)
    context = binding(
        source=GATE,
        event_type="gate.scan.v1",
        boot=event.clock.boot,
        uptime_ms=event.clock.uptime_ms,
        kind=event.credential.kind,
        subject=event.credential.subject,
    )
    sealed = SealingKey(keys[0].public_pem).seal(text, context=context)
    (stored,) = recorded(tmp_path, replace(event, credential=replace(event.credential, sealed=sealed)))
    (found,) = unseal([(GATE, stored)], keys)
    assert found.problem == "what was sealed is no identity"


def test_what_a_code_claimed_moves_no_terminal(tmp_path: Path, keys: tuple[OpeningKey, OpeningKey]) -> None:
    hostile = replace(BINH, name="\x1b[2J\u202e", identifier="\ud800\n")
    (stored,) = recorded(tmp_path, sealed_scan(1, keys[0], hostile))
    (found,) = unseal([(GATE, stored)], keys)
    assert not found.problem
    assert found.as_text().isprintable()
    assert json.loads(found.as_json())["identity"] == found.identity


def test_only_one_persons_events_are_opened_when_only_theirs_are_asked_for(
    tmp_path: Path, keys: tuple[OpeningKey, OpeningKey]
) -> None:
    events = recorded(tmp_path, sealed_scan(1, keys[0]), sealed_scan(2, keys[0]))
    subject = json.loads(events[0].data)["credential"]["subject"]
    found = list(unseal([(GATE, e) for e in events], keys, subject=subject))
    assert [one.event.seq for one in found] == [1]


# -- the command ----------------------------------------------------------------------------------


def test_a_journal_is_opened_on_the_districts_desk(
    tmp_path: Path, keys: tuple[OpeningKey, OpeningKey], capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path, sealed_scan(1, keys[0]), scan_event(2), sealed_scan(3, keys[1]))
    journal = str(tmp_path / "journal.db")
    command = ["unseal", journal, "--key", str(tmp_path / "new.pem")]
    assert main(command) == 1
    assert "--gate TENANT/SITE/NAME" in told(capsys)[1][0]
    assert main([*command, "--gate", "phu-vang/an-bang/north-door"]) == 1
    out, err = told(capsys)
    assert "not opened: sealed to key" in out[0]
    assert out[1].endswith("vn.cccd  079088000111  Trần Văn Bình")
    assert err == [
        "1 opened",
        f"1 not opened: sealed to key {keys[0].key_id}, which is not among those given",
    ]
    both = [*command, "--key", str(tmp_path / "old.pem"), "--gate", "phu-vang/an-bang/north-door", "--json"]
    assert main(both) == 0
    assert [json.loads(line)["identity"] for line in told(capsys)[0]] == [WHO, WHO]


def test_the_districts_store_says_itself_whose_events_they_are(
    tmp_path: Path, keys: tuple[OpeningKey, OpeningKey], capsys: pytest.CaptureFixture[str]
) -> None:
    events = recorded(tmp_path, sealed_scan(1, keys[0]), sealed_scan(2, keys[1]))
    with Store(tmp_path / "events.db", clock=ManualClock()) as store:
        store.take([WireEvent(e.journal, e.seq, GATE, e.type, "", e.data) for e in events])
        command = ["unseal", str(tmp_path / "events.db")]
        for name in ("old", "new"):
            command += "--key", str(tmp_path / f"{name}.pem")
        assert main([*command, "--json"]) == 0
        found = [json.loads(line) for line in told(capsys)[0]]
        assert [(one["gate"], one["identity"]) for one in found] == [(GATE, WHO), (GATE, WHO)]
        assert main([*command, "--gate", "phu-vang/an-bang/other"]) == 0
        assert told(capsys) == ([], ["nothing sealed was found"])


def test_a_key_that_is_none_is_told_in_words(
    tmp_path: Path, keys: tuple[OpeningKey, OpeningKey], capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path, sealed_scan(1, keys[0]))
    assert main(["unseal", str(tmp_path / "journal.db"), "--key", str(tmp_path / "old.pub")]) == 1
    assert "old.pub holds no private key" in capsys.readouterr().err
    assert main(["unseal", str(tmp_path / "nothing.db"), "--key", str(tmp_path / "old.pem")]) == 1
    assert "there is no such file" in capsys.readouterr().err
