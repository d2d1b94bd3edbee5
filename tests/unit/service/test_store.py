from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import JournalError
from device.journal.record import as_data, canonical
from device.journal.sqlite_journal import SqliteJournal
from device.model import EventType, Refusal, RescuedEvent, StoredEvent
from device.service.news import (
    Arrived,
    Broken,
    GapOpened,
    GapsClosed,
    Gone,
    Presence,
    Refused,
    as_json,
    as_text,
)
from device.service.numbers import Span
from device.service.store import Store
from device.uplink.health import Explained
from device.uplink.state import GateState, Kept, Status
from device.uplink.wire import WireEvent, envelope, parse_events
from tests.support.clock import ManualClock
from tests.support.journal import READING, append_many, open_journal, scan_event
from tests.support.uplinks import ADDRESS

PATH = ADDRESS.path


def on_the_wire(event: StoredEvent) -> WireEvent:
    return parse_events(envelope(ADDRESS, event, READING))[0]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = open_journal(tmp_path / "journal.db")
    yield journal
    journal.close()


@pytest.fixture
def events(journal: SqliteJournal) -> list[WireEvent]:
    append_many(journal, 40)
    return [on_the_wire(event) for event in journal.read(1, 40)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store.db", clock=ManualClock()) as store:
        yield store


def state(status: Status = Status.ONLINE, kept: Kept | None = None) -> tuple[str, GateState]:
    return PATH, GateState(status, READING.wall, True, READING.boot, "1", kept)


def only(news: Sequence[object], kind: type) -> list[object]:
    return [item for item in news if isinstance(item, kind)]


def test_an_event_is_kept_once_byte_for_byte_however_often_it_comes(
    store: Store, journal: SqliteJournal, events: list[WireEvent]
) -> None:
    assert len(store.take(events)) == 40
    assert store.take(events) == []
    assert list(store.events(PATH, journal.id)) == list(journal.read(1, 40))


def test_what_is_missing_is_named_and_what_closes_it_is_told(
    store: Store, journal: SqliteJournal, events: list[WireEvent]
) -> None:
    store.take(events[:10])
    news = store.take(events[20:])
    assert only(news, GapOpened) == [GapOpened(PATH, journal.id, Span(11, 20))]
    assert store.current[0].numbers.through == 10
    assert not only(store.take(events[10:19]), GapsClosed)
    assert only(store.take(events[10:20]), GapsClosed) == [GapsClosed(PATH, journal.id, 40)]
    assert store.counts(store.books[0]).broken == 0


@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_in_any_order_and_any_portions_all_ends_complete_and_unbroken(
    tmp_path_factory: pytest.TempPathFactory, draw: random.Random, portion: int
) -> None:
    events, before = [], ""
    for seq in range(1, 21):
        data = canonical(as_data(scan_event(seq)), seq=seq, prev=before or _genesis("j1"))
        before = _digest(data)
        events.append(WireEvent("j1", seq, PATH, EventType.SCAN, "", data))
    mixed = [*events, *draw.sample(events, 7)]
    draw.shuffle(mixed)
    with Store(tmp_path_factory.mktemp("store") / "s.db", clock=ManualClock()) as store:
        for at in range(0, len(mixed), portion):
            store.take(mixed[at : at + portion])
        assert [e.data for e in store.events(PATH, "j1")] == [e.data for e in events]
        assert store.current[0].numbers.missing == ()
        assert store.counts(store.books[0]).broken == 0


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _genesis(journal: str) -> str:
    return _digest(journal.encode())


def test_a_store_that_is_opened_again_knows_what_it_had(tmp_path: Path, events: list[WireEvent]) -> None:
    path, clock = tmp_path / "again.db", ManualClock()
    with Store(path, clock=clock) as store:
        store.take([*events[:10], *events[15:20]], [state()])
    with Store(path, clock=clock) as store:
        (book,) = store.current
        assert (book.status, book.numbers.through, book.numbers.top) == (Status.ONLINE, 10, 20)
        assert book.numbers.missing == (Span(11, 15),)
        assert store.take(events[:20], [state()]) == [
            *(Arrived(PATH, StoredEvent(e.journal, e.seq, e.type, e.data)) for e in events[10:15]),
            GapsClosed(PATH, events[0].journal, 20),
        ]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0]])
def test_a_changed_event_is_kept_and_named_wherever_it_comes_in(
    store: Store, events: list[WireEvent], order: list[int]
) -> None:
    changed = replace(events[1], data=events[1].data.replace(b'"granted"', b'"refused"'))
    three = [events[0], changed, events[2]]
    broken = [item for at in order for item in only(store.take([three[at]]), Broken)]
    assert {item.seq for item in broken if isinstance(item, Broken)} == {3}
    assert store.counts(store.books[0]).stored == 3
    assert store.counts(store.books[0]).broken == 1


def test_the_same_number_with_other_data_is_named_once_and_not_taken(
    store: Store, events: list[WireEvent]
) -> None:
    store.take(events[:3])
    other = replace(events[1], data=events[1].data.replace(b'"granted"', b'"refused"'))
    (news,) = store.take([other])
    assert isinstance(news, Broken)
    assert "other data" in news.detail
    assert store.take([other]) == []
    assert [e.data for e in store.events(PATH, events[0].journal)] == [e.data for e in events[:3]]


def test_a_rescued_event_counts_in_its_own_journal_too(store: Store, events: list[WireEvent]) -> None:
    lost = events[4]
    carrier = RescuedEvent(lost.journal, 5, lost.type, lost.data.decode(), True, READING)
    data = canonical(as_data(carrier), seq=1, prev=_genesis("new"))
    store.take([e for e in events[:8] if e.seq != 5])
    news = store.take([WireEvent("new", 1, PATH, EventType.RESCUED, "", data)])
    assert Arrived(PATH, StoredEvent(lost.journal, 5, lost.type, lost.data), rescued=True) in news
    assert GapsClosed(PATH, lost.journal, 8) in news
    assert [b.journal for b in store.current] == ["new"]
    assert all(store.counts(book).broken == 0 for book in store.books)


@pytest.mark.parametrize(
    "inner",
    [{"journal": ""}, {"journal": "../x"}, {"number": 0}, {"number": "5"}, {"record": 3}, {"kind": None}],
)
def test_a_rescued_event_without_a_name_of_its_own_is_one_event(
    store: Store, inner: dict[str, object]
) -> None:
    whole = {"journal": "old", "number": 5, "kind": "gate.scan.v1", "record": "{}", "proved": True}
    members = {k: v for k, v in {**whole, **inner}.items() if v is not None}
    data = canonical(members, seq=1, prev=_genesis("new"))  # type: ignore[arg-type] # on purpose
    store.take([WireEvent("new", 1, PATH, EventType.RESCUED, "", data)])
    assert [book.journal for book in store.books] == ["new"]


# -- what gates say about themselves --------------------------------------------------------------


def test_a_gate_that_comes_and_goes_is_told_once_each_time(store: Store) -> None:
    assert only(store.take([], [state()]), Presence) == [Presence(PATH, Status.ONLINE, READING.wall)]
    assert store.take([], [state()]) == []
    assert len(store.take([], [state(Status.LOST)])) == 1


def test_what_a_gate_has_sent_and_nobody_has_is_missing_though_nothing_follows_it(
    store: Store, events: list[WireEvent]
) -> None:
    name = events[0].journal
    store.take(events[:10], [state()])
    assert store.take([], [state(kept=Kept(name, 1, 30))]) == [GapOpened(PATH, name, Span(11, 30))]
    assert only(store.take(events[:30]), GapsClosed) == [GapsClosed(PATH, name, 30)]


def test_what_the_gate_does_not_keep_any_more_is_gone_and_holds_up_nothing(
    store: Store, events: list[WireEvent]
) -> None:
    name = events[0].journal
    store.take(events[20:], [state()])
    news = store.take([], [state(kept=Kept(name, 16, 40))])
    assert news == [Gone(PATH, name, Span(1, 15))]
    assert store.current[0].numbers.missing == (Span(16, 20),)
    store.take(events[15:20])
    assert (store.current[0].numbers.through, store.counts(store.books[0]).gone) == (40, 15)
    # It may still turn up, out of a broker's queue.
    assert len(only(store.take(events[:15]), Arrived)) == 15
    assert store.counts(store.books[0]).stored == 40


def refused(journal: SqliteJournal, sent: int, *spans: tuple[int, int]) -> tuple[str, Explained]:
    return PATH, Explained(journal.id, sent, tuple(Refusal(first, last, WHY) for first, last in spans))


WHY = "packet too large (0x95)"


def test_what_the_broker_refuses_is_named_and_holds_up_nothing(
    store: Store, journal: SqliteJournal, events: list[WireEvent]
) -> None:
    store.take([*events[:9], *events[14:30]])
    news = store.take([], [], [refused(journal, 40, (10, 12), (14, 14), (20, 20), (31, 33))])
    assert only(news, Refused) == [
        Refused(PATH, journal.id, Span(10, 12), WHY),
        Refused(PATH, journal.id, Span(14, 14), WHY),
        Refused(PATH, journal.id, Span(31, 33), WHY),
    ]
    numbers = store.current[0].numbers
    assert numbers.missing == (Span(13, 13), Span(34, 40))
    assert store.counts(store.books[0]).refused == 7
    assert not store.take([], [], [refused(journal, 40, (10, 12))])
    store.take([events[12]])
    assert store.current[0].numbers.stored_through == 30


def test_a_refused_event_that_comes_after_all_is_kept_like_any_other(
    tmp_path: Path, journal: SqliteJournal, events: list[WireEvent]
) -> None:
    path = tmp_path / "again.db"
    with Store(path, clock=ManualClock()) as store:
        store.take([*events[:9], *events[12:39]])
        store.take([], [], [refused(journal, 39, (10, 12))])
        assert store.current[0].numbers.stored_through == 39
        store.take([events[10]])
        assert store.counts(store.books[0]).refused == 2
    with Store(path, clock=ManualClock()) as store:
        assert store.current[0].numbers.missing == ()
        assert len(only(store.take([events[9], events[11], events[39]]), Arrived)) == 3
        counts = store.counts(store.books[0])
        assert (counts.stored, counts.refused, counts.broken) == (40, 0, 0)
        assert list(store.events(PATH, journal.id)) == list(journal.read(1, 40))


def test_what_is_refused_is_still_known_when_opened_again_though_something_before_it_is_missing(
    tmp_path: Path, journal: SqliteJournal, events: list[WireEvent]
) -> None:
    path = tmp_path / "again.db"
    with Store(path, clock=ManualClock()) as store:
        store.take([*events[:5], *events[6:9], *events[10:]])
        store.take([], [], [refused(journal, 40, (10, 10))])
    with Store(path, clock=ManualClock()) as store:
        assert store.current[0].numbers.missing == (Span(6, 6),)


def test_a_store_of_the_version_before_is_taken_over(tmp_path: Path, events: list[WireEvent]) -> None:
    path = tmp_path / "old.db"
    with Store(path, clock=ManualClock()) as store:
        store.take(events)
    with closing(sqlite3.connect(path)) as outside:
        outside.executescript("DROP TABLE refused; PRAGMA user_version = 1;")
    with Store(path, clock=ManualClock()) as store:
        counts = store.counts(store.books[0])
        assert (counts.stored, counts.refused) == (40, 0)


def test_a_refusal_in_a_journal_that_nobody_knows_is_left_alone(
    store: Store, journal: SqliteJournal, events: list[WireEvent]
) -> None:
    store.take(events)
    assert store.take([], [], [(PATH, Explained("other", 5, (Refusal(1, 2, WHY),)))]) == []


def test_the_journal_that_is_named_in_the_state_is_the_one_the_gate_writes(
    store: Store, events: list[WireEvent]
) -> None:
    store.take(events[:2], [state(kept=Kept("next", 1, 0))])
    assert [book.journal for book in store.current] == ["next"]


def test_a_claim_that_everything_is_gone_is_still_known_as_one_when_opened_again(
    tmp_path: Path, events: list[WireEvent]
) -> None:
    path = tmp_path / "claimed.db"
    with Store(path, clock=ManualClock()) as store:
        store.take(events[:5], [state(kept=Kept(events[0].journal, 1000, 999))])
        assert store.current[0].numbers.stored_through == 5
    with Store(path, clock=ManualClock()) as store:
        assert store.current[0].numbers.stored_through == 5
        assert store.current[0].numbers.through == 999


# -- the file -------------------------------------------------------------------------------------


def test_two_processes_do_not_write_one_store(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Store(path, clock=ManualClock()), pytest.raises(JournalError, match="another process"):
        Store(path, clock=ManualClock())
    Store(path, clock=ManualClock()).__exit__()


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path, journal: SqliteJournal) -> None:
    journal.close()
    with pytest.raises(JournalError, match="no store"):
        Store(journal.path, clock=ManualClock())
    text = tmp_path / "notes.txt"
    text.write_text("not a database at all " * 100, encoding="utf-8")
    with pytest.raises(JournalError):
        Store(text, clock=ManualClock())
    assert text.read_text(encoding="utf-8").startswith("not a database")


def test_a_commit_that_fails_leaves_memory_as_the_file_is(store: Store, events: list[WireEvent]) -> None:
    store.take(events[:5])
    with pytest.raises(JournalError):
        store.take([events[5], replace(events[6], data=None)])  # type: ignore[arg-type] # NOT NULL refuses it
    assert store.current[0].numbers.top == 5
    assert len(store.take(events[5:8])) == 3


# -- in words -------------------------------------------------------------------------------------


def test_news_are_one_line_each_for_people_and_for_programs(store: Store, events: list[WireEvent]) -> None:
    news = store.take([events[0], events[5]], [state(kept=Kept(events[0].journal, 3, 9))])
    kinds = [json.loads(as_json(item))["what"] for item in news]
    assert kinds == ["event", "event", "state", "gone", "gap", "gap"]
    assert all("\n" not in as_text(item) and as_text(item).startswith("tenant/site/gate  ") for item in news)
    assert json.loads(as_json(news[0]))["data"] == json.loads(events[0].data)
