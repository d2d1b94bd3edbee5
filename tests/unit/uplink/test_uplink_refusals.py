"""Refusals: an event that is bad goes aside and comes back; a gate that is not allowed holds and waits."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.model import Refusal
from device.uplink.health import parse_health
from device.uplink.ports import Closed, Opened
from device.uplink.reasons import Loss
from device.uplink.wire import parse_events
from device.uplink.wishes import Replay, replay_message
from tests.support.backlog import MemoryBacklog
from tests.support.clock import ManualClock
from tests.support.sessions import MemoryBroker
from tests.support.uplinks import ADDRESS, Uplink

if TYPE_CHECKING:
    from device.uplink.wire import Message
    from tests.support.sessions import Answer

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def verify(signature: bytes, message: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, message)
    except InvalidSignature:
        return False
    return True


def uplink(backlog: MemoryBacklog, broker: MemoryBroker, **changes: Any) -> Uplink:  # noqa: ANN401 - passed on
    return Uplink(backlog, broker.session, **{"backoff_min_s": 0.001, "backoff_max_s": 0.01, **changes})


def seqs(messages: list[Message]) -> list[int]:
    return [e.seq for m in messages if m.topic == ADDRESS.event for e in parse_events(m.payload)]


def healths(messages: list[Message]) -> list[dict[str, Any]]:
    return [json.loads(m.payload) for m in messages if m.topic == ADDRESS.health]


def passing(clock: ManualClock) -> bool:
    """Lets a little time pass; always true."""
    clock.advance(0.1)
    return True


class Rules:
    """Answers events by a rule that may change; everything else is taken.

    Attributes:
        refused: the answer to a message with one of these events.
        rest: the answer to all others.
    """

    def __init__(self, rest: Answer = 0) -> None:
        self.refused: dict[int, Answer] = {}
        self.rest = rest

    def __call__(self, message: Message) -> Answer:
        if message.topic != ADDRESS.event:
            return 0
        refused = [self.refused[seq] for seq in seqs([message]) if seq in self.refused]
        return refused[0] if refused else self.rest


# -- not allowed now ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x89, 0x90, 0x97])
@pytest.mark.parametrize("batch", [1, 50])
def test_where_the_broker_refuses_everything_nothing_is_set_aside_and_all_arrives_once_it_is_mended(
    code: int, batch: int, caplog: pytest.LogCaptureFixture
) -> None:
    rules = Rules(code)
    backlog, broker = MemoryBacklog(200), MemoryBroker(answer=rules)
    with uplink(backlog, broker, batch_events=batch) as running:
        # Long enough that later events were offered as probes, too.
        assert broker.wait_for(lambda b: len(b.offered) > 60)
        assert running.forwarder.stats().refusing.endswith(f"(0x{code:02x})")
        assert (backlog.cursor, backlog.aside) == (0, {})
        rules.rest = 0
        assert backlog.wait_until_settled()
        assert broker.wait_for(lambda _: running.forwarder.stats().refusing == "")
    assert backlog.aside == {}
    assert list(dict.fromkeys(seqs(broker.received))) == list(range(1, 201))
    assert caplog.text.count("broker does not take events now") == 1


def test_a_gate_that_is_not_allowed_says_so_in_its_health() -> None:
    clock, rules = ManualClock(), Rules(0x87)
    backlog, broker = MemoryBacklog(3), MemoryBroker(answer=rules)
    with uplink(backlog, broker, clock=clock):
        assert broker.wait_for(lambda b: bool(seqs(b.offered)))
        clock.advance(11)
        assert broker.wait_for(lambda b: healths(b.received)[-1]["refusing"] == "not authorized (0x87)")
        assert healths(broker.received)[-1]["pending"] == 3


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87])
def test_an_event_is_to_blame_only_when_a_later_one_is_taken(code: int) -> None:
    rules = Rules()
    rules.refused = {5: code, 6: code}
    backlog, broker = MemoryBacklog(6), MemoryBroker(answer=rules)
    with uplink(backlog, broker, batch_events=1):
        assert broker.wait_for(lambda b: seqs(b.offered).count(5) > 8)
        assert (backlog.cursor, backlog.aside) == (4, {})
        backlog.append(3)
        assert backlog.wait_until_settled()
    assert list(backlog.aside) == [5, 6]
    assert set(seqs(broker.received)) == {1, 2, 3, 4, 7, 8, 9}


def test_many_events_refused_for_their_own_sake_go_aside_slowly() -> None:
    clock, rules = ManualClock(), Rules(0x99)
    backlog, broker = MemoryBacklog(100), MemoryBroker(answer=rules)
    with uplink(backlog, broker, batch_events=1, clock=clock, backoff_min_s=60, backoff_max_s=60) as running:
        assert broker.wait_for(lambda _: running.forwarder.stats().refusing != "")
        # Those that were on their way when the twentieth answer came.
        assert not broker.wait_for(lambda _: len(backlog.aside) > 40, 0.5)
        assert len(backlog.aside) >= 20


# -- set aside, and taken up again ----------------------------------------------------------------


def test_what_was_set_aside_is_offered_again_on_the_next_connection_and_then_daily() -> None:
    clock, rules = ManualClock(), Rules()
    rules.refused = {3: 0x99, 4: 0x99}
    backlog, broker = MemoryBacklog(9), MemoryBroker(answer=rules)
    with uplink(backlog, broker, clock=clock, batch_events=1):
        assert broker.wait_for(
            lambda b: seqs(b.offered).count(4) == 2
        )  # once with the others, once as a probe
        rules.refused = {4: 0x99}
        broker.hang_up(Closed(Loss.CONNECTION_LOST))
        assert broker.wait_for(lambda b: passing(clock) and seqs(b.offered).count(4) == 3)
        assert list(backlog.aside) == [4]
        rules.refused = {}
        clock.advance(3600)
        assert not broker.wait_for(lambda _: not backlog.aside, 0.3)
        clock.advance(86_400)
        assert broker.wait_for(lambda _: not backlog.aside)
    assert sorted(seqs(broker.received)) == list(range(1, 10))


def test_a_round_ends_after_some_refusals_and_the_next_one_goes_on_behind_them() -> None:
    clock, rules = ManualClock(), Rules()
    backlog, broker = MemoryBacklog(60), MemoryBroker(answer=rules)
    backlog.acknowledge(60)
    for seq in range(1, 31):
        backlog.refuse(seq, "payload format invalid (0x99)")
        rules.refused[seq] = 0x99
    with uplink(backlog, broker, clock=clock):
        assert broker.wait_for(lambda b: seqs(b.offered) == list(range(1, 21)))
        rules.refused.pop(25)
        clock.advance(86_400)
        assert broker.wait_for(lambda b: seqs(b.offered)[20:] == list(range(21, 31)))
        assert 25 not in backlog.aside
        clock.advance(86_400)
        assert broker.wait_for(lambda b: seqs(b.offered)[30:32] == [1, 2])


def test_an_event_that_ends_connections_is_offered_again_once_a_day_only() -> None:
    clock, rules = ManualClock(), Rules()
    backlog, broker = MemoryBacklog(9), MemoryBroker(answer=rules)
    backlog.acknowledge(9)
    backlog.refuse(4, "packet too large (0x95)")
    backlog.refuse(5, "packet too large (0x95)")
    rules.refused = {4: Closed(Loss.CONTENT, "packet too large (0x95)")}
    with uplink(backlog, broker, clock=clock):
        assert broker.wait_for(lambda b: passing(clock) and b.attempts == 2)
        assert not broker.wait_for(lambda b: passing(clock) and len(seqs(b.offered)) > 1, 0.5)
        clock.advance(86_400)
        assert broker.wait_for(lambda _: list(backlog.aside) == [4])


def test_events_too_large_for_this_broker_are_passed_over_and_those_behind_them_offered() -> None:
    backlog, broker = MemoryBacklog(), MemoryBroker()
    broker.opened = Opened(20, 2000)
    backlog.append(filler="x" * 5000)
    backlog.append(2)
    backlog.acknowledge(3)
    for seq in (1, 2):
        backlog.refuse(seq, "larger than the packets the broker takes")
    with uplink(backlog, broker):
        assert broker.wait_for(lambda _: list(backlog.aside) == [1])
    assert seqs(broker.received) == [2]


def test_a_replay_of_what_was_set_aside_takes_it_up_and_passes_over_what_is_still_refused() -> None:
    rules = Rules()
    backlog, broker = MemoryBacklog(200), MemoryBroker(answer=rules)
    backlog.acknowledge(200)
    for seq in (90, 100, 110):
        backlog.refuse(seq, "payload format invalid (0x99)")
        rules.refused[seq] = 0x99
    with uplink(backlog, broker, verify=verify):
        assert broker.wait_for(lambda b: seqs(b.offered) == [90, 100, 110])
        rules.refused = {100: 0x99}
        wish = replay_message(
            ADDRESS, Replay("j1", 81, 180), KEY.sign, reply_to=f"{ADDRESS.answer}/me", correlation=b"7"
        )
        broker.bring(wish)
        assert broker.wait_for(lambda b: b.received[-1].topic == f"{ADDRESS.answer}/me")
        answer = broker.received[-1]
    assert list(backlog.aside) == [100]
    assert [seq for seq in seqs(broker.received) if seq != 100] == [
        seq for seq in range(81, 181) if seq != 100
    ]
    assert answer.correlation == b"7"
    assert json.loads(answer.payload) == {
        "answer": "done",
        "journal": "j1",
        "from_seq": 81,
        "through_seq": 180,
        "sent": 99,
        "refused": 1,
        "first": 1,
    }


# -- told -----------------------------------------------------------------------------------------


def test_health_lists_what_is_set_aside_beyond_the_districts_cursor() -> None:
    clock = ManualClock()
    backlog, broker = MemoryBacklog(60), MemoryBroker(answer=lambda m: 0x99 if seqs([m]) else 0)
    backlog.acknowledge(60)
    for seq in (5, 20, 21, 22, 40):
        backlog.refuse(seq, "payload format invalid (0x99)" if seq != 22 else "packet too large (0x95)")
    backlog.confirm("j1", 10)
    with uplink(backlog, broker, clock=clock):
        assert broker.wait_for(lambda b: bool(healths(b.received)))
        (first, *_) = (m for m in broker.received if m.topic == ADDRESS.health)
        assert first.retain
        assert parse_health(first.payload).refused == (
            Refusal(20, 21, "payload format invalid (0x99)"),
            Refusal(22, 22, "packet too large (0x95)"),
            Refusal(40, 40, "payload format invalid (0x99)"),
        )
        backlog.confirm("j1", 30)
        clock.advance(11)
        assert broker.wait_for(lambda b: len(healths(b.received)) == 2)
        assert [entry["first"] for entry in healths(broker.received)[1]["refused"]] == [40]


def test_health_is_said_with_every_connection_then_every_five_minutes_and_soon_after_a_change() -> None:
    clock = ManualClock()
    backlog, broker = MemoryBacklog(), MemoryBroker()
    with uplink(backlog, broker, clock=clock, temperature_c=lambda: 48):
        assert broker.wait_for(lambda b: len(healths(b.received)) == 1)
        assert healths(broker.received)[0]["temperature_c"] == 48
        clock.advance(100)
        backlog.append(3)
        assert backlog.wait_until_settled()
        assert not broker.wait_for(lambda b: len(healths(b.received)) > 1, 0.3)
        clock.advance(201)
        assert broker.wait_for(lambda b: len(healths(b.received)) == 2)
        assert (healths(broker.received)[1]["sent"], healths(broker.received)[1]["pending"]) == (3, 0)
        broker.hang_up(Closed(Loss.CONNECTION_LOST))
        assert broker.wait_for(lambda b: passing(clock) and len(healths(b.received)) == 3)
        assert healths(broker.received)[2]["last_error"] == "connection lost"


def test_a_broker_that_refuses_health_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "device.uplink")
    clock = ManualClock()
    backlog = MemoryBacklog(1)
    broker = MemoryBroker(answer=lambda m: 0x87 if m.topic == ADDRESS.health else 0)
    with uplink(backlog, broker, clock=clock):
        assert backlog.wait_until_settled()
        clock.advance(301)
        assert broker.wait_for(lambda b: len(healths(b.offered)) == 2)
    assert caplog.text.count("broker refuses our health message: not authorized (0x87)") == 1
