"""What the broker's reason codes mean for us (MQTT 5.0, section 2.4). Pure.

The words are fixed: they go to the log, to `UplinkStats` and, for a refused event, into the journal.
"""

from __future__ import annotations

from enum import StrEnum


class Fate(StrEnum):
    """What becomes of a published event after its receipt."""

    DELIVERED = "delivered"  # the broker has it
    LATER = "later"  # nothing is wrong with the event: wait and send it again
    DOUBTFUL = "doubtful"  # the event, or all of us: only an event that fares better can tell
    REFUSED = "refused"  # this event: set it aside, the next one goes on


class Loss(StrEnum):
    """Why there is no connection."""

    NAME_UNKNOWN = "broker's name not found"
    UNREACHABLE = "broker not reachable"
    NO_ANSWER = "broker does not answer"
    TLS_FAILED = "TLS failed"
    CERTIFICATE = "broker's certificate not accepted"
    FILES = "a certificate, key or password file cannot be used"
    CREDENTIALS = "user name or password refused"
    NOT_AUTHORIZED = "not authorized"
    REFUSED = "connection refused by the broker"
    BUSY = "broker busy or unavailable"
    TAKEN_OVER = "another client uses our client id"
    UNSUPPORTED = "broker offers no QoS 1"
    CONTENT = "broker rejected a packet"
    BROKER_CLOSED = "closed by the broker"
    CONNECTION_LOST = "connection lost"
    NO_RECEIPT = "no receipt in time"
    JOURNAL = "the journal cannot be read"
    INTERNAL = "internal error"
    ASKED = "closed by us"


# From here on a code says failure.
FAILURE = 0x80
# "No matching subscribers": the broker has thrown the message away, and says so as a success.
UNHEARD = 0x10
# They say nothing about the event, only about the moment: server unavailable, busy, rate, quota.
_LATER = frozenset({UNHEARD, 0x88, 0x89, 0x96, 0x97})
# They are about this packet's size and content. All events share a topic, so the topic is no reason here.
_REFUSED = frozenset({0x95, 0x99})

_WORDS = {
    0x10: "no matching subscribers",
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "implementation specific error",
    0x84: "unsupported protocol version",
    0x85: "client identifier not valid",
    0x86: "bad user name or password",
    0x87: "not authorized",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x8B: "server shutting down",
    0x8C: "bad authentication method",
    0x8D: "keep alive timeout",
    0x8E: "session taken over",
    0x90: "topic name invalid",
    0x91: "packet identifier in use",
    0x93: "receive maximum exceeded",
    0x94: "topic alias invalid",
    0x95: "packet too large",
    0x96: "message rate too high",
    0x97: "quota exceeded",
    0x98: "administrative action",
    0x99: "payload format invalid",
    0x9A: "retain not supported",
    0x9B: "QoS not supported",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9F: "connection rate exceeded",
}

_LOSSES = {
    **dict.fromkeys((0x84, 0x85, 0x8A, 0x8C, 0x9C, 0x9D), Loss.REFUSED),
    **dict.fromkeys((0x86,), Loss.CREDENTIALS),
    **dict.fromkeys((0x87,), Loss.NOT_AUTHORIZED),
    **dict.fromkeys((0x88, 0x89, 0x96, 0x97, 0x9F), Loss.BUSY),
    **dict.fromkeys((0x8E,), Loss.TAKEN_OVER),
    **dict.fromkeys((0x9A, 0x9B), Loss.UNSUPPORTED),
    **dict.fromkeys((0x81, 0x82, 0x90, 0x94, 0x95, 0x99), Loss.CONTENT),
}


def fate(code: int, *, subscriber_required: bool = True) -> Fate:
    """What a PUBACK with this code means for the event.

    Args:
        code: the reason code.
        subscriber_required: whether an event nobody subscribes to waits for somebody who does.
    """
    if code in _LATER and (subscriber_required or code != UNHEARD):
        return Fate.LATER
    if code < FAILURE:
        return Fate.DELIVERED
    return Fate.REFUSED if code in _REFUSED else Fate.DOUBTFUL


def loss(code: int) -> Loss:
    """What a CONNACK that refuses, or a DISCONNECT, with this code means for the connection."""
    return _LOSSES.get(code, Loss.BROKER_CLOSED)


def words(code: int) -> str:
    """The code in the standard's words, with its number: `not authorized (0x87)`."""
    return f"{_WORDS.get(code, 'reason')} (0x{code:02x})"
