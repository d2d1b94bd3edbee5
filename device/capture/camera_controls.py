"""Settings of a camera in libcamera's words, and what of them a camera can do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

# libcamera's AfModeManual: the lens stays where LensPosition puts it.
_AF_MANUAL = 0

ControlValue: TypeAlias = bool | int | float | tuple[int, int]


def wanted_controls(
    *,
    frames_per_second: float,
    exposure_us: int | None,
    gain: float | None,
    focus_dioptres: float | None,
) -> dict[str, ControlValue]:
    """The settings in libcamera's words. What is None is left to the camera."""
    period_us = round(1e6 / frames_per_second)
    wanted: dict[str, ControlValue] = {"FrameDurationLimits": (period_us, period_us)}
    if exposure_us is not None:
        wanted["ExposureTime"] = exposure_us
    if gain is not None:
        wanted["AnalogueGain"] = float(gain)
    if exposure_us is not None and gain is not None:
        wanted["AeEnable"] = False
    if focus_dioptres is not None:
        wanted["AfMode"] = _AF_MANUAL
        wanted["LensPosition"] = float(focus_dioptres)
    return wanted


def possible_controls(
    wanted: Mapping[str, ControlValue], offered: Mapping[str, tuple[Any, Any, Any]]
) -> tuple[dict[str, ControlValue], list[str]]:
    """What a camera can do of what is wanted, and what it cannot, in words for the technician.

    Args:
        wanted: from `wanted_controls`.
        offered: least, greatest and default value by control.
    """
    possible: dict[str, ControlValue] = {}
    notes: list[str] = []
    for control, value in wanted.items():
        if control not in offered:
            notes.append(f"has no {control}, the setting is left out")
            continue
        least, greatest, _ = offered[control]
        possible[control] = _within(value, least, greatest)
        if possible[control] != value:
            notes.append(f"{control} {value} is not possible, {possible[control]} is used")
    return possible, notes


def _within(value: ControlValue, least: object, greatest: object) -> ControlValue:
    """The nearest value the camera can do. Cameras that give no usable limits are trusted to mend it."""
    if not (isinstance(least, int | float) and isinstance(greatest, int | float) and least < greatest):
        return value
    if isinstance(value, bool):
        return value
    if isinstance(value, tuple):
        low, high = (int(min(max(part, least), greatest)) for part in value)
        return (low, high)
    return type(value)(min(max(value, least), greatest))
