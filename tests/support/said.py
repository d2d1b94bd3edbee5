"""Log lines and messages as a daemon would send them, for tests of those who listen."""

from __future__ import annotations

import json

from device.uplink.wire import WireEvent

JOURNAL = "j1"


def log_line(message: str = "", *, room: str = "scan", level: str = "info", **fields: object) -> bytes:
    """One line of `gate-scanner run --log json`."""
    head = {"time": "2026-01-01T00:00:00.000Z", "level": level, "room": room, "message": message}
    return json.dumps({**head, **fields}).encode()


def scan_line(seq: int, kind: str, outcome: str, reason: str, latency_ms: int = 40) -> bytes:
    """What the scan loop says about one verdict."""
    scan = {"seq": seq, "kind": kind, "outcome": outcome, "reason": reason, "latency_ms": latency_ms}
    return log_line(f"{outcome} ({reason}): {kind}, event {seq}", scan=scan)


def status_line(
    *, frames: int = 0, stored: int = 0, pending: int = 0, set_aside: int = 0, confirmed: int = 0
) -> bytes:
    """What the main thread says every second."""
    status = {
        "state": "ready",
        "scan": {"frames": frames, "presented": 0},
        "replaced": 1,
        "journal": {"stored": stored, "pending": pending, "set_aside": set_aside},
        "uplink": {"connected": True, "published": confirmed, "confirmed": confirmed},
    }
    return log_line("status", room="daemon", level="debug", status=status)


def panel_line(*on: str, tone_hz: int | None = None) -> bytes:
    """What the mock panel says when its lines change."""
    lines = {name: int(name in on) for name in ("green", "yellow", "red", "blue", "relay")}
    return log_line("lines", room="gpio.panel", level="debug", lines=lines, tone_hz=tone_hz)


def scan_event(seq: int, kind: str, outcome: str, reason: str, latency_ms: int = 40) -> WireEvent:
    """The same verdict as the district receives it."""
    data = {
        "outcome": outcome,
        "reason": reason,
        "latency_ms": latency_ms,
        "credential": {"kind": kind, "standing": "claimed", "subject": "0123456789abcdef" * 2},
    }
    return wire_event(seq, "gate.scan.v1", data)


def wire_event(seq: int, type_: str, data: dict[str, object]) -> WireEvent:
    """Any event as the district receives it."""
    return WireEvent(JOURNAL, seq, "gate/v1/t/s/g", type_, "", json.dumps(data).encode())
