"""What is made from the model is current, and agrees with the loader."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from device.config.effective import show
from device.config.loader import load, load_all, load_text
from device.config.model import Settings
from device.config.schema import generated, json_schema, main, reference
from device.config.shape import settings_of

ROOT = Path(__file__).parents[3]
SAMPLES = sorted((ROOT / "config").glob("*.yaml"))
BROKEN = Path(__file__).parent / "broken"


NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


def as_an_editor_sees_it(node: yaml.Node | None) -> object:
    """Values typed as YAML 1.2 has it, which editors follow: no dates, no times, no `yes` and `no`."""
    match node:
        case yaml.MappingNode():
            return {key.value: as_an_editor_sees_it(value) for key, value in node.value}
        case yaml.SequenceNode():
            return [as_an_editor_sees_it(entry) for entry in node.value]
        case yaml.ScalarNode(style=None, value=text) if text in WORDS:
            return WORDS[text]
        case yaml.ScalarNode(style=None, value=text) if NUMBER.fullmatch(text):
            return float(text) if "." in text else int(text)
        case yaml.ScalarNode(value=text):
            return text
        case _:
            raise AssertionError


@pytest.mark.parametrize("name", sorted(generated()))
def test_generated_files_are_current(name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == generated()[name], "the model has changed: run `make docs`"


def test_they_are_written_by_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert main(["--write"]) == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")} == set(generated())


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_valid_for_the_loader_and_for_editors(sample: Path) -> None:
    loaded = load_all(sample, check_files=False)
    assert not loaded.notes
    text = sample.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=gate.schema.json\n")
    jsonschema.validate(as_an_editor_sees_it(yaml.compose(text)), json_schema())


def test_there_are_three_samples() -> None:
    assert [path.name for path in SAMPLES] == ["checkpoint.yaml", "demo.yaml", "door.yaml"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_what_is_in_force_can_be_used_as_a_file(sample: Path) -> None:
    settings = load(sample, check_files=False)
    assert load_text(show(settings), base_dir=Path("/elsewhere")) == settings


def test_a_sample_names_its_secrets_by_file_and_no_machine() -> None:
    for sample in SAMPLES:
        settings = load(sample, check_files=False)
        assert "password:" not in show(settings)
        assert settings.uplink.host in {"127.0.0.1", "mqtt.phu-vang.example"}


@pytest.mark.parametrize(
    "name",
    [
        *("name_of_a_setting_misspelt", "numbers_out_of_range", "word_that_is_no_choice", "pin_with_letters"),
        *("gate_missing", "value_for_a_whole_section", "section_for_a_value", "hours_written_otherwise"),
        *(
            "identifiers_with_accents_and_capitals",
            "units_written_out",
            "active_low",
            "days_written_otherwise",
        ),
    ],
)
def test_an_editor_sees_the_same_mistakes_while_they_are_made(name: str) -> None:
    text = (BROKEN / f"{name}.yaml").read_text(encoding="utf-8")
    content = as_an_editor_sees_it(yaml.compose(text))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json_schema())


def test_every_setting_has_a_meaning_a_schema_and_a_line_in_the_reference() -> None:
    text, schema = reference(), json.dumps(json_schema())
    sections = [Settings]
    while sections:
        section = sections.pop()
        assert section.__doc__
        for setting in settings_of(section).values():
            below = (setting.shape.item or setting.shape).section
            if below is not None:
                sections.append(below)  # type: ignore[arg-type]
            assert setting.field.description or section is Settings
            assert f"`{setting.name}`" in text
            assert f'"{setting.name}"' in schema


def test_a_number_that_may_be_left_out_has_its_limits_too() -> None:
    parts = json_schema()["$defs"]
    gain, capacity = parts["Picamera2"]["properties"]["gain"], parts["Policy"]["properties"]["capacity"]
    assert (gain["minimum"], gain["maximum"]) == (1, 64)
    assert (capacity["minimum"], capacity["maximum"]) == (1, 10_000)
    assert not re.search(r'"(ge|le|gt|lt)":', json.dumps(json_schema()))


def test_a_default_is_allowed() -> None:
    settings = load_text("gate: {tenant: a, site: b, name: c}\nuplink: {enabled: no}", base_dir=Path())
    assert load_text(show(settings), base_dir=Path()) == settings
    assert "pulse_s" not in show(settings)
