"""What goes over the line: topics, CloudEvents. Pure; both ends use it.

An event travels as structured CloudEvents 1.0 JSON. Its `data` is the journal's canonical JSON, byte for
byte: `parse_events` hands the same bytes back, so a consumer can check the hash chain without trusting
anybody's idea of how JSON is written. Several events may share one message: a CloudEvents batch (a JSON
array), compressed with zlib. A reader needs no property to tell the three forms apart: JSON begins with
`{` or `[`, zlib with `x`.
"""

from __future__ import annotations

import functools
import json
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from device.runtime import rfc3339
from device.uplink.jsontext import elements, members

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.model import ClockReading, StoredEvent

# Names are part of topics and of client ids: 48 fits every broker's limit and stays readable.
_NAME = re.compile(r"[a-z0-9-]{1,48}", re.ASCII)
_EVENT_ID = re.compile(r"([a-z0-9]{1,32})-([1-9][0-9]{0,18})", re.ASCII)
_SOURCE = re.compile(r"gate/v1/[a-z0-9-]{1,48}/[a-z0-9-]{1,48}/[a-z0-9-]{1,48}", re.ASCII)
_TYPE = re.compile(r"[a-z0-9_.]{1,64}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
# A reading in canonical form; in a text the quotes would be escaped.
_CLOCK = re.compile(
    rb'"clock":\{"boot":"([!#-\[\]-~]*)","trusted":(true|false),"uptime_ms":(\d{1,16}),"wall":"([!#-\[\]-~]*)"\}'
)
# A batch is 64 KiB of JSON at most; a reader allows for growth, not for a bomb.
_UNPACKED_MAX_BYTES = 1 << 20
# Level 1 packs 50 events to 15.2% in a third of the time in which 6 packs them to 14.0%.
_ZLIB_LEVEL = 1

EVENT_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"
# RFC 9110's name for the zlib format.
PACKED = (("content-encoding", "deflate"),)


@dataclass(frozen=True, slots=True)
class GateAddress:
    """Where a gate stands, in names that are safe in a topic.

    Raises:
        ValueError: a name is not `[a-z0-9-]{1,48}`.
    """

    tenant: str
    site: str
    gate: str

    def __post_init__(self) -> None:
        for field, name in (("tenant", self.tenant), ("site", self.site), ("gate", self.gate)):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{field} must be 1 to 48 of a-z, 0-9 and '-'")

    @classmethod
    def of(cls, path: str) -> GateAddress:
        """The address with this `path`.

        Raises:
            ValueError: it is no gate's path.
        """
        if not _SOURCE.fullmatch(path):
            raise ValueError("not a gate's path")
        return cls(*path.split("/")[2:])

    @property
    def path(self) -> str:
        """The gate's own topic, also the CloudEvents `source`."""
        return f"gate/v1/{self.tenant}/{self.site}/{self.gate}"

    @property
    def event(self) -> str:
        """Topic of events; never retained."""
        return f"{self.path}/event"

    @property
    def state(self) -> str:
        """Topic of the retained `GateState`; also the last will's."""
        return f"{self.path}/state"

    @property
    def health(self) -> str:
        """Topic of the retained `Health`."""
        return f"{self.path}/health"

    @property
    def answer(self) -> str:
        """What an answer's topic begins with: beside the gates' own, so that nobody speaks in their name."""
        return f"gate/v1/{self.tenant}/answer/{self.site}/{self.gate}"

    def cmd(self, name: str) -> str:
        """Topic of one command to the gate.

        Raises:
            ValueError: the name is not `[a-z0-9-]{1,48}`.
        """
        if not _NAME.fullmatch(name):
            raise ValueError("a command's name must be 1 to 48 of a-z, 0-9 and '-'")
        return f"{self.path}/cmd/{name}"


@dataclass(frozen=True, slots=True)
class Message:
    """One message for the broker, QoS 1.

    Attributes:
        topic: without wildcards.
        payload: its bytes; may be large, so it stays out of the repr.
        retain: whether the broker keeps it for those who come later.
        content_type: MQTT 5 property; empty for none.
        user: MQTT 5 user properties.
        correlation: MQTT 5 correlation data: which question this answers; empty for none.
        reply_to: MQTT 5 response topic: where an answer is wanted; empty for none.
    """

    topic: str
    payload: bytes
    retain: bool = False
    content_type: str = ""
    user: tuple[tuple[str, str], ...] = ()
    correlation: bytes = b""
    reply_to: str = ""

    def __repr__(self) -> str:
        return f"Message(topic={self.topic!r}, {len(self.payload)} bytes, retain={self.retain})"


# -- events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WireEvent:
    """An event as the consumer has it.

    Attributes:
        journal: with `seq`, names the event for ever: upsert by the two and repeats are harmless.
        seq: 1, 2, 3... without gaps in one journal.
        source: the gate's path.
        type: CloudEvents type word; unknown ones are passed on, v1 only grows.
        time: best known UTC when it was published, RFC 3339; empty when absent.
        data: the journalled bytes, exactly.
    """

    journal: str
    seq: int
    source: str
    type: str
    time: str
    data: bytes

    @property
    def id(self) -> str:
        """CloudEvents `id`."""
        return f"{self.journal}-{self.seq}"


def envelope(address: GateAddress, event: StoredEvent, now: ClockReading) -> bytes:
    """The event as structured CloudEvents JSON, UTF-8, with `data` unchanged at its end."""
    time = best_known_time(event.data, now)
    dated = f'"time":"{time}",' if time else ""
    head = f'{_head(address.path, event.type)}"id":{json.dumps(event.id)},{dated}"data":'
    return head.encode() + event.data + b"}"


@functools.lru_cache(maxsize=64)
def _head(source: str, kind: str) -> str:
    # The same for every event of a type; writing it anew was the half of an event's cost.
    head = {"specversion": "1.0", "source": source, "type": kind, "datacontenttype": "application/json"}
    return json.dumps(head, separators=(",", ":"))[:-1] + ","


def event_message(address: GateAddress, enveloped: bytes) -> Message:
    """One event, alone in its message."""
    return Message(address.event, enveloped, content_type=EVENT_TYPE)


def batch_message(address: GateAddress, enveloped: Iterable[bytes]) -> Message:
    """Several events, oldest first, in one compressed message."""
    payload = zlib.compress(b"[" + b",".join(enveloped) + b"]", _ZLIB_LEVEL)
    return Message(address.event, payload, content_type=BATCH_TYPE, user=PACKED)


def parse_events(payload: bytes) -> tuple[WireEvent, ...]:
    """The events of a message in any of the three forms, in the order they were sent.

    Raises:
        ValueError: it is not what this contract describes. The text is fixed words, no content.
    """
    if payload.startswith(b"x"):
        payload = _unpack(payload)
    try:
        text = payload.decode("utf-8")
        parts = list(elements(text)) if text.lstrip().startswith("[") else [text]
        return tuple(_event(part) for part in parts)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        # From None: the decoders' own exceptions carry the text they stumbled over.
        raise ValueError("not JSON") from None


def best_known_time(data: bytes, now: ClockReading) -> str:
    """When the event happened, as well as can be said now; empty when it carries no clock.

    An event recorded before this boot's clock was set gets its true time from the uptime, once the
    clock is trusted. One of an earlier boot keeps what its own clock said. `data` itself never changes.
    """
    try:
        clock = _clock(data)
        wall, trusted, boot, uptime_ms = clock["wall"], clock["trusted"], clock["boot"], clock["uptime_ms"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    if not trusted and now.trusted and boot == now.boot and isinstance(uptime_ms, int):
        if not 0 <= uptime_ms <= now.uptime_ms:
            return ""
        return rfc3339(parse_time(now.wall) - timedelta(milliseconds=now.uptime_ms - uptime_ms))
    return wall if isinstance(wall, str) and _TIME.fullmatch(wall) else ""


def _clock(data: bytes) -> Any:  # noqa: ANN401 - whatever the journal holds there
    # The journal's form is known to the byte; reading it as JSON costs ten times as much, for every event.
    if found := _CLOCK.search(data):
        boot, trusted, uptime_ms, wall = found.groups()
        return {
            "boot": boot.decode(),
            "trusted": trusted == b"true",
            "uptime_ms": int(uptime_ms),
            "wall": wall.decode(),
        }
    return json.loads(data)["clock"]


def parse_time(text: str) -> datetime:
    """An RFC 3339 time in UTC, with `Z`, as the contract writes it.

    Raises:
        ValueError: it is something else.
    """
    if not _TIME.fullmatch(text):
        raise ValueError("not a time in UTC")
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


def _unpack(payload: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(payload, _UNPACKED_MAX_BYTES)
    except zlib.error:
        raise ValueError("not zlib") from None
    if unpacker.unconsumed_tail:
        raise ValueError("too large when unpacked")
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("zlib stream cut short or followed by something")
    return data


def _event(text: str) -> WireEvent:
    raw = dict(members(text))
    if _string(raw, "specversion") != "1.0":
        raise ValueError("not CloudEvents 1.0")
    name = _EVENT_ID.fullmatch(_string(raw, "id"))
    source, kind, time = _string(raw, "source"), _string(raw, "type"), _string(raw, "time")
    if name is None or not _SOURCE.fullmatch(source) or not _TYPE.fullmatch(kind):
        raise ValueError("id, source or type is not as the contract has it")
    if time and not _TIME.fullmatch(time):
        raise ValueError("time is not UTC in RFC 3339")
    data = raw.get("data", "")
    if not data.startswith("{"):
        raise ValueError("data is missing or no object")
    return WireEvent(name[1], int(name[2]), source, kind, time, data.encode())


def _string(raw: dict[str, str], key: str) -> str:
    value = json.loads(raw.get(key, '""'))
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a string")  # noqa: TRY004 - callers expect one exception for any payload
    return value
