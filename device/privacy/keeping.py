"""Which fields of a credential an event keeps, and in which form.

Without a key to seal to, and without a technician who asked for clear text in so many words, nothing is kept.
Nothing is kept either of a code that the gate does not take: that person is asked for another one.
"""

from __future__ import annotations

import json
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from device.credential.registry import PASS_KINDS
from device.model import EventType, Identity, KeptField, Reason
from device.privacy.sealing import binding

if TYPE_CHECKING:
    from device.model import ClockReading, Credential, CredentialRef, Verdict
    from device.privacy.sealing import SealingKey

MAX_IDENTIFIER_BYTES = 64
"""Five times an ID number. An event has to fit its page of the journal, whatever a code claims."""

MAX_NAME_BYTES = 80
"""The longest names met have some 60 bytes."""

_CUT = "\N{HORIZONTAL ELLIPSIS}"
_CUT_BYTES = len(_CUT.encode())


class Form(Enum):
    """How identities are kept."""

    NOT = auto()
    SEALED = auto()
    CLEAR = auto()


class IdentityKeeper:
    """Adds to an event what it keeps of who somebody is. Immutable; safe from any thread.

    Args:
        source: the gate's path.
        seal: key to seal to; None for none.
        clear: keep them readable instead; only without `seal`.
        fields: what is kept of a person's own code.
        fields_of_passes: what is kept of a pass.
    """

    def __init__(
        self,
        *,
        source: str,
        seal: SealingKey | None = None,
        clear: bool = False,
        fields: tuple[KeptField, ...] = (),
        fields_of_passes: tuple[KeptField, ...] = (),
    ) -> None:
        self._source = source
        self._seal = seal
        self._fields = fields
        self._fields_of_passes = fields_of_passes
        self.form = Form.SEALED if seal else Form.CLEAR if clear else Form.NOT

    @property
    def sealed_to(self) -> str:
        """Id of the key identities are sealed to; empty when they are not sealed."""
        return self._seal.key_id if self._seal else ""

    def kept_of(self, credential: Credential, reason: Reason) -> tuple[KeptField, ...]:
        """The fields that an event with this reason would keep of this credential."""
        if self.form is Form.NOT or reason is Reason.KIND_NOT_ACCEPTED:
            return ()
        wanted = self._fields_of_passes if credential.kind in PASS_KINDS else self._fields
        return tuple(field for field in KeptField if field in wanted and _value(credential, field))

    def keep(
        self, credential: Credential, ref: CredentialRef, verdict: Verdict, clock: ClockReading
    ) -> CredentialRef:
        """The reference with what is kept beside it. Sealing takes a fraction of a millisecond.

        Args:
            credential: what was shown.
            ref: what every event keeps of it.
            verdict: about it.
            clock: of the event: a sealed identity belongs to this moment.
        """
        fields = self.kept_of(credential, verdict.reason)
        if not fields:
            return ref
        values = {field.value: _value(credential, field) for field in fields}
        if self._seal is None:
            return replace(ref, identity=Identity(**values))
        context = binding(
            source=self._source,
            event_type=EventType.SCAN,
            boot=clock.boot,
            uptime_ms=clock.uptime_ms,
            kind=ref.kind,
            subject=ref.subject,
        )
        return replace(ref, sealed=self._seal.seal(_json(values).encode(), context=context))


def _value(credential: Credential, field: KeptField) -> str:
    """The field as it is kept; empty when the code does not have it."""
    match field:
        case KeptField.IDENTIFIER:
            return _cut(credential.identifier, MAX_IDENTIFIER_BYTES)
        case KeptField.NAME:
            return _cut(credential.name, MAX_NAME_BYTES)
        case KeptField.BORN:
            return credential.born.isoformat() if credential.born else ""


def _cut(text: str, max_bytes: int) -> str:
    """The text in at most so many bytes of JSON; one that was longer ends with an ellipsis."""
    text = text[:max_bytes].encode("utf-8", "replace").decode()  # half a surrogate pair has no bytes
    if len(text) < max_bytes and _size(text) <= max_bytes:
        return text
    while _size(text) > max_bytes - _CUT_BYTES:
        text = text[:-1]
    return text + _CUT


def _size(text: str) -> int:
    return len(_json(text).encode()) - len('""')


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
