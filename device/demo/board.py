"""What is known about the gate at a moment: put together from the daemon's log and the district's broker.

Pure: lines and messages in, facts out. Nothing is guessed; what was not said yet is None or empty.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from device.model import EventType

if TYPE_CHECKING:
    from device.uplink.wire import WireEvent

LAMPS = ("green", "yellow", "red", "blue")

VERDICTS_KEPT = 256
"""Of a scene of half a minute; more would not be read and is counted as missing by the check."""

LINES_KEPT = 40
"""Last log lines, shown when something goes wrong."""


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict as the daemon logged it, or as the district received it."""

    seq: int
    kind: str
    outcome: str
    reason: str
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event that the district's subscriber received.

    Attributes:
        seq: of the event.
        type: CloudEvents type word.
        said: the verdict when it is a scan.
        what: what happened to the device when it is no scan; empty when that is not said.
        subject: the pseudonym in it, empty when there is none.
    """

    seq: int
    type: str
    said: Said | None
    what: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Counters:
    """The daemon's own figures, from its last status.

    Attributes:
        frames: looked at.
        replaced: delivered by the camera, but replaced by a newer one before anybody looked.
        stored: events in the journal.
        pending: of these not yet confirmed by the broker.
        set_aside: refused by the broker.
        connected: to the broker.
        published: events handed to the broker.
        confirmed: of these acknowledged.
    """

    frames: int = 0
    replaced: int = 0
    stored: int = 0
    pending: int = 0
    set_aside: int = 0
    connected: bool = False
    published: int = 0
    confirmed: int = 0


class Board:
    """Collects facts. Used from one thread.

    Attributes:
        ready: whether the daemon has said that it works.
        lamps: which lines are on, by name; the relay is one of them.
        tone_hz: what the buzzer plays, None in silence.
        verdicts: oldest first.
        arrived: what the district received, repeats left out, by (journal, seq).
        repeats: how often an event arrived that was there already.
        unreadable: messages that were no events.
        counters: see `Counters`.
        last_lines: the end of the log, as people read it.
    """

    def __init__(self) -> None:
        self.ready = False
        self.lamps: dict[str, bool] = {}
        self.tone_hz: int | None = None
        self.verdicts: deque[Said] = deque(maxlen=VERDICTS_KEPT)
        self.arrived: dict[tuple[str, int], Arrived] = {}
        self.repeats = 0
        self.unreadable = 0
        self.counters = Counters()
        self.last_lines: deque[str] = deque(maxlen=LINES_KEPT)

    @property
    def frames_seen(self) -> int:
        """Frames the camera has delivered, as far as the daemon has said."""
        return self.counters.frames + self.counters.replaced

    def hear(self, line: bytes) -> None:
        """Takes one line of the daemon's log. A line that is not JSON is kept as it is; raises nothing."""
        text = line.decode("utf-8", errors="replace").rstrip()
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            self._keep(text)
            return
        match fields:
            case {"lines": dict(lines)}:
                self.lamps = {str(name): bool(on) for name, on in lines.items()}
                self.tone_hz = _int(fields, "tone_hz") or None
            case {"scan": dict(scan)}:
                self.verdicts.append(_said(scan))
                self._keep(_readable(fields))
            case {"status": dict(status)}:
                self.counters = _counters(status)
            case _:
                self.ready = self.ready or fields.get("message") == "ready"
                self._keep(_readable(fields))

    def receive(self, events: tuple[WireEvent, ...]) -> tuple[Arrived, ...]:
        """Takes what one message brought; those that were not there yet."""
        new = []
        for event in events:
            if (event.journal, event.seq) in self.arrived:
                self.repeats += 1
                continue
            arrived = _arrived(event)
            self.arrived[event.journal, event.seq] = arrived
            new.append(arrived)
        return tuple(new)

    def received_scans(self) -> tuple[Said, ...]:
        """The verdicts that reached the district, in the order of their number."""
        scans = [a.said for a in self.arrived.values() if a.said]
        return tuple(sorted(scans, key=lambda said: said.seq))

    def _keep(self, line: str) -> None:
        if line:
            self.last_lines.append(line)


def _said(fields: dict[str, Any]) -> Said:
    words = {name: str(fields.get(name, "")) for name in ("kind", "outcome", "reason")}
    return Said(seq=_int(fields, "seq"), latency_ms=_int(fields, "latency_ms"), **words)


def _counters(status: dict[str, Any]) -> Counters:
    journal, uplink = _dict(status, "journal"), _dict(status, "uplink")
    return Counters(
        frames=_int(_dict(status, "scan"), "frames"),
        replaced=_int(status, "replaced"),
        stored=_int(journal, "stored"),
        pending=_int(journal, "pending"),
        set_aside=_int(journal, "set_aside"),
        connected=bool(uplink.get("connected", False)),
        published=_int(uplink, "published"),
        confirmed=_int(uplink, "confirmed"),
    )


def _arrived(event: WireEvent) -> Arrived:
    data = json.loads(event.data)
    if event.type != EventType.SCAN:
        return Arrived(event.seq, event.type, None, what=str(data.get("what", "")))
    credential = _dict(data, "credential")
    said = _said({**data, "seq": event.seq, "kind": credential.get("kind", "")})
    return Arrived(event.seq, event.type, said, subject=str(credential.get("subject") or ""))


def _readable(fields: dict[str, Any]) -> str:
    return f"{fields.get('level', '')} {fields.get('room', '')}: {fields.get('message', '')}"


def _int(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) else 0


def _dict(fields: dict[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}
