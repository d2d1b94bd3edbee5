"""What `check` prints, for people and for programs."""

from __future__ import annotations

import json

from device.config.report import format_problems
from device.errors import Problem

PLACED = Problem("gate.yaml", 12, 5, "panel.relay.pin", "pin 17 is already used", "take another")
WITHOUT_PLACE = Problem("gate.yaml", 0, 0, "", "the file is empty")


def test_a_problem_is_one_line_with_its_place_first() -> None:
    assert format_problems([PLACED, WITHOUT_PLACE], as_json=False).splitlines() == [
        "gate.yaml:12:5: panel.relay.pin: pin 17 is already used (take another)",
        "gate.yaml: the file is empty",
    ]


def test_a_program_gets_the_parts() -> None:
    assert json.loads(format_problems([PLACED, WITHOUT_PLACE], as_json=True)) == [
        {
            "file": "gate.yaml",
            "line": 12,
            "column": 5,
            "path": "panel.relay.pin",
            "message": "pin 17 is already used",
            "hint": "take another",
        },
        {"file": "gate.yaml", "line": 0, "column": 0, "path": "", "message": "the file is empty", "hint": ""},
    ]
    assert json.loads(format_problems([], as_json=True)) == []
