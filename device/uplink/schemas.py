"""JSON Schemas of everything on the wire, made from the code's dataclasses and their docstrings.

Words (enumerations) and members only grow within v1, so a schema lists the known words and admits others of
the same form, and admits members it does not know.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from enum import StrEnum
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from device import model
from device.model import (
    CardEvent,
    CheckpointEvent,
    ClockReading,
    CredentialRef,
    EventType,
    Identity,
    LifecycleEvent,
    ScanEvent,
    Sealed,
)
from device.uplink.health import Health
from device.uplink.state import GateState
from device.uplink.wishes import ReplayAnswer

Schema: TypeAlias = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TIME: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
_NAMES: Final = "/".join(["[a-z0-9-]{1,48}"] * 3)
_HASH: Final = "^[0-9a-f]{64}$"

# Forms that a type alone does not tell: (class, field) -> pattern.
_PATTERNS: Final[dict[tuple[type, str], str]] = {
    (ClockReading, "wall"): _TIME,
    (CardEvent, "subject"): "^[0-9a-f]{32}$",
    (CardEvent, "subject_key"): "^[0-9a-f]{8}$",
    (CredentialRef, "kind"): r"^[a-z0-9.-]{1,64}$",
    (CredentialRef, "subject"): "^[0-9a-f]{32}$",
    (CredentialRef, "subject_key"): "^[0-9a-f]{8}$",
    (Identity, "born"): r"^\d{4}-\d\d-\d\d$",
    (Sealed, "key"): "^[0-9a-f]{16}$",
    (Sealed, "enc"): "^[A-Za-z0-9_-]{43}$",
    (Sealed, "ciphertext"): "^[A-Za-z0-9_-]{22,1024}$",
    (ScanEvent, "rules"): "^[0-9a-f]{16}$",
    (LifecycleEvent, "configuration"): "^[0-9a-f]{16}$",
    (CheckpointEvent, "key"): _HASH,
    (GateState, "since"): _TIME,
}


def event_classes() -> dict[str, type]:
    """Every event's class by its CloudEvents type word, which stands in the first line of its docstring."""
    found = {}
    for kind in vars(model).values():
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            word = re.search(r"`data` of `([a-z0-9_.]+)`", _first_line(kind))
            if word is not None:
                found[word[1]] = kind
    return {word: found[word] for word in EventType if word in found}


def data_schema(kind: type) -> Schema:
    """Schema of the `data` of an event: its class's fields, and the two the journal adds."""
    schema = _object(kind)
    schema["properties"] |= {
        "seq": {"type": "integer", "minimum": 1, "description": "number in the journal, without gaps."},
        "prev": {
            "type": "string",
            "pattern": _HASH,
            "description": "SHA-256 over the `data` before it; for the first, over the journal's id.",
        },
    }
    schema["required"] += ["seq", "prev"]
    if kind is CheckpointEvent:
        schema["properties"]["signature"] = {
            "type": "string",
            "pattern": "^[0-9a-f]{128}$",
            "description": "Ed25519 by `key` over this `data` without `signature`, in RFC 8785 form.",
        }
        schema["required"].append("signature")
    return schema


def envelope_schema(word: str, kind: type) -> Schema:
    """Schema of an event as it travels: structured CloudEvents 1.0 JSON."""
    properties: Schema = {
        "specversion": {"const": "1.0"},
        "id": {
            "type": "string",
            "pattern": r"^[a-z0-9]{1,32}-[1-9][0-9]*$",
            "description": "`{journal}-{seq}`: upsert by it and a repeat is harmless.",
        },
        "source": {
            "type": "string",
            "pattern": f"^gate/v1/{_NAMES}$",
            "description": "the gate's path.",
        },
        "type": {"const": word},
        "datacontenttype": {"const": "application/json"},
        "time": {
            "type": "string",
            "pattern": _TIME,
            "description": "best known UTC when it was published; `data.clock` has what was journalled.",
        },
        "data": data_schema(kind),
    }
    required = [name for name in properties if name != "time"]
    return {"$schema": DIALECT, "title": word, **_closed(properties, required)}


def state_schema() -> Schema:
    """Schema of the retained message on the `state` topic."""
    return {"$schema": DIALECT, "title": "state", **_object(GateState)}


def health_schema() -> Schema:
    """Schema of the retained message on the `health` topic."""
    return {"$schema": DIALECT, "title": "health", **_object(Health)}


def answer_schema() -> Schema:
    """Schema of the message on a replay's response topic."""
    return {"$schema": DIALECT, "title": "wish.answer", **_object(ReplayAnswer)}


_JOURNAL: Final = {"type": "string", "pattern": "^[a-z0-9]{1,32}$", "description": "id of the journal."}


def wish_schema(title: str, numbers: dict[str, str]) -> Schema:
    """Schema of a signed wish with the given numbers and their meanings."""
    properties = {
        "gate": {"type": "string", "pattern": f"^gate/v1/{_NAMES}$", "description": "the gate's path."},
        "journal": _JOURNAL,
        **{name: {"type": "integer", "minimum": 1, "description": text} for name, text in numbers.items()},
    }
    wish = _closed(properties, list(properties)) | {"description": "what is asked, of whom."}
    signature = {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]{86}$",
        "description": "Ed25519 over the bytes of `wish` as they stand here, base64url without padding.",
    }
    whole = _closed({"wish": wish, "signature": signature}, ["wish", "signature"])
    return {"$schema": DIALECT, "title": title, "description": "A wish of the district.", **whole}


def wish_schemas() -> dict[str, Schema]:
    """Every wish a gate understands, by its name."""
    return {
        "wish.cursor": wish_schema("wish.cursor", {"seq": "everything up to it is stored for good."}),
        "wish.replay": wish_schema(
            "wish.replay", {"from_seq": "first event wanted.", "through_seq": "last event wanted."}
        ),
    }


def _closed(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required}


def _object(kind: type) -> Schema:
    hints = get_type_hints(kind)
    texts = _attribute_texts(kind)
    properties, required = {}, []
    for field in dataclasses.fields(kind):
        inner, optional = _without_none(hints[field.name])
        schema = _value(inner)
        if pattern := _PATTERNS.get((kind, field.name)):
            schema["pattern"] = pattern
        text = texts[field.name]
        if text.startswith("see `") and isinstance(inner, type):
            # The reader of a schema cannot follow a reference into the code.
            text = _first_line(inner)
        properties[field.name] = schema | {"description": text}
        if not optional:
            required.append(field.name)
    return _closed(properties, required) | {"description": _first_line(kind)}


def _value(kind: Any) -> Schema:  # noqa: ANN401 - an annotation may be anything
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _value(get_args(kind)[0])}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _object(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        form = {"type": "string", "pattern": "^[a-z0-9_.]{1,64}$"}
        return {"anyOf": [{"enum": [word.value for word in kind]}, form]}
    plain = {str: "string", bool: "boolean", int: "integer"}
    if kind not in plain:
        raise TypeError(f"no JSON form for {kind}")
    return {"type": plain[kind]}


def _without_none(kind: Any) -> tuple[Any, bool]:  # noqa: ANN401 - an annotation may be anything
    if get_origin(kind) not in {Union, types.UnionType}:
        return kind, False
    (inner,) = (part for part in get_args(kind) if part is not type(None))
    return inner, True


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").split("\n", 1)[0]


def _attribute_texts(kind: type) -> dict[str, str]:
    """What the `Attributes:` of a docstring say about each field, each on one line."""
    _, _, section = (inspect.getdoc(kind) or "").partition("\nAttributes:\n")
    texts: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if head := re.fullmatch(r" {4}(\w+): (.+)", line):
            name, texts[head[1]] = head[1], head[2]
        elif name and line.startswith(" " * 8):
            texts[name] += f" {line.strip()}"
        elif line.strip():
            break
    return texts
