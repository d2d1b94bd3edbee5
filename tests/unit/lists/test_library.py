"""The library: lists and keys change under a running gate, and every change is recorded."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from device.credential.trust import Trust
from device.errors import GateError, JournalError
from device.lists.library import Librarian, Library, TrustFile
from device.lists.shelf import Shelf
from device.model import Event, Lifecycle, LifecycleEvent, StoredEvent
from device.policy.lists import ListKind, Lists
from device.service.passes import make_key, trust_entry
from tests.support.clock import ManualClock
from tests.support.lists import ANNA, BINH, District, name_of, reader

DISTRICT = District()


class Gate:
    """A librarian over a folder; what it decides by and what it recorded."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.lists, self.trust = folder / "deny.list", folder / "trust.json"
        self.recorded: list[LifecycleEvent] = []
        self.full = False
        self.writes = 0
        shelf = Shelf(
            files={ListKind.DENY: self.lists},
            kept=folder / "kept",
            reader=reader(DISTRICT.keys),
            clock=self.clock,
        )
        self.library = Library(shelf, TrustFile(self.trust, frozenset({"north-door"})), self.clock)
        self.librarian = Librarian(
            library=self.library, go_by=self._go_by, recorder=self, clock=self.clock, version="1"
        )

    def _go_by(self, lists: Lists, trust: Trust) -> None:
        self.now = lists, trust

    def append(self, event: Event) -> StoredEvent:
        if self.full:
            raise JournalError("full")
        assert isinstance(event, LifecycleEvent)
        self.recorded.append(event)
        return StoredEvent("j", len(self.recorded), "gate.lifecycle.v1", b"")

    def put(self, file: Path, content: bytes) -> None:
        file.write_bytes(content)
        self.writes += 1
        os.utime(file, (0, self.writes))

    def turn(self) -> list[tuple[Lifecycle, str]]:
        """Two turns, and what was recorded in them."""
        before = len(self.recorded)
        self.librarian.turn()
        self.librarian.turn()
        return [(event.what, event.detail) for event in self.recorded[before:]]


def trust_of(folder: Path, *names: str, version: int | None = None) -> bytes:
    keys = [trust_entry(make_key(folder / f"{name}.pem", force=True), issuer=name) for name in names]
    return json.dumps({"keys": keys, "version": version}).encode()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    gate = Gate(tmp_path)
    gate.put(gate.lists, DISTRICT.list_of(ANNA, version=5).raw)
    gate.put(gate.trust, trust_of(tmp_path, "office"))
    holdings = gate.library.open()
    gate.now = holdings.lists, holdings.trust
    return gate


def test_what_was_taken_and_refused_is_recorded(gate: Gate) -> None:
    gate.put(gate.lists, DISTRICT.list_of(BINH, version=6).raw)
    assert gate.turn() == [(Lifecycle.LIST_TAKEN, "deny 6")]
    assert name_of(BINH) in gate.now[0].deny
    gate.put(gate.lists, DISTRICT.list_of(ANNA, version=5).raw)
    assert gate.turn() == [(Lifecycle.LIST_REFUSED, "deny older")]
    assert name_of(BINH) in gate.now[0].deny
    assert gate.turn() == []


def test_a_journal_that_is_full_keeps_no_list_from_being_taken(gate: Gate) -> None:
    gate.full = True
    gate.put(gate.lists, DISTRICT.list_of(BINH, version=6).raw)
    assert gate.turn() == []
    assert name_of(BINH) in gate.now[0].deny


def test_a_trust_list_is_taken_while_the_gate_runs_and_a_broken_one_is_not(
    gate: Gate, tmp_path: Path
) -> None:
    assert len(gate.now[1]) == 1
    gate.put(gate.trust, trust_of(tmp_path, "office", "school", version=3))
    assert gate.turn() == [(Lifecycle.LIST_TAKEN, "trust 3")]
    assert len(gate.now[1]) == 2
    assert [(issue.name, issue.version) for issue in gate.now[0].issues] == [("deny", 5), ("trust", 3)]
    for broken in (b"", b"{}", gate.trust.read_bytes()[:-9], b'{"keys":[{}]}'):
        gate.put(gate.trust, broken)
        assert gate.turn() == [(Lifecycle.LIST_REFUSED, "trust damaged")]
        assert len(gate.now[1]) == 2
        deny, trust = gate.library.standings()
        assert (deny.name, deny.refused) == ("deny", "")
        assert (trust.name, trust.version, trust.refused) == ("trust", 3, "damaged")


def test_a_trust_list_that_is_not_there_is_named(gate: Gate) -> None:
    gate.trust.unlink()
    with pytest.raises(GateError, match=r"trust\.json: No such file"):
        gate.library.open()


def test_without_a_trust_list_there_is_none_to_look_after() -> None:
    file = TrustFile(None, frozenset())
    file.open()
    assert (len(file.trust), file.issue, file.look()) == (0, None, ())
