"""The district's sealing keys, and opening what gates have sealed: the body of `gate-scanner unseal`.

Several keys may be given: each sealed identity names the one it was sealed to, so that a key can be replaced
while older events are still kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.durable import write_new
from device.errors import GateError
from device.journal.reader import JournalReader
from device.journal.record import parse
from device.logs import printable
from device.model import EventType, KeptField, Sealed, StoredEvent
from device.privacy.sealing import OpeningKey, binding
from device.service import store_file
from device.service.news import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from device.journal.record import Data


def make_seal(private: Path, public: Path) -> OpeningKey:
    """A new key pair in two new files. Nothing is ever replaced: what is sealed to a lost key is lost.

    Raises:
        GateError: a file exists, or cannot be written.
    """
    for path in (private, public):
        if path.exists():
            text = "exists and is kept; choose another name: what is sealed to a lost key is lost"
            raise GateError(f"{path}: {text}")
    pem = OpeningKey.generate()
    key = OpeningKey(pem)
    try:
        write_new(private, pem, mode=0o600)
        try:
            write_new(public, key.public_pem, mode=0o644)
        except OSError:
            private.unlink()
            raise
    except OSError as error:
        raise GateError(f"{error.filename or private}: {error.strerror}") from error
    return key


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A sealed event, opened or not.

    Attributes:
        gate: its path.
        event: as it is stored.
        identity: what was sealed; empty when it did not open.
        problem: why it did not open; empty when it did.
    """

    gate: str
    event: StoredEvent
    identity: dict[str, str]
    problem: str = ""

    def as_json(self) -> str:
        """One line."""
        told = {
            "gate": self.gate,
            "id": self.event.id,
            **{name: found for name, found in _about(self.event).items() if found},
            "identity": self.identity or None,
            "problem": self.problem,
        }
        return json.dumps(told, ensure_ascii=False)

    def as_text(self) -> str:
        """One line for people."""
        about = _about(self.event)
        head = (
            f"{about['time']:<24}  {short(self.gate)}  {self.event.id}  {about['outcome']}  {about['kind']}"
        )
        who = "  ".join(self.identity[field] for field in KeptField if field in self.identity)
        return printable(f"{head}  {who}" if not self.problem else f"{head}  -- not opened: {self.problem}")


def sealed_in(path: Path, *, gate: str) -> Iterator[tuple[str, StoredEvent]]:
    """Every event of a district's store or a gate's journal that has something sealed, with its gate's path.

    Read in short transactions, also while another process writes.

    Args:
        path: of the file that `watch` keeps, or of a journal.
        gate: path of the gate whose journal it is; of a store, only this one's; empty for all.

    Raises:
        GateError: there is no such file, or it is a journal and nobody said whose.
    """
    if store_file.is_store(path):
        found = ((source, e) for source, e in store_file.read_events(path) if gate in {"", source})
    elif gate:
        found = ((gate, event) for event in _journalled(path))
    else:
        raise GateError(f"{path}: a gate's journal does not say whose it is: --gate TENANT/SITE/NAME")
    return ((source, event) for source, event in found if b'"sealed":{' in event.data)


def _journalled(path: Path) -> Iterator[StoredEvent]:
    with JournalReader(path) as reader:
        for event in reader.events():
            data = parse(event.data) or {}
            match data.get("journal"), data.get("number"), data.get("kind"), data.get("record"):
                case str(name), int(number), str(kind), str(record) if event.type == EventType.RESCUED:
                    yield StoredEvent(name, number, kind, record.encode())
                case _:
                    yield event


def unseal(
    events: Iterable[tuple[str, StoredEvent]], keys: Sequence[OpeningKey], *, subject: str = ""
) -> Iterator[Unsealed]:
    """Opens what gates have sealed. Pure but for reading `events`.

    Args:
        events: with the path of the gate each is from.
        keys: each sealed identity is opened with the one it names.
        subject: only this person's; empty for everybody's.
    """
    known = {key.key_id: key for key in keys}
    for gate, event in events:
        data = parse(event.data)
        credential = _object(data or {}, "credential")
        sealed = _object(credential, "sealed")
        if data is None:
            yield Unsealed(gate, event, {}, "the event is damaged")
        elif sealed and subject in {"", credential.get("subject")}:
            yield _unsealed(gate, event, data, known)


def _unsealed(gate: str, event: StoredEvent, data: Data, known: dict[str, OpeningKey]) -> Unsealed:
    credential, clock = _object(data, "credential"), _object(data, "clock")
    parts = _object(credential, "sealed")
    sealed = Sealed(*(str(parts.get(name, "")) for name in ("key", "enc", "ciphertext")))
    uptime_ms, subject = clock.get("uptime_ms"), credential.get("subject")
    key = known.get(sealed.key)
    if key is None:
        return Unsealed(gate, event, {}, f"sealed to key {sealed.key}, which is not among those given")
    context = binding(
        source=gate,
        event_type=event.type,
        boot=str(clock.get("boot")),
        uptime_ms=uptime_ms if isinstance(uptime_ms, int) else -1,
        kind=str(credential.get("kind")),
        subject=subject if isinstance(subject, str) else None,
    )
    text = key.open(sealed, context=context)
    if text is None:
        problem = "it was changed, belongs to another event, or its gate had another name"
        return Unsealed(gate, event, {}, problem)
    identity = _identity(text)
    return Unsealed(gate, event, identity, "" if identity else "what was sealed is no identity")


def _identity(text: bytes) -> dict[str, str]:
    """What was sealed; empty when it is something else: anybody may seal to a public key."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _about(event: StoredEvent) -> dict[str, str]:
    data = parse(event.data) or {}
    clock, credential = _object(data, "clock"), _object(data, "credential")
    of = {"time": clock.get("wall"), "outcome": data.get("outcome"), "reason": data.get("reason")}
    of |= {"kind": credential.get("kind"), "subject": credential.get("subject")}
    return {name: str(found or "") for name, found in of.items()}


def _object(data: Data, name: str) -> Data:
    value = data.get(name)
    return value if isinstance(value, dict) else {}
