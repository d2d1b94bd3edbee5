"""Settings of a camera in libcamera's words, and what of them a camera can do. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.model import Controls

# libcamera's AfModeManual: the lens stays where LensPosition puts it.
_AF_MANUAL = 0
# Gives exposure time or gain back to the camera: libcamera's word of old, which picamera2 still translates.
_AUTO = 0

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


def steered_controls(
    configured: Mapping[str, ControlValue],
    offered: Mapping[str, tuple[Any, Any, Any]],
    *,
    before: Controls,
    after: Controls,
    gain: float | None,
) -> dict[str, ControlValue]:
    """What to set on a running camera to get from one steering to the next; only what a camera offers.

    While the exposure is steered the gain is held: an automatic one would undo the change of brightness
    that the change of exposure was asked for.

    Args:
        configured: from `wanted_controls`.
        offered: least, greatest and default value by control.
        before: what was asked last.
        after: what is asked now.
        gain: the analogue gain now; None when the camera does not tell.
    """
    wanted: dict[str, ControlValue] = {}
    given_back: dict[str, ControlValue] = {}
    if after.focus_dioptres is not None:
        wanted |= {"AfMode": _AF_MANUAL, "LensPosition": after.focus_dioptres}
    elif before.focus_dioptres is not None:
        wanted |= {name: _as_configured(name, configured, offered) for name in ("LensPosition", "AfMode")}
    if after.exposure_us is not None:
        held = configured.get("AnalogueGain", gain)
        wanted |= {"ExposureTime": after.exposure_us} | ({} if held is None else {"AnalogueGain": held})
    elif before.exposure_us is not None:
        for name in ("ExposureTime", "AnalogueGain"):
            (wanted if name in configured else given_back)[name] = configured.get(name, _AUTO)
    possible, _ = possible_controls(wanted, offered)
    return possible | {name: value for name, value in given_back.items() if name in offered}


def can_steer(offered: Mapping[str, tuple[Any, Any, Any]], controls: Controls) -> bool:
    """Whether a camera can do any of this; for `Controls()`, whether it can be steered at all."""
    lens, shutter = "LensPosition" in offered, "ExposureTime" in offered
    if controls.focus_dioptres is controls.exposure_us is None:
        return lens or shutter
    return (lens and controls.focus_dioptres is not None) or (shutter and controls.exposure_us is not None)


def _as_configured(
    name: str, configured: Mapping[str, ControlValue], offered: Mapping[str, tuple[Any, Any, Any]]
) -> ControlValue:
    """The configured value; where nothing is configured, the camera's own default."""
    if name in configured:
        return configured[name]
    default: ControlValue | None = offered[name][2] if name in offered else None
    return _AUTO if default is None else default


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
