"""The retained message that says how a gate is: birth, goodbye, last will. Pure; both ends use it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from device.uplink.jsontext import no_constant
from device.uplink.wire import GateAddress, Message

if TYPE_CHECKING:
    from device.model import ClockReading


class Status(StrEnum):
    """What the broker's retained message says about a gate."""

    ONLINE = "online"  # birth: connected, events flow
    OFFLINE = "offline"  # said goodbye: stopped on purpose
    LOST = "lost"  # last will: the broker stopped hearing from it


@dataclass(frozen=True, slots=True)
class GateState:
    """The retained message on the `state` topic.

    Attributes:
        status: see `Status`.
        since: when this was written, RFC 3339; for `lost` the moment the lost connection began.
        trusted: whether that clock was synchronised.
        boot: the kernel's boot id: another one means the device was restarted in between.
        version: of the software.
    """

    status: Status
    since: str
    trusted: bool
    boot: str
    version: str


def state_message(address: GateAddress, status: Status, now: ClockReading, version: str) -> Message:
    """The retained message that says how the gate is."""
    state = {
        "status": status.value,
        "since": now.wall,
        "trusted": now.trusted,
        "boot": now.boot,
        "version": version,
    }
    payload = json.dumps(state, separators=(",", ":")).encode()
    return Message(address.state, payload, retain=True, content_type="application/json")


def parse_state(payload: bytes) -> GateState:
    """The state a gate left at the broker. Members it does not know are ignored.

    Raises:
        ValueError: it is not what this contract describes.
    """
    try:
        raw = json.loads(payload, parse_constant=no_constant)
        status, trusted = Status(raw["status"]), raw["trusted"]
        words = [raw[key] for key in ("since", "boot", "version")]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("not a gate's state") from None
    if not isinstance(trusted, bool) or not all(isinstance(word, str) for word in words):
        raise ValueError("not a gate's state")
    since, boot, version = words
    return GateState(status, since, trusted, boot, version)
