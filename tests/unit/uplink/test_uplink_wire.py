from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from device.model import ClockReading, StoredEvent
from device.uplink.jsontext import elements, members
from device.uplink.state import GateState, Status, parse_state, state_message
from device.uplink.wire import (
    GateAddress,
    batch_message,
    best_known_time,
    envelope,
    event_message,
    parse_events,
    parse_time,
)

ADDRESS = GateAddress("hanoi", "market-3", "north")
NOW = ClockReading(wall="2026-03-02T08:00:00.000Z", trusted=True, boot="b2", uptime_ms=100_000)

names = st.from_regex(r"[a-z0-9-]{1,48}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=8,
)
data = st.dictionaries(st.text(st.characters(codec="utf-8")), json_values, max_size=5).map(rfc8785.dumps)
events = st.builds(
    StoredEvent,
    journal=st.from_regex(r"[a-z0-9]{1,32}", fullmatch=True),
    seq=st.integers(1, 2**53),
    type=st.sampled_from(["gate.scan.v1", "gate.lifecycle.v1", "gate.coverage.v1"]),
    data=data,
)


def clock(**changes: Any) -> bytes:  # noqa: ANN401 - any value may stand in a journal that was damaged
    reading = {"boot": "b2", "trusted": False, "uptime_ms": 40_000, "wall": "1970-01-01T00:00:40.000Z"}
    return json.dumps({"clock": {**reading, **changes}}).encode()


def problem(payload: bytes) -> str:
    try:
        parse_events(payload)
    except ValueError as error:
        return str(error)
    return ""


@given(st.lists(events, min_size=1, max_size=6))
def test_events_come_back_in_order_with_their_bytes_unchanged(sent: list[StoredEvent]) -> None:
    parts = [envelope(ADDRESS, event, NOW) for event in sent]
    alone = [parse_events(event_message(ADDRESS, part).payload)[0] for part in parts]
    assert alone == list(parse_events(batch_message(ADDRESS, parts).payload))
    for event, got in zip(sent, alone, strict=True):
        assert (got.id, got.journal, got.seq) == (event.id, event.journal, event.seq)
        assert (got.type, got.data, got.source) == (event.type, event.data, ADDRESS.path)


@given(events)
def test_an_envelope_is_plain_cloudevents_json(event: StoredEvent) -> None:
    read = json.loads(envelope(ADDRESS, event, NOW))
    assert read["specversion"] == "1.0"
    assert read["id"] == event.id
    assert read["datacontenttype"] == "application/json"
    assert read["data"] == json.loads(event.data)


@given(
    st.binary(max_size=200) | st.text().map(str.encode) | json_values.map(lambda v: json.dumps(v).encode())
)
def test_whatever_arrives_is_events_or_a_value_error_in_fixed_words(payload: bytes) -> None:
    assert problem(payload).isascii()


@given(events, st.data())
def test_a_message_cut_short_is_refused(event: StoredEvent, draw: st.DataObject) -> None:
    single = envelope(ADDRESS, event, NOW)
    for payload in (single, batch_message(ADDRESS, [single, single]).payload):
        cut = draw.draw(st.integers(0, len(payload) - 1))
        with pytest.raises(ValueError, match=r"\w"):
            parse_events(payload[:cut])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"null",
        b'"x"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"specversion":"1.0","id":"a-1","id":"a-2","source":"gate/v1/a/b/c","type":"t","data":{}}',
        b'{"specversion":"1.0","id":"a-0","source":"gate/v1/a/b/c","type":"t","data":{}}',
        b'{"specversion":"1.0","id":"a-1","source":"/etc/passwd","type":"t","data":{}}',
        b'{"specversion":"1.0","id":"a-1","source":"gate/v1/a/b/c","type":"t","data":[]}',
        b'{"specversion":"1.0","id":"a-1","source":"gate/v1/a/b/c","type":"t","data":{"x":NaN}}',
        b'{"specversion":"1.0","id":1,"source":"gate/v1/a/b/c","type":"t","data":{}}',
        b'{"specversion":"1.0","id":"a-1","source":"gate/v1/a/b/c","type":"t","data":{}} x',
        b'[{"specversion":"1.0","id":"a-1","source":"gate/v1/a/b/c","type":"t","data":{}},]',
        b'\xff{"specversion":"1.0"}',
        zlib.compress(b"[]") + b"more",
        zlib.compress(b"["),
        zlib.compress(b" " * 3_000_000),
    ],
)
def test_what_breaks_the_contract_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_events(payload)


def test_members_may_come_in_any_order_and_unknown_ones_are_ignored() -> None:
    text = (
        ' { "data" : {"b":1, "a":2} ,"new":[1],"type":"t","id":"a-1","specversion":"1.0",'
        '"source":"gate/v1/a/b/c"}\n'
    )
    (event,) = parse_events(text.encode())
    assert event.data == b'{"b":1, "a":2}'
    assert event.time == ""


@given(json_values)
def test_the_raw_parts_of_a_document_are_the_document(value: Any) -> None:  # noqa: ANN401 - any JSON
    text = json.dumps([value, value], indent=1)
    assert [json.loads(part) for part in elements(text)] == [value, value]
    text = json.dumps({"a": value, "b": value}, indent=1)
    assert {name: json.loads(part) for name, part in members(text)} == {"a": value, "b": value}


def test_empty_documents_have_no_parts() -> None:
    assert list(elements(" [ ] ")) == []
    assert list(members("{}")) == []


# -- time -----------------------------------------------------------------------------------------


def test_an_event_of_this_boot_is_dated_by_its_uptime_once_the_clock_is_right() -> None:
    assert best_known_time(clock(), NOW) == "2026-03-02T07:59:00.000Z"


def test_an_event_of_another_boot_keeps_what_its_clock_said() -> None:
    assert best_known_time(clock(boot="b1"), NOW) == "1970-01-01T00:00:40.000Z"


def test_an_event_with_a_trusted_clock_keeps_its_time() -> None:
    assert (
        best_known_time(clock(trusted=True, wall="2026-03-01T00:00:00.000Z"), NOW)
        == "2026-03-01T00:00:00.000Z"
    )


def test_a_clock_with_more_to_say_is_understood_as_well() -> None:
    more = clock(hints={"chrony": True})
    assert best_known_time(more, NOW) == "2026-03-02T07:59:00.000Z"


@given(
    st.booleans(),
    st.sampled_from(["b1", "b2", 'b"2', "b\\2", "bé"]),
    st.integers(-5, 2 * NOW.uptime_ms),
    st.sampled_from(["2026-03-01T00:00:00.000Z", "yesterday", ""]),
)
def test_the_journals_own_form_says_what_any_other_form_of_the_same_says(
    trusted: bool,  # noqa: FBT001 - drawn
    boot: str,
    uptime_ms: int,
    wall: str,
) -> None:
    reading = {"boot": boot, "trusted": trusted, "uptime_ms": uptime_ms, "wall": wall}
    canonical = json.dumps({"clock": reading}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    other = json.dumps({"clock": dict(reversed(reading.items()))}, indent=2)
    assert best_known_time(canonical.encode(), NOW) == best_known_time(other.encode(), NOW)


def test_while_the_clock_is_not_trusted_nothing_is_corrected() -> None:
    now = ClockReading(wall="1970-01-01T00:01:00.000Z", trusted=False, boot="b2", uptime_ms=60_000)
    assert best_known_time(clock(), now) == "1970-01-01T00:00:40.000Z"


@pytest.mark.parametrize(
    "broken",
    [
        b"{}",
        b"[]",
        b"nonsense",
        clock(wall=5, boot="b1"),
        clock(wall="yesterday", boot="b1"),
        clock(uptime_ms=-(10**30)),
    ],
)
def test_an_event_without_a_readable_clock_has_no_time(broken: bytes) -> None:
    assert best_known_time(broken, NOW) == ""


@pytest.mark.parametrize("text", ["2026-03-02", "2026-03-02T08:00:00+07:00", "2026-13-02T08:00:00Z", "", "x"])
def test_a_time_that_is_not_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_time(text)


# -- addresses ------------------------------------------------------------------------------------


@given(names, names, names)
def test_topics_hang_below_the_gates_path(tenant: str, site: str, gate: str) -> None:
    address = GateAddress(tenant, site, gate)
    assert address.path == f"gate/v1/{tenant}/{site}/{gate}"
    for topic in (address.event, address.state, address.health, address.cmd("replay")):
        assert topic.startswith(address.path + "/")
        assert not set(topic) & set("+#$\0 ")


@given(st.text())
def test_a_name_that_is_not_safe_in_a_topic_is_refused(name: str) -> None:
    safe = 1 <= len(name) <= 48 and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    for place in range(3):
        parts = ["a", "b", "c"]
        parts[place] = name
        if safe:
            GateAddress(*parts)
        else:
            with pytest.raises(ValueError, match="must be 1 to 48"):
                GateAddress(*parts)


# -- state ----------------------------------------------------------------------------------------


@given(st.sampled_from(Status), st.text(st.characters(codec="utf-8")))
def test_a_state_comes_back_as_it_was(status: Status, version: str) -> None:
    message = state_message(ADDRESS, status, NOW, version)
    assert message.retain
    assert message.topic == ADDRESS.state
    assert parse_state(message.payload) == GateState(status, NOW.wall, NOW.trusted, NOW.boot, version)


@given(st.binary(max_size=100) | json_values.map(lambda v: json.dumps(v).encode()))
def test_a_state_that_is_none_is_a_value_error(payload: bytes) -> None:
    with pytest.raises(ValueError, match="not a gate's state"):
        parse_state(payload)


def test_a_messages_repr_holds_no_payload() -> None:
    assert "secret" not in repr(event_message(ADDRESS, b"secret"))
