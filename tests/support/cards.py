"""A provisioner with a key, and what a gate's desk is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.credential.signature import PublicKey
from device.credential.signing import SigningKey
from device.provision.card import Card, write

if TYPE_CHECKING:
    from datetime import datetime

    from device.model import CardKind


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
