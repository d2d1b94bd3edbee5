"""How the machine itself fares."""

from __future__ import annotations

from pathlib import Path

_THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")
"""The processor's, on a Raspberry Pi and most others; thousandths of a degree."""


def temperature_millis(path: Path = _THERMAL) -> int | None:
    """Of the processor, thousandths of a degree Celsius; None where the machine does not tell."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def temperature_c(path: Path = _THERMAL) -> int | None:
    """The same in whole degrees."""
    millis = temperature_millis(path)
    return None if millis is None else round(millis / 1000)
