"""The retained message that says how a gate is: birth, goodbye, last will. Pure; both ends use it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from device.uplink.jsontext import no_constant
from device.uplink.wire import GateAddress, Message

if TYPE_CHECKING:
    from device.model import ClockReading

_JOURNAL = re.compile(r"[a-z0-9]{1,32}", re.ASCII)
# Numbers beyond it are not the same in every JSON reader.
_SEQ_MAX = 2**53 - 1


class Status(StrEnum):
    """What the broker's retained message says about a gate."""

    ONLINE = "online"  # birth: connected, events flow
    OFFLINE = "offline"  # said goodbye: stopped on purpose
    LOST = "lost"  # last will: the broker stopped hearing from it


@dataclass(frozen=True, slots=True)
class Kept:
    """What a gate has in its journal, and has handed over: a consumer sees from it what it lacks.

    Attributes:
        journal: its id.
        first: number of the oldest event still kept, or of the next one when there is none.
        sent: up to here the broker has accepted every event.
    """

    journal: str
    first: int
    sent: int


@dataclass(frozen=True, slots=True)
class GateState:
    """The retained message on the `state` topic.

    Attributes:
        status: see `Status`.
        since: when this was written, RFC 3339; for `lost` the moment the lost connection began.
        trusted: whether that clock was synchronised.
        boot: the kernel's boot id: another one means the device was restarted in between.
        version: of the software.
        kept: what it had in its journal at that moment.
    """

    status: Status
    since: str
    trusted: bool
    boot: str
    version: str
    kept: Kept | None = None


def state_message(
    address: GateAddress, status: Status, now: ClockReading, version: str, kept: Kept | None = None
) -> Message:
    """The retained message that says how the gate is."""
    state: dict[str, Any] = {
        "status": status.value,
        "since": now.wall,
        "trusted": now.trusted,
        "boot": now.boot,
        "version": version,
    }
    if kept is not None:
        state["kept"] = {"journal": kept.journal, "first": kept.first, "sent": kept.sent}
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
        kept = _kept(raw["kept"]) if "kept" in raw else None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("not a gate's state") from None
    if not isinstance(trusted, bool) or not all(isinstance(word, str) for word in words):
        raise ValueError("not a gate's state")
    since, boot, version = words
    return GateState(status, since, trusted, boot, version, kept)


def _kept(raw: Any) -> Kept:  # noqa: ANN401 - whatever the sender put there
    match raw:
        case {"journal": str(journal), "first": int(first), "sent": int(sent)} if (
            bool not in {type(first), type(sent)}
            and _JOURNAL.fullmatch(journal)
            and 0 < first <= _SEQ_MAX
            and 0 <= sent <= _SEQ_MAX
        ):
            return Kept(journal, first, sent)
        case _:
            raise ValueError
