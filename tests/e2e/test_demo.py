"""The demonstration as a visitor starts it: a process of its own, the real daemon, both brokers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    figures = {k: int(v) for k, v in re.findall(r"^(\S.*?\S) +(\d+)$", done.stdout, re.MULTILINE)}
    assert figures["codes presented"] == figures["read and answered"] == 8
    assert (figures["granted"], figures["denied"], figures["attention (wrong kind of code)"]) == (6, 1, 1)
    stored = figures["events in the journal, the device's own among them"]
    assert stored > 8
    assert figures[f"confirmed by the broker ({broker})"] == stored
    assert figures["arrived at the district's subscriber"] == stored
    assert "Every code was read as intended, and every event arrived." in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


@contextmanager
def after_the_first_grant(tmp: Path) -> Iterator[subprocess.Popen[str]]:
    """The demonstration in the middle of its scene."""
    with subprocess.Popen(
        [sys.executable, "-m", "device", "demo", "--plain"],
        env=environ(tmp),
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
        try:
            yield process
        finally:
            process.kill()


def test_ctrl_c_ends_everything_that_was_started(tmp_path: Path) -> None:
    with after_the_first_grant(tmp_path) as process:
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_that_dies_fails_the_demonstration_and_is_quoted(tmp_path: Path) -> None:
    with after_the_first_grant(tmp_path) as process:
        (daemon,) = (c for c in psutil.Process(process.pid).children() if "--config" in c.cmdline())
        daemon.kill()
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "the daemon ended with exit code -9" in rest
    assert "the first card again: not as intended" in rest
    assert "info scan.loop: granted (ok): vn.cccd, event" in rest[rest.index("The daemon's last lines:") :]
    assert list(tmp_path.iterdir()) == []
