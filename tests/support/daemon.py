"""The real daemon as a subprocess, its log lines and its notifications to a fake service manager."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Line = dict[str, Any]


class Daemon:
    """`gate-scanner run` on a configuration file. Use as a context manager: it never outlives the test.

    Args:
        config: the YAML file.
        folder: for the notification socket; short, since socket paths are limited to 107 bytes.
        watchdog_s: what the fake service manager asks for.
        environ: added to this process's environment.
        module: what is run; `device` is the product.
    """

    def __init__(
        self,
        config: Path,
        folder: Path,
        *,
        watchdog_s: float | None = None,
        environ: dict[str, str] | None = None,
        module: str = "device",
    ) -> None:
        self._module = module
        self._config = config
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = folder / "notify.sock"
        path.unlink(missing_ok=True)
        self._socket.bind(str(path))
        self._environ = {**os.environ, "NOTIFY_SOCKET": str(path), "PYTHONUNBUFFERED": "1", **(environ or {})}
        if watchdog_s is not None:
            self._environ["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        self._changed = threading.Condition()
        self.lines: list[Line] = []
        self.notifications: list[str] = []

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", self._module, "run", "--config", str(self._config), "--log", "json"],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env=self._environ,
        )
        self._readers = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_notifications, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(10)
        self._readers[0].join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()
        # Closing does not wake a thread that waits in recv; a datagram does.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self._socket.getsockname())
        self._readers[1].join(10)
        self._socket.close()

    def _read_lines(self) -> None:
        assert self.process.stderr is not None
        for raw in self.process.stderr:
            try:
                line = json.loads(raw)
            except ValueError:
                line = {"room": "", "level": "raw", "message": raw.decode(errors="replace").rstrip()}
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def _read_notifications(self) -> None:
        while message := self._socket.recv(4096):
            with self._changed:
                self.notifications.append(message.decode())
                self._changed.notify_all()

    def wait_for(self, found: Callable[[Daemon], bool], what: str, timeout_s: float = 60) -> None:
        """Blocks until `found(self)` is true; fails with the daemon's own words if it never is."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not found(self):
                ended = self.process.poll() is not None and not self._readers[0].is_alive()
                if ended or time.monotonic() > deadline:
                    state = f"it ended with {self.process.returncode}" if ended else "time ran out"
                    raise AssertionError(f"{what}: {state}. It said:\n{self.text()}")
                self._changed.wait(0.2)

    def wait_until_ready(self) -> None:
        """Blocks until READY=1."""
        self.wait_for(lambda d: "READY=1" in d.notifications, "no READY=1")

    def scans(self) -> list[Line]:
        """The `scan` fields of what was answered so far."""
        return [line["scan"] for line in list(self.lines) if "scan" in line]

    def greens(self) -> int:
        """How often the green line went from low to high, by the panel's own trace."""
        states = [line["lines"].get("green", 0) for line in list(self.lines) if "lines" in line]
        return sum(1 for before, after in zip([0, *states], states, strict=False) if after and not before)

    def stop(self, timeout_s: float = 20) -> int:
        """SIGTERM, then waits; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = 60) -> int:
        """Waits for the end; the exit code. All log lines have been read then."""
        code = self.process.wait(timeout_s)
        self._readers[0].join(10)
        return code

    def text(self) -> str:
        """The last log lines, for a failure's message."""
        return "\n".join(f"{x['level']} {x['room']}: {x['message']}" for x in self.lines[-40:])
