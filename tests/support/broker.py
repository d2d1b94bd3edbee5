"""A real mosquitto on a free loopback port, which tests may kill, freeze, restart and misconfigure."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

# Debian puts the daemon where an ordinary user's PATH does not look.
_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/local/bin"))
# A loaded machine has needed 3 s to start one; longer means that something is wrong.
_READY_WITHIN_S = 15.0
# How long one look at a process that is not ready yet takes.
_LOOK_EVERY_S = 0.02
# Another process may take the free port before the broker does.
_PORTS_TRIED = 5


LOOPBACK = "127.0.0.1"


class BrokerFailed(RuntimeError):
    """The broker could not be started. The message holds what it printed."""


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What the listener shows and asks for.

    Attributes:
        ca_file: who may sign the clients' certificates.
        cert_file: the server's certificate.
        key_file: its key.
        client_certificates: whether a client without one is refused.
    """

    ca_file: Path
    cert_file: Path
    key_file: Path
    client_certificates: bool = False


class Broker:
    """One mosquitto process with its own folder.

    Args:
        folder: for configuration, log, password file and persistence; must exist.
        acl: text of the ACL file; None allows everything.
        users: names and passwords; None lets everybody in.
        tls: None for plain TCP.
        persistence: whether messages and retained state are written to disk.
        options: further lines of mosquitto.conf: `{"max_inflight_messages": 1}`.
        host: where it listens.
        prefix: put before its command, which then runs in another place.

    Attributes:
        host: where it listens.
        port: stays the same over `restart()`.
    """

    host: str = LOOPBACK

    def __init__(
        self,
        folder: Path,
        *,
        acl: str | None = None,
        users: Mapping[str, str] | None = None,
        tls: ServerTls | None = None,
        persistence: bool = False,
        options: Mapping[str, object] | None = None,
        host: str = LOOPBACK,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.host = host
        self.port = 0
        self._prefix = prefix
        self._folder = folder
        self._acl = acl
        self._users = users
        self._tls = tls
        self._persistence = persistence
        self._options = dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        """What the broker printed, all its starts together."""
        path = self._folder / "mosquitto.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Starts it and returns when it accepts connections.

        Raises:
            BrokerFailed: mosquitto is not installed, or ended at once, or is not ready in time.
        """
        if self.port:
            self._start_on(self.port)
            return
        for attempt in range(_PORTS_TRIED):
            port = _free_port()
            try:
                self._start_on(port)
            except BrokerFailed:
                if "Address already in use" in self.log and attempt < _PORTS_TRIED - 1:
                    continue
                raise
            self.port = port
            return

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, no client is told. Without effect when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """SIGTERM: clients get a DISCONNECT, persistence is written."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_READY_WITHIN_S)
            self._process = None

    def restart(self) -> None:
        """Kills it and starts it again on the same port."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: the kernel still accepts connections and data, nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def change(self, **options: object) -> None:
        """Restarts it with other lines of mosquitto.conf."""
        self._options |= options
        self.restart()

    def allow(self, acl: str) -> None:
        """Replaces the ACL of a running broker."""
        self._acl = acl
        (self._folder / "acl").write_text(acl, encoding="utf-8")
        self._signal(signal.SIGHUP)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise BrokerFailed("the broker does not run")
        self._process.send_signal(number)

    def _start_on(self, port: int) -> None:
        program = shutil.which("mosquitto", path=_PATH)
        if program is None:
            raise BrokerFailed("mosquitto is not installed: apt install mosquitto")
        conf = self._folder / "mosquitto.conf"
        conf.write_text("\n".join(self._lines(port)) + "\n", encoding="utf-8")
        with (self._folder / "mosquitto.log").open("ab") as out:
            self._process = subprocess.Popen(
                [*self._prefix, program, "-c", str(conf)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            self._await_ready(port)
        except BaseException:
            self.kill()
            raise

    def _await_ready(self, port: int) -> None:
        for _ in range(int(_READY_WITHIN_S / _LOOK_EVERY_S)):
            assert self._process is not None
            try:
                code = self._process.wait(_LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                pass
            else:
                raise BrokerFailed(f"mosquitto ended with {code}:\n{self.log}")
            try:
                socket.create_connection((self.host, port), timeout=_READY_WITHIN_S).close()
            except OSError:
                continue
            return
        raise BrokerFailed(f"mosquitto is not ready after {_READY_WITHIN_S} s:\n{self.log}")

    def _lines(self, port: int) -> list[str]:
        lines = [
            # Started as root it would give up its rights and then not read a test's private folder.
            "user root",
            "log_dest stderr",
            f"log_type {self._options.get('log_type', 'all')}",
            "per_listener_settings false",
            "set_tcp_nodelay true",
            f"allow_anonymous {_word(self._users is None)}",
            f"persistence {_word(self._persistence)}",
            f"persistence_location {self._folder}/",
        ]
        if self._acl is not None:
            lines.append(f"acl_file {self._private('acl', self._acl)}")
        if self._users is not None:
            lines.append(f"password_file {self._passwords(self._users)}")
        lines.extend(f"{key} {_word(value)}" for key, value in self._options.items() if key != "log_type")
        # What follows `listener` belongs to it, so it comes last.
        lines.append(f"listener {port} {self.host}")
        if self._tls is not None:
            lines += [
                f"cafile {self._tls.ca_file}",
                f"certfile {self._tls.cert_file}",
                f"keyfile {self._tls.key_file}",
                f"require_certificate {_word(self._tls.client_certificates)}",
            ]
        return lines

    def _private(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    def _passwords(self, users: Mapping[str, str]) -> Path:
        path = self._private("passwords", "".join(f"{name}:{word}\n" for name, word in users.items()))
        program = shutil.which("mosquitto_passwd", path=_PATH)
        if program is None:
            raise BrokerFailed("mosquitto_passwd is not installed: apt install mosquitto")
        subprocess.run([program, "-U", str(path)], check=True, capture_output=True)
        return path


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
