"""National personal QR code v1.1, also printed on the Hue epidemic-control card.

``number|NAME|YYYY-MM-DD|type|QID|EXT``: name in capitals without accents; type 0 when the person made
the declaration, 1 when somebody else did; the first six characters of the number, and day and month, may
be masked with ``*``. EXT is ``delegateQID<sex<insurance<phone[<signature]``; its signature's key is not
public, so nothing here can be verified. QID is the stable key; the number, where it is not masked, lets
lists match a person whichever card is shown.

Source: Decision 1405/QĐ-BTTTT of 11 September 2021.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from device.credential.kinds import Context, Kind, first_flaw, malformed
from device.credential.person import ID_NUMBER, clean_name, day, number_warnings
from device.model import Credential, Standing

if TYPE_CHECKING:
    from device.credential.payload import Payload

_WORD = "vn.qr-national"
_FIELDS = 6
_NUMBER = re.compile(r"[0-9]{9}|[0-9]{12}|[A-Z][0-9]{7,8}|\*{6}[A-Z0-9]{2,6}|")
"""Nine- or twelve-digit number, passport, any of them masked, or nothing: a child may have none yet."""
_HEAD = re.compile(r"[A-Z0-9*]{0,13}")
"""What a number may look like at all; anything else is another kind's beginning."""
_QID = re.compile(r"[0-9]{14,20}")
"""Eighteen digits in every sample seen; the decision names no length. Never 12: that is an ID number."""
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}|\*\*)-([0-9]{2}|\*\*))?")
_MOST_BEHIND_DECLARER = 4  # sex, insurance number, phone, signature
_SHAPE = re.compile(r"[0-9]{4}-|[0-9]{4}$")


def _claims(fields: tuple[str, ...]) -> bool:
    if len(fields) != _FIELDS:
        return False
    head, _name, born, kind, qid, _ext = fields
    if not _HEAD.fullmatch(head):
        return False
    marks = (ID_NUMBER.fullmatch(head), _SHAPE.match(born), kind in {"0", "1"}, _QID.fullmatch(qid))
    return sum(map(bool, marks)) >= 2  # noqa: PLR2004 - one alone may be chance


def _recognise(payload: Payload, _context: Context) -> Credential | None:
    if not _claims(payload.fields):
        return None
    number, name, born, kind, qid, ext = (field.strip() for field in payload.fields)
    declarer, *others = ext.split("<")
    written = _DATE.fullmatch(born)
    flaw = first_flaw(
        (
            ("identifier", not _NUMBER.fullmatch(number)),
            ("qid", not _QID.fullmatch(qid)),
            ("declaration_type", kind not in {"0", "1"}),
            ("extension", len(others) > _MOST_BEHIND_DECLARER),
            ("date_form", born != "" and written is None),
            ("impossible_date", written is not None and _impossible(*written.groups())),
        )
    )
    if flaw:
        return malformed(_WORD, flaw)
    birthday = day(*written.groups(default="")) if written else None
    shown_name, warnings = clean_name(name)
    if not shown_name:
        warnings += ("name_missing",)
    if kind == "1" and not declarer:
        warnings += ("declarer_missing",)
    if ID_NUMBER.fullmatch(number):
        warnings += number_warnings(number, year=int(born[:4]) if born else None, male=None)
    return Credential(
        kind=_WORD,
        standing=Standing.CLAIMED,
        identifier=qid,
        aliases=(number,) if number and "*" not in number else (),
        name=shown_name,
        born=birthday,
        warnings=warnings,
    )


def _impossible(year: str, month: str | None, of_month: str | None) -> bool:
    """Whether no day of the calendar fits; a masked part fits any. 2000 has the longest February."""
    if month in {None, "**"} and of_month in {None, "**"}:
        return year == "0000"
    if month in {None, "**"}:
        return day("2000", "01", of_month or "") is None
    if of_month == "**":
        return day(year, month or "", "01") is None
    return day(year, month or "", of_month or "") is None


KIND = Kind(_WORD, "national personal QR code (Decision 1405/QĐ-BTTTT)", _recognise)
