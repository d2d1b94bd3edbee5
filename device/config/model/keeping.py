"""What is kept on the card, and of a person."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from device.config.model.base import Section
from device.config.scalars import Date, Days, File, Flag, PseudonymKeyFile, SealingKeyFile, Size, Words
from device.model import KeptField


class Journal(Section):
    """The events on the card."""

    path: File = Field(Path("/var/lib/gate-scanner/journal.db"), description="The journal's file.")
    max_bytes: Size = Field(
        512 * 2**20,
        ge=2**21,
        le=2**36,
        description="Bound of the file and what belongs to it. An event takes 1 KiB.",
    )
    keep_days: Days = Field(30, ge=0, le=3650, description="Delivered events are kept this long.")
    when_full: Literal["refuse", "drop_oldest"] = Field(
        "refuse",
        description="When nothing delivered can go: record no more, or drop undelivered events, counted.",
    )
    when_unavailable: Literal["refuse", "admit"] = Field(
        "refuse", description="When an event cannot be recorded: grant nobody, or answer all the same."
    )

    @property
    def lists_folder(self) -> Path:
        """Where the last good lists are kept, each as KIND.list."""
        return self.path.with_name("lists")


class Privacy(Section):
    """What is kept of a person."""

    pseudonym_key_file: PseudonymKeyFile | None = Field(
        None,
        description="Secret key of the pseudonyms that stand for persons in events; at least 16 bytes, "
        "made with `head -c 32 /dev/urandom`. Gates that share it know a person by the same pseudonym. "
        "Left out: a key of this gate's own is made beside the journal.",
    )
    previous_pseudonym_key_file: PseudonymKeyFile | None = Field(
        None,
        description="The key before it, while it is replaced: lists and anti-passback still know persons by "
        "their former pseudonyms. Events carry the new ones at once.",
    )
    previous_pseudonym_until: Date | None = Field(
        None,
        description="The last day on which the key before it counts, in the gate's time zone.",
        examples=["2026-12-31"],
    )
    seal_to: SealingKeyFile | None = Field(
        None,
        description="The district's public X25519 key, PEM or base64, as `gate-scanner keys seal` makes it. "
        "What `keep` names is sealed to it in each event; only the district can open it. Left out: nothing "
        "of it is kept.",
        examples=["district-seal.pub"],
    )
    keep: tuple[KeptField, ...] | None = Field(
        None,
        description="What is kept of who somebody is, where `seal_to` or `keep_clear` says how. Left out: "
        "`identifier` and `name`.",
        examples=[["identifier"]],
    )
    keep_of_passes: tuple[KeptField, ...] = Field(
        (), description="The same of a pass, which its issuer knows by its number anyway."
    )
    keep_clear: Flag = Field(
        False,
        description="`true`: what `keep` names stands readable in the journal and at the broker, for whoever "
        "takes the box as well. Not together with `seal_to`.",
    )
    controller: Words = Field(
        "",
        description="Who is responsible for the data, for the public notice (`gate-scanner notice`).",
        examples=["UBND xã Phú Vang"],
    )
    contact: Words = Field(
        "",
        description="Whom people may ask about their data, for the notice.",
        examples=["0234 000 0000, 1 Lê Lợi, dulieu@phu-vang.example"],
    )
    purpose: Words = Field(
        "",
        description="What the data are for, in Vietnamese, for the notice. Left out: to control who comes in "
        "and goes out.",
    )
    purpose_english: Words = Field("", description="The same in English.")

    @property
    def kept(self) -> tuple[KeptField, ...]:
        """What is kept of a person's own code, if anything is."""
        return (KeptField.IDENTIFIER, KeptField.NAME) if self.keep is None else self.keep
