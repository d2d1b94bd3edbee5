"""How the machine itself fares."""

from __future__ import annotations

from pathlib import Path

_THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")
"""The processor's, on a Raspberry Pi and most others; thousandths of a degree."""


def temperature_c(path: Path = _THERMAL) -> int | None:
    """Of the processor, whole degrees Celsius; None where the machine does not tell."""
    try:
        return round(int(path.read_text(encoding="ascii")) / 1000)
    except (OSError, ValueError):
        return None
