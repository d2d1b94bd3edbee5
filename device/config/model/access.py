"""What is known of codes beforehand, and who may pass."""

from __future__ import annotations

from pydantic import Field

from device.config.model.base import Section
from device.config.scalars import (
    ClockTime,
    Date,
    DaySpan,
    Flag,
    KindWord,
    ListFile,
    PosterHost,
    PublicKeyFile,
    Seconds,
    Text,
    TrustFile,
    Whole,
    days_of,
)
from device.policy.rules import PassbackMode, UntrustedClock


class Credentials(Section):
    """What is known beforehand about codes people hold up."""

    poster_hosts: tuple[PosterHost, ...] = Field(
        ("qr.tokhaiyte.vn", "qr.pccovid.gov.vn"),
        max_length=64,
        description="Hosts of location posters: these codes name a place, not a person, and are told apart.",
    )

    trust_list: TrustFile | None = Field(
        None,
        description="Keys of issuers whose signatures count: JSON, as `gate-scanner keys` writes it. Without "
        "it no signed code is accepted.",
    )
    card_key_file: PublicKeyFile | None = Field(
        None,
        description="The provisioner's public Ed25519 key, PEM, as `gate-scanner provision keys` makes it. "
        "Cards signed with it suspend and resume the gate, test it, ask for a report, sign in who minds it. "
        "Left out: such cards are codes like any other.",
    )
    audiences: tuple[Text, ...] = Field(
        (),
        max_length=16,
        description="Further names this gate answers to where a pass says which gates it is for. NAME, "
        "SITE/NAME and TENANT/SITE/NAME always count, and so do SITE and TENANT/SITE.",
        examples=[["CHOT-03"]],
    )


class Hours(Section):
    """One opening time; the gate is open while any of them holds."""

    days: tuple[DaySpan, ...] = Field(
        ("mon-sun",),
        min_length=1,
        max_length=7,
        description="Days it begins on.",
        examples=[["mon-fri", "sun"]],
    )
    opens: ClockTime = Field(alias="from", description="Beginning, local time.", examples=["06:30"])
    closes: ClockTime = Field(
        alias="to",
        description="End, local time. Earlier than `from`: on the next day. 22:00 to 06:00 is one night.",
        examples=["18:00"],
    )

    effective_from: Date | None = Field(
        None,
        description="The first day it begins on. Left out: it is in force already.",
        examples=["2026-09-05"],
    )
    effective_until: Date | None = Field(
        None, description="The last day it begins on. Left out: until it is changed.", examples=["2027-05-31"]
    )

    @property
    def weekdays(self) -> frozenset[int]:
        """The days as numbers; 0 is Monday."""
        return frozenset[int]().union(*(days_of(span) for span in self.days))


class Passback(Section):
    """What happens when somebody passes in the same direction twice, as far as this gate has seen."""

    mode: PassbackMode = Field(
        PassbackMode.OFF,
        description="`hard` denies; `soft` grants, and the event says `passback`. Needs a gate whose "
        "`direction` is in or out.",
    )
    forget_after_s: Seconds = Field(
        43_200.0,
        ge=60,
        le=604_800,
        description="This long after a person passed, it is not known any more on which side they are.",
    )


class Policy(Section):
    """Who may pass."""

    accept: tuple[KindWord, ...] = Field(
        ("vn.cccd", "vn.qr-national"), min_length=1, description="Kinds of code this gate takes."
    )
    hours: tuple[Hours, ...] = Field(
        (), max_length=32, description="Opening hours. None at all: always open."
    )
    closed_on: tuple[Date, ...] = Field(
        (),
        max_length=366,
        description="Days on which the gate does not open; a night that began the day before goes on.",
        examples=[["2027-02-06"]],
    )
    deny_list: ListFile | None = Field(
        None,
        description="Who is refused: one identifier a line, or a list as `gate-scanner list make` makes it.",
    )
    allow_list: ListFile | None = Field(
        None, description="Who alone may pass, beside those on the roster; written like the deny list."
    )
    roster: ListFile | None = Field(
        None,
        description="Who alone may pass, beside those on the allow list, each within times of their own: "
        "identifier, from, until.",
    )
    list_keys: tuple[PublicKeyFile, ...] = Field(
        (),
        max_length=8,
        description="Public Ed25519 keys of who may issue lists, PEM. With them a list that none of them has "
        "signed is refused, and the one in force stays. Left out: lists need no signature.",
    )
    repeat_s: Seconds = Field(
        10.0,
        ge=0,
        le=86_400,
        description="A code granted less than this ago is answered with 'already shown'.",
    )
    untrusted_clock: UntrustedClock = Field(
        UntrustedClock.ACCEPT,
        description="What becomes of checks that need the time before the clock is set: left out, or failed.",
    )
    passback: Passback = Field(Passback(), description="The same way twice.")
    capacity: Whole | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Persons inside at most, as far as this gate has seen them go in and out. Left out: no "
        "limit.",
    )
    suspended: Flag = Field(False, description="`true`: nobody passes for now; everything is recorded.")
