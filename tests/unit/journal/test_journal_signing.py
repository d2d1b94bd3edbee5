from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from device.errors import JournalUnusable
from device.journal.chain import BreakKind, verify
from device.journal.record import parse
from device.journal.signing import Signer, complaint
from device.journal.sqlite_journal import CHECKPOINT_EVENTS, SqliteJournal
from device.journal.state import WhenFull
from device.model import Why
from device.service import events
from tests.support.clock import ManualClock
from tests.support.journal import append_many, open_journal, scan_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNER = Signer(bytes(range(32)))
# RFC 8032, 7.1, test 1: seed, public key, signature of the empty message.
RFC_SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
RFC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
RFC_SIGNATURE = (
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
    "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal.open(
        path,
        max_bytes=16 << 20,
        keep_days=30,
        when_full=WhenFull.REFUSE,
        clock=ManualClock(),
        signer=SIGNER,
    )
    yield journal
    journal.close()


def test_signatures_are_those_of_rfc_8032() -> None:
    signer = Signer(bytes.fromhex(RFC_SEED))
    assert signer.public_key == RFC_KEY
    assert signer.sign(b"") == RFC_SIGNATURE


def test_a_checkpoint_is_an_event_of_the_chain_whose_signature_holds(journal: SqliteJournal) -> None:
    journal.append(scan_event(1))
    stored = journal.checkpoint(Why.START)
    journal.append(scan_event(2))
    assert stored is not None
    assert (stored.seq, stored.type) == (2, "gate.checkpoint.v1")
    data = parse(stored.data)
    assert data is not None
    assert (data["why"], data["key"]) == ("start", SIGNER.public_key)
    assert complaint(stored) is None
    assert complaint(stored, key=SIGNER.public_key) is None
    assert list(verify(journal.read(1, 10))) == []


def test_without_a_key_there_are_no_checkpoints(path: Path) -> None:
    journal = open_journal(path)
    assert journal.checkpoint(Why.START) is None
    append_many(journal, CHECKPOINT_EVENTS + 10)
    assert journal.stats().last_seq == CHECKPOINT_EVENTS + 10
    journal.close()


def test_a_busy_gate_signs_again_and_again(journal: SqliteJournal) -> None:
    for n in range(2 * CHECKPOINT_EVENTS + 10):
        journal.append(scan_event(n))
    signed = [e.seq for e in journal.read(1, 10_000) if e.type == "gate.checkpoint.v1"]
    assert signed == [CHECKPOINT_EVENTS + 2, 2 * (CHECKPOINT_EVENTS + 2)]
    assert list(verify(journal.read(1, 10_000))) == []


def test_a_changed_checkpoint_does_not_hold(journal: SqliteJournal) -> None:
    stored = journal.checkpoint(Why.STOP)
    assert stored is not None
    for old, new in ((b'"stop"', b'"start"'), (b'"uptime_ms":1000000', b'"uptime_ms":1000001')):
        changed = replace(stored, data=stored.data.replace(old, new))
        assert changed != stored
        assert complaint(changed) == "its signature does not hold"


@pytest.mark.parametrize("data", [b"", b"{}", b'{"key":"zz","signature":1}', b'{"key":[],"signature":{}}'])
def test_a_damaged_checkpoint_does_not_hold_and_raises_nothing(journal: SqliteJournal, data: bytes) -> None:
    stored = journal.checkpoint(Why.STOP)
    assert stored is not None
    assert complaint(replace(stored, data=data)) == "its signature does not hold"


def test_a_checkpoint_of_another_key_is_told_apart(journal: SqliteJournal) -> None:
    stored = journal.checkpoint(Why.STOP)
    assert stored is not None
    assert complaint(stored, key=Signer(bytes(32)).public_key) == "is signed with another key"


def test_a_journal_rewritten_from_the_start_is_found_out(journal: SqliteJournal, path: Path) -> None:
    """The chain alone would hold: the thief made it anew. The signature cannot be."""
    journal.append(scan_event(1))
    journal.checkpoint(Why.STOP)
    journal.close()
    thief = SqliteJournal.open(
        path.with_name("forged.db"),
        max_bytes=16 << 20,
        keep_days=30,
        when_full=WhenFull.REFUSE,
        clock=ManualClock(),
        signer=Signer(b"x" * 32),
    )
    thief.append(scan_event(2))
    thief.checkpoint(Why.STOP)
    thief.close()
    assert events.verify(thief.path).whole
    found = events.verify(thief.path, key=SIGNER.public_key)
    assert [(b.kind, b.seq) for b in found.breaks] == [(BreakKind.SIGNATURE, 2)]
    assert events.verify(path, key=SIGNER.public_key).whole


def test_verifying_tells_how_far_the_gate_has_signed(journal: SqliteJournal, path: Path) -> None:
    append_many(journal, 5)
    journal.checkpoint(Why.START)
    append_many(journal, 5)
    found = events.verify(path, key=SIGNER.public_key)
    assert found.signed_through == 6
    assert events.summary(found) == [
        f"journal {journal.id}: 11 events, 1 to 11: complete and unchanged; signed by the gate up to 6"
    ]


def test_a_broken_signature_is_named(journal: SqliteJournal, path: Path) -> None:
    journal.checkpoint(Why.START)
    outside = sqlite3.connect(path)
    with outside:
        outside.execute("UPDATE event SET data = CAST(replace(data, 'start', 'stop') AS BLOB)")
    outside.close()
    assert [b.detail for b in events.verify(path).breaks] == ["event 1: its signature does not hold"]


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "journal.key"
    first = Signer.load_or_create(path)
    assert Signer.load_or_create(path).public_key == first.public_key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [f.name for f in path.parent.iterdir()] == ["journal.key"]
    assert Signer.load_or_create(tmp_path / "other.key").public_key != first.public_key


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.key"
    path.write_bytes(b"short")
    with pytest.raises(JournalUnusable, match="32 bytes"):
        Signer.load_or_create(path)
    with pytest.raises(JournalUnusable):
        Signer.load_or_create(tmp_path)
