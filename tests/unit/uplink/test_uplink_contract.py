from __future__ import annotations

import dataclasses
import json
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from device.journal.record import as_data, canonical, event_type
from device.model import (
    ClockReading,
    CredentialRef,
    Direction,
    Event,
    EventType,
    Lifecycle,
    LifecycleEvent,
    ScanEvent,
    StoredEvent,
)
from device.uplink import contract, schemas
from device.uplink.asyncapi import asyncapi
from device.uplink.state import Status, state_message
from device.uplink.wire import GateAddress, envelope
from device.uplink.wishes import signed
from tests.support.schemas import problems

ROOT = Path(__file__).parents[3]
ADDRESS = GateAddress("hanoi", "market-3", "north")
CLOCK = ClockReading("2026-03-02T08:00:00.000Z", trusted=True, boot="b", uptime_ms=5)
SCAN = st.builds(
    ScanEvent,
    direction=st.sampled_from(Direction),
    credential=st.builds(
        CredentialRef,
        kind=st.sampled_from(["vn.cccd", "wrong.payment"]),
        subject=st.none() | st.just("ab" * 16),
        issuer=st.none() | st.text(st.characters(codec="utf-8")),
    ),
    clock=st.just(CLOCK),
    rules=st.just("0" * 16),
    engine=st.just("zxing"),
    latency_ms=st.integers(0, 10_000),
)
LIFECYCLE = st.builds(LifecycleEvent, detail=st.just("x"), version=st.just("1"), clock=st.just(CLOCK))


def sent(event: Event) -> bytes:
    data = canonical(as_data(event), seq=1, prev="0" * 64)
    return envelope(ADDRESS, StoredEvent("j1", 1, event_type(event), data), CLOCK)


def schema(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((ROOT / contract.FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return found


def test_the_documents_are_current() -> None:
    prose = (ROOT / contract.PROSE).read_text("utf-8")
    for name, content in contract.generated(prose).items():
        assert (ROOT / name).read_text("utf-8") == content, f"{name} is not current: run `make docs`"


def test_every_type_word_has_a_schema() -> None:
    assert set(schemas.event_classes()) == set(EventType)


@given(SCAN | LIFECYCLE)
def test_what_a_gate_sends_fits_its_schema(event: Event) -> None:
    assert problems(schema(event_type(event)), json.loads(sent(event))) == []


def sample(kind: type) -> Any:  # noqa: ANN401 - an instance of the class given
    """An instance with the plainest values that fit, optional members included."""
    fitting = {f"^[0-9a-f]{{{digits}}}$": "a" * digits for digits in (8, 16, 32, 64)}
    fitting |= {r"^\d{4}-\d\d-\d\d$": "1990-06-05"}
    fitting |= {"^[A-Za-z0-9_-]{43}$": "a" * 43, "^[A-Za-z0-9_-]{22,1024}$": "a" * 22}
    values: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        inner, _ = schemas._without_none(hints[field.name])
        pattern = schemas._PATTERNS.get((kind, field.name), "")
        plain = {str: fitting.get(pattern, "x"), int: 1, bool: True}
        if inner in plain:
            values[field.name] = plain[inner]
        elif inner is ClockReading:
            values[field.name] = CLOCK
        elif get_origin(inner) is tuple:
            (of, *_) = get_args(inner)
            values[field.name] = ("x", "x") if of is str else (sample(of),)
        else:
            values[field.name] = next(iter(inner)) if issubclass(inner, StrEnum) else sample(inner)
    return kind(**values)


@pytest.mark.parametrize("word", sorted(schemas.event_classes()))
def test_an_event_of_every_type_fits_its_schema(word: str) -> None:
    added = {"signature": "ab" * 64} if word == EventType.CHECKPOINT else {}
    data = canonical({**as_data(sample(schemas.event_classes()[word])), **added}, seq=1, prev="0" * 64)
    event = envelope(ADDRESS, StoredEvent("j1", 1, word, data), CLOCK)
    assert problems(schema(word), json.loads(event)) == []


def test_signed_wishes_fit_their_schemas() -> None:
    names = {"gate": ADDRESS.path, "journal": "j1"}
    cursor = signed({**names, "seq": 1}, lambda _: bytes(64))
    replay = signed({**names, "from_seq": 1, "through_seq": 2}, lambda _: bytes(64))
    assert problems(schema("wish.cursor"), json.loads(cursor)) == []
    assert problems(schema("wish.replay"), json.loads(replay)) == []


@given(SCAN, st.data())
def test_a_schema_notices_a_member_that_is_missing_or_of_another_type(
    event: ScanEvent, draw: st.DataObject
) -> None:
    value = json.loads(sent(event))
    name = draw.draw(st.sampled_from(sorted(set(value["data"]) - {"credential", "clock"})))
    assert problems(schema("gate.scan.v1"), value | {"data": {**value["data"], name: []}})
    del value["data"][name]
    assert problems(schema("gate.scan.v1"), value)


@given(st.sampled_from(Status))
def test_a_state_fits_its_schema(status: Status) -> None:
    message = state_message(ADDRESS, status, CLOCK, "1.0")
    assert problems(schema("state"), json.loads(message.payload)) == []


def test_words_and_members_of_a_later_version_fit() -> None:
    event = json.loads(sent(LifecycleEvent(Lifecycle.STARTED, "x", "1", CLOCK)))
    event["data"]["what"] = "moved_house"
    event["data"]["added"] = 1
    assert problems(schema("gate.lifecycle.v1"), event) == []


def test_asyncapi_is_yaml_and_every_reference_in_it_leads_somewhere() -> None:
    text = (ROOT / contract.FOLDER / "asyncapi.yaml").read_text("utf-8")
    document = yaml.safe_load(text)
    assert document == asyncapi()
    for reference in references(document):
        if reference.startswith("./"):
            assert (ROOT / contract.FOLDER / reference).is_file()
        else:
            place = document
            for part in reference.removeprefix("#/").split("/"):
                place = place[part]


def references(value: object) -> list[str]:
    match value:
        case {"$ref": str() as reference}:
            return [reference]
        case dict():
            return [r for inner in value.values() for r in references(inner)]
        case list():
            return [r for inner in value for r in references(inner)]
        case _:
            return []


def test_a_wrong_argument_is_answered_with_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert contract.main([]) == 2
    assert "--write" in capsys.readouterr().err
