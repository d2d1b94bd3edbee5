"""The retained message that says how a gate fares: counters, refusals, clock. Pure; both ends use it.

Beside `state`, which a last will replaces: what a gate said of itself stays there while it is away.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from device.model import ClockReading, Refusal
from device.uplink.budget import Pace  # noqa: TC001 - the schema of `Health` asks for its types
from device.uplink.jsontext import no_constant
from device.uplink.wire import Message

if TYPE_CHECKING:
    from device.uplink.wire import GateAddress

# Refusals in one message: 4 KB. The rest is listed when the district's cursor has passed these.
REFUSALS_MAX = 50
_JOURNAL = re.compile(r"[a-z0-9]{1,32}", re.ASCII)
_WHY = re.compile(r"[ -~]{1,120}", re.ASCII)
# Numbers beyond it are not the same in every JSON reader.
_SEQ_MAX = 2**53 - 1


@dataclass(frozen=True, slots=True)
class ListHealth:
    """One of the lists a gate goes by.

    Attributes:
        name: of the list.
        version: in force; absent for a file without, and when none is in force.
        age_s: of the one in force, seconds; absent when none is, or while the clock is not trusted.
    """

    name: str
    version: int | None
    age_s: int | None


@dataclass(frozen=True, slots=True)
class Health:
    """How a gate fares; the retained message on the `health` topic.

    Attributes:
        clock: when this was written.
        journal: id of the journal it writes.
        last: number of its newest event.
        sent: up to here the broker has accepted or refused every event.
        confirmed: up to here the district has stored them, as far as the gate was told.
        pending: events that are neither accepted nor refused.
        set_aside: events the broker refuses; they are kept and offered again.
        refused: their numbers beyond `confirmed`, oldest first, at most 50 entries: holes that are explained.
        refusing: while the broker takes no events: its reason; empty otherwise.
        reconnects: connections after the first, since the start of the process.
        last_error: why the last connection ended or could not be made; empty for never.
        twin: whether another device says that it is this gate: a copied card, say.
        day_bytes: sent today, where a daily budget is set.
        pace: what the daily budget allows.
        temperature_c: of the processor, whole degrees Celsius, where it can be read.
        lists: those it goes by.
    """

    clock: ClockReading
    journal: str
    last: int
    sent: int
    confirmed: int
    pending: int
    set_aside: int
    refused: tuple[Refusal, ...]
    refusing: str
    reconnects: int
    last_error: str
    twin: bool = False
    day_bytes: int | None = None
    pace: Pace | None = None
    temperature_c: int | None = None
    lists: tuple[ListHealth, ...] = ()


def health_message(address: GateAddress, health: Health) -> Message:
    """The retained message."""
    payload = json.dumps(asdict(health, dict_factory=_told), separators=(",", ":")).encode()
    return Message(address.health, payload, retain=True, content_type="application/json")


def _told(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """What is not known is left out."""
    return {name: value for name, value in members if value is not None}


@dataclass(frozen=True, slots=True)
class Explained:
    """As much of a gate's health as its district acts upon.

    Attributes:
        journal: id of the journal.
        sent: up to here every event exists.
        refused: of these, what the broker refuses.
    """

    journal: str
    sent: int
    refused: tuple[Refusal, ...]


def parse_health(payload: bytes) -> Explained:
    """What the message explains. Members it does not know are ignored.

    Raises:
        ValueError: it is not what this contract describes. Fixed words.
    """
    try:
        raw = json.loads(payload, parse_constant=no_constant)
        sent = _number(raw["sent"])
        refused = tuple(_refusal(entry, sent) for entry in raw["refused"][:REFUSALS_MAX])
        return Explained(_matching(_JOURNAL, raw["journal"]), sent, refused)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("not a gate's health") from None


def _refusal(raw: Any, sent: int) -> Refusal:  # noqa: ANN401 - whatever the sender put there
    first, last = _number(raw["first"]), _number(raw["last"])
    if not 0 < first <= last <= sent:
        raise ValueError
    return Refusal(first, last, _matching(_WHY, raw["why"]))


def _matching(form: re.Pattern[str], value: Any) -> str:  # noqa: ANN401 - whatever the sender put there
    if not form.fullmatch(value):
        raise ValueError
    return str(value)


def _number(value: Any) -> int:  # noqa: ANN401 - whatever the sender put there
    if type(value) is not int or not 0 <= value <= _SEQ_MAX:
        raise ValueError
    return value
