"""Reading in the running daemon: what is seen and not read, several people at once, decoders that die."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.codes import Held, code, empty, scene, shown
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, BINH, CHI, REFUSED, Gate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.codes import Luma

pytestmark = pytest.mark.slow

FPS = 20.0
# Frames after which a showing has ended: one second, and some.
GONE = 25


def _damaged() -> Luma:
    """A code everybody sees and nobody reads."""
    symbol = code(ANNA)
    symbol[60:, 60:] = 255 - symbol[60:, 60:]
    return symbol


def _has_answered(count: int, daemon: Daemon) -> bool:
    return len(daemon.scans()) >= count


def _answers(daemon: Daemon) -> list[tuple[str, str]]:
    return [(scan["outcome"], scan["reason"]) for scan in daemon.scans()]


def test_a_code_that_is_seen_and_not_read_is_told_and_recorded_once_with_its_cause(tmp_path: Path) -> None:
    gate = Gate(tmp_path, fps=FPS, repeat=False)
    gate.add(empty(), 5)
    for held in (Held(module_px=5), Held(module_px=5, light=0.3), Held(module_px=1.8)):
        for step in range(30):  # in a hand, for a second and a half
            gate.add(scene((_damaged(), (600 + 3 * step, 360 + step % 3), held)))
        gate.add(empty(), GONE)
    gate.hold(BINH)
    with Daemon(gate.write(), tmp_path) as daemon:
        assert daemon.wait() == 0
        assert _answers(daemon) == [("granted", "ok")]
        yellow = [line["lines"].get("yellow", 0) for line in daemon.lines if "lines" in line]
    changes = zip([0, *yellow], yellow, strict=False)
    assert sum(1 for before, after in changes if after and not before) >= 3  # blinking
    unread = [data for data in gate.stored() if "cause" in data]
    assert [data["cause"] for data in unread] == ["damaged", "dark", "too_small"]
    assert unread[0]["direction"] == "in"


def test_several_people_at_once_have_a_verdict_each_and_the_nearest_is_shown(tmp_path: Path) -> None:
    gate = Gate(tmp_path, fps=FPS, repeat=False)
    gate.add(empty(), 5)
    for step in range(20):
        gate.add(
            scene(
                (code(ANNA), (280 + 2 * step, 300), Held(module_px=3, turn_deg=8)),
                (code(REFUSED), (700, 420), Held(module_px=4.5)),
                (code(CHI), (1060, 260), Held(module_px=2.5, turn_deg=-20)),
            )
        )
    gate.add(empty(), GONE)
    with Daemon(gate.write(), tmp_path) as daemon:
        assert daemon.wait() == 0
        assert sorted(_answers(daemon)) == [
            ("denied", "denied_by_list"),
            ("granted", "ok"),
            ("granted", "ok"),
        ]
        steady = [line["lines"] for line in daemon.lines if "lines" in line]
    assert any(lines.get("red") for lines in steady)  # the largest code is the refused one's
    assert len([data for data in gate.stored() if "outcome" in data]) == 3


def test_a_card_before_a_poster_on_the_wall_is_answered(tmp_path: Path) -> None:
    poster = (code("https://example.org/welcome"), (1050, 200), Held(module_px=5))
    gate = Gate(tmp_path, fps=FPS, repeat=False)
    gate.add(scene(poster), 20)
    for content in (ANNA, BINH):
        for step in range(16):
            gate.add(scene(poster, (code(content), (420 + 4 * step, 420), Held(module_px=3.5))))
        gate.add(scene(poster), GONE)
    with Daemon(gate.write(), tmp_path) as daemon:
        assert daemon.wait() == 0
        answers = _answers(daemon)
    assert answers.count(("granted", "ok")) == 2
    assert len(answers) == 3  # the poster once, while it was always in view
    assert answers[0] == ("attention", "wrong_kind")


def test_decoders_killed_or_hung_while_people_pass_cost_no_event_and_no_restart(tmp_path: Path) -> None:
    gate = Gate(tmp_path, fps=FPS)
    for content in (ANNA, REFUSED, CHI):
        gate.hold(content, seconds=0.4)
    with Daemon(gate.write(), tmp_path) as daemon:
        daemon.wait_for(lambda d: len(d.scans()) >= 1, "somebody")
        for how in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV):
            wanted = len(daemon.scans()) + 2
            for child in psutil.Process(daemon.process.pid).children():
                os.kill(child.pid, how)
            daemon.wait_for(partial(_has_answered, wanted), f"the next two people after {how.name}")
        assert daemon.stop() == 0
        replaced = [line for line in daemon.lines if line["message"].startswith("decoder replaced")]
        assert len(replaced) >= 3
    seqs = [data["seq"] for data in gate.stored()]
    assert seqs == list(range(1, len(seqs) + 1))


def test_what_no_gate_would_show_harms_none(tmp_path: Path) -> None:
    """Pictures of every shape, and a text as long as a code can carry, between two people."""
    gate = Gate(tmp_path, fps=FPS, repeat=False)
    gate.hold(ANNA)
    gate.add(code("1" * 7089, error="l", scale=4))
    gate.add(code("x", scale=1, border=0)[:1, :1])
    gate.add(shown("y", width=3000, height=2))
    gate.add(empty(), GONE)
    gate.hold(CHI)
    with Daemon(gate.write(), tmp_path) as daemon:
        assert daemon.wait() == 0
        answers = _answers(daemon)
    assert (answers[0], answers[-1]) == (("granted", "ok"), ("granted", "ok"))
    assert set(answers[1:-1]) <= {("attention", "wrong_kind"), ("attention", "malformed")}
