"""A wireless network, joined through NetworkManager; where that fails, the one before comes back.

The new profile is volatile until the network has given an address: NetworkManager itself forgets it when it
does not come up, when this process dies, and after a power cut. Only then is it kept, before others by its
priority. Profiles that no card has brought are never changed or removed.

Interface: networkmanager.dev, D-Bus API reference, 1.42 (bookworm) to 1.52 (trixie).
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from device.errors import WirelessError
from device.wifi.bus import Bus
from device.wifi.profiles import ROOT, SERVICE, keep, next_priority, profiles, settings

if TYPE_CHECKING:
    from device.runtime import Clock
    from device.wifi.bus import Signal
    from device.wifi.network import Network

log = logging.getLogger(__name__)

JOIN_WITHIN_S: Final = 60.0
"""Two scans for a hidden network, the handshake (25 s at most) and an address (some seconds)."""

DEVICE: Final = f"{SERVICE}.Device"
ACTIVE: Final = f"{SERVICE}.Connection.Active"
NOTHING: Final = "/"

_WIFI: Final = 2  # NMDeviceType
_UNMANAGED, _UNAVAILABLE, _FAILED = 10, 20, 120  # NMDeviceState
_ACTIVATED, _DEACTIVATED = 2, 4  # NMActiveConnectionState
_WHY: Final = {
    5: "no_address",
    7: "wrong_key",
    8: "wrong_key",
    11: "wrong_key",
    15: "no_address",
    16: "no_address",
    17: "no_address",
    53: "not_found",
}
"""NMDeviceStateReason -> word. 7, 8 and 11: the handshake came to nothing, nearly always for the key."""


@dataclass(slots=True)
class _Attempt:
    """What is under way.

    Attributes:
        bus: open.
        device: path of the radio.
        before: profile that was in use there; `NOTHING` for none.
        profile: the new one.
        active: the new one's activation.
        began_at: monotonic seconds.
        state: of the activation, as told last.
        why: as the radio told it last, of a failure.
    """

    bus: Bus
    device: str
    before: str
    profile: str
    active: str
    began_at: float
    state: int = 0
    why: int = 0

    def note(self, signal: Signal) -> None:
        """Takes in what NetworkManager tells of these two."""
        match signal:
            case _ if signal.path == self.active and signal.interface == ACTIVE:
                self.state = signal.numbers[0]
            case _ if signal.path == self.device and signal.numbers[0] == _FAILED:
                self.why = signal.numbers[2]

    def complain(self, now: float) -> None:
        """Raises WirelessError: it is over without success."""
        if self.state == _DEACTIVATED:
            raise WirelessError(_WHY.get(self.why, "failed"), f"NetworkManager's reason {self.why}")
        if now - self.began_at >= JOIN_WITHIN_S:
            raise WirelessError("too_slow", f"not joined within {JOIN_WITHIN_S:.0f} s")


class NetworkManager:
    """Joins one network at a time. Belongs to one thread; each call blocks for some D-Bus calls at most.

    Args:
        clock: how long an attempt has taken.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._attempt: _Attempt | None = None

    def join(self, network: Network) -> None:
        """Begins; one that is under way is given up.

        Raises:
            WirelessError: it cannot even begin; the network in use stays.
        """
        self.give_up()
        bus = Bus(SERVICE)
        try:
            self._attempt = self._begin(bus, network)
        except WirelessError:
            bus.close()
            raise

    def look(self) -> bool:
        """Whether the network of the last `join` is joined and kept; False while it is under way.

        Raises:
            WirelessError: it could not be joined; the network before is being joined again.
        """
        attempt = self._attempt
        if attempt is None:
            raise WirelessError("failed", "no network is being joined")
        try:
            for signal in attempt.bus.signals():
                attempt.note(signal)
            if attempt.state == _ACTIVATED:
                keep(attempt.bus, attempt.profile)
                self._end(attempt)
                return True
            attempt.complain(self._clock.monotonic())
        except WirelessError:
            self.give_up()
            raise
        return False

    def give_up(self) -> None:
        """Ends what is under way, if anything is: the network before comes back. Raises nothing."""
        attempt = self._attempt
        if attempt is None:
            return
        with suppress(WirelessError):
            attempt.bus.call(ROOT, SERVICE, "DeactivateConnection", "o", attempt.active)
        if attempt.before != NOTHING:
            try:
                attempt.bus.call(
                    ROOT, SERVICE, "ActivateConnection", "ooo", attempt.before, attempt.device, NOTHING
                )
            except WirelessError as error:
                # NetworkManager joins it by itself as well, unless somebody has told it not to.
                log.warning("the network before could not be asked for: %s", error)
        self._end(attempt)

    def _begin(self, bus: Bus, network: Network) -> _Attempt:
        device, before = _radio(bus)
        for interface in (ACTIVE, DEVICE):
            bus.watch(interface, "StateChanged")
        priority = next_priority(profiles(bus))
        profile, active, _ = bus.call(
            ROOT,
            SERVICE,
            "AddAndActivateConnection2",
            "a{sa{sv}}ooa{sv}",
            settings(network, priority),
            device,
            NOTHING,
            {"persist": ("s", "volatile")},
        )
        return _Attempt(bus, device, before, profile, active, self._clock.monotonic())

    def _end(self, attempt: _Attempt) -> None:
        attempt.bus.close()
        self._attempt = None


def _radio(bus: Bus) -> tuple[str, str]:
    """Path of the radio, and of the profile in use there. Raises WirelessError."""
    off = False
    for path in bus.call(ROOT, SERVICE, "GetDevices")[0]:
        about = bus.properties(path, DEVICE)
        if about["DeviceType"] != _WIFI or about["State"] <= _UNMANAGED:
            continue
        if about["State"] == _UNAVAILABLE:
            off = True
            continue
        in_use = about["ActiveConnection"]
        return path, NOTHING if in_use == NOTHING else bus.properties(in_use, ACTIVE)["Connection"]
    if off:
        raise WirelessError("radio_off", "the radio is off: its country is not set, or a switch")
    raise WirelessError("no_radio", "NetworkManager has no radio")
