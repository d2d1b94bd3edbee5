"""NetworkManager as a gate uses it, on a real message bus of its own: the test says what is within reach.

`tests/vm/wifi_cards.sh` runs the same cards against the real one, with radios of the kernel.
"""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import DBusConnection, open_dbus_connection

NM = "org.freedesktop.NetworkManager"
ROOT = "/org/freedesktop/NetworkManager"
RADIO = f"{ROOT}/Devices/2"
HOME = f"{ROOT}/Settings/1"


class MessageBus:
    """A dbus-daemon for one test."""

    def __init__(self, folder: Path) -> None:
        self.address = f"unix:path={folder / 'bus'}"
        self._daemon = subprocess.Popen(
            [
                "dbus-daemon",
                "--session",
                "--nofork",
                "--nopidfile",
                f"--address={self.address}",
                "--print-address",
            ],
            stdout=subprocess.PIPE,
        )
        assert self._daemon.stdout
        self._daemon.stdout.readline()  # it listens
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = self.address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
        self._daemon.terminate()
        self._daemon.communicate()


@dataclass
class Profile:
    """One that is kept, or volatile."""

    settings: dict[str, dict[str, tuple[str, Any]]]
    volatile: bool = False

    @property
    def ssid(self) -> bytes:
        return bytes(self.settings["802-11-wireless"]["ssid"][1])


@dataclass
class NetworkManagerStandIn:
    """Answers in a thread of its own until closed.

    Attributes:
        reach: networks within reach, and their passphrases.
        radio: its NMDeviceState; 100 with `joined`.
        refuses: name of the error every change is answered with.
        stands_still: joining never ends.
        profiles: by path.
        joined: path of the profile in use.
        told: methods called that change something.
    """

    reach: dict[bytes, str] = field(default_factory=dict)
    radio: int | None = 100
    refuses: str = ""
    stands_still: bool = False
    profiles: dict[str, Profile] = field(default_factory=dict)
    joined: str = "/"
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = iter(range(2, 100))
        self._active: dict[str, str] = {}
        self._connection: DBusConnection = open_dbus_connection("SYSTEM")
        reply = self._connection.send_and_get_reply(message_bus.RequestName(NM))
        assert reply.body == (1,)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._connection.close()

    def at_home(self, ssid: bytes = b"home") -> None:
        """Joined, as it was set up by hand."""
        self.profiles[HOME] = Profile(
            {"connection": {"id": ("s", "preconfigured")}, "802-11-wireless": {"ssid": ("ay", ssid)}}
        )
        self.reach[ssid] = ""
        self._use(HOME)

    @property
    def network(self) -> bytes | None:
        """Name of the network in use."""
        return self.profiles[self.joined].ssid if self.joined in self.profiles else None

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                message = self._connection.receive(timeout=0.02)
            except TimeoutError:
                continue
            if message.header.message_type is MessageType.method_call:
                self._answer(message)

    def _answer(self, message: Message) -> None:
        fields = message.header.fields
        path, method = fields[HeaderFields.path], fields[HeaderFields.member]
        changes = method not in {"GetAll", "GetDevices", "ListConnections", "GetSettings"}
        if changes:
            self.told.append(method)
        if changes and self.refuses:
            self._connection.send(new_error(message, self.refuses, "s", ("no",)))
            return
        try:
            reply = self._change(path, method, message.body) if changes else self._read(path, method)
        except KeyError:
            self._connection.send(new_error(message, f"{NM}.UnknownObject", "s", ("gone",)))
            return
        self._connection.send(new_method_return(message, *reply))
        if method == "AddAndActivateConnection2" and not self.stands_still:
            self._outcome(*reply[1][:2])

    def _read(self, path: str, method: str) -> tuple[str, tuple[Any, ...]]:
        match method:
            case "GetDevices":
                return "ao", ([f"{ROOT}/Devices/1", *([RADIO] if self.radio is not None else [])],)
            case "GetAll":
                return "a{sv}", (self._about(path),)
            case "ListConnections":
                return "ao", (list(self.profiles),)
            case _:
                return "a{sa{sv}}", (self.profiles[path].settings,)

    def _change(self, path: str, method: str, body: tuple[Any, ...]) -> tuple[str | None, tuple[Any, ...]]:
        match method:
            case "AddAndActivateConnection2":
                settings, _, _, options = body
                new = f"{ROOT}/Settings/{next(self._numbers)}"
                self.profiles[new] = Profile(settings, volatile=options["persist"] == ("s", "volatile"))
                return "ooa{sv}", (new, self._use(new), {})
            case "Update2":
                assert body == ({}, 1, {})
                self.profiles[path].volatile = False
                return "a{sv}", ({},)
            case "Delete":
                del self.profiles[path]
                return None, ()
            case "ActivateConnection":
                return "o", (self._use(body[0]),)
            case "DeactivateConnection":
                self._drop(self._active[body[0]])
                return None, ()
            case _:
                raise AssertionError(method)

    def _about(self, path: str) -> dict[str, tuple[str, Any]]:
        if path in self._active:
            return {"Connection": ("o", self._active[path])}
        state, kind = (self.radio, 2) if path == RADIO else (100, 1)
        active = next((a for a, profile in self._active.items() if profile == self.joined), "/")
        return {
            "DeviceType": ("u", kind),
            "State": ("u", state),
            "ActiveConnection": ("o", active if path == RADIO else "/"),
        }

    def _use(self, profile: str) -> str:
        self._drop(self.joined)
        self.joined = profile
        active = f"{ROOT}/ActiveConnection/{next(self._numbers)}"
        self._active = {active: profile}
        return active

    def _drop(self, profile: str) -> None:
        if self.profiles.get(profile, Profile({})).volatile:
            del self.profiles[profile]
        self.joined, self._active = "/", {}

    def _outcome(self, profile: str, active: str) -> None:
        one = self.profiles[profile]
        key = one.settings.get("802-11-wireless-security", {}).get("psk", ("s", ""))[1]
        if self.reach.get(one.ssid) == key:
            self._tell(active, "Connection.Active", "uu", (2, 1))
            return
        why = 7 if one.ssid in self.reach else 53
        self._tell(RADIO, "Device", "uuu", (120, 50, why))
        self._tell(active, "Connection.Active", "uu", (4, 9))
        self._drop(profile)

    def _tell(self, path: str, interface: str, signature: str, body: tuple[int, ...]) -> None:
        emitter = DBusAddress(path, interface=f"{NM}.{interface}")
        self._connection.send(new_signal(emitter, "StateChanged", signature, body))
