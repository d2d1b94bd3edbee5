"""A real MQTT 5 broker for the length of the demonstration, on a free loopback port.

mosquitto when it is installed, otherwise iotcore: rumqttd, a broker written in Rust, in a Python wheel.
(amqtt, the other broker on PyPI, speaks MQTT 3.1.1 only; our uplink speaks MQTT 5.)
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING

from device.demo.child import Child
from device.errors import UplinkError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

HOST = "127.0.0.1"

READY_WITHIN_S = 20.0
"""mosquitto takes 20 ms and iotcore 300 ms here; a loaded Pi with a slow card has needed seconds."""

LOOK_EVERY_S = 0.05
"""How often a broker that is starting is asked whether it is there."""

PORTS_TRIED = 5
"""Another process may take a free port before the broker does."""

SYSTEM_PATHS = ("/usr/sbin", "/usr/local/sbin")
"""Debian puts mosquitto where an ordinary user's PATH does not look."""

_MOSQUITTO = """\
listener {port} {host}
allow_anonymous true
persistence false
log_dest stdout
"""

_IOTCORE = """\
id = 0

[router]
id = 0
max_connections = 16
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 10

[v5.demo]
name = "demo"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v5.demo.connections]
connection_timeout_ms = 60000
max_payload_size = 65536
max_inflight_count = 100
dynamic_filters = true
"""


class Kind(StrEnum):
    """Which broker is started; `auto` takes mosquitto when it is installed."""

    AUTO = "auto"
    MOSQUITTO = "mosquitto"
    IOTCORE = "iotcore"


def search_path(environ: Mapping[str, str]) -> str:
    """Where mosquitto is looked for: the user's PATH, then the system's own places."""
    return os.pathsep.join((environ.get("PATH", ""), *SYSTEM_PATHS))


class Broker:
    """One broker process. A context manager; the process ends with the block.

    Args:
        folder: for its configuration and log; exists.
        kind: see `Kind`.
        path: where mosquitto is looked for, as in PATH; see `search_path`.

    Attributes:
        kind: the one that runs, never `auto` once it was started.
        port: of the listener, 0 before the start.
    """

    def __init__(self, folder: Path, *, kind: Kind = Kind.AUTO, path: str) -> None:
        self.kind = kind
        self.port = 0
        self._folder = folder
        self._program = shutil.which("mosquitto", path=path)
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it; returns when it takes connections.

        Raises:
            UplinkError: no broker is installed, or it does not come up; the message says what to do.
        """
        if self.kind is Kind.AUTO:
            self.kind = Kind.MOSQUITTO if self._program else Kind.IOTCORE
        for _ in range(PORTS_TRIED):
            self.port = _free_port()
            self._child = Child(self._command(), log=self._folder / "broker.log")
            if self._answers(self._child):
                return
            self.stop()
        raise UplinkError(f"{self.kind} does not start; its last words: {self.last_words() or 'none'}")

    def stop(self) -> None:
        """Ends it; without effect when it does not run."""
        if self._child:
            self._child.stop()
            self._child = None

    def last_words(self) -> str:
        """The end of what it printed."""
        log = self._folder / "broker.log"
        return log.read_text(encoding="utf-8", errors="replace")[-500:].strip() if log.exists() else ""

    def _command(self) -> list[str]:
        if self.kind is Kind.MOSQUITTO:
            if self._program is None:
                raise UplinkError("mosquitto is not installed: apt install mosquitto")
            conf = self._folder / "mosquitto.conf"
            conf.write_text(_MOSQUITTO.format(host=HOST, port=self.port), encoding="utf-8")
            return [self._program, "-c", str(conf)]
        if find_spec("iotcore") is None:
            raise UplinkError("no MQTT broker is installed: apt install mosquitto, or pip install iotcore")
        conf = self._folder / "iotcore.toml"
        conf.write_text(_IOTCORE.format(host=HOST, port=self.port), encoding="utf-8")
        # Below this level it prints several lines a message.
        return [sys.executable, "-m", "iotcore", "--config", str(conf), "--log-level", "CRITICAL"]

    def _answers(self, child: Child) -> bool:
        """Whether it takes connections, within `READY_WITHIN_S`; False as well when it has ended."""
        for _ in range(round(READY_WITHIN_S / LOOK_EVERY_S)):
            try:
                socket.create_connection((HOST, self.port), timeout=LOOK_EVERY_S).close()
            except OSError:
                if child.wait(LOOK_EVERY_S) is not None:
                    return False
            else:
                return child.wait(0) is None
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
