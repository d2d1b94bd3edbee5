"""Joining a network: a real message bus, and a NetworkManager whose surroundings the test says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.errors import WirelessError
from device.wifi.manager import JOIN_WITHIN_S, NetworkManager
from device.wifi.network import Network
from device.wifi.profiles import KEPT
from tests.support.clock import ManualClock
from tests.support.network_manager import HOME, MessageBus, NetworkManagerStandIn

pytestmark = pytest.mark.slow

MARKET = Network(b"Ch\xe1\xbb\xa3 Ph\xc3\xba Vang", "cho phu vang 2026")


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[None]:
    with MessageBus(tmp_path):
        yield


@pytest.fixture
def manager(bus: None) -> Iterator[NetworkManagerStandIn]:
    with NetworkManagerStandIn(reach={MARKET.name: MARKET.passphrase}) as stand_in:
        stand_in.at_home()
        yield stand_in


class Device:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.wireless = NetworkManager(clock=self.clock)
        self.said = ""

    def joins(self, network: Network) -> str:
        """`joined`, or why not."""
        try:
            self.wireless.join(network)
            while not self.wireless.look():
                threading.Event().wait(0.01)
        except WirelessError as error:
            self.said = str(error)
            return error.word
        return "joined"


def test_a_network_is_joined_and_kept_before_the_one_that_was_there(manager: NetworkManagerStandIn) -> None:
    assert Device().joins(MARKET) == "joined"
    assert manager.network == MARKET.name
    kept = manager.profiles[manager.joined]
    assert not kept.volatile
    assert kept.settings["connection"]["autoconnect-priority"] == ("i", 10)
    assert kept.settings["connection"]["id"] == ("s", "gate-scanner Chợ Phú Vang")
    assert HOME in manager.profiles


def test_a_wrong_key_costs_nothing_the_network_before_is_joined_again(manager: NetworkManagerStandIn) -> None:
    device = Device()
    assert device.joins(Network(MARKET.name, "not the passphrase")) == "wrong_key"
    assert "passphrase" not in device.said
    assert manager.network == b"home"
    assert list(manager.profiles) == [HOME]


def test_a_network_out_of_reach_costs_nothing_either(manager: NetworkManagerStandIn) -> None:
    assert Device().joins(Network(b"elsewhere", "whatever it is")) == "not_found"
    assert (manager.network, list(manager.profiles)) == (b"home", [HOME])


def test_one_that_takes_too_long_is_given_up(manager: NetworkManagerStandIn) -> None:
    manager.stands_still = True
    device = Device()
    device.wireless.join(MARKET)
    assert not device.wireless.look()
    device.clock.advance(JOIN_WITHIN_S)
    with pytest.raises(WirelessError) as error:
        device.wireless.look()
    assert error.value.word == "too_slow"
    assert (manager.network, list(manager.profiles)) == (b"home", [HOME])


def test_a_gate_that_stops_meanwhile_goes_back(manager: NetworkManagerStandIn) -> None:
    manager.stands_still = True
    device = Device()
    device.wireless.join(MARKET)
    device.wireless.give_up()
    device.wireless.give_up()
    assert (manager.network, list(manager.profiles)) == (b"home", [HOME])


def test_the_same_network_again_replaces_its_profile_and_a_few_are_remembered(
    manager: NetworkManagerStandIn,
) -> None:
    device = Device()
    for number in range(KEPT + 2):
        name = b"market %d" % number
        manager.reach[name] = "12345678"
        assert device.joins(Network(name, "12345678")) == "joined"
        manager.reach[name] = "87654321"
        assert device.joins(Network(name, "87654321")) == "joined"
    kept = [profile.ssid for profile in manager.profiles.values()]
    assert kept == [b"home", *(b"market %d" % number for number in range(2, KEPT + 2))]


def test_without_permission_it_says_so(manager: NetworkManagerStandIn) -> None:
    manager.refuses = "org.freedesktop.NetworkManager.PermissionDenied"
    assert Device().joins(MARKET) == "not_allowed"
    assert manager.network == b"home"


@pytest.mark.parametrize(("radio", "word"), [(None, "no_radio"), (10, "no_radio"), (20, "radio_off")])
def test_without_a_radio_it_says_so(manager: NetworkManagerStandIn, radio: int | None, word: str) -> None:
    manager.radio = radio
    assert Device().joins(MARKET) == word
    assert manager.told == []


def test_without_network_manager_it_says_so(bus: None) -> None:
    assert Device().joins(MARKET) == "no_manager"


def test_without_a_bus_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'none'}")
    assert Device().joins(MARKET) == "no_manager"
