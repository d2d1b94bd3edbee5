from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from device.errors import JournalError
from device.journal.record import _CLASSES, AnyEvent, as_data, canonical, event_type, fits_type, parse
from device.model import CheckpointEvent, Event, EventType, Why
from tests.support.journal import READING, lifecycle_event, scan_event

PREV = hashlib.sha256(b"").hexdigest()


def test_every_event_has_its_type_word() -> None:
    assert event_type(scan_event()) is EventType.SCAN
    assert event_type(lifecycle_event()) is EventType.LIFECYCLE


def test_an_event_becomes_an_object_of_its_fields_with_words_as_text() -> None:
    assert as_data(scan_event(7)) == {
        "direction": "in",
        "outcome": "granted",
        "reason": "ok",
        "credential": {"kind": "vn.cccd", "standing": "claimed", "subject": f"{7:032x}"},
        "clock": {
            "wall": "2026-03-02T08:00:00.000Z",
            "trusted": True,
            "boot": "00000000-0000-4000-8000-000000000001",
            "uptime_ms": 1_000_000,
        },
        "rules": "0123456789abcdef",
        "engine": "zxing",
        "latency_ms": 7,
    }


def test_what_does_not_apply_is_left_out() -> None:
    event = scan_event()
    nobody = replace(event, credential=replace(event.credential, subject=None))
    assert as_data(nobody)["credential"] == {"kind": "vn.cccd", "standing": "claimed"}


def test_the_bytes_are_the_canonical_form_of_rfc_8785() -> None:
    data = canonical(as_data(lifecycle_event("é")), seq=3, prev=PREV)
    assert data.startswith(b'{"clock":{"boot":"')
    assert data.endswith(b'"what":"started"}')
    assert b" " not in data
    assert "é".encode() in data


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(max_codepoint=127))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_the_bytes_are_those_of_the_reference_implementation(data: dict[str, Any]) -> None:
    reference = rfc8785.dumps({**data, "seq": 3, "prev": PREV})
    assert canonical(data, seq=3, prev=PREV) == reference
    assert parse(reference) == {**data, "seq": 3, "prev": PREV}


@given(
    st.binary() | TEXT.map(str.encode) | st.dictionaries(TEXT, VALUES).map(lambda d: json.dumps(d).encode())
)
def test_what_is_taken_is_what_the_reference_implementation_writes(data: bytes) -> None:
    found = parse(data)
    assert found is None or rfc8785.dumps(found) == data


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 2**53 - 1))
def test_what_was_written_is_read_back(detail: str, seq: int) -> None:
    data = canonical(as_data(lifecycle_event(detail)), seq=seq, prev=PREV)
    assert parse(data) == {**as_data(lifecycle_event(detail)), "seq": seq, "prev": PREV}


@pytest.mark.parametrize("detail", ["\ud800", "personal \udfff"])
def test_an_event_without_a_canonical_form_is_refused_without_being_shown(detail: str) -> None:
    with pytest.raises(JournalError) as refused:
        as_data(lifecycle_event(detail))
    assert "personal" not in str(refused.value)


def test_a_number_beyond_what_json_carries_is_refused() -> None:
    with pytest.raises(JournalError):
        canonical({"latency_ms": 2**53}, seq=1, prev=PREV)


def test_only_known_shapes_are_written() -> None:
    @dataclass
    class Odd:
        ratio: float

    with pytest.raises(TypeError):
        as_data(cast("Event", Odd(0.5)))


@given(st.binary())
def test_any_bytes_are_parsed_without_an_exception(data: bytes) -> None:
    assert parse(data) is None or isinstance(parse(data), dict)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":"\\u0041"}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":NaN}',
        b'{"a":1.5}',
        b'{"a":9007199254740992}',
        '{"é":1}'.encode(),
    ],
)
def test_json_that_is_not_canonical_is_not_taken(data: bytes) -> None:
    assert parse(data) is None


def test_data_without_the_fields_of_its_type_do_not_fit_it() -> None:
    data = as_data(scan_event())
    assert fits_type("gate.scan.v1", data)
    assert not fits_type("gate.lifecycle.v1", data)
    assert not fits_type("gate.scan.v1", {k: v for k, v in data.items() if k != "outcome"})


def test_data_may_grow_and_types_may_be_new() -> None:
    assert fits_type("gate.scan.v1", {**as_data(scan_event()), "later": "field"})
    assert fits_type("gate.passage.v9", {})


def test_the_records_know_every_event_of_the_model() -> None:
    assert set(_CLASSES) == set(EventType)
    assert set(get_args(AnyEvent)) == set(_CLASSES.values())


def test_an_event_that_the_journal_makes_itself_is_written_like_any_other() -> None:
    event = CheckpointEvent(why=Why.START, key="00", clock=READING)
    assert event_type(event) is EventType.CHECKPOINT
    assert as_data(event)["why"] == "start"
    assert fits_type("gate.checkpoint.v1", as_data(event))
