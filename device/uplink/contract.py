"""The wire contract as documents for programs: JSON Schemas and AsyncAPI 3, made from the code's types.

`python -m device.uplink.contract --write` puts them where they belong in the source tree, and the tables of
fields into `docs/reference/events.md`; a test checks that they are current. Field, type and description
come from the dataclasses and their docstrings. Words (enumerations) and members only grow within v1, so a
schema lists the known words and admits others of the same form, and admits members it does not know.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
import types
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from device.model import ClockReading, CredentialRef, Event, ScanEvent
from device.uplink.state import GateState

Schema: TypeAlias = dict[str, Any]

FOLDER: Final = "docs/reference"
PROSE: Final = f"{FOLDER}/events.md"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_BEGIN: Final = "<!-- fields: made from the code by `make docs` -->"
_END: Final = "<!-- end of fields -->"

_TIME: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
_NAMES: Final = "/".join(["[a-z0-9-]{1,48}"] * 3)
_HASH: Final = "^[0-9a-f]{64}$"

# Forms that a type alone does not tell: (class, field) -> pattern.
_PATTERNS: Final[dict[tuple[type, str], str]] = {
    (ClockReading, "wall"): _TIME,
    (CredentialRef, "kind"): r"^[a-z0-9.-]{1,64}$",
    (CredentialRef, "subject"): "^[0-9a-f]{32}$",
    (ScanEvent, "rules"): "^[0-9a-f]{16}$",
    (GateState, "since"): _TIME,
}


def event_classes() -> dict[str, type]:
    """Every event's class by its CloudEvents type word, which stands in the first line of its docstring."""
    found = {}
    for kind in get_args(Event):
        word = re.search(r"`data` of `([a-z0-9_.]+)`", inspect.getdoc(kind) or "")
        if word is None:
            raise ValueError(f"{kind.__name__}: its docstring does not name its type word")
        found[word[1]] = kind
    return found


# -- JSON Schema ----------------------------------------------------------------------------------


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


# -- AsyncAPI -------------------------------------------------------------------------------------

_PARAMETERS: Final = {
    "tenant": "the district or organisation",
    "site": "the place",
    "gate": "the gate, unique within its site",
}


def asyncapi() -> Schema:
    """The topics and messages as an AsyncAPI 3.0 document, seen from the gate."""
    classes = event_classes()
    messages: Schema = {word: _message(word, "application/cloudevents+json") for word in classes}
    messages["batch"] = {
        "name": "batch",
        "contentType": "application/cloudevents-batch+json",
        "summary": "Several events, oldest first: a JSON array, compressed with zlib (user property "
        "content-encoding: deflate).",
        "payload": {"type": "array", "items": {"oneOf": [_reference(word) for word in classes]}},
    }
    messages["state"] = _message("state", "application/json")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gate scanner, events v1",
            "version": "1.0.0",
            "description": "MQTT 5, QoS 1. Only additions within v1.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "event": _channel("event", "Never retained.", messages=[*classes, "batch"]),
            "state": _channel("state", "Retained; also the last will's.", messages=["state"]),
        },
        "operations": {
            "publishEvents": _operation("event", "What happened at the gate, at least once, in order."),
            "publishState": _operation("state", "Birth, goodbye, last will."),
        },
        "components": {"messages": messages},
    }


def _message(name: str, content_type: str) -> Schema:
    return {"name": name, "contentType": content_type, "payload": _reference(name)}


def _reference(name: str) -> Schema:
    return {"$ref": f"./{name}.schema.json"}


def _channel(name: str, description: str, *, messages: list[str]) -> Schema:
    return {
        "address": f"gate/v1/{{tenant}}/{{site}}/{{gate}}/{name}",
        "description": description,
        "parameters": {key: {"description": text} for key, text in _PARAMETERS.items()},
        "messages": {word: {"$ref": f"#/components/messages/{word}"} for word in messages},
    }


def _operation(channel: str, summary: str) -> Schema:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "bindings": {"mqtt": {"qos": 1, "retain": channel == "state"}},
    }


def yaml(value: Schema, indent: str = "") -> str:
    """A document of objects, arrays and plain values as YAML 1.2, texts always quoted."""
    lines = []
    for key, inner in value.items():
        name = key if re.fullmatch(r"[a-zA-Z]\w*", key) else json.dumps(key)
        if isinstance(inner, dict) and inner:
            lines.append(f"{indent}{name}:\n{yaml(inner, indent + '  ')}")
        else:
            # JSON is YAML: arrays here are short.
            lines.append(f"{indent}{name}: {json.dumps(inner, ensure_ascii=False)}\n")
    return "".join(lines)


# -- for people -----------------------------------------------------------------------------------


def tables() -> str:
    """The fields of every event and of the state, as Markdown."""
    parts = [
        f"### `data` of `{word}`\n\n{_table(data_schema(kind))}" for word, kind in event_classes().items()
    ]
    return "\n".join([*parts, f"### `state`\n\n{_table(state_schema())}"])


def _table(schema: Schema) -> str:
    rows = "".join(_rows(schema, ""))
    return f"{schema['description']}\n\n| member | form | meaning |\n|---|---|---|\n{rows}"


def _rows(schema: Schema, above: str) -> list[str]:
    rows = []
    for name, inner in schema["properties"].items():
        path = f"{above}{name}"
        optional = "" if name in schema["required"] else "; may be absent"
        rows.append(f"| `{path}` | {_form(inner)}{optional} | {inner['description']} |\n")
        if "properties" in inner:
            rows += _rows(inner, f"{path}.")
    return rows


def _form(schema: Schema) -> str:
    if "anyOf" in schema:
        return "word: " + ", ".join(f"`{word}`" for word in schema["anyOf"][0]["enum"])
    if "pattern" in schema:
        return f"`{schema['pattern'].strip('^$')}`"
    return str(schema["type"])


# -- files ----------------------------------------------------------------------------------------


def generated(prose: str) -> dict[str, str]:
    """Every generated file's content by its path in the source tree.

    Args:
        prose: present content of `docs/reference/events.md`, whose tables are replaced.
    """
    schemas = {word: envelope_schema(word, kind) for word, kind in event_classes().items()}
    schemas["state"] = state_schema()
    files = {
        f"{FOLDER}/{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }
    head = "# Made from the code's types by `make docs`. Do not edit.\n"
    files[f"{FOLDER}/asyncapi.yaml"] = head + yaml(asyncapi())
    before, _, rest = prose.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    files[PROSE] = f"{before}{_BEGIN}\n\n{tables()}\n{_END}{after}"
    return files


def main(arguments: list[str]) -> int:
    """`--write` writes the generated files below the working directory."""
    if arguments != ["--write"]:
        sys.stderr.write("python -m device.uplink.contract --write\n")
        return 2
    for name, content in generated(Path(PROSE).read_text(encoding="utf-8")).items():
        Path(name).write_text(content, encoding="utf-8")
        sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
