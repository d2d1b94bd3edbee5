"""An event as the bytes that are journalled, hashed and sent: RFC 8785 canonical JSON.

One mapping, used for every event type: a dataclass becomes an object of its fields, a `StrEnum` its
word, a tuple an array. A field that is None is left out: absent means "does not apply", and an event
of 3 s intervals is paid for byte by byte on a mobile link. To the event's own fields come

* `seq` — its number in the journal, and
* `prev` — SHA-256, lowercase hex, over the canonical `data` of the event before it (see `chain`).

Data are objects with ASCII names, of strings, whole numbers within 2^53, booleans, arrays and objects.
For these, and only for these, Python's encoder with sorted names writes RFC 8785's form byte for byte;
the tests compare it with a reference implementation, which takes fifteen times as long.

Pure.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Final, NoReturn, TypeAlias

from device.errors import JournalError
from device.model import (
    CardEvent,
    CheckpointEvent,
    CheckupEvent,
    ClockEvent,
    CoverageEvent,
    Event,
    EventType,
    InputEvent,
    LifecycleEvent,
    RescuedEvent,
    ScanEvent,
    UnreadEvent,
)

Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value]"
Data: TypeAlias = dict[str, Value]

# Beyond it a reader that holds numbers as doubles, as JSON readers do, would read another one.
MAX_NUMBER: Final = 2**53 - 1

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

AnyEvent: TypeAlias = Event | CheckpointEvent | RescuedEvent
"""What others bring, and what the journal makes itself."""

# Every event type once; whoever adds one to the model adds its line here.
_CLASSES: Final[dict[str, type[AnyEvent]]] = {
    EventType.SCAN: ScanEvent,
    EventType.UNREAD: UnreadEvent,
    EventType.INPUT: InputEvent,
    EventType.COVERAGE: CoverageEvent,
    EventType.CLOCK: ClockEvent,
    EventType.CHECKUP: CheckupEvent,
    EventType.CARD: CardEvent,
    EventType.LIFECYCLE: LifecycleEvent,
    EventType.CHECKPOINT: CheckpointEvent,
    EventType.RESCUED: RescuedEvent,
}
_WORDS: Final = {kind: EventType(word) for word, kind in _CLASSES.items()}


def event_type(event: AnyEvent) -> EventType:
    """The CloudEvents type word of an event."""
    return _WORDS[type(event)]


def as_data(event: AnyEvent) -> Data:
    """The event's fields as JSON values, without `seq` and `prev`.

    Raises:
        JournalError: as `canonical`; told here, before the event shares a commit with others.
    """
    data = _fields(event)
    canonical(data, seq=0, prev="")
    return data


def canonical(data: Data, *, seq: int, prev: str) -> bytes:
    """The one byte form of an event's data.

    Raises:
        JournalError: a value has no canonical form (a number beyond 2^53, half a surrogate pair). The
            message does not show it.
    """
    try:
        return encoded({**data, "seq": seq, "prev": prev})
    except ValueError:
        raise JournalError("the event has no canonical JSON form") from None


def parse(data: bytes) -> Data | None:
    """The data of a stored event as an object, or None when these bytes are not canonical JSON.

    Total: damaged and hostile bytes get None, never an exception.
    """
    try:
        found = json.loads(data, parse_float=_refused, parse_constant=_refused)
        if isinstance(found, dict) and encoded(found) == data:
            return found
    except (ValueError, RecursionError):
        pass
    return None


def fits_type(word: str, data: Data) -> bool:
    """Whether the data has the fields its type word asks for. A word of a later version fits.

    The hash chain covers `data` only; this is what notices a type word that was changed.
    """
    if word not in set(EventType):
        return True
    known = dataclasses.fields(_CLASSES[EventType(word)])
    return all(field.name in data for field in known if field.default is dataclasses.MISSING)


def encoded(data: Data) -> bytes:
    """The canonical form of an object; raises ValueError for what is outside the domain."""
    _check(data)  # the encoder itself knows no bound for numbers
    return _ENCODER.encode(data).encode()


def _check(value: Value) -> None:
    # In the order of how often they come: this runs for every value of every event.
    if isinstance(value, str):
        return
    if isinstance(value, int):
        if not -MAX_NUMBER <= value <= MAX_NUMBER:
            raise ValueError
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not name.isascii():
                raise ValueError
            _check(inner)
    elif isinstance(value, list):
        for inner in value:
            _check(inner)


def _refused(_: str) -> NoReturn:
    """Fractions are outside the domain: their one form is another matter."""
    raise ValueError


def _fields(thing: object) -> Data:
    """A dataclass instance as an object; what is None is left out."""
    if not dataclasses.is_dataclass(thing):
        raise TypeError(f"{type(thing).__name__} has no JSON form here")
    data: Data = {}
    for name in thing.__dataclass_fields__:  # directly: dataclasses.fields() takes as long as the encoding
        value = getattr(thing, name)
        if value is not None:
            data[name] = _value(value)
    return data


def _value(value: object) -> Value:
    if isinstance(value, str):
        return str(value)  # a StrEnum's word
    if isinstance(value, int):
        return value
    if isinstance(value, tuple):
        return [_value(v) for v in value]
    return _fields(value)
