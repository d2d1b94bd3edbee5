"""Profiles of NetworkManager: what a card's network becomes there, and which of them are cards'."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from device.errors import WirelessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.wifi.bus import Bus
    from device.wifi.network import Network

KEPT: Final = 4
"""Networks of cards that a gate remembers: where it stands, and where it stood before."""

FIRST_PRIORITY: Final = 10
"""Above the network of the first set-up (0), which stays for when the card's is gone."""

MAX_PRIORITY: Final = 999
"""NetworkManager's own limit."""

NAME: Final = "gate-scanner"
"""What profiles of cards begin with, for whoever looks with nmcli."""

SERVICE: Final = "org.freedesktop.NetworkManager"
ROOT: Final = "/org/freedesktop/NetworkManager"
SETTINGS: Final = f"{SERVICE}.Settings"
PROFILE: Final = f"{SETTINGS}.Connection"

_TO_DISK: Final = 0x1  # NMSettingsUpdate2Flags


def settings(network: Network, priority: int) -> dict[str, dict[str, tuple[str, object]]]:
    """A profile as NetworkManager takes it: each value with its D-Bus signature. Pure.

    `wpa-psk` is WPA2 and WPA3 Personal there.
    """
    readable = network.name.decode("utf-8", "replace")
    name = "".join(c if c.isprintable() else "?" for c in readable)
    made: dict[str, dict[str, tuple[str, object]]] = {
        "connection": {
            "id": ("s", f"{NAME} {name}"),
            "uuid": ("s", str(uuid4())),
            "type": ("s", "802-11-wireless"),
            "autoconnect-priority": ("i", priority),
        },
        "802-11-wireless": {"ssid": ("ay", network.name), "hidden": ("b", network.hidden)},
        "ipv4": {"method": ("s", "auto")},
        "ipv6": {"method": ("s", "auto")},
    }
    if network.passphrase:
        made["802-11-wireless-security"] = {"key-mgmt": ("s", "wpa-psk"), "psk": ("s", network.passphrase)}
    return made


@dataclass(frozen=True, slots=True)
class Profile:
    """One that a card has brought.

    Attributes:
        path: of the object.
        ssid: name of its network.
        priority: the higher, the sooner it is joined by itself.
    """

    path: str
    ssid: bytes = field(repr=False)
    priority: int


def profiles(bus: Bus) -> list[Profile]:
    """Those of cards. Raises WirelessError."""
    found = []
    for path in bus.call(f"{ROOT}/Settings", SETTINGS, "ListConnections")[0]:
        with suppress(WirelessError):  # removed meanwhile
            if one := _of_a_card(path, bus.call(path, PROFILE, "GetSettings")[0]):
                found.append(one)
    return found


def _of_a_card(path: str, said: dict[str, dict[str, tuple[str, Any]]]) -> Profile | None:
    about, radio = said["connection"], said.get("802-11-wireless")
    if radio is None or not about["id"][1].startswith(f"{NAME} "):
        return None
    return Profile(path, bytes(radio["ssid"][1]), about.get("autoconnect-priority", ("i", 0))[1])


def next_priority(kept: Sequence[Profile]) -> int:
    """Before all of them. Pure."""
    return min(max([FIRST_PRIORITY - 1, *(one.priority for one in kept)]) + 1, MAX_PRIORITY)


def needless(kept: Sequence[Profile], new: str) -> list[str]:
    """Paths of those that the new profile replaces, or that are too many beside it. Pure.

    Args:
        kept: those of cards, the new one among them.
        new: its path.
    """
    name = next((one.ssid for one in kept if one.path == new), None)
    others = sorted((one for one in kept if one.path != new), key=lambda one: one.priority, reverse=True)
    again = [one.path for one in others if one.ssid == name]
    return again + [one.path for one in others if one.ssid != name][KEPT - 1 :]


def keep(bus: Bus, new: str) -> None:
    """The new profile goes to the disk, and those of cards that it makes needless are removed. Blocks.

    Raises:
        WirelessError: it cannot be kept.
    """
    bus.call(new, PROFILE, "Update2", "a{sa{sv}}ua{sv}", {}, _TO_DISK, {})
    for path in needless(profiles(bus), new):
        with suppress(WirelessError):  # then it stays until the next card
            bus.call(path, PROFILE, "Delete")
