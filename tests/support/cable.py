"""A cable to another machine that tests may pull: network namespaces and a switch, all the kernel's own.

It is pulled behind the switch: at this end the link stays up, what is sent is lost, and nobody is told. The
kernel's TCP has to find out, or whoever waits. Needs root and iproute2; says so where they are missing.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

# Of 198.18.0.0/15, which is set aside for testing networks (RFC 2544): no cable of the house is on it.
_NETWORK = "198.18"
_numbers = itertools.count(os.getpid() % 250)


class Cable:
    """This machine, a switch, and another machine that is a network namespace. A context manager.

    Attributes:
        here: this end's address.
        there: the other's.
    """

    def __init__(self) -> None:
        number = next(_numbers) % 250 + 1
        self._switch, self._far = (f"gate-{name}-{os.getpid()}-{number}" for name in ("switch", "far"))
        self._device = f"gt{os.getpid() % 100_000}-{number}"
        self.here, self.there = f"{_NETWORK}.{number}.1", f"{_NETWORK}.{number}.2"

    def __enter__(self) -> Self:
        try:
            for name in (self._switch, self._far):
                _ip("netns", "add", name)
            _ip("-n", self._switch, "link", "add", "bridge", "type", "bridge")
            _ip("link", "add", self._device, "type", "veth", "peer", "name", "near", "netns", self._switch)
            _ip(
                "-n",
                self._switch,
                "link",
                "add",
                "far",
                "type",
                "veth",
                "peer",
                "name",
                "end",
                "netns",
                self._far,
            )
            for port in ("near", "far"):
                _ip("-n", self._switch, "link", "set", port, "master", "bridge", "up")
            _ip("-n", self._switch, "link", "set", "bridge", "up")
            _ip("address", "add", f"{self.here}/24", "dev", self._device)
            _ip("link", "set", self._device, "up")
            _ip("-n", self._far, "address", "add", f"{self.there}/24", "dev", "end")
            _ip("-n", self._far, "link", "set", "end", "up")
            _ip("-n", self._far, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in (self._switch, self._far):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "delete", self._device], check=False, capture_output=True)

    @property
    def prefix(self) -> tuple[str, ...]:
        """Put before a command, it runs at the other end."""
        return ("ip", "netns", "exec", self._far)

    def pull(self) -> None:
        """Nothing gets through any more."""
        _ip("-n", self._switch, "link", "set", "far", "down")

    def plug_in(self) -> None:
        """As before."""
        _ip("-n", self._switch, "link", "set", "far", "up")


def _ip(*words: str) -> None:
    try:
        done = subprocess.run(["ip", *words], check=False, capture_output=True, text=True, timeout=20)
    except FileNotFoundError as error:
        raise RuntimeError("ip is not installed: this test needs iproute2") from error
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()} (this test needs root)")
