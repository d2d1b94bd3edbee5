"""A value is typed by the setting it stands for, never by YAML's guess."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.config.loader import load_text
from device.config.model import Settings
from device.config.scalars import BYTES, days_of, written
from device.errors import ConfigError
from device.model import Direction
from device.policy.rules import UntrustedClock

BASE = "gate: {tenant: a, site: b, name: c}\nuplink: {host: h}\n"


def loaded(more: str = "", base: str = BASE) -> Settings:
    return load_text(base + more, base_dir=Path("/etc/gate-scanner"))


def refusal(more: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(more)
    return str(caught.value)


@pytest.mark.parametrize("name", ["no", "010", "1e3", "0x10", "true", "2026-01-01", "22", "off", "y", "1-2"])
def test_a_name_stays_what_is_written(name: str) -> None:
    settings = loaded(
        base=f"gate: {{tenant: {name}, site: '{name}', name: \"{name}\"}}\nuplink: {{host: h}}\n"
    )
    assert settings.gate.tenant == settings.gate.site == settings.gate.name == name


@pytest.mark.parametrize(("text", "pin"), [("010", 10), ("17", 17), ("'4'", 4), ("+5", 5), ("0", 0)])
def test_a_pin_is_decimal(text: str, pin: int) -> None:
    relay = loaded(f"panel: {{relay: {{pin: {text}}}}}").panel.relay
    assert relay is not None
    assert relay.pin == pin


@pytest.mark.parametrize(
    "text", ["1e1", "0x10", "0b1", "1_0", "1.0", "10:10", "\u0661\u0662", "10 10", "1" * 5000]
)
def test_a_pin_is_nothing_else(text: str) -> None:
    assert "is not a BCM pin number" in refusal(f"panel: {{relay: {{pin: {text}}}}}") or len(text) > 1000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("Yes", True),
        ("on", True),
        ("'true'", True),
        ("false", False),
        ("NO", False),
        ("off", False),
    ],
)
def test_true_and_false_have_their_usual_names(text: str, value: bool) -> None:  # noqa: FBT001 - the value tested
    relay = loaded(f"panel: {{relay: {{pin: 4, active_high: {text}}}}}").panel.relay
    assert relay is not None
    assert relay.active_high is value


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", ".5", "5.", "1e1", "1,5", "0x1p3", "1.5.2"])
def test_a_number_of_seconds_has_digits_and_a_point(text: str) -> None:
    assert "is not a number of seconds" in refusal(f"camera: {{stall_s: '{text}'}}")


def test_hours_are_times_of_day() -> None:
    (hours,) = loaded("policy: {hours: [{days: [fri-mon, wed], from: 6:30, to: 24:00}]}").policy.hours
    assert (hours.opens, hours.closes) == (time(6, 30), time(0))
    assert hours.weekdays == {4, 5, 6, 0, 2}


def test_hours_are_every_day_unless_days_are_named() -> None:
    (hours,) = loaded("policy: {hours: [{from: 00:00, to: 24:00}]}").policy.hours
    assert hours.weekdays == set(range(7))


@pytest.mark.parametrize(
    ("text", "size"), [("2097152", 2**21), ("2 MiB", 2**21), ("2048KiB", 2**21), ("'1 GiB'", 2**30)]
)
def test_a_size_may_have_a_unit(text: str, size: int) -> None:
    assert loaded(f"journal: {{max_bytes: {text}}}").journal.max_bytes == size


def test_a_file_is_relative_to_the_folder_of_the_configuration() -> None:
    settings = loaded("policy: {deny_list: lists/deny.txt, allow_list: /srv/allow.txt}")
    assert settings.policy.deny_list == Path("/etc/gate-scanner/lists/deny.txt")
    assert settings.policy.allow_list == Path("/srv/allow.txt")


def test_words_become_the_types_other_rooms_take() -> None:
    settings = loaded(
        "policy: {untrusted_clock: refuse}",
        base="gate: {tenant: a, site: b, name: c, direction: out}\nuplink: {enabled: no}\n",
    )
    assert settings.gate.direction is Direction.OUT
    assert settings.policy.untrusted_clock is UntrustedClock.REFUSE


def test_poster_hosts_are_compared_in_small_letters() -> None:
    assert loaded("credentials: {poster_hosts: [QR.Example.VN]}").credentials.poster_hosts == (
        "qr.example.vn",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "'::1'", "fe80::1", "mqtt", "a.b-c.example", "A" * 63 + ".vn"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert loaded(base=f"gate: {{tenant: a, site: b, name: c}}\nuplink:\n  host: {host}\n").uplink.host


@pytest.mark.parametrize("host", ["-a", "a-", "a..b", "a b", "1.2.3.4:1883", "a" * 64, "a/b", "\u0430.vn"])
def test_a_host_is_nothing_else(host: str) -> None:
    assert "is not a host name" in refusal(f"credentials: {{poster_hosts: ['{host}']}}")


@pytest.mark.parametrize("zone", ["Asia", "../etc/passwd", "/etc/localtime", "a" * 500, "Asia/", "posix"])
def test_a_time_zone_is_looked_up_without_harm(zone: str) -> None:
    text = f"gate: {{tenant: a, site: b, name: c, timezone: '{zone}'}}\nuplink: {{host: h}}\n"
    with pytest.raises(ConfigError, match="is not a time zone"):
        loaded(base=text)


def test_an_empty_section_has_its_defaults() -> None:
    assert loaded("camera:\npanel: ~\njournal: {}\n") == loaded()


def test_a_section_that_says_something_by_being_there_is_not_switched_on_by_accident() -> None:
    with pytest.raises(ConfigError, match=r"write tls: \{\}"):
        loaded(base="gate: {tenant: a, site: b, name: c}\nuplink:\n  host: h\n  tls:\n")
    assert loaded(base="gate: {tenant: a, site: b, name: c}\nuplink:\n  host: h\n  tls: {}\n").uplink.tls


def test_the_client_id_is_made_from_the_gate() -> None:
    assert loaded().client_id == "gate-a-b-c"
    own = "gate: {tenant: a, site: b, name: c}\nuplink: {host: h, client_id: box-7}\n"
    assert loaded(base=own).client_id == "box-7"


def test_windows_line_ends_and_a_byte_order_mark_are_no_mistake() -> None:
    assert loaded(base="\ufeff" + BASE.replace("\n", "\r\n")) == loaded()


@given(st.integers(0, 2**40))
def test_a_size_is_written_so_that_it_reads_the_same(size: int) -> None:
    number, _, unit = written(size, BYTES).partition(" ")
    assert int(number) * {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit] == size


@given(st.floats(0, 1e6))
def test_a_number_is_written_with_digits_and_a_point_only(value: float) -> None:
    text = written(value)
    assert set(text) <= set("0123456789.")
    assert float(text) == value


@given(st.sampled_from(["mon", "sun", "mon-sun", "sat-mon", "fri-fri"]))
def test_a_span_of_days_begins_and_ends_with_its_days(span: str) -> None:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    first, _, last = span.partition("-")
    assert {names.index(first), names.index(last or first)} <= days_of(span) <= set(range(7))
