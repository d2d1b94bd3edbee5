"""Whatever is written: settings or an answer, and what is shown reads back the same."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from device.config.effective import difference, show
from device.config.loader import MAX_PROBLEMS, load_text
from device.config.source import text_of
from device.errors import ConfigError, Problem

ROOT = Path(__file__).parents[3]
SAMPLES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "config").glob("*.yaml"))]
BASE = Path("/etc/gate-scanner")


def problems_of(text: str) -> tuple[Problem, ...]:
    """What is wrong with a text; when nothing is, what is shown of it must read back the same."""
    try:
        settings = load_text(text, base_dir=BASE)
    except ConfigError as error:
        assert error.problems  # noqa: PT017 - an empty answer would look like no mistake below
        return error.problems
    assert load_text(show(settings), base_dir=BASE) == settings
    assert load_text(difference(settings), base_dir=BASE) == settings
    return ()


def answer(text: str) -> None:
    """Loads the text; every problem can be printed and has a place within the text."""
    problems = problems_of(text)
    assert len(problems) <= MAX_PROBLEMS + 1
    lines = text.count("\n") + text.count("\r") + 2
    for problem in problems:
        assert problem.message
        assert str(problem).isprintable()
        assert 0 <= problem.line <= lines


@given(st.text())
@example("\x00")
@example("gate: \ud800")
@example('a: "\\UFFFFFFFF"')
@example("? {a: b}\n: c")
@example("- - - -\n- ?")
@example("%TAG ! x\n--- !y z")
@example("a: |2\n x")
@example("<<: {a: b}")
@example("[a: b, {c}]")
def test_any_text_gets_an_answer(text: str) -> None:
    answer(text)


@given(st.binary())
@example(b"\xff\xfea\x00")
@example(b"\xef\xbb\xbf")
def test_any_bytes_get_an_answer(content: bytes) -> None:
    try:
        text = text_of(content, "gate.yaml")
    except ConfigError as error:
        text = str(error)  # an answer, too
    answer(text)


FRAGMENTS = st.sampled_from(
    [
        *(
            "gate:",
            "tenant:",
            "panel:",
            "lights:",
            "green:",
            "pin:",
            "policy:",
            "hours:",
            "from:",
            "to:",
            "days:",
        ),
        *("uplink:", "tls:", "journal:", "max_bytes:", "camera:", "replay:", "path:", "accept:", "relay:"),
        *("\n", "\n  ", "\n    ", "\n- ", " ", ":", ",", "[", "]", "{", "}", "#", "'", '"', "\\", "\t"),
        *("&a", "*a", "<<:", "!!int", "!x", "---", "...", "|", ">", "?", "@", "%", "~", "null", "yes"),
        *("17", "010", "1e3", "07:00", "mon-fri", "vn.cccd", "a", "é", "\u2028", "\ufeff", "1,5", "500ms"),
    ]
)


@given(st.lists(FRAGMENTS, max_size=60).map("".join))
def test_anything_that_looks_like_yaml_gets_an_answer(text: str) -> None:
    answer(text)


@st.composite
def damaged_samples(draw: st.DrawFn) -> str:
    """A sample in which a hand has slipped a few times."""
    text = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 12)))
        text = (
            text[:begin] + draw(FRAGMENTS | st.text(max_size=4) | st.just(text[begin:end] * 2)) + text[end:]
        )
    return text


@given(damaged_samples())
def test_a_slip_of_the_hand_gets_an_answer(text: str) -> None:
    answer(text)


# -- what is shown reads back the same ------------------------------------------------------------

SLUGS = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=48)
PLAIN_TEXT = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), max_size=120).filter(
    str.isprintable
)
FILES = st.text("abc/._- é:#\"'&*", min_size=1, max_size=20).filter(lambda path: not path.startswith("~"))
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))


def sections(**settings: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=settings)


def numbers(low: float, high: float) -> st.SearchStrategy[str]:
    return st.floats(low, high).map("{:.9f}".format)


DAYS = ("mon-wed", "thu", "fri-mon", "sun")
HOURS = st.fixed_dictionaries(
    {"from": TIMES, "to": TIMES}, optional={"days": st.sets(st.sampled_from(DAYS), min_size=1).map(sorted)}
).filter(lambda hours: hours["from"] != hours["to"])
PINS = st.lists(st.integers(0, 27), min_size=5, max_size=5, unique=True)


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    pins = iter(draw(PINS))
    wired = st.builds(lambda high: {"pin": next(pins), "active_high": high}, st.booleans())
    lights = {
        color: draw(wired) for color in draw(st.sets(st.sampled_from(["green", "yellow", "red", "blue"])))
    }
    panel: dict[str, Any] = {"lights": lights}
    if draw(st.booleans()):
        panel["relay"] = {"pin": next(pins), "pulse_s": draw(numbers(0.05, 60))}
    gate = {"tenant": draw(SLUGS), "site": draw(SLUGS), "name": draw(SLUGS), "place": draw(PLAIN_TEXT)}
    uplink = {
        "host": draw(st.sampled_from(["h", "::1", "10.0.0.1", "no"])),
        "username": draw(PLAIN_TEXT) or "u",
    }
    policy = sections(
        hours=st.lists(HOURS, max_size=3),
        deny_list=FILES,
        repeat_s=numbers(0, 86400),
        accept=st.just(["vn.cccd"]),
    )
    journal = sections(path=FILES, max_bytes=st.integers(2**21, 2**36), keep_days=st.integers(0, 3650))
    rest = {"policy": draw(policy), "journal": draw(journal)}
    return {"gate": gate, "panel": panel, "uplink": uplink} | rest


@given(configurations())
def test_what_is_shown_loads_to_the_same_settings(configuration: dict[str, Any]) -> None:
    text = json.dumps(configuration, ensure_ascii=False)  # which is YAML, too
    settings = load_text(text, base_dir=BASE)
    shown = show(settings)
    again = load_text(shown, base_dir=Path("/elsewhere"))
    assert again == settings
    assert show(again) == shown
