from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.journal.chain import verify
from device.journal.record import parse
from device.journal.salvage import Beyond, Salvaged, beyond, delivered_through, salvage
from device.model import StoredEvent
from device.service import events
from tests.support.journal import append_many, copy_as_after_power_cut, open_journal, scan_event

if TYPE_CHECKING:
    from pathlib import Path

    from device.journal.sqlite_journal import SqliteJournal

EVENTS = 60


def found(path: Path, after_seq: int = 0) -> dict[int, Salvaged]:
    return {event.seq: event for event in salvage(path, after_seq=after_seq) if event}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, tuple[StoredEvent, ...]]:
    """A closed journal's bytes, and its events."""
    path = tmp_path_factory.mktemp("whole") / "journal.db"
    journal = open_journal(path)
    for n in range(EVENTS):
        journal.append(scan_event(n))
    stored = journal.read(1, EVENTS)
    journal.close()
    return path.read_bytes(), stored


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "journal.db"


def test_every_event_of_an_undamaged_file_is_found_and_all_but_the_newest_proved(
    whole: tuple[bytes, tuple[StoredEvent, ...]], place: Path
) -> None:
    content, stored = whole
    place.write_bytes(content)
    salvaged = found(place)
    assert [e.data for e in salvaged.values()] == [e.data for e in stored]
    assert [e.type for e in salvaged.values()] == [e.type for e in stored]
    assert [e.seq for e in salvaged.values() if not e.proved] == [EVENTS]


def test_only_what_is_asked_for_is_found(whole: tuple[bytes, tuple[StoredEvent, ...]], place: Path) -> None:
    place.write_bytes(whole[0])
    assert list(found(place, after_seq=50)) == list(range(51, EVENTS + 1))


@given(flips=st.lists(st.integers(0, 8 * 20_000), min_size=1, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_flipped_bit_costs_at_most_the_event_it_is_in(
    whole: tuple[bytes, tuple[StoredEvent, ...]], place: Path, flips: list[int]
) -> None:
    content, stored = bytearray(whole[0]), {e.seq: e for e in whole[1]}
    for bit in flips:
        content[bit // 8 % len(content)] ^= 1 << bit % 8
    place.write_bytes(content)
    salvaged = found(place)
    assert all(stored[e.seq].data == e.data for e in salvaged.values() if e.proved)
    right = [e for e in salvaged.values() if e.seq in stored and stored[e.seq].data == e.data]
    assert len(right) >= EVENTS - len(flips)


@given(length=st.integers(0, 40_000))
@settings(max_examples=30)
def test_of_a_file_that_was_cut_everything_before_the_cut_is_found(
    whole: tuple[bytes, tuple[StoredEvent, ...]], place: Path, length: int
) -> None:
    content, stored = whole
    place.write_bytes(content[:length])
    there = [e.seq for e in stored if e.data in content[:length]]
    assert list(found(place)) == there


@given(st.binary(max_size=2000))
def test_any_bytes_are_searched_without_an_exception(place: Path, content: bytes) -> None:
    place.write_bytes(b"gate.scan.v1{" + content + b'gate.scan.v1{"seq":1}' + content)
    assert all(parse(e.data) is not None for e in found(place).values())


def test_events_that_are_only_in_the_log_are_found(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "live" / "journal.db")
    stored = append_many(journal, 50)
    copy = copy_as_after_power_cut(journal.path, tmp_path / "cut")
    copy.write_bytes(b"")
    assert sorted(e.data for e in found(copy).values()) == sorted(e.data for e in stored)
    assert beyond(copy, 50) == Beyond(0, 0)
    assert beyond(copy, 49) == Beyond(1, 50)
    assert beyond(copy, 0).newest == 50
    journal.close()


@pytest.mark.parametrize("torn_at", range(0, 30_000, 1000))
def test_wherever_the_log_of_a_young_journal_is_torn_what_lies_there_and_its_last_commit_is_lost_at_most(
    tmp_path: Path, torn_at: int
) -> None:
    live = open_journal(tmp_path / "live" / "journal.db")
    stored = [live.append(scan_event(n)) for n in range(9)]
    copy = copy_as_after_power_cut(live.path, tmp_path / "cut")
    live.close()
    log = copy.with_name("journal.db-wal")
    content = bytearray(log.read_bytes())
    content[torn_at : torn_at + 600] = bytes(len(content[torn_at : torn_at + 600]))
    log.write_bytes(content)
    journal = open_journal(copy)
    journal.prune()
    if journal.replaced is None:
        assert journal.read(1, 100) == tuple(stored)[: journal.stats().last_seq]
        assert journal.stats().last_seq >= 6  # a tear can touch two events and hide where a commit ends
    else:
        assert journal.stats().rescued >= 7  # an event may lie where the log is torn, and begin the next page
    journal.close()


def test_how_far_a_damaged_journal_was_delivered_is_read_while_it_can_be(
    whole: tuple[bytes, tuple[StoredEvent, ...]], place: Path, tmp_path: Path
) -> None:
    journal = open_journal(tmp_path / "journal.db")
    append_many(journal, 20)
    journal.acknowledge(12)
    journal.close()
    assert delivered_through(journal.path) == 12
    place.write_bytes(whole[0][:1024])
    assert delivered_through(place) == 0
    place.write_bytes(b"no journal")
    assert delivered_through(place) == 0


# -- carried over ---------------------------------------------------------------------------------


def damaged_journal(path: Path) -> SqliteJournal:
    """A journal of 300 events, 100 of them delivered, with a bad page; opened again."""
    journal = open_journal(path)
    append_many(journal, 300)
    journal.acknowledge(100)
    journal.close()
    content = bytearray(path.read_bytes())
    dice = random.Random(1)
    page = next(n for n in range(40, 400) if b"gate.scan.v1{" in content[n * 1024 : (n + 1) * 1024])
    content[page * 1024 : page * 1024 + 16] = dice.randbytes(16)
    path.write_bytes(content)
    again = open_journal(path)
    assert again.replaced is not None
    assert again.replaced.journal == journal.id
    return again


def test_undelivered_events_of_a_damaged_file_are_carried_over(tmp_path: Path) -> None:
    journal = damaged_journal(tmp_path / "journal.db")
    assert journal.replaced is not None
    first = journal.append(scan_event(1))
    assert first.seq == 1  # the gate is open before anything is carried over
    while journal._upkeep.rescue():
        pass
    # A longer one would lie on two pages, where a second rescue would not find it.
    assert all(len(e.data) < 960 for e in journal.read(2, 1000))
    carried = [parse(e.data) for e in journal.read(2, 1000)]
    assert [d["number"] for d in carried if d] == list(range(101, 301))
    assert {d["journal"] for d in carried if d} == {journal.replaced.journal}
    assert journal.stats().rescued == 200
    for data in carried:
        assert data is not None
        inner = parse(str(data["record"]).encode())
        assert inner is not None
        assert inner["seq"] == data["number"]
        assert data["kind"] == "gate.scan.v1"
        assert data["proved"] is (data["number"] != 300)
    assert list(verify(journal.read(1, 1000))) == []
    journal.prune()
    assert journal.stats().rescued == 200
    journal.close()


def test_carrying_over_goes_on_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = damaged_journal(path)
    while not (once := journal.stats().rescued):
        journal._upkeep.rescue(rounds=1)
    assert 0 < once < 200
    journal.close()
    again = open_journal(path)
    while again._upkeep.rescue():
        pass
    assert once + again.stats().rescued == 200
    again.close()


def test_what_was_rescued_once_is_rescued_again_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = damaged_journal(path)
    while journal._upkeep.rescue():
        pass
    before = [parse(e.data) for e in journal.read(1, 1000)]
    journal.close()
    path.write_bytes(path.read_bytes()[:-1024])
    again = open_journal(path)
    assert again.replaced is not None
    while again._upkeep.rescue():
        pass
    after = [parse(e.data) for e in again.read(1, 1000)]
    assert len(after) >= 195
    kept = [{**d, "seq": 0, "prev": ""} for d in before if d]
    assert all({**d, "seq": 0, "prev": ""} in kept for d in after if d)
    again.close()


def test_a_rescued_event_is_told_as_what_it_was(tmp_path: Path) -> None:
    journal = damaged_journal(tmp_path / "journal.db")
    while journal._upkeep.rescue():
        pass
    line = events.as_text(journal.read(1, 1)[0])
    assert journal.replaced is not None
    assert f"rescued {journal.replaced.journal}-101: 2026-03-02T08:00:00.000Z  granted  ok" in line
    journal.close()
