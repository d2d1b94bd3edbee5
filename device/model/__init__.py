"""Frozen types that rooms hand to each other. No I/O, no clock, no foreign library but numpy's array.

Words that leave the process are `StrEnum` members: their values are part of the wire contract
(`docs/reference/events.md`) and only ever grow within v1.

* `frames` — what comes from the camera, and what is found in it.
* `credentials` — what a code claims, after grammar and signature.
* `verdicts` — what is decided, and what the panel shows of it.
* `references` — what events are made of: the moment, and what may be kept of a person.
* `events` — what happens at a gate, as it is recorded.
* `stored` — what the journal adds of its own, and an event as it stands there.
"""

from __future__ import annotations

from device.model.credentials import Credential, Possession, Rotation, Standing
from device.model.events import (
    CardEvent,
    CardKind,
    CardOutcome,
    CardReason,
    CheckupEvent,
    ClockEvent,
    CoverageEvent,
    Event,
    Input,
    InputEvent,
    Lifecycle,
    LifecycleEvent,
    Occasion,
    ScanEvent,
    Sensed,
    UnreadEvent,
)
from device.model.frames import Cause, Controls, Corners, Frame, Symbol, Unread
from device.model.references import (
    ClockReading,
    CredentialRef,
    Direction,
    EventType,
    Identity,
    KeptField,
    ListInForce,
    Sealed,
)
from device.model.stored import CheckpointEvent, Refusal, RescuedEvent, StoredEvent, Why
from device.model.verdicts import Cue, Outcome, Reason, Verdict

__all__ = [
    "CardEvent",
    "CardKind",
    "CardOutcome",
    "CardReason",
    "Cause",
    "CheckpointEvent",
    "CheckupEvent",
    "ClockEvent",
    "ClockReading",
    "Controls",
    "Corners",
    "CoverageEvent",
    "Credential",
    "CredentialRef",
    "Cue",
    "Direction",
    "Event",
    "EventType",
    "Frame",
    "Identity",
    "Input",
    "InputEvent",
    "KeptField",
    "Lifecycle",
    "LifecycleEvent",
    "ListInForce",
    "Occasion",
    "Outcome",
    "Possession",
    "Reason",
    "Refusal",
    "RescuedEvent",
    "Rotation",
    "ScanEvent",
    "Sealed",
    "Sensed",
    "Standing",
    "StoredEvent",
    "Symbol",
    "Unread",
    "UnreadEvent",
    "Verdict",
    "Why",
]
