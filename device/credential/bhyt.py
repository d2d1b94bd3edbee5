"""Health insurance card (bảo hiểm y tế): the paper card's 16 or 17 fields, and VssID's two.

``code|name|born|sex|address|place|from|to|issued|14 digits|parent|level|date|check|level|place|end``.
Names and addresses are the hex digits of their UTF-8, or ``-``; dates dd/mm/yyyy, of birth also yyyy; sex 1
male, 2 female; from the fourteenth on the meaning is not confirmed and nothing is read. VssID, the
insurer's application, shows ``code|name``. The check code's rule is not public: a claimed identifier.

Source: public samples.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from device.credential.flaw import Flawed
from device.credential.kinds import Context, Kind, first_flaw, malformed
from device.credential.person import clean_name, day
from device.model import Credential, Standing

if TYPE_CHECKING:
    from datetime import date

    from device.credential.payload import Payload

_WORD = "vn.bhyt"
_CODE = re.compile(r"[0-9]{10}|[A-Z]{2}[0-9]{13}")
_LIKE_A_CODE = re.compile(r"[0-9A-Z]{9,16}")
_PAPER_FIELDS = frozenset({16, 17})
_APPLICATION_FIELDS = 2
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_FULL = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_YEAR = re.compile(r"[0-9]{4}")
_NOTHING = frozenset({"", "-"})


def _claims(fields: tuple[str, ...]) -> bool:
    if len(fields) == _APPLICATION_FIELDS:
        return bool(_CODE.fullmatch(fields[0]))
    return len(fields) in _PAPER_FIELDS and bool(_LIKE_A_CODE.fullmatch(fields[0]))


def _recognise(payload: Payload, _context: Context) -> Credential | None:
    fields = tuple(field.strip() for field in payload.fields)
    if not _claims(payload.fields):
        return None
    if not _CODE.fullmatch(fields[0]):
        return malformed(_WORD, "identifier")
    try:
        name, warnings = clean_name(_unhex(fields[1]))
        if len(fields) == _APPLICATION_FIELDS:
            return _card(fields[0], name, None, warnings)
        return _paper(fields, name, warnings)
    except Flawed as flaw:
        return malformed(_WORD, flaw.word)


def _paper(fields: tuple[str, ...], name: str, warnings: tuple[str, ...]) -> Credential:
    born, sex, address, begins, ends, issued, parent = (fields[at] for at in (2, 3, 4, 6, 7, 8, 10))
    others = (begins, ends, issued)
    dates = [_date(text) for text in (born, *others)]
    written = [bool(_FULL.fullmatch(text)) for text in (born, *others)]
    flaw = first_flaw(
        (
            ("sex", sex not in {"1", "2"}),
            ("date_form", not (written[0] or _YEAR.fullmatch(born) or born in _NOTHING)),
            ("date_form", not all(w or t in _NOTHING for w, t in zip(written[1:], others, strict=True))),
            ("impossible_date", any(w and d is None for w, d in zip(written, dates, strict=True))),
        )
    )
    if flaw:
        raise Flawed(flaw)
    _unhex(address)
    _unhex(parent)
    birthday, first_day, last_day, _issued = dates
    if first_day and last_day and last_day < first_day:
        warnings += ("validity_disagrees",)
    return _card(fields[0], name, birthday, warnings)


def _card(code: str, name: str, born: date | None, warnings: tuple[str, ...]) -> Credential:
    if not name:
        warnings += ("name_missing",)
    return Credential(
        kind=_WORD, standing=Standing.CLAIMED, identifier=code, name=name, born=born, warnings=warnings
    )


def _unhex(text: str) -> str:
    """The text whose UTF-8 is written in hex digits; empty for none. Raises Flawed."""
    if text in _NOTHING:
        return ""
    if not _HEX.fullmatch(text):
        raise Flawed("hex_text")
    try:
        return unicodedata.normalize("NFC", bytes.fromhex(text).decode("utf-8"))
    except UnicodeDecodeError:
        raise Flawed("hex_text") from None


def _date(text: str) -> date | None:
    written = _FULL.fullmatch(text)
    return day(written[3], written[2], written[1]) if written else None


KIND = Kind(_WORD, "health insurance card (bảo hiểm y tế)", _recognise)
