"""Names that are no setting: which one was meant, or where it belongs. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from device.config.hints import closest, folded
from device.config.nodes import Gap, path_of, short
from device.config.shape import places_of, setting_at, settings_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from device.config.model import Section
    from device.config.nodes import Loc, Value

HABITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "frames_per_second": "fps framerate frame_rate rate",
        "width": "resolution size",
        "exposure_us": "exposure shutter shutter_speed exposure_time",
        "focus_dioptres": "focus lens_position lens",
        "host": "server broker ip address hostname url",
        "username": "user login user_name",
        "password_file": "password passwd pass pwd",
        "pseudonym_key_file": "key secret salt pseudonym_key",
        "key_file": "key private_key keyfile",
        "cert_file": "cert certificate certfile client_cert",
        "ca_file": "ca cafile ca_cert ca_certs",
        "pin": "gpio bcm pin_number number line",
        "pulse_s": "pulse pulse_ms duration time seconds",
        "timezone": "tz time_zone zone",
        "allow_list": "whitelist allowlist allow",
        "deny_list": "blacklist blocklist denylist deny",
        "from": "open opens start begin",
        "to": "close closes end until till",
        "lights": "light leds led lamps lamp",
        "buzzer": "beeper speaker sound",
        "relay": "door lock strike",
        "uplink": "mqtt broker server network",
        "panel": "gpio outputs pins leds",
        "service": "log logging daemon",
        "policy": "rules access",
    }
)
"""What people write from habit for a setting of ours; a word counts where that setting is."""

_IN_A_FILE: Final = "a secret is not written here: put it into a file of its own and name that file with "
_ADVICE: Final = {
    "password_file": f"{_IN_A_FILE}password_file",
    "pseudonym_key_file": f"{_IN_A_FILE}pseudonym_key_file",
    "key_file": "name the key's file with key_file",
    "width": "write width and height, each on a line of its own",
}

_OPPOSITE: Final = frozenset({"active_low", "inverted", "invert"})
_NO: Final = frozenset({"false", "no", "off"})

_JOINED: Final = re.compile(r"([a-z_0-9]+):(\S.*)")

_FEW: Final = 3
"""A setting that belongs in more places than this is not told by its places."""


Answer: TypeAlias = tuple[str, str]
"""The setting of the same section that was meant, if any, and a hint."""


def meant_by(name: str, value: Value, section: type[Section], loc: Loc) -> Answer:
    """What an unknown name was meant for: the setting of this section, if any, and a hint for people.

    Args:
        name: as written.
        value: what is written for it.
        section: it is written in.
        loc: of that section.
    """
    known = settings_of(section)
    return (
        _other_form(name, value, known)
        or _habit(name, value, known)
        or _slip(name, known, loc)
        or ("", f"{path_of(loc) or 'a configuration'} has {', '.join(known)}")
    )


def _other_form(name: str, value: Value, known: Collection[str]) -> Answer | None:
    joined = _JOINED.fullmatch(name)
    if joined and value is Gap.EMPTY and joined[1] in known:
        return joined[1], f"a space is missing after the colon: write {joined[1]}: {short(joined[2])}"
    steps = tuple(name.split("."))
    if len(steps) > 1 and setting_at(steps):
        return "", f"write one section for each part: {' '.join(f'{step}:' for step in steps)}"
    return None


def _habit(name: str, value: Value, known: Collection[str]) -> Answer | None:
    if folded(name) in _OPPOSITE and "active_high" in known:
        return "active_high", f"write active_high: {'true' if str(value).lower() in _NO else 'false'}"
    meant = next((own for own in known if folded(name) in HABITS.get(own, "").split()), None)
    return (meant, _ADVICE.get(meant, f"it is called {meant} here")) if meant else None


def _slip(name: str, known: Collection[str], loc: Loc) -> Answer | None:
    meant = next((own for own in known if folded(own) == folded(name)), "")
    elsewhere = "" if meant else _elsewhere(name, loc)
    if elsewhere:
        return "", elsewhere
    meant = meant or closest(name, known)
    return (meant, f"did you mean {meant}?") if meant else None


def _elsewhere(name: str, loc: Loc) -> str:
    """Where a setting of this name belongs; empty when it is none, or of too many places."""
    places = places_of(name)
    if not places or len(places) > _FEW:
        return ""
    if len(places[0]) == 1:
        return f"{places[0][0]} is a section of its own: begin its line without spaces"
    where = " or ".join(path_of(place) for place in places)
    lost_indent = any(place[: len(loc)] == loc for place in places)
    return f"is {where} meant? Indent it below {places[0][-2]}:" if lost_indent else f"is {where} meant?"
