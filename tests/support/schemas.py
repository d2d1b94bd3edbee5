"""The part of JSON Schema that the project's own schemas use, checked by forty lines instead of a library."""

from __future__ import annotations

import re
from typing import Any

_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
_NOTES = frozenset({"$schema", "title", "description"})
_CHECKED = frozenset(
    {"type", "properties", "required", "pattern", "const", "enum", "anyOf", "items", "minimum"}
)


def problems(schema: dict[str, Any], value: object, at: str = "$") -> list[str]:
    """What is wrong with a value, each with its place; empty when it fits.

    Raises:
        ValueError: the schema uses something that is not checked here.
    """
    if unknown := set(schema) - _NOTES - _CHECKED:
        raise ValueError(f"{at}: not checked here: {sorted(unknown)}")
    if "anyOf" in schema:
        fits = any(not problems(inner, value, at) for inner in schema["anyOf"])
        return [] if fits else [f"{at}: {value!r} fits none"]
    words = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if words is not None and value not in words:
        return [f"{at}: {value!r} is not among {words}"]
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (kind == "integer" and isinstance(value, bool))):
        return [f"{at}: {value!r} is no {kind}"]
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        return [f"{at}: {value!r} does not match {schema['pattern']}"]
    if "minimum" in schema and isinstance(value, int) and value < schema["minimum"]:
        return [f"{at}: {value} is below {schema['minimum']}"]
    return [*_in_object(schema, value, at), *_in_array(schema, value, at)]


def _in_object(schema: dict[str, Any], value: object, at: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    found = [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
    for name, inner in schema.get("properties", {}).items():
        if name in value:
            found += problems(inner, value[name], f"{at}.{name}")
    return found


def _in_array(schema: dict[str, Any], value: object, at: str) -> list[str]:
    if not isinstance(value, list) or "items" not in schema:
        return []
    return [p for n, item in enumerate(value) for p in problems(schema["items"], item, f"{at}[{n}]")]
