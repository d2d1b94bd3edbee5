from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.logs import printable, set_up
from tests.support.clock import ManualClock

log = logging.getLogger("device.scan")


@pytest.fixture(autouse=True)
def _root_logger_put_back() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@given(st.text())
def test_no_text_can_move_a_cursor_or_begin_a_line(text: str) -> None:
    assert printable(text).isprintable()


def test_journald_sees_the_priority_of_every_line() -> None:
    out = io.StringIO()
    set_up("journal", "info", ManualClock(), out)
    log.warning("first\nsecond \x1b[2J")
    assert out.getvalue() == "<4>scan: first\n<4>scan: second \\x1b[2J\n"


def test_a_program_gets_one_object_a_line_with_the_fields_of_the_call() -> None:
    out = io.StringIO()
    set_up("json", "debug", ManualClock(), out)
    log.info("scanned", extra={"fields": {"scan": {"seq": 7}}})
    line = json.loads(out.getvalue())
    assert (line["room"], line["level"], line["message"], line["scan"]) == (
        "scan",
        "info",
        "scanned",
        {"seq": 7},
    )


def test_a_person_sees_the_error_with_its_traceback_line_by_line() -> None:
    out = io.StringIO()
    set_up("plain", "info", ManualClock(), out)
    try:
        raise ValueError("bad \x07 bell")
    except ValueError:
        log.exception("it broke")
    lines = out.getvalue().splitlines()
    assert all(" error    scan: " in line for line in lines)
    assert lines[-1].endswith("ValueError: bad \\x07 bell")
