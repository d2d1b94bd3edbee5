"""Files with the mistakes technicians make, each beside the answer it must get, word for word.

`broken/NAME.yaml` is the file, `broken/NAME.expected` what `gate-scanner check` prints. An answer is judged
as text: it says what was found, what is allowed, what was probably meant, and where.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from device.config.loader import load
from device.config.report import format_problems
from device.errors import ConfigError, Problem

BROKEN = Path(__file__).parent / "broken"
NAMES = sorted(path.stem for path in BROKEN.glob("*.yaml"))

# What a program says about itself and not about the file.
JARGON = re.compile(r"pydantic|yaml\.|scalar|mapping|sequence|token|\bNone\b|\bTrue\b|\bstr\b|\bint\b|Gap\(")


def problems_of(name: str) -> tuple[Problem, ...]:
    file = BROKEN / f"{name}.yaml"
    with pytest.raises(ConfigError) as caught:
        load(file, check_files=False)
    return tuple(replace(problem, file=file.name) for problem in caught.value.problems)


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_the_expected_one(name: str) -> None:
    expected = (BROKEN / f"{name}.expected").read_text(encoding="utf-8")
    assert format_problems(problems_of(name), as_json=False) + "\n" == expected


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_is_in_the_order_of_the_file_and_in_words_for_people(name: str) -> None:
    problems = problems_of(name)
    places = [(problem.line, problem.column) for problem in problems]
    assert places == sorted(places)
    for problem in problems:
        assert problem.message
        assert str(problem).isprintable()
        assert not JARGON.search(problem.message + problem.hint), problem


@pytest.mark.parametrize("name", NAMES)
def test_a_place_lies_within_the_file(name: str) -> None:
    lines = (BROKEN / f"{name}.yaml").read_bytes().splitlines()
    for problem in problems_of(name):
        assert 0 <= problem.line <= len(lines) + 1
        assert (problem.line == 0) == (problem.column == 0)


def test_there_are_many_mistakes_and_no_answer_without_its_mistake() -> None:
    assert len(NAMES) > 60
    assert sorted(path.stem for path in BROKEN.glob("*.expected")) == NAMES


def test_no_secret_is_repeated() -> None:
    for name in NAMES:
        text = format_problems(problems_of(name), as_json=True)
        for secret in ("hunter2", "s3cret", "5f4dcc3b"):
            assert secret not in text, name


def test_a_missing_setting_that_is_only_misspelt_is_not_called_missing() -> None:
    assert not [p for p in problems_of("name_of_a_setting_misspelt") if "missing" in p.message]
    assert not [p for p in problems_of("name_of_a_section_misspelt") if "missing" in p.message]
    assert not [p for p in problems_of("names_from_other_programs") if "missing" in p.message]


def test_contradictions_are_found_beside_other_mistakes() -> None:
    """A file with a misspelt name, numbers that are none and a pin used twice is answered in one go."""
    paths = {problem.path for problem in problems_of("many_mistakes_at_once")}
    assert {"gate.tennant", "panel.relay.pin", "panel.relay.pulse_s", "policy.hours[2].to"} <= paths


def test_a_file_that_cannot_be_read_has_no_place() -> None:
    for file, message in (
        (BROKEN / "no_such_file.yaml", "there is no such file"),
        (BROKEN, "this is a folder, not a file"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(file)
        assert [str(problem) for problem in caught.value.problems] == [f"{file}: {message}"]


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="larger than 128 KiB"):
        load(Path("/dev/zero"))
