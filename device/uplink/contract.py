"""The wire contract as documents: JSON Schemas and AsyncAPI for programs, tables for people.

`python -m device.uplink.contract --write` puts them where they belong in the source tree, the tables into
`docs/reference/events.md`; a test checks that they are current.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from device.uplink.asyncapi import asyncapi, yaml
from device.uplink.schemas import (
    Schema,
    answer_schema,
    data_schema,
    envelope_schema,
    event_classes,
    health_schema,
    state_schema,
    wish_schemas,
)

FOLDER: Final = "docs/reference"
PROSE: Final = f"{FOLDER}/events.md"
_BEGIN: Final = "<!-- fields: made from the code by `make docs` -->"
_END: Final = "<!-- end of fields -->"


# -- for people -----------------------------------------------------------------------------------


def tables() -> str:
    """The fields of every event and of the state, as Markdown."""
    parts = [
        f"### `data` of `{word}`\n\n{_table(data_schema(kind))}" for word, kind in event_classes().items()
    ]
    others = {"state": state_schema(), "health": health_schema(), "wish.answer": answer_schema()}
    parts += [f"### `{name}`\n\n{_table(schema)}" for name, schema in others.items()]
    parts += [f"### `{name}`\n\n{_table(schema)}" for name, schema in wish_schemas().items()]
    return "\n".join(parts)


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
        if "properties" in inner.get("items", ()):
            rows += _rows(inner["items"], f"{path}[].")
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
    schemas |= {"state": state_schema(), "health": health_schema(), "wish.answer": answer_schema()}
    schemas |= wish_schemas()
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
