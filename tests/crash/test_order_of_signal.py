"""The promise of the device: when green shows, the event is on the card; else green does not show."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.gate import ANNA, BINH, CHI, Gate

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 2 MiB; mounting needs root, as continuous integration has."""
    folder = tmp_path / "card"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_on_a_full_disk_no_pin_moves_to_granted_until_there_is_room_again(
    tmp_path: Path, small_disk: Path
) -> None:
    gate = Gate(tmp_path, changes={"journal.path": str(small_disk / "journal.db"), "policy.repeat_s": 1})
    gate.hold(ANNA, seconds=0.4)
    with Daemon(gate.write(), tmp_path) as daemon:
        daemon.wait_for(lambda d: d.greens() >= 1, "green while there is room")
        ballast = small_disk / "ballast"
        fill(ballast)
        said = "could not be recorded"
        daemon.wait_for(lambda d: any(said in x["message"] for x in d.lines), "the full disk is noticed")
        before = daemon.greens()
        count = len(daemon.lines)
        # Two more rounds of the scene with a full disk: the red and fault lines may move, green may not.
        lines = "frames"
        daemon.wait_for(lambda d: sum("status" in x for x in d.lines[count:]) >= 5, lines)
        assert daemon.greens() == before
        ballast.unlink()
        daemon.wait_for(lambda d: d.greens() > before, "green again when there is room")
        assert daemon.stop() == 0


def fill(path: Path) -> None:
    """Writes until nothing more fits."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def test_no_shown_green_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    gate = Gate(tmp_path, fps=30, changes={"policy.repeat_s": 0, "decode.showing_ends_after_s": 0.2})
    for content in (ANNA, BINH, CHI):
        gate.hold(content, seconds=0.2)
    config = gate.write()
    rng = random.Random(7)
    greens = 0
    for _ in range(8):
        with Daemon(config, tmp_path) as daemon:
            target = rng.randint(1, 4)
            daemon.wait_for(lambda d, n=target: d.greens() >= n, "green")  # type: ignore[misc]  # mypy and defaults
            daemon.process.kill()
            daemon.wait()
            greens += daemon.greens()
            shown = [s["seq"] for s in daemon.scans() if s["outcome"] == "granted"]
        recorded = [event for event in gate.stored() if event.get("outcome") == "granted"]
        assert set(shown) <= {event["seq"] for event in recorded}
        assert len(recorded) >= greens
    seqs = [event["seq"] for event in gate.stored()]
    assert seqs == list(range(1, len(seqs) + 1))
