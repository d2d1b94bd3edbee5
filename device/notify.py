"""systemd's notification protocol (sd_notify(3)): one datagram, no answer, never an error.

Sending to systemd must not be able to stop a gate, so failures are ignored: without NOTIFY_SOCKET
nothing is sent at all.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Notifier:
    """Tells the service manager how the process is. Safe from any thread; never blocks."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        usec = environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(usec) / 1e6 if usec.isdecimal() and int(usec) else None
        """Seconds within which `watchdog()` must be called again, or None when nobody watches."""

    def ready(self) -> None:
        """The gate works: configuration, journal, pins and a first frame are there. Ends `reloading`."""
        if self.watchdog_s is not None:
            self._send(f"WATCHDOG_USEC={int(self.watchdog_s * 1e6)}")
        self._send("READY=1")

    def reloading(self) -> None:
        """A changed configuration is looked at; `ready` follows, whatever becomes of it."""
        # The service manager compares this with CLOCK_MONOTONIC; the Clock counts suspended time too.
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now_us}")

    def patience(self, seconds: float) -> None:
        """Asks the watchdog to wait this long once; `ready` goes back to what it asked for."""
        if self.watchdog_s is not None:
            self._send(f"WATCHDOG_USEC={int(seconds * 1e6)}")

    def status(self, line: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={line.replace(chr(10), ' ')}")

    def watchdog(self) -> None:
        """Still alive. Only called while every worker's beat is fresh."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Asked to stop, on the way out."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(message.encode(), self._address)
