"""What an empty scene costs: the whole daemon beside the loop most projects run, and what both weigh.

    python -m bench.idle [--seconds N] [--fps N] [--folder DIR] [--json FILE]

Both are processes of their own and run at the same time on the same pictures, 1280x720 grey with a sensor's
noise, uncompressed, so that reading them costs next to nothing: the real daemon (replay in place of the
camera, mock pins, no uplink) with its decoder children, and a naive loop that gives every frame to
`pyzbar.decode`. Counted is processor time, user and system, of all their processes after both have settled;
memory is each process's proportional share (PSS). The naive loop counts as if it had kept up with the camera,
which it does not on every machine: its time for a frame, times the frames.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import psutil
from pyzbar import pyzbar

from tests.support.codes import empty
from tests.support.daemon import Daemon
from tests.support.gate import Gate

PICTURES = 16
"""More would tell nothing new, and must stay in the page cache."""

NOISE_LEVELS = 2.0
"""Of a sensor by daylight, standard deviation in grey levels."""

SETTLE_S = 5.0
"""Start-up, the first looks and what the journal does at the beginning."""

TARGET = 0.1
"""Goal: so much of the naive loop's processor time."""


def main() -> int:
    """Runs both and prints the figures."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seconds", type=float, default=60.0, help="how long to count")
    options.add_argument("--fps", type=float, default=30.0)
    options.add_argument("--folder", type=Path, help="on the disk to be used; a temporary one otherwise")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options.add_argument("--loop", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.loop:
        return naive_loop(args.loop, args.fps, args.seconds)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        figures = compare(Path(folder), args.seconds, args.fps)
    for name, value in figures.items():
        print(f"{name:32}{value}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def naive_loop(folder: Path, fps: float, seconds: float) -> int:
    """One look at each frame, in step with the camera as far as it can; prints what a frame cost."""
    pause = threading.Event()
    begun, spent, frames = time.monotonic(), time.process_time(), 0
    due = begun
    for file in cycle(sorted(folder.iterdir())):
        pyzbar.decode(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE))
        frames += 1
        now = time.monotonic()
        if now - begun >= seconds:
            break
        due = max(due + 1 / fps, now)
        pause.wait(due - now)
    print((time.process_time() - spent) / frames)
    return 0


def compare(folder: Path, seconds: float, fps: float) -> dict[str, float | str]:
    """Both side by side for so long."""
    gate = Gate(folder, fps=fps, changes={"uplink.enabled": False, "service.log_level": "info"})
    config, scene = gate.write(), folder / "scene"
    scene.mkdir()
    calm = empty(noise=0.0).astype(np.float32)
    rng = np.random.default_rng(1)
    for number in range(PICTURES):
        noisy = calm + rng.standard_normal(calm.shape, np.float32) * NOISE_LEVELS
        cv2.imwrite(str(scene / f"{number:02}.pgm"), np.clip(noisy, 0, 255).astype(np.uint8))
    with Daemon(config, folder) as daemon:
        daemon.wait_until_ready()
        threading.Event().wait(SETTLE_S)
        command = [sys.executable, "-m", "bench.idle", "--loop", str(scene)]
        command += ["--fps", str(fps), "--seconds", str(seconds)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as loop:
            return _count(psutil.Process(daemon.process.pid), loop, seconds, fps)


def _count(
    ours: psutil.Process, loop: subprocess.Popen[str], seconds: float, fps: float
) -> dict[str, float | str]:
    children = ours.children(recursive=True)
    processes = [ours, *children]
    begun, before = time.monotonic(), [_processor_s(process) for process in processes]
    threading.Event().wait(seconds)
    spent = [_processor_s(p) - b for p, b in zip(processes, before, strict=True)]
    minutes = (time.monotonic() - begun) / 60
    naive_mb = _pss_mb([psutil.Process(loop.pid)])
    # It does not keep up on every machine: what counts is what it would take to.
    naive = float(loop.communicate()[0]) * fps * 60
    own, decoders = spent[0] / minutes, sum(spent[1:]) / minutes
    share = (own + decoders) / naive
    return {
        "daemon, CPU s a minute": round(own, 2),
        "its decoder children": round(decoders, 2),
        "naive loop": round(naive, 2),
        "times the naive loop": round(share, 3),
        f"goal {TARGET:g}": "met" if share <= TARGET else "missed",
        "daemon, PSS MB": _pss_mb([ours]),
        f"its {len(children)} decoder children": _pss_mb(children),
        "naive loop, PSS MB": naive_mb,
    }


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _pss_mb(processes: list[psutil.Process]) -> float:
    return round(sum(process.memory_full_info().pss for process in processes) / 1e6, 1)


if __name__ == "__main__":
    sys.exit(main())
