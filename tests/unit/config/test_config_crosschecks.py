"""Contradictions and things probably not meant: what is said, and what is not said where it would mislead."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.config.loader import MAX_PROBLEMS, load_all, load_text
from device.errors import ConfigError, Problem

GATE = "gate: {tenant: a, site: b, name: c}\n"
BASE = f"{GATE}uplink: {{host: 127.0.0.1, port: 1883}}\n"


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_text(text, base_dir=Path())
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def notes_of(folder: Path, text: str) -> list[Problem]:
    file = folder / "gate.yaml"
    file.write_text(text, encoding="utf-8")
    return list(load_all(file, check_files=False).notes)


# -- contradictions -------------------------------------------------------------------------------


def test_the_first_line_in_the_file_keeps_its_pin() -> None:
    text = BASE + "panel:\n  relay: {pin: 4}\n  lights:\n    red: {pin: 4}\n  buzzer: {pin: 4}\n"
    assert problems_of(text) == [
        "panel.lights.red.pin: pin 4 is already used by panel.relay (line 4)",
        "panel.buzzer.pin: pin 4 is already used by panel.relay (line 4)",
    ]


def test_a_value_with_something_wrong_in_it_contradicts_nothing() -> None:
    assert problems_of(GATE + "uplink: {host: h, backoff_min_s: 60, backoff_max_s: soon}") == [
        "uplink.backoff_max_s: 'soon' is not a number of seconds from 1 to 3600"
    ]
    assert problems_of(BASE + "camera: {source: replay, replay: {path: ~/pictures}}") == [
        "camera.replay.path: '~/pictures' is not the path of a folder of pictures or of a video"
    ]
    assert problems_of(GATE + "uplink: {host: h, tls: {cert_file: a.pem, key_file: []}}") == [
        "uplink.tls.key_file: a list stands here; allowed is the path of a file"
    ]


def test_an_empty_section_hides_nothing_beside_it() -> None:
    text = BASE + "camera:\npanel:\n  lights:\n  relay: {pin: 4}\n  buzzer: {pin: 4}\n"
    assert problems_of(text) == ["panel.buzzer.pin: pin 4 is already used by panel.relay (line 6)"]


def test_nothing_is_missing_that_stands_there_under_a_wrong_name() -> None:
    assert problems_of(GATE + "uplink: {server: h}") == ["uplink.server: uplink has no setting named server"]
    assert problems_of(GATE + "uplink: {host: 'a b'}") == [
        "uplink.host: 'a b' is not a host name or an IP address"
    ]


def test_an_entry_is_checked_beside_a_wrong_one() -> None:
    hours = "policy: {hours: [{from: late, to: 17:00}, {from: 08:00, to: 08:00}]}"
    assert [line.split(":")[0] for line in problems_of(BASE + hours)] == [
        "policy.hours[1].from",
        "policy.hours[2].to",
    ]


def test_no_broker_is_needed_while_the_uplink_is_off() -> None:
    assert load_text(GATE + "uplink: {enabled: no}", base_dir=Path()).uplink.host is None
    assert problems_of(GATE) == ["uplink.host: the broker is missing"]


def test_a_shorter_longest_wait_than_the_default_shortest_is_told_where_it_is_written() -> None:
    text = GATE + "uplink:\n  host: h\n  backoff_min_s: 60\n  backoff_max_s: 59\n"
    assert problems_of(text) == ["uplink.backoff_min_s: backoff_min_s is 60 and backoff_max_s is 59"]


def test_a_hundred_problems_are_enough() -> None:
    for line in ("setting_{}: x\n", "uplink: {{host: h{}}}\n", "a{}: *b\n"):
        lines = problems_of(BASE + "".join(line.format(number) for number in range(5000)))
        assert len(lines) <= MAX_PROBLEMS + 1


# -- notes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("panel: {driver: mock, relay: {pin: 24}}", "panel.driver"),
        ("camera: {source: v4l2}", "panel"),
        ("panel: {relay: {pin: 4}}", "panel.relay.pin"),
        ("panel: {relay: {pin: 24, active_high: false}}", "panel.relay.pin"),
        ("panel: {relay: {pin: 24}}\njournal: {when_unavailable: admit}", "journal.when_unavailable"),
    ],
)
def test_what_is_probably_not_meant_is_noted_and_works(tmp_path: Path, more: str, path: str) -> None:
    (note,) = notes_of(tmp_path, f"{BASE}{more}\n")
    assert note.path == path


def test_a_relay_on_a_pin_that_rests_where_the_relay_does_needs_no_note(tmp_path: Path) -> None:
    assert not notes_of(tmp_path, BASE + "panel: {relay: {pin: 24}}")
    assert not notes_of(tmp_path, BASE + "panel: {relay: {pin: 5, active_high: false}}")


def test_the_note_about_a_relay_says_what_to_write_where(tmp_path: Path) -> None:
    (note,) = notes_of(tmp_path, BASE + "panel: {relay: {pin: 24, active_high: false}}")
    assert note.hint == "use a pin of 2 to 8, or put gpio=24=op,dh into /boot/firmware/config.txt"


@pytest.mark.parametrize(
    ("uplink", "messages"),
    [
        ("host: localhost\n  port: 1883", []),
        ("host: broker.example\n  tls: {}", []),
        ("enabled: no\n  host: broker.example", []),
        ("host: broker.example\n  port: 1883", ["without tls, events travel readable by anybody"]),
        ("host: 127.0.0.1", ["8883 is the usual port with TLS"]),
        ("host: broker.example\n  tls: {}\n  port: 1883", ["1883 is the usual port without TLS"]),
        (
            "host: broker.example\n  port: 1883\n  username: u\n  password_file: p",
            ["without tls, events and the password travel readable by anybody"],
        ),
    ],
)
def test_an_open_connection_is_noted(tmp_path: Path, uplink: str, messages: list[str]) -> None:
    text = f"{GATE}panel: {{relay: {{pin: 24}}}}\nuplink:\n  {uplink}\n"
    assert [note.message for note in notes_of(tmp_path, text)] == messages


def test_places_tell_where_a_setting_stands(tmp_path: Path) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text(f"{BASE}policy:\n  hours:\n    - from: 07:00\n      to: 17:00\n", encoding="utf-8")
    places = load_all(file, check_files=False).places
    assert places["policy.hours"] == f"{file}:4:3"
    assert places["policy.hours[1].to"] == f"{file}:6:7"
    assert "policy.accept" not in places


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_passing_the_same_way_twice_needs_a_direction(mode: str) -> None:
    text = f"{BASE}policy: {{passback: {{mode: {mode}}}}}\n"
    assert problems_of(text) == [
        "policy.passback.mode: at a gate for both directions nobody passes the same way twice"
    ]
    settings = load_text(text.replace("name: c", "name: c, direction: in"), base_dir=Path())
    assert settings.policy.passback.mode == mode
    load_text(text.replace(mode, "off"), base_dir=Path())
