"""The topics and messages as an AsyncAPI 3.0 document, seen from the gate."""

from __future__ import annotations

import json
import re
from typing import Final

from device.uplink.schemas import Schema, event_classes, wish_schemas

_CURSOR: Final = "gate/v1/{tenant}/wish/cursor/{site}/{gate}"
_ANSWER: Final = "gate/v1/{tenant}/answer/{site}/{gate}/{name}"
_PARAMETERS: Final = {
    "tenant": "the district or organisation",
    "site": "the place",
    "gate": "the gate, unique within its site",
    "name": "chosen by whoever asks",
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
    messages |= {
        name: _message(name, "application/json")
        for name in ("state", "health", *wish_schemas(), "wish.answer")
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Gate scanner, events v1",
            "version": "1.0.0",
            "description": "MQTT 5, QoS 1. Only additions within v1.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "event": _channel("event", "Never retained.", [*classes, "batch"]),
            "state": _channel("state", "Retained; also the last will's.", ["state"]),
            "health": _channel("health", "Retained.", ["health"]),
            "replay": _channel("cmd/replay", "Not retained.", ["wish.replay"]),
            "answer": _channel(
                "",
                "The question's response topic; with its correlation data.",
                ["wish.answer"],
                address=_ANSWER,
            ),
            "cursor": _channel("", "Retained.", ["wish.cursor"], address=_CURSOR),
        },
        "operations": {
            "publishEvents": _operation("event", "What happened at the gate, at least once, in order."),
            "publishState": _operation("state", "Birth, goodbye, last will."),
            "publishHealth": _operation(
                "health", "How the gate fares, every few minutes and after a change."
            ),
            "answerReplay": _operation(
                "answer", "What became of a replay, where the question names a topic."
            ),
            "takeCursor": _operation("cursor", "The district has stored events for good.", action="receive"),
            "takeReplay": _operation("replay", "The district asks for events again.", action="receive"),
        },
        "components": {"messages": messages},
    }


def _message(name: str, content_type: str) -> Schema:
    return {"name": name, "contentType": content_type, "payload": _reference(name)}


def _reference(name: str) -> Schema:
    return {"$ref": f"./{name}.schema.json"}


def _channel(name: str, description: str, messages: list[str], *, address: str = "") -> Schema:
    address = address or f"gate/v1/{{tenant}}/{{site}}/{{gate}}/{name}"
    named = {key: text for key, text in _PARAMETERS.items() if f"{{{key}}}" in address}
    return {
        "address": address,
        "description": description,
        "parameters": {key: {"description": text} for key, text in named.items()},
        "messages": {word: {"$ref": f"#/components/messages/{word}"} for word in messages},
    }


def _operation(channel: str, summary: str, *, action: str = "send") -> Schema:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "bindings": {"mqtt": {"qos": 1, "retain": channel in {"state", "health", "cursor"}}},
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
