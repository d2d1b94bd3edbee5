from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.model import Refusal
from device.uplink.budget import Pace
from device.uplink.health import REFUSALS_MAX, Explained, Health, ListHealth, health_message, parse_health
from tests.support.journal import READING
from tests.support.uplinks import ADDRESS

HEALTH = Health(
    clock=READING,
    journal="3f9c2a",
    last=1051,
    sent=1050,
    confirmed=1000,
    pending=1,
    set_aside=3,
    refused=(Refusal(1043, 1044, "packet too large (0x95)"), Refusal(1050, 1050, "x")),
    refusing="",
    reconnects=2,
    last_error="connection lost",
    day_bytes=12_345,
    pace=Pace.SPARING,
    temperature_c=48,
    lists=(ListHealth("deny", 7, 3600), ListHealth("allow", None, None)),
)


def test_what_a_gate_explains_comes_back_as_it_was_said() -> None:
    message = health_message(ADDRESS, HEALTH)
    assert (message.topic, message.retain) == (ADDRESS.health, True)
    assert parse_health(message.payload) == Explained("3f9c2a", 1050, HEALTH.refused)


def test_what_is_not_known_is_left_out() -> None:
    bare = replace(HEALTH, day_bytes=None, pace=None, temperature_c=None)
    members = json.loads(health_message(ADDRESS, bare).payload)
    assert not {"day_bytes", "pace", "temperature_c"} & set(members)
    assert members["lists"] == [{"name": "deny", "version": 7, "age_s": 3600}, {"name": "allow"}]


def test_more_refusals_than_a_gate_lists_are_not_read() -> None:
    many = tuple(Refusal(seq, seq, "x") for seq in range(1, 1000, 2))
    found = parse_health(health_message(ADDRESS, replace(HEALTH, refused=many)).payload)
    assert found.refused == many[:REFUSALS_MAX]


GOOD = json.loads(health_message(ADDRESS, HEALTH).payload)


@pytest.mark.parametrize(
    "change",
    [
        {"journal": "no such"},
        {"journal": 7},
        {"sent": -1},
        {"sent": True},
        {"sent": 2**53},
        {"refused": None},
        {"refused": [7]},
        {"refused": [{"first": 0, "last": 1, "why": "x"}]},
        {"refused": [{"first": 2, "last": 1, "why": "x"}]},
        {"refused": [{"first": 1, "last": 1051, "why": "x"}]},
        {"refused": [{"first": 1, "last": 2, "why": "two\nlines"}]},
        {"refused": [{"first": 1, "last": 2, "why": 3}]},
        {"refused": [{"first": 1, "last": 2}]},
    ],
)
def test_what_no_gate_says_is_refused_in_fixed_words(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a gate's health"):
        parse_health(json.dumps({**GOOD, **change}).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_read_or_refused(payload: bytes) -> None:
    try:
        parse_health(payload)
    except ValueError as error:
        assert str(error) == "not a gate's health"  # noqa: PT017 - most payloads raise, some need not
