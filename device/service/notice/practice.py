"""What a gate does with personal data, as its configuration has it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from device.credential.registry import PASS_KINDS
from device.policy.rules import PassbackMode
from device.privacy.keeping import Form

if TYPE_CHECKING:
    from device.config.model import Settings
    from device.model import KeptField


class Departure(Enum):
    """When an event has arrived, so that the gate may forget it."""

    NEVER = auto()  # nothing is sent
    WHEN_SENT = auto()  # the broker has accepted it
    WHEN_CONFIRMED = auto()  # the district says that it has stored it


@dataclass(frozen=True, slots=True)
class Practice:
    """What the notice has to tell.

    Attributes:
        place: where the gate stands, in words; its name where there are none.
        gate: TENANT/SITE/NAME.
        accepts: kinds of code that are taken, the registry's words.
        form: how identities are kept.
        fields: what is kept of a person's own code; empty with `Form.NOT`.
        fields_of_passes: the same of a pass.
        lists: whether codes are looked up in lists of persons.
        remembers_h: how long the gate knows who is inside, hours; None when it does not ask.
        beam: whether a light barrier counts passages.
        keep_days: that events are kept at the gate at least.
        departure: see `Departure`.
        drops: whether a full journal drops its oldest events.
        encrypted: whether the connection is.
        controller: who is responsible; empty when the configuration does not say.
        contact: whom to ask; likewise.
        purpose: why, in Vietnamese; likewise.
        purpose_english: likewise.
    """

    place: str
    gate: str
    accepts: tuple[str, ...]
    form: Form
    fields: tuple[KeptField, ...]
    fields_of_passes: tuple[KeptField, ...]
    lists: bool
    remembers_h: int | None
    beam: bool
    keep_days: int
    departure: Departure
    drops: bool
    encrypted: bool
    controller: str = ""
    contact: str = ""
    purpose: str = ""
    purpose_english: str = ""

    @property
    def takes_passes(self) -> bool:
        """Whether passes of an organisation are among the codes that are taken."""
        return not PASS_KINDS.isdisjoint(self.accepts)

    @property
    def takes_persons(self) -> bool:
        """Whether codes that name a person are."""
        return not PASS_KINDS.issuperset(self.accepts)


def practice_of(settings: Settings) -> Practice:
    """What a gate with these settings does. Pure; reads none of the files they name."""
    gate, policy, privacy, uplink = settings.gate, settings.policy, settings.privacy, settings.uplink
    form = Form.SEALED if privacy.seal_to else Form.CLEAR if privacy.keep_clear else Form.NOT
    asks_where = policy.passback.mode is not PassbackMode.OFF or policy.capacity is not None
    departure = Departure.WHEN_CONFIRMED if uplink.district_key_file else Departure.WHEN_SENT
    return Practice(
        place=gate.place or gate.name,
        gate=f"{gate.tenant}/{gate.site}/{gate.name}",
        accepts=policy.accept,
        form=form,
        fields=() if form is Form.NOT else privacy.kept,
        fields_of_passes=() if form is Form.NOT else privacy.keep_of_passes,
        lists=any((policy.deny_list, policy.allow_list, policy.roster)),
        remembers_h=max(1, round(policy.passback.forget_after_s / 3600)) if asks_where else None,
        beam=settings.inputs.beam is not None,
        keep_days=settings.journal.keep_days,
        departure=departure if uplink.enabled else Departure.NEVER,
        drops=settings.journal.when_full == "drop_oldest",
        encrypted=uplink.tls is not None,
        controller=privacy.controller,
        contact=privacy.contact,
        purpose=privacy.purpose,
        purpose_english=privacy.purpose_english,
    )
