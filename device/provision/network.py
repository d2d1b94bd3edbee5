"""A wireless network as the body of a card. Pure and total."""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.model import CardReason
from device.provision.envelope import close, open_up
from device.wifi.network import Network

if TYPE_CHECKING:
    from device.credential.cbor import Plain
    from device.privacy.sealing import OpeningKey, SealingKey
    from device.provision.card import Card


def pack_network(network: Network, *, serial: int, gate: str, seal: SealingKey | None) -> bytes:
    """The body of a card; see `envelope.close`."""
    said: Plain = {"name": network.name, "passphrase": network.passphrase, "hidden": network.hidden}
    return close(said, serial=serial, gate=gate, seal=seal)


def network_of(card: Card, key: OpeningKey) -> Network | CardReason:
    """The network that a card brings; else why not, see `envelope.open_up`.

    Args:
        card: whose signature was checked.
        key: of this device.
    """
    match open_up(card.body, serial=card.serial, gate=card.gate, key=key):
        case CardReason() as reason:
            return reason
        case {
            "name": bytes() as name,
            "passphrase": str() as passphrase,
            "hidden": bool() as hidden,
            **more,
        } if not more:
            try:
                return Network(name, passphrase, hidden)
            except ValueError:
                return CardReason.MALFORMED
        case _:
            return CardReason.MALFORMED
