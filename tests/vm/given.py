"""What a technician brings to the gate in the machine, and what its camera sees. Runs on the host:

    python -m tests.vm.given CONFIGURATION PICTURES

Both folders exist: `install.sh --config` takes the first, the virtual camera plays the second.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import yaml

from tests.support.codes import empty, shown
from tests.support.gate import ANNA, REFUSED

GREEN, RED, RELAY = 17, 22, 24


def main() -> None:
    folder, frames = Path(sys.argv[1]), Path(sys.argv[2])
    # libcamera's virtual pipeline unpacks all of them before the first frame, so there are few.
    for number, content in enumerate([ANNA] * 3 + [None] * 3 + [REFUSED] * 3 + [None] * 3):
        luma = shown(content) if content else empty()
        assert cv2.imwrite(str(frames / f"{number:04d}.jpg"), cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR))
    (folder / "deny.txt").write_text("001085000222\n", encoding="utf-8")
    settings = {
        "gate": {"tenant": "vm", "site": "vm", "name": "vm"},
        "camera": {"source": "picamera2", "stall_s": 20, "picamera2": {"lores_width": 640}},
        "decode": {"deadline_ms": 10_000, "showing_ends_after_s": 0.1},
        "policy": {"deny_list": "deny.txt", "repeat_s": 0},
        "panel": {
            "lights": {"green": {"pin": GREEN}, "red": {"pin": RED}},
            "relay": {"pin": RELAY, "pulse_s": 0.5},
        },
        "uplink": {"host": "127.0.0.1", "port": 1883, "backoff_max_s": 2},
    }
    (folder / "gate.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


if __name__ == "__main__":
    main()
