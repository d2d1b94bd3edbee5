"""Chip ID card (CCCD 2021, 7 fields) and the card of 2024 (the same 7 and up to 4 more).

``id12|old number|name|ddmmyyyy|Nam or Nữ|address|ddmmyyyy`` and, on the newer card, four fields that are
normally empty and whose meaning is not confirmed: they are not read. No signature: a claimed identifier.

Source: press description of December 2022 and dozens of public parsers, which agree. Empty fields and
doubled commas in the address are normal. Only what cannot be (a 31 February) is malformed; what merely
disagrees is a warning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from device.credential.kinds import Context, Kind, first_flaw, malformed
from device.credential.person import ID_NUMBER, OLD_NUMBER, clean_name, day, number_warnings
from device.model import Credential, Standing

if TYPE_CHECKING:
    from datetime import date

    from device.credential.payload import Payload

_WORD = "vn.cccd"
_FIELDS = range(7, 12)
_OTHERS_FIELDS = frozenset({6, 16, 17})  # the national code and the insurance card
_SEXES = {"nam": True, "nữ": False, "": None}
_DATE = re.compile(r"(?:[0-9]{8}|[0-9]{4})?")

_FULL_DATE = len("ddmmyyyy")

_LONGEST_NUMBER_MEANT = 13
"""A digit too many is a broken card; more digits are something else."""


def _claims(fields: tuple[str, ...]) -> bool:
    head = fields[0] if fields else ""
    if ID_NUMBER.fullmatch(head):
        return len(fields) > 1 and len(fields) not in _OTHERS_FIELDS
    if len(fields) not in _FIELDS or not head.isdecimal() or len(head) > _LONGEST_NUMBER_MEANT:
        return False
    return fields[4].strip().lower() in {"nam", "nữ"}


def _recognise(payload: Payload, _context: Context) -> Credential | None:
    if not _claims(payload.fields):
        return None
    if len(payload.fields) not in _FIELDS:
        return malformed(_WORD, "field_count")
    number, old_number, name, born, sex, _address, issued = (field.strip() for field in payload.fields[:7])
    birthday, issue_day = _day(born), _day(issued)
    flaw = first_flaw(
        (
            ("identifier", not ID_NUMBER.fullmatch(number)),
            ("sex", sex.lower() not in _SEXES),
            ("date_form", not (_DATE.fullmatch(born) and _DATE.fullmatch(issued))),
            ("impossible_date", birthday is None and len(born) == _FULL_DATE),
            ("impossible_date", issue_day is None and len(issued) == _FULL_DATE),
        )
    )
    if flaw:
        return malformed(_WORD, flaw)
    shown_name, warnings = clean_name(name)
    aliases = (old_number,) if OLD_NUMBER.fullmatch(old_number) else ()
    if old_number and not aliases:
        warnings += ("old_number",)
    if not shown_name:
        warnings += ("name_missing",)
    if birthday and issue_day and issue_day < birthday:
        warnings += ("issued_before_birth",)
    year = int(born[-4:]) if born else None
    warnings += number_warnings(number, year=year, male=_SEXES[sex.lower()])
    return Credential(
        kind=_WORD,
        standing=Standing.CLAIMED,
        identifier=number,
        aliases=aliases,
        name=shown_name,
        born=birthday,
        warnings=warnings,
    )


def _day(text: str) -> date | None:
    return day(text[4:], text[2:4], text[:2])


KIND = Kind(_WORD, "chip ID card (căn cước công dân)", _recognise)
