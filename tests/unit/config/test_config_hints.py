"""What was probably meant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.config import hints, number_hints
from device.config.loader import load_text
from device.config.model import Section, Settings
from device.config.scalars import Told
from device.config.shape import Shape, settings_of, shape_at
from device.errors import ConfigError, Problem


@pytest.mark.parametrize(
    ("hint", "found", "advice"),
    [
        (number_hints.seconds, "500ms", "the unit is seconds: write 0.5"),
        (number_hints.seconds, "1,5", "write 1.5"),
        (number_hints.seconds, "2 phút", "the unit is seconds: write 120"),
        (number_hints.seconds, "1e-3", "write 0.001"),
        (number_hints.seconds, "soon", ""),
        (number_hints.seconds, "5 furlongs", ""),
        (number_hints.milliseconds, "1.5 s", "the unit is milliseconds: write 1500"),
        (number_hints.milliseconds, "0.3ms", "it takes no decimals: write 0"),
        (number_hints.microseconds, "1/200", "the unit is microseconds: write 5000"),
        (number_hints.microseconds, "1/0", ""),
        (number_hints.microseconds, "5ms", "the unit is microseconds: write 5000"),
        (number_hints.whole, "1.000", "write 1000"),
        (number_hints.whole, "1 000 000", "write 1000000"),
        (number_hints.whole, "0x1F", "write 31"),
        (number_hints.whole, "30.0", "write 30"),
        (number_hints.number, "1.000", "write 1"),
        (number_hints.number, "0,125", "write 0.125"),
        (number_hints.days, "2 weeks", "the unit is days: write 14"),
        (number_hints.size, "512 mb", "write 512 MiB"),
        (number_hints.size, "1.5G", "write 1536 MiB"),
        (number_hints.size, "0.3K", ""),
        (number_hints.pin, "gpio 4", "write 4"),
        (number_hints.pin, "GPIO28", ""),
        (number_hints.pin, "28", "counted along the header, place 28 is BCM pin 1"),
        (number_hints.pin, "34", "counted along the header, place 34 is ground"),
        (hints.clock_time, "7h", "write 07:00"),
        (hints.clock_time, "19h30", "write 19:30"),
        (hints.clock_time, "7:30 PM", "write 19:30"),
        (hints.clock_time, "12 am", "write 00:00"),
        (hints.clock_time, "12 pm", "write 12:00"),
        (hints.clock_time, "25:00", ""),
        (hints.clock_time, "730", "write 07:30"),
        (hints.day, "Thứ Hai", "write mon"),
        (hints.day, "T2-T6", "write mon-fri"),
        (hints.day, "monday to friday", "write mon-fri"),
        (hints.day, "mon–fri", "write mon-fri"),  # noqa: RUF001 - a dash people paste
        (hints.day, "mon wed", "one day or span for each list entry: [mon, wed, fri]"),
        (hints.day, "never", ""),
        (hints.slug, "Chợ Đông Ba", "write cho-dong-ba"),
        (hints.slug, "---", ""),
        (hints.zone, "Asia/Hanoi", "for Viet Nam write Asia/Ho_Chi_Minh"),
        (hints.zone, "UTC+07:00", "for Viet Nam write Asia/Ho_Chi_Minh"),
        (hints.zone, "asia/ho chi minh", "did you mean Asia/Ho_Chi_Minh?"),
        (hints.host, "tcp://10.0.0.2:1883", "write 10.0.0.2, and port: 1883 on a line of its own"),
        (hints.host, "https://qr.example.vn/dd?x=1", "write qr.example.vn"),
        (hints.host, "two words", ""),
        (hints.flag, "Có", "write true"),
        (hints.flag, "low", "write false"),
        (hints.video_device, "video2", "write /dev/video2"),
        (hints.path, "%APPDATA%\\x", "write / between folders"),
    ],
)
def test_a_hint_says_what_to_write(hint: object, found: str, advice: str) -> None:
    assert callable(hint)
    assert hint(found) == advice


def test_the_header_has_every_pin_once() -> None:
    assert sorted(number_hints.HEADER.values()) == list(range(28))
    assert not set(number_hints.HEADER) & {1, 2, 4, 6, 9, 14, 17, 20, 25, 30, 34, 39}


def scalars(section: type[Section]) -> list[Shape]:
    found: list[Shape] = []
    for setting in settings_of(section).values():
        shape = setting.shape.item or setting.shape
        found.extend(scalars(shape.section) if shape.section else [shape])
    return found


def test_every_setting_says_what_it_takes() -> None:
    for shape in scalars(Settings):
        assert shape.mark(Told) is not None or shape.choices
        assert not re.search(r"Literal|Annotated|None", shape.what)


WORDS = st.text(max_size=80) | st.from_regex(r"[0-9 .,_:/a-zA-Z%+-]{1,20}", fullmatch=True)


@given(st.sampled_from(scalars(Settings)), WORDS)
def test_a_hint_is_one_line_whatever_is_found(shape: Shape, found: str) -> None:
    assert "\n" not in shape.hint(found)


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        load_text(text, base_dir=Path())
    except ConfigError as error:
        return error.problems
    return ()


NUMERIC = {
    ("camera", "stall_s"): "camera: {{stall_s: '{}'}}",
    ("uplink", "port"): "uplink: {{host: h, port: '{}'}}",
    ("decode", "deadline_ms"): "decode: {{deadline_ms: '{}'}}",
    ("camera", "picamera2", "exposure_us"): "camera: {{picamera2: {{exposure_us: '{}'}}}}",
    ("journal", "max_bytes"): "journal: {{max_bytes: '{}'}}",
    ("panel", "relay", "pin"): "panel: {{relay: {{pin: '{}'}}}}",
}
"""Settings, and how to write them."""


@given(
    st.sampled_from(sorted(NUMERIC)),
    st.from_regex(r"[0-9]{1,6}([.,][0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["", " ", "s", "ms", " s", "px", "MB", " GB", "K", "e2"]),
)
def test_what_a_hint_says_to_write_is_of_the_right_form(loc: tuple[str, ...], number: str, unit: str) -> None:
    shape = shape_at(loc)
    assert shape is not None
    advice = re.fullmatch(r"(?:.*: )?write (.+)", shape.hint(number + unit))
    if advice is None:
        return
    base = "gate: {tenant: a, site: b, name: c}\n"
    base += "" if loc[0] == "uplink" else "uplink: {host: h}\n"
    assert not [p for p in problems_of(base + NUMERIC[loc].format(advice[1])) if " is not " in p.message]
