"""From a few answers to a commented configuration file. Pure: who asks, and where it goes, is the caller's.

Answers are what a person typed, by dotted path. They are judged by the same model as a file, with the same
words and hints, and only what was answered is written: everything else keeps its default.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from device.config.effective import as_yaml
from device.config.loader import load_text
from device.config.model import Settings
from device.config.questions import PLAIN_PORT
from device.config.shape import settings_of
from device.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from device.config.model import Section

COMMENT_WIDTH: Final = 100
"""Columns: fits beside a second window on a laptop."""

_HEAD: Final = """\
# yaml-language-server: $schema={schema}
#
# After every change, on the gate:
#     gate-scanner check {file}
#     sudo systemctl reload gate-scanner
# What is left out has its default. `gate-scanner config show` prints everything that is in force, and
# docs/reference/configuration.md explains every setting there is.
"""

_STANDARD_WIRING: Final[Mapping[str, str]] = {
    "panel.lights.green.pin": "17",
    "panel.lights.yellow.pin": "27",
    "panel.lights.red.pin": "22",
    "panel.lights.blue.pin": "23",
    "panel.buzzer.pin": "18",
}
"""As in the wiring picture and the samples."""

_UNASKED: Final[Mapping[str, str]] = {"gate.tenant": "a", "gate.site": "b", "gate.name": "c"}
"""Stand for required settings while an earlier answer is judged."""


_WIRED_ALIKE: Final = frozenset(_STANDARD_WIRING) - {"panel.lights.green.pin"}
"""Pins beside another one's explanation."""

_FLAGS: Final[Mapping[str, str]] = {"yes": "true", "no": "false", "true": "true", "false": "false"}


def complaint(path: str, answers: Mapping[str, str], *, folder: Path) -> str:
    """What is wrong with an answer, with what was probably meant; empty when it may stay.

    Args:
        path: of the answer in question.
        answers: given so far, this one included.
        folder: the file will stand in.
    """
    try:
        load_text(text_of({**_UNASKED, **answers}, file=folder / "gate.yaml"), base_dir=folder)
    except ConfigError as error:
        for problem in error.problems:
            if problem.path == path:
                return f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    return ""


def text_of(answers: Mapping[str, str], *, file: Path, schema: str = "gate.schema.json") -> str:
    """The configuration file that says this and nothing else.

    Args:
        answers: by dotted path; an empty one leaves its setting out.
        file: where it will stand, for the comments.
        schema: where editors find the schema.
    """
    given = {path: text for path, text in {**_STANDARD_WIRING, **answers}.items() if text}
    if "uplink.host" not in given:
        given["uplink.enabled"] = "false"
    elif given.get("uplink.port") != PLAIN_PORT and "uplink.tls.ca_file" not in given:
        given["uplink.tls"] = ""  # what the operating system trusts
    return "\n".join((_HEAD.format(file=file, schema=schema), *_lines(Settings, given, "", "")))


def _lines(section: type[Section], given: Mapping[str, str], path: str, indent: str) -> Iterator[str]:
    for name, setting in settings_of(section).items():
        here, below = f"{path}{name}", setting.shape.section
        if below is not None and any(p == here or p.startswith(f"{here}.") for p in given):
            inner = list(_lines(below, given, f"{here}.", f"{indent}  "))
            yield from _comment(setting.field.description or _first_line(below), indent)
            yield f"{indent}{name}:{'' if inner else ' {}'}"
            yield from inner
            if not indent:
                yield ""
        elif here in given:
            if here not in _WIRED_ALIKE:
                yield from _comment(setting.field.description or "", indent)
            yield f"{indent}{name}: {_value(given[here], setting.field.annotation)}"


def _first_line(section: type[Section]) -> str:
    return (section.__doc__ or "").partition("\n")[0]


def _value(text: str, kind: object) -> str:
    """As editors want it, who take a number in quotation marks for a text."""
    if kind is bool:
        text = _FLAGS.get(text.lower(), text)
    plain = (kind is bool and text in _FLAGS.values()) or (kind is int and text.isdecimal())
    return text if plain else as_yaml(text)


def _comment(text: str, indent: str) -> list[str]:
    start = f"{indent}# "
    return textwrap.wrap(text, COMMENT_WIDTH, initial_indent=start, subsequent_indent=start)
