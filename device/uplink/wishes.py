"""What the district asks of a gate: move the confirmed cursor, send events again. Pure.

A wish is signed, because the cursor decides what the journal may delete, and bound to one gate, so that it
cannot be shown to another. The signature is over the bytes of the `wish` member as they were sent: nothing
is written anew before it is checked, and nothing is believed before that.

    {"wish":{"gate":"gate/v1/hanoi/market-3/north","journal":"3f9c2a","seq":1042},"signature":"<base64url>"}

The cursor is the retained message on `gate/v1/{tenant}/wish/cursor/{site}/{gate}`; a replay is asked for on
`cmd/replay` with `from_seq` and `through_seq` in place of `seq`. An old wish shown again is harmless: the
cursor only moves forward, and a consumer drops what it has.

A replay may name an MQTT 5 response topic, below `gate/v1/{tenant}/answer/{site}/{gate}/`; what became of it
is said there, with the question's correlation data.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from device.uplink.jsontext import members, no_constant
from device.uplink.wire import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.uplink.wire import GateAddress

# Whether the signature over the message is the district's.
Verify: TypeAlias = "Callable[[bytes, bytes], bool]"

# The longest wish has three numbers and two names.
WISH_MAX_BYTES = 1024
_JOURNAL = re.compile(r"[a-z0-9]{1,32}", re.ASCII)
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{86}", re.ASCII)
# What a gate adds to its answers' topic, and sends back: names, no patterns; room for two UUIDs.
_BELOW = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_CORRELATION_MAX_BYTES = 64
# Numbers beyond it are not the same in every JSON reader.
_SEQ_MAX = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """The district has stored everything up to `seq` for good."""

    journal: str
    seq: int


@dataclass(frozen=True, slots=True)
class Replay:
    """The district asks for these events again, both ends included."""

    journal: str
    from_seq: int
    through_seq: int


class Answer(StrEnum):
    """What became of a replay."""

    DONE = "done"
    ANOTHER_JOURNAL = "another_journal"  # not the one this gate writes; nothing was sent
    BUSY = "busy"  # too many wait already
    GIVEN_UP = "given_up"  # the broker takes no events now; ask again


@dataclass(frozen=True, slots=True)
class ReplayAnswer:
    """What became of a replay; the message on the response topic.

    Attributes:
        answer: see `Answer`.
        journal: id of the journal the gate writes.
        from_seq: as it was asked.
        through_seq: as it was asked.
        sent: events the broker has accepted.
        refused: events it refuses, one by one.
        first: number of the oldest event the gate still keeps.
    """

    answer: Answer
    journal: str
    from_seq: int
    through_seq: int
    sent: int
    refused: int
    first: int


def cursor_topic(address: GateAddress) -> str:
    """Where the district leaves the cursor, retained."""
    return f"gate/v1/{address.tenant}/wish/cursor/{address.site}/{address.gate}"


def cursor_message(address: GateAddress, cursor: Cursor, sign: Callable[[bytes], bytes]) -> Message:
    """The district's side: tells a gate what is stored."""
    wish: dict[str, str | int] = {"gate": address.path, "journal": cursor.journal, "seq": cursor.seq}
    return Message(cursor_topic(address), signed(wish, sign), retain=True, content_type="application/json")


def replay_message(
    address: GateAddress,
    replay: Replay,
    sign: Callable[[bytes], bytes],
    *,
    reply_to: str = "",
    correlation: bytes = b"",
) -> Message:
    """The district's side: asks a gate for events again. Not retained: a gate that is away is asked later.

    Args:
        address: of the gate.
        replay: what is wanted.
        sign: with the district's key.
        reply_to: topic for the answer, below `GateAddress.answer`; empty for none.
        correlation: comes back with the answer.
    """
    wish: dict[str, str | int] = {
        "gate": address.path,
        "journal": replay.journal,
        "from_seq": replay.from_seq,
        "through_seq": replay.through_seq,
    }
    return Message(
        address.cmd("replay"),
        signed(wish, sign),
        content_type="application/json",
        reply_to=reply_to,
        correlation=correlation,
    )


def may_answer(address: GateAddress, reply_to: str, correlation: bytes) -> bool:
    """Whether this is a topic that a gate answers on: whoever asks chooses it, and a gate may publish."""
    below = reply_to.removeprefix(f"{address.answer}/")
    return below != reply_to and bool(_BELOW.fullmatch(below)) and len(correlation) <= _CORRELATION_MAX_BYTES


def answer_message(reply_to: str, answer: ReplayAnswer, correlation: bytes) -> Message:
    """The gate's side: says what became of a replay."""
    payload = json.dumps(asdict(answer), separators=(",", ":")).encode()
    return Message(reply_to, payload, content_type="application/json", correlation=correlation)


def parse_cursor(payload: bytes, address: GateAddress, verify: Verify) -> Cursor:
    """The cursor in a wish for this gate.

    Raises:
        ValueError: it is no such wish, for another gate, or not signed by the district. Fixed words.
    """
    wish = _opened(payload, address, verify)
    return Cursor(_journal(wish), _seq(wish, "seq"))


def parse_replay(payload: bytes, address: GateAddress, verify: Verify) -> Replay:
    """The replay a wish for this gate asks for.

    Raises:
        ValueError: see `parse_cursor`; or the end lies before the beginning.
    """
    wish = _opened(payload, address, verify)
    replay = Replay(_journal(wish), _seq(wish, "from_seq"), _seq(wish, "through_seq"))
    if replay.through_seq < replay.from_seq:
        raise ValueError("the replay's end lies before its beginning")
    return replay


def signed(wish: dict[str, str | int], sign: Callable[[bytes], bytes]) -> bytes:
    """The district's side: a wish with its signature."""
    text = json.dumps(wish, separators=(",", ":"))
    return f'{{"wish":{text},"signature":"{_in_base64(sign(text.encode()))}"}}'.encode()


def _in_base64(signature: bytes) -> str:
    return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def _opened(payload: bytes, address: GateAddress, verify: Verify) -> dict[str, Any]:
    if len(payload) > WISH_MAX_BYTES:
        raise ValueError("larger than any wish")
    try:
        raw = dict(members(payload.decode("utf-8")))
        signature = json.loads(raw.get("signature", "null"))
        if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature) or "wish" not in raw:
            raise ValueError("not a signed wish")
        decoded = base64.urlsafe_b64decode(signature + "==")
        # The last character has room for four bits that mean nothing: one form only.
        if _in_base64(decoded) != signature or not verify(decoded, raw["wish"].encode()):
            raise ValueError("not signed by the district")
        wish = json.loads(raw["wish"], parse_constant=no_constant)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(wish, dict) or wish.get("gate") != address.path:
        raise ValueError("a wish for another gate")
    return wish


def _journal(wish: dict[str, Any]) -> str:
    name = wish.get("journal")
    if not isinstance(name, str) or not _JOURNAL.fullmatch(name):
        raise ValueError("a wish that names no journal")
    return name


def _seq(wish: dict[str, Any], key: str) -> int:
    seq = wish.get(key)
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 < seq <= _SEQ_MAX:
        raise ValueError(f"a wish without a proper {key}")
    return seq
