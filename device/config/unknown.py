"""Names that are no setting: which one was meant, or where it belongs. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from device.config.hints import closest, folded
from device.config.nodes import EMPTY, Loc, path_of, short
from device.config.shape import places_of, setting_at, settings_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from device.config.model import Section
    from device.config.nodes import Value

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
        "seal_to": "seal seal_key seal_key_file encrypt_to public_key recipient",
        "keep": "fields keep_fields store",
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
        "inputs": "sensors contacts switches",
        "button": "rex exit_button push",
        "beam": "barrier light_barrier photocell",
        "tamper": "case box_switch lid",
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


Answer: TypeAlias = tuple[Loc, str]
"""Where the setting is that was meant, empty when nobody knows, and a hint."""


def meant_by(name: str, value: Value, section: type[Section], loc: Loc) -> Answer:
    """What an unknown name was meant for.

    Args:
        name: as written.
        value: what is written for it.
        section: it is written in.
        loc: of that section.
    """
    known = settings_of(section)
    found = _other_form(name, value, known) or _habit(name, value, known) or _same(name, known)
    if found:
        return (*loc, found[0]), found[1]
    elsewhere = _elsewhere(name, loc)
    if elsewhere:
        return elsewhere
    near = closest(name, known)
    if near:
        return (*loc, near), f"did you mean {near}?"
    return (), f"{path_of(loc)} has {', '.join(known)}" if loc else f"the sections are {', '.join(known)}"


def _other_form(name: str, value: Value, known: Collection[str]) -> tuple[str, str] | None:
    joined = _JOINED.fullmatch(name)
    if joined and value is EMPTY and joined[1] in known:
        return joined[1], f"a space is missing after the colon: write {joined[1]}: {short(joined[2])}"
    return None


def _habit(name: str, value: Value, known: Collection[str]) -> tuple[str, str] | None:
    if folded(name) in _OPPOSITE and "active_high" in known:
        return "active_high", f"write active_high: {'true' if str(value).lower() in _NO else 'false'}"
    meant = next((own for own in known if folded(name) in HABITS.get(own, "").split()), None)
    return (meant, _ADVICE.get(meant, f"it is called '{meant}' here")) if meant else None


def _same(name: str, known: Collection[str]) -> tuple[str, str] | None:
    meant = next((own for own in known if folded(own) == folded(name)), None)
    return (meant, f"write {meant}") if meant else None


def _elsewhere(name: str, loc: Loc) -> Answer | None:
    """Where a setting of this name belongs; None when it is none, or of too many places."""
    steps = tuple(name.split("."))
    if len(steps) > 1 and setting_at((*loc, *steps)):
        return (*loc, *steps), f"write a section for each part: {' '.join(f'{step}:' for step in steps)}"
    places = places_of(name)
    if not places or len(places) > _FEW:
        return None
    meant = places[0] if len(places) == 1 else ()
    if len(places[0]) == 1:
        return meant, f"{places[0][0]} is a section of its own: begin its line without spaces"
    where = " or ".join(path_of(place) for place in places)
    lost_indent = any(place[: len(loc)] == loc for place in places)
    return (
        meant,
        f"is {where} meant? Indent it below {places[0][-2]}:" if lost_indent else f"is {where} meant?",
    )
