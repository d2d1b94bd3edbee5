"""The notice in English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from device.model import KeptField
from device.privacy.keeping import Form
from device.service.notice.pages import Gap, Notice, Part, said
from device.service.notice.practice import Departure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from device.service.notice.pages import Paragraph
    from device.service.notice.practice import Practice

KINDS: Final = {
    "vn.cccd": "the Vietnamese ID card",
    "vn.qr-national": "the national personal QR code",
    "vn.bhyt": "the health insurance card",
    "eu.dcc": "digital COVID-19 certificates",
    "shc": "SMART Health Cards",
    "cwt.claim169": "signed identity codes",
    "cwt.pass": "gate passes with a QR code",
    "jws.pass": "gate passes with a QR code",
}
FIELDS: Final = {
    KeptField.IDENTIFIER: "number",
    KeptField.NAME: "name",
    KeptField.BORN: "date of birth",
}


def notice(practice: Practice, *, made_on: str) -> Notice:
    """The notice for this practice. Pure.

    Args:
        practice: what is to be told.
        made_on: date, as it is to be read.
    """
    parts = (
        Part("What does this device do?", tuple(_what(practice))),
        Part("What is kept?", tuple(_kept(practice))),
        Part("What for?", (_why(practice),)),
        Part("For how long?", tuple(_how_long(practice))),
        Part("Who receives it?", tuple(_who(practice))),
        Part("Whom can I ask?", tuple(_ask(practice))),
    )
    made = f"Gate {practice.gate}. Made on {made_on} from the configuration the device works by."
    return Notice("en", "Personal data at this gate", practice.place, parts, made)


def _what(practice: Practice) -> Iterator[Paragraph]:
    yield said(
        "It reads the QR code you hold up to the camera, decides whether you may pass, and answers with "
        "lights and sound. The camera only looks for QR codes: no picture is kept, nobody sees one but a "
        "technician who adjusts the camera, and no face is recognised."
    )
    kinds = _joined(list(dict.fromkeys(KINDS[kind] for kind in practice.accepts)))
    yield said(f"It accepts {kinds}.")
    if practice.beam:
        yield said("A light barrier counts who goes through, without knowing who it is.")


def _kept(practice: Practice) -> Iterator[Paragraph]:
    yield said(
        "Of each scan: time, gate, kind of code, answer, reason, and a pseudonym. The pseudonym is made from "
        "your number with a secret key: it tells which scans are of the same person but, without the key, "
        "not of whom."
    )
    if practice.takes_persons:
        yield said(_identity(practice.form, practice.fields, "in your code"))
    if practice.takes_passes:
        yield said(_identity(practice.form, practice.fields_of_passes, "on a gate pass"))
    if practice.lists:
        yield said("Codes are compared with lists that the operator provides.")
    if practice.remembers_h is not None:
        hours = "one hour" if practice.remembers_h == 1 else f"{practice.remembers_h} hours"
        yield said(f"The device remembers who is inside, by pseudonym only, for {hours} at most.")


def _identity(form: Form, fields: Sequence[KeptField], where: str) -> str:
    names = _joined([FIELDS[field] for field in KeptField if field in fields])
    if not fields:
        return f"The number, the name and everything else {where} are not kept."
    verb = "is" if len(fields) == 1 else "are"
    match form:
        case Form.SEALED:
            return (
                f"The {names} {where} {verb} encrypted in the device at once; only the recipient has the key "
                f"to read {'it' if len(fields) == 1 else 'them'}, not even this device. The rest is not kept."
            )
        case Form.CLEAR | Form.NOT:
            return f"The {names} {where} {verb} kept in readable form. The rest is not kept."


def _why(practice: Practice) -> Paragraph:
    if practice.purpose_english or not practice.purpose:
        return said(practice.purpose_english or "To control who comes in and goes out here.")
    return said(Gap("the purpose in English: privacy.purpose_english"))


def _how_long(practice: Practice) -> Iterator[Paragraph]:
    days = "one day" if practice.keep_days == 1 else f"{practice.keep_days} days"
    kept = (
        f"In the device: {days}, then it is deleted for good."
        if practice.keep_days
        else "It is deleted from the device for good within an hour of being sent."
    )
    match practice.departure:
        case Departure.NEVER:
            yield said(
                "It stays in the device until the operator collects and deletes it"
                + ("; when the memory set aside for it is full, the oldest goes." if practice.drops else ".")
            )
        case Departure.WHEN_SENT:
            yield said(f"{kept} What could not be sent yet stays until it has been.")
        case Departure.WHEN_CONFIRMED:
            yield said(f"{kept} What the recipient has not confirmed to have stored stays until it has.")
    if practice.departure is not Departure.NEVER:
        yield said("The recipient keeps it for a time of its own; ask at the contact below.")


def _who(practice: Practice) -> Iterator[Paragraph]:
    if practice.departure is Departure.NEVER:
        yield said("The device sends nothing to anybody. Operator: ", _controller(practice), ".")
        return
    line = "an encrypted connection" if practice.encrypted else "a connection that is not encrypted"
    yield said(_controller(practice), f". It is sent over {line}, and the device sends it to nobody else.")


def _ask(practice: Practice) -> Iterator[Paragraph]:
    contact = practice.contact or Gap("telephone, address: privacy.contact")
    yield said("Responsible: ", _controller(practice))
    yield said("Contact: ", contact)
    yield said(
        "To see, correct or erase what is kept of you, ask there and name the gate, the day and the "
        "time. Personal data are protected under the Law on Personal Data Protection No. 91/2025/QH15 and "
        "Decree No. 356/2025/NĐ-CP, in force since 1 January 2026."
    )


def _controller(practice: Practice) -> str | Gap:
    return practice.controller or Gap("name of the authority or organisation: privacy.controller")


def _joined(words: Sequence[str]) -> str:
    *before, last = words or ("",)
    return f"{', '.join(before)} and {last}" if before else last
