"""The demonstration as a visitor starts it: a process of its own, the real daemon, both brokers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

# Drawing, half a minute of scene, starting and draining: several times what a loaded machine has needed.
OVER_WITHIN_S = 110

PROGRAM = """
import sys
from device.demo.broker import Kind
from device.demo.run import demo
sys.exit(demo(plain=True, broker=Kind(sys.argv[1])))
"""


def environ(tmp: Path) -> dict[str, str]:
    """Everything temporary goes where the test can look."""
    return {**os.environ, "TMPDIR": str(tmp), "COLUMNS": "100", "PYTHONUNBUFFERED": "1"}


@pytest.mark.parametrize("broker", ["mosquitto", "iotcore"])
def test_every_code_is_read_as_intended_and_every_event_arrives(broker: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, broker],
        env=environ(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=OVER_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = dict(re.findall(r"^(\S.*?\S) +(\d+)$", done.stdout, re.MULTILINE))
    assert figures == {
        "codes presented": "8",
        "read and answered": "8",
        "granted": "6",
        "denied": "1",
        "attention (wrong kind of code)": "1",
        "events in the journal, started and stopped among them": "10",
        f"confirmed by the broker ({broker})": "10",
        "arrived at the district's subscriber": "10",
    }
    assert "Every code was read as intended, and every event arrived." in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_everything_that_was_started(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "device", "demo", "--plain"],
        env=environ(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        seen = ""
        while "GRANTED" not in seen:
            line = process.stdout.readline()
            assert line, seen
            seen += line
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130, seen + rest
    assert "Traceback" not in rest
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert len(gone) == len(children)
    assert list(tmp_path.iterdir()) == []
