from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from device.demo.child import Child, Lines

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_are_put_together_from_pieces() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as pipe:
        lines = Lines(pipe)
        os.write(writer, b"one\ntw")
        assert lines.read(1) == [b"one"]
        os.write(writer, b"o\nrest")
        assert lines.read(1) == [b"two"]
        os.close(writer)
        assert lines.read(1) == [b"rest"]
        assert lines.ended
        assert lines.read(1) == []


def test_reading_gives_up_when_nothing_comes() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as pipe, os.fdopen(writer, "wb"):
        lines = Lines(pipe)
        assert lines.read(0.01) == []
        assert not lines.ended


@pytest.mark.slow
def test_a_child_says_what_it_says_and_ends_with_its_code() -> None:
    program = "import sys; print('hello', file=sys.stderr); sys.exit(3)"
    with Child([sys.executable, "-c", program]) as child:
        lines = child.lines()
        heard = []
        while not lines.ended:
            heard += lines.read(10)
        assert heard == [b"hello"]
        assert child.wait(10) == 3


@pytest.mark.slow
def test_a_child_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = (
        "import signal, sys, threading; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('deaf', flush=True); threading.Event().wait(60)"
    )
    child = Child([sys.executable, "-c", program], log=log, ends_within_s=0.2)
    while child.wait(0.02) is None and "deaf" not in log.read_text():
        pass
    assert child.stop() == -9


@pytest.mark.slow
def test_what_a_child_writes_to_a_file_is_not_read_as_lines(tmp_path: Path) -> None:
    with Child([sys.executable, "-c", "print('hello')"], log=tmp_path / "log") as child:
        with pytest.raises(ValueError, match="writes to a file"):
            child.lines()
        assert child.wait(10) == 0
    assert (tmp_path / "log").read_text() == "hello\n"
