"""A wireless network as a card brings it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

MAX_NAME_BYTES: Final = 32
"""IEEE 802.11: a network's name is 1 to 32 bytes, in no particular writing."""

_PASSPHRASE: Final = re.compile(r"[ -~]{8,63}", re.ASCII)
_RAW_KEY: Final = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Network:
    """A network and what opens it.

    Attributes:
        name: the SSID.
        passphrase: of WPA2 or WPA3 Personal, or its 64 hex digits; empty for an open network.
        hidden: it does not tell its name, and is asked for by it.

    Raises:
        ValueError: there can be no such network.
    """

    name: bytes = field(repr=False)
    passphrase: str = field(default="", repr=False)
    hidden: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.name) <= MAX_NAME_BYTES:
            raise ValueError(
                f"a network's name has 1 to {MAX_NAME_BYTES} bytes, and this one has {len(self.name)}"
            )
        if self.passphrase and not _opens(self.passphrase):
            raise ValueError(
                "a passphrase has 8 to 63 letters, digits and signs of ASCII, or 64 hex digits; this one has "
                f"{len(self.passphrase)} characters"
            )


def _opens(passphrase: str) -> bool:
    return bool(_PASSPHRASE.fullmatch(passphrase) or _RAW_KEY.fullmatch(passphrase))
