"""The card of a realistic configuration: bytes, codes, and the seconds a bare device takes to read it.

    python -m bench.card [--runs N] [--frames-each N] [--json FILE]

The commented sample config/door.yaml with a password and an authority's certificate, sealed to the device.
Its moving picture is played before the real `provision wait` at 1280x720 and ten pictures a second (replay in
place of the camera), each code for so many pictures; counted from the first picture to the moment the
configuration is written.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.bare import Bare, run


def main() -> int:
    """Makes the card, shows it, prints the figures."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--frames-each", type=int, default=3, help="pictures a code is shown for")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    args = options.parse_args()
    seconds: list[float] = []
    said, codes = "", 0
    for _ in range(args.runs):
        with tempfile.TemporaryDirectory() as folder:
            bare = Bare(Path(folder))
            key = run("provision", "export", "--config", bare.first, "--form", "seal")
            public = Path(folder, "device.pub")
            public.write_text(key.stdout, encoding="ascii")
            said = bare.card("--seal-to", public).stderr
            codes = bare.film(args.frames_each)
            seconds.append(reading(bare))
    figures: dict[str, float | str] = {
        "card": said.splitlines()[-1],
        "codes": codes,
        "seconds, median": round(statistics.median(seconds), 1),
        "seconds, longest": round(max(seconds), 1),
    }
    for name, value in figures.items():
        print(f"{name:24}{value}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def reading(bare: Bare) -> float:
    """Seconds from the first picture to the configuration that is written."""
    command = [sys.executable, "-m", "device", "provision", "wait"]
    command += ["--config", str(bare.first), "--into", str(bare.into)]
    began = 0.0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as waiting:
        for line in waiting.stderr or ():
            if "waiting for a card" in line:
                began = time.monotonic()
            if began and "gate.yaml" in line:
                return time.monotonic() - began
    sys.exit("the card was not taken")


if __name__ == "__main__":
    sys.exit(main())
