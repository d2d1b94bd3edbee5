"""The gate of the power cuts: written on the host, read in the machine; its journal is on the second disk."""

from __future__ import annotations

from pathlib import Path

from tests.support.codes import empty, shown
from tests.support.gate import ANNA, BINH, CHI, REFUSED, Gate

GREEN, RED, RELAY = 17, 22, 24
JOURNAL = Path("/data/journal.db")


def write(folder: Path) -> Path:
    """Pictures and configuration; the configuration's file."""
    gate = Gate(folder, fps=10)
    gate.changes = {
        "journal.path": str(JOURNAL),
        "policy.repeat_s": 0,
        "decode.deadline_ms": 10_000,
        "decode.showing_ends_after_s": 0.2,
        "panel": {
            "lights": {"green": {"pin": GREEN}, "red": {"pin": RED}},
            "relay": {"pin": RELAY, "pulse_s": 0.5},
        },
        "uplink.enabled": False,
    }
    for content in (ANNA, BINH, REFUSED, CHI):
        gate.add(shown(content), 4)
        # Longer than the green light, so that each of them is a rise of its own.
        gate.add(empty(), 12)
    return gate.write()
