"""A provisioner with a key, a device's own, and networks that are joined or not as a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.credential.signature import PublicKey
from device.credential.signing import SigningKey
from device.errors import WirelessError
from device.privacy.sealing import OpeningKey
from device.provision.card import Card, write

if TYPE_CHECKING:
    from datetime import datetime

    from device.model import CardKind
    from device.wifi.network import Network

DEVICE_KEY = OpeningKey(OpeningKey.generate())


class Provisioner:
    """Signs cards; counts up."""

    def __init__(self) -> None:
        self.key = SigningKey(SigningKey.generate())
        self.keys = {self.key.kid: PublicKey(self.key.spki)}
        self.serial = 0

    def card(
        self,
        kind: CardKind,
        *,
        serial: int | None = None,
        gate: str = "",
        effective_from: datetime | None = None,
        until: datetime | None = None,
        once: bool = True,
        body: bytes = b"",
    ) -> bytes:
        """The text of a card; without a serial, of the next one."""
        self.serial += 1
        number = self.serial if serial is None else serial
        return write(Card(kind, number, gate, effective_from, until, once, body), self.key)


class Radio:
    """Joins what a test says.

    Attributes:
        asked: networks that were to be joined.
        begins: None, or why it cannot even begin.
        ends: whether the next look finds it joined; an error: why not.
        given_up: how often.
    """

    def __init__(self) -> None:
        self.asked: list[Network] = []
        self.begins: WirelessError | None = None
        self.ends: bool | WirelessError = False
        self.given_up = 0

    def join(self, network: Network) -> None:
        self.asked.append(network)
        if self.begins:
            raise self.begins

    def look(self) -> bool:
        if isinstance(self.ends, WirelessError):
            raise self.ends
        return self.ends

    def give_up(self) -> None:
        self.given_up += 1
