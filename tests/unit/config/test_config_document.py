"""The door to YAML: what it takes, what it refuses, and that nothing grows beyond what was written."""

from __future__ import annotations

import pytest

from device.config.document import MAX_CHARS, MAX_DEPTH, MAX_VALUES, parse
from device.config.nodes import EMPTY, Place, Spot, path_of, short
from device.config.source import MAX_BYTES, clean, text_of
from device.errors import ConfigError


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(clean(text, "gate.yaml"), "gate.yaml")
    return str(caught.value)


def test_every_name_and_value_has_its_place() -> None:
    document, problems = parse("gate:\n  name: north\n  days: [a,\n    b]\n", "gate.yaml")
    assert not problems
    assert document.settings == {"gate": {"name": "north", "days": ["a", "b"]}}
    assert document.spots["gate",] == Spot(Place(2, 3), Place(1, 1))
    assert document.spots["gate", "name"] == Spot(Place(2, 9), Place(2, 3))
    assert document.spots["gate", "days", 1] == Spot(Place(4, 5), None)


def test_what_is_not_written_stands_where_the_nearest_thing_around_it_does() -> None:
    document, _ = parse("gate:\n  name: north\n", "gate.yaml")
    assert document.of_key(("gate", "site")) == Place(1, 1)
    assert document.of_value(("gate", "site", 3)) == Place(1, 1)
    assert document.of_value(("gate", "name")) == Place(2, 9)
    assert document.of_value(("panel", "relay")) == Place(0, 0)
    assert document.written(("gate", "site")) is EMPTY


def test_scalars_stay_text_and_nothing_is_a_gap() -> None:
    document, _ = parse("a: 010\nb: no\nc: 22:30\nd: ~\ne:\nf: null\ng: 'null'\nh: ''\n", "gate.yaml")
    text = {"a": "010", "b": "no", "c": "22:30", "g": "null", "h": ""}
    assert document.settings == text | dict.fromkeys("def", EMPTY)


def test_of_two_settings_with_one_name_the_first_counts_and_the_second_is_named() -> None:
    document, problems = parse("a: {x: 1, x: 4}\nb: 2\na: {x: 3}\n", "gate.yaml")
    assert document.settings == {"a": {"x": "1"}, "b": "2"}
    assert [(p.line, p.column, p.path) for p in problems] == [(1, 11, "a.x"), (3, 1, "a")]
    assert "line 1" in problems[1].message


def test_list_entries_are_counted_from_one_for_people() -> None:
    assert path_of(("policy", "hours", 0, "days", 6)) == "policy.hours[1].days[7]"


def test_a_repeated_text_is_short_printable_and_without_login() -> None:
    assert short("mqtt://user:pass@host") == "mqtt://...@host"
    assert short("a\x1b[2J\u202e") == "a\\x1b[2J\\u202e"
    assert len(short("x" * 1000)) == 40


DEEP = [
    "gate: " + "[" * 20_000,
    "{a: " * 20_000,
    "- " * 20_000,
    "".join(f"{' ' * n}a:\n" for n in range(400)),
]


@pytest.mark.parametrize("text", DEEP, ids=["lists", "braces", "hyphens", "indentation"])
def test_depth_is_bounded(text: str) -> None:
    assert f"more than {MAX_DEPTH} levels" in refusal(text)


def test_the_number_of_values_is_bounded() -> None:
    assert f"more than {MAX_VALUES} values" in refusal("".join(f"a{n}: b\n" for n in range(MAX_VALUES + 1)))


def test_the_length_of_a_value_is_bounded() -> None:
    document, (problem,) = parse(f"a: {'x' * (MAX_CHARS + 1)}\n", "gate.yaml")
    assert problem.message == f"this value has {MAX_CHARS + 1} characters"
    assert set(document.settings) == {"a"}


def test_references_multiply_nothing() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 50)}]" for n in range(1, 60)]
    _, problems = parse("\n".join(lines), "gate.yaml")
    assert len(problems) == 10


@pytest.mark.parametrize(
    "text", ['a: "\\UFFFFFFFF"', "%YAML 1." + "9" * 5000 + "\n---\na: b", 'a: "\\ud800"']
)
def test_what_trips_the_parser_itself_is_an_answer_too(text: str) -> None:
    try:
        _, problems = parse(text, "gate.yaml")
    except ConfigError as error:
        problems = error.problems
    assert problems


def test_a_python_object_is_never_made() -> None:
    document, problems = parse('a: !!python/object/apply:os.system ["exit 1"]\n', "gate.yaml")
    assert "types with !" in problems[0].message
    assert "exit" not in str(document.settings)


@pytest.mark.parametrize(
    "text", ["a: b\u2028c: d", "a: b\x85c: d", "a: \x00", "a: \x1b[2J", "a: \x7f", "# \ufeff", "a: \ud800"]
)
def test_characters_that_change_lines_or_screens_are_refused_even_in_comments(text: str) -> None:
    assert "cannot be seen" in refusal(text)


def test_hard_spaces_in_comments_are_no_mistake() -> None:
    document, problems = parse(clean("#\u00a0\u200d hello\na: b # \u00a0\n", "gate.yaml"), "gate.yaml")
    assert (document.settings, problems) == ({"a": "b"}, ())


def test_a_file_larger_than_any_person_writes_is_refused() -> None:
    with pytest.raises(ConfigError, match="larger than"):
        text_of(b"#" * (MAX_BYTES + 1), "gate.yaml")


def test_the_place_of_a_wrong_byte_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        text_of("a: b\nc: Đà ".encode() + b"\xff", "gate.yaml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 7)
