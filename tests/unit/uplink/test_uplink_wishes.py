from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from device.uplink.ports import Closed, Opened
from device.uplink.reasons import Loss
from device.uplink.state import Kept, Status, parse_state, state_message
from device.uplink.wire import GateAddress, Message, parse_events
from device.uplink.wishes import (
    WISH_MAX_BYTES,
    Cursor,
    Replay,
    cursor_message,
    cursor_topic,
    parse_cursor,
    parse_replay,
    replay_message,
    signed,
)
from tests.support.backlog import MemoryBacklog
from tests.support.clock import ManualClock
from tests.support.sessions import MemoryBroker
from tests.support.uplinks import ADDRESS, Uplink

if TYPE_CHECKING:
    from tests.support.sessions import Answer

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
CURSOR: dict[str, str | int] = {"gate": ADDRESS.path, "journal": "j1", "seq": 7}
REPLAY: dict[str, str | int] = {"gate": ADDRESS.path, "journal": "j1", "from_seq": 3, "through_seq": 130}


def verify(signature: bytes, message: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, message)
    except InvalidSignature:
        return False
    return True


# -- the form -------------------------------------------------------------------------------------


@given(st.integers(1, 2**53 - 1), st.from_regex(r"[a-z0-9]{1,32}", fullmatch=True))
def test_a_signed_cursor_is_understood(seq: int, journal: str) -> None:
    payload = signed({**CURSOR, "seq": seq, "journal": journal}, KEY.sign)
    assert parse_cursor(payload, ADDRESS, verify) == Cursor(journal, seq)


def test_a_signed_replay_is_understood() -> None:
    assert parse_replay(signed(REPLAY, KEY.sign), ADDRESS, verify) == Replay("j1", 3, 130)


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_wish_with_any_byte_changed_is_refused(place: int, value: int) -> None:
    payload = bytearray(signed(CURSOR, KEY.sign))
    place %= len(payload)
    if payload[place] == value:
        return
    payload[place] = value
    with pytest.raises(ValueError, match=r"^[ -~]+$"):
        parse_cursor(bytes(payload), ADDRESS, verify)


def test_no_single_flipped_bit_of_a_wish_is_taken() -> None:
    payload = replay_message(ADDRESS, Replay("j1", 3, 130), KEY.sign).payload
    for bit in range(8 * len(payload)):
        flipped = bytearray(payload)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match=r"^[ -~]+$"):
            parse_replay(bytes(flipped), ADDRESS, verify)


@given(st.integers(1, 2**53 - 1))
def test_what_the_district_says_is_what_the_gate_understands(seq: int) -> None:
    cursor, replay = Cursor("j1", seq), Replay("j1", seq, 2**53 - 1)
    said = cursor_message(ADDRESS, cursor, KEY.sign)
    asked = replay_message(ADDRESS, replay, KEY.sign)
    assert (said.topic, said.retain) == (cursor_topic(ADDRESS), True)
    assert (asked.topic, asked.retain) == (ADDRESS.cmd("replay"), False)
    assert parse_cursor(said.payload, ADDRESS, verify) == cursor
    assert parse_replay(asked.payload, ADDRESS, verify) == replay
    assert max(len(said.payload), len(asked.payload)) < WISH_MAX_BYTES


def test_one_kind_of_wish_and_one_gates_wish_are_not_taken_for_another() -> None:
    other = GateAddress("tenant", "site", "other")
    with pytest.raises(ValueError, match="another gate"):
        parse_cursor(cursor_message(other, Cursor("j1", 7), KEY.sign).payload, ADDRESS, verify)
    with pytest.raises(ValueError, match="proper seq"):
        parse_cursor(replay_message(ADDRESS, Replay("j1", 3, 130), KEY.sign).payload, ADDRESS, verify)
    with pytest.raises(ValueError, match="proper from_seq"):
        parse_replay(cursor_message(ADDRESS, Cursor("j1", 7), KEY.sign).payload, ADDRESS, verify)


@given(st.binary(max_size=300) | st.dictionaries(st.text(), st.text()).map(lambda d: json.dumps(d).encode()))
def test_whatever_comes_as_a_wish_is_refused_in_fixed_words(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"^[ -~]+$"):
        parse_cursor(payload, ADDRESS, verify)


@pytest.mark.parametrize(
    "wish",
    [
        {**CURSOR, "gate": "gate/v1/tenant/site/other"},
        {**CURSOR, "journal": "../j"},
        {**CURSOR, "journal": 5},
        {**CURSOR, "seq": 0},
        {**CURSOR, "seq": "7"},
        {**CURSOR, "seq": True},
        {**CURSOR, "seq": 2**53},
        {"seq": 7},
    ],
)
def test_a_signature_does_not_make_nonsense_acceptable(wish: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match="wish"):
        parse_cursor(signed(wish, KEY.sign), ADDRESS, verify)


def test_a_replay_that_ends_before_it_begins_and_a_giant_are_refused() -> None:
    with pytest.raises(ValueError, match="before its beginning"):
        parse_replay(signed({**REPLAY, "through_seq": 2}, KEY.sign), ADDRESS, verify)
    with pytest.raises(ValueError, match="larger"):
        parse_replay(b" " * 2000, ADDRESS, verify)


# -- in the forwarder -----------------------------------------------------------------------------


def seqs(messages: list[Message]) -> list[int]:
    return [e.seq for m in messages if m.topic == ADDRESS.event for e in parse_events(m.payload)]


def test_the_retained_cursor_is_confirmed_to_the_journal() -> None:
    backlog, broker = MemoryBacklog(10), MemoryBroker()
    broker.retained.append(Message(cursor_topic(ADDRESS), signed(CURSOR, KEY.sign), retain=True))
    with Uplink(backlog, broker.session, verify=verify):
        assert backlog.wait_until_settled()
        assert broker.wait_for(lambda _: backlog.confirmed == 7)


def test_a_wish_that_nobody_signed_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    backlog, broker = MemoryBacklog(10), MemoryBroker()
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"x")
    broker.retained.append(Message(cursor_topic(ADDRESS), signed(CURSOR, stranger.sign)))
    with Uplink(backlog, broker.session, verify=verify):
        assert backlog.wait_until_settled()
    assert backlog.confirmed == 0
    assert "a wish is refused: not signed by the district" in caplog.text


def test_without_a_district_no_wish_is_even_asked_for() -> None:
    broker = MemoryBroker()
    with Uplink(MemoryBacklog(), broker.session):
        assert broker.wait_for(lambda b: b.subscribed == [ADDRESS.state])


def test_a_replay_is_sent_in_batches_beside_live_events_and_moves_no_cursor() -> None:
    backlog, broker = MemoryBacklog(200), MemoryBroker()
    with Uplink(backlog, broker.session, verify=verify, batch_events=1) as running:
        assert backlog.wait_until_settled()
        broker.bring(Message(ADDRESS.cmd("replay"), signed(REPLAY, KEY.sign)))
        backlog.append()
        assert broker.wait_for(lambda b: len(seqs(b.received)) == 201 + 128)
        assert running.forwarder.stats().confirmed == 201
    replayed = seqs(broker.received)[200:]
    assert sorted(set(replayed)) == [*range(3, 131), 201]


def test_a_replay_goes_on_after_the_connection_was_lost() -> None:
    hung_up = False

    def answer(message: Message) -> Answer:
        nonlocal hung_up
        if not hung_up and 53 in seqs([message]) and len(seqs([message])) > 1:
            hung_up = True
            return Closed(Loss.CONNECTION_LOST)
        return 0

    backlog, broker = MemoryBacklog(200), MemoryBroker(answer=answer)
    with Uplink(backlog, broker.session, verify=verify, batch_events=1):
        assert backlog.wait_until_settled()
        broker.bring(Message(ADDRESS.cmd("replay"), signed(REPLAY, KEY.sign)))
        assert broker.wait_for(lambda b: len(seqs(b.received)) == 200 + 128)
    assert hung_up
    assert seqs(broker.received)[200:] == list(range(3, 131))


def test_a_replay_of_another_journal_sends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "device.uplink")
    backlog, broker = MemoryBacklog(5), MemoryBroker()
    with Uplink(backlog, broker.session, verify=verify):
        assert backlog.wait_until_settled()
        broker.bring(Message(ADDRESS.cmd("replay"), signed({**REPLAY, "journal": "old"}, KEY.sign)))
        backlog.append()
        assert backlog.wait_until_settled()
    assert seqs(broker.received) == [1, 2, 3, 4, 5, 6]


def test_a_gate_says_with_its_birth_what_it_keeps_and_has_sent() -> None:
    backlog, broker = MemoryBacklog(10), MemoryBroker()
    backlog.prune(4)
    with Uplink(backlog, broker.session):
        assert backlog.wait_until_settled()
    births = [parse_state(m.payload) for m in broker.received if m.topic == ADDRESS.state]
    assert (births[0].status, births[0].kept) == (Status.ONLINE, Kept("j1", 4, 0))
    assert (births[-1].status, births[-1].kept) == (Status.OFFLINE, Kept("j1", 4, 10))


@pytest.mark.parametrize("wish", [REPLAY, {**REPLAY, "journal": "old"}])
def test_a_wish_for_what_is_not_kept_is_answered_with_what_is(wish: dict[str, str | int]) -> None:
    backlog, broker = MemoryBacklog(200), MemoryBroker()
    with Uplink(backlog, broker.session, verify=verify, batch_events=1):
        assert backlog.wait_until_settled()
        backlog.prune(100)
        broker.bring(Message(ADDRESS.cmd("replay"), signed(wish, KEY.sign)))
        assert broker.wait_for(lambda b: [m.topic for m in b.received].count(ADDRESS.state) == 2)
        (_, answer) = (parse_state(m.payload) for m in broker.received if m.topic == ADDRESS.state)
        assert answer.kept == Kept("j1", 100, 200)
        if wish is REPLAY:
            assert broker.wait_for(lambda b: seqs(b.received)[200:] == list(range(100, 131)))


def test_a_replay_keeps_to_the_packets_the_broker_takes() -> None:
    backlog, broker = MemoryBacklog(), MemoryBroker()
    broker.opened = Opened(20, 8192)
    backlog.append(20)
    backlog.append(filler="x" * 9000)
    backlog.append(109)
    with Uplink(backlog, broker.session, verify=verify):
        assert backlog.wait_until_settled()
        before = len(broker.received)
        broker.bring(Message(ADDRESS.cmd("replay"), signed(REPLAY, KEY.sign)))
        assert broker.wait_for(lambda b: len(seqs(b.received[before:])) == 127)
        replayed = broker.received[before:]
    assert seqs(replayed) == [seq for seq in range(3, 131) if seq != 21]
    assert all(sum(len(e.data) for e in parse_events(m.payload)) < 8192 for m in replayed[:-1])


def test_a_replay_the_broker_hangs_up_on_is_given_up_and_live_events_go_on() -> None:
    def answer(message: Message) -> Answer:
        return Closed(Loss.CONTENT) if len(seqs([message])) > 1 else 0

    backlog, broker = MemoryBacklog(200), MemoryBroker(answer=answer)
    with Uplink(backlog, broker.session, verify=verify, batch_events=1) as running:
        assert backlog.wait_until_settled()
        broker.bring(Message(ADDRESS.cmd("replay"), signed(REPLAY, KEY.sign)))
        assert broker.wait_for(lambda b: running.forwarder.stats().reconnects == 1)
        backlog.append(3)
        assert backlog.wait_until_settled()
        assert running.forwarder.stats().reconnects == 1
    assert seqs(broker.received) == list(range(1, 204))


def test_nonsense_is_said_once_however_often_it_comes(caplog: pytest.LogCaptureFixture) -> None:
    backlog, broker = MemoryBacklog(1), MemoryBroker()
    with Uplink(backlog, broker.session, verify=verify):
        assert backlog.wait_until_settled()
        for journal in ("old", "old", "older"):
            broker.bring(Message(cursor_topic(ADDRESS), signed({**CURSOR, "journal": journal}, KEY.sign)))
        for _ in range(5):
            broker.bring(Message(cursor_topic(ADDRESS), b"nonsense"))
        broker.bring(Message(cursor_topic(ADDRESS), signed({**CURSOR, "seq": 1}, KEY.sign)))
        assert broker.wait_for(lambda _: backlog.confirmed == 1)
    assert caplog.text.count("a wish is refused") == 1
    assert caplog.text.count("for another journal") == 2


# -- twins ----------------------------------------------------------------------------------------


def test_a_second_device_with_our_name_is_noticed_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    broker = MemoryBroker()
    other = ManualClock(boot="another-boot").reading()
    with Uplink(MemoryBacklog(), broker.session, clock=ManualClock(boot="our-boot")) as running:
        assert broker.wait_for(lambda b: ADDRESS.state in b.subscribed)
        for _ in range(2):
            broker.bring(state_message(ADDRESS, Status.ONLINE, other, "1"))
        assert broker.wait_for(lambda _: running.forwarder.stats().twin)
    assert caplog.text.count("another device says that it is this gate") == 1


@pytest.mark.parametrize("status", list(Status))
def test_what_another_device_left_since_our_boot_began_tells_of_it_as_well(status: Status) -> None:
    ours, theirs = ManualClock(boot="ours"), ManualClock(boot="theirs")
    for second, expected in ((-60, False), (60, True)):
        theirs.set_wall(ours.utc() + timedelta(seconds=second - ours.monotonic()))
        broker = MemoryBroker()
        broker.retained.append(state_message(ADDRESS, status, theirs.reading(), "1"))
        backlog = MemoryBacklog(1)
        with Uplink(backlog, broker.session, clock=ours) as running:
            assert backlog.wait_until_settled()
            assert running.forwarder.stats().twin is expected


@pytest.mark.parametrize("payload", [b"", b"nonsense", b'{"status":"online"}'])
def test_nonsense_on_the_state_topic_is_ignored(payload: bytes) -> None:
    backlog, broker = MemoryBacklog(1), MemoryBroker()
    broker.retained.append(Message(ADDRESS.state, payload, retain=True))
    with Uplink(backlog, broker.session) as running:
        assert backlog.wait_until_settled()
        assert not running.forwarder.stats().twin


@pytest.mark.parametrize("status", list(Status))
def test_what_our_own_earlier_boot_left_behind_is_no_twin(status: Status) -> None:
    backlog, broker = MemoryBacklog(1), MemoryBroker()
    earlier = ManualClock(boot="earlier").reading()
    broker.retained.append(state_message(ADDRESS, status, earlier, "1"))
    with Uplink(backlog, broker.session) as running:
        assert backlog.wait_until_settled()
        assert not running.forwarder.stats().twin
