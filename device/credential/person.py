"""Rules that several Vietnamese personal codes share: ID numbers, dates, names."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

ID_NUMBER = re.compile(r"[0-9]{12}")
"""Circular 59/2021/TT-BCA: 3 digits of the province, 1 century and sex, 2 year of birth, 6 random."""

OLD_NUMBER = re.compile(r"[0-9]{9}|[0-9]{12}")
"""The paper identity card before 2016 had nine digits, the first chip-less card twelve."""

# fmt: off
_PROVINCES = frozenset({
    1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33,
    34, 35, 36, 37, 38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66,
    67, 68, 70, 72, 74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96,
})
# fmt: on
"""The 63 provinces of 2021. Numbers outlive the mergers of 2025: what is printed on a card stays."""

_COUNTRIES = range(100, 400)
"""Persons born abroad have a country's code here; its exact list is not confirmed, so any is accepted."""

_INVISIBLE = frozenset({"Cf", "Cc", "Cs", "Co", "Zl", "Zp"})
"""What nobody can see: format (bidirectional, zero-width), control, surrogate, private, line breaks."""


def number_warnings(number: str, *, year: int | None, male: bool | None) -> tuple[str, ...]:
    """Where a 12-digit ID number disagrees with what else the code says; None means it does not say.

    Only warnings: registers contain mistakes, and their owners still have to pass.
    """
    found = []
    place = int(number[:3])
    if place not in _PROVINCES and place not in _COUNTRIES:
        found.append("province_unknown")
    century_and_sex = int(number[3])
    if male is not None and male != (century_and_sex % 2 == 0):
        found.append("sex_disagrees")
    if year is not None and year != 1900 + 100 * (century_and_sex // 2) + int(number[4:6]):
        found.append("birth_year_disagrees")
    return tuple(found)


def day(year: str, month: str, day_of_month: str) -> date | None:
    """The date, when all parts are ASCII digits and the calendar has it."""
    parts = (year, month, day_of_month)
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):  # noqa: PLR2004 - yyyy
        return None
    try:
        return date(int(year), int(month), int(day_of_month))
    except ValueError:
        return None


def clean_name(text: str) -> tuple[str, tuple[str, ...]]:
    """The name as people see it, and warnings when that is not what the code holds.

    Characters nobody can see are dropped; letters of other scripts (a Cyrillic look-alike) are kept and
    warned of.
    """
    visible = "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE)
    warnings = []
    if visible != text:
        warnings.append("invisible_character")
    if any(c.isalpha() and not unicodedata.name(c, "").startswith("LATIN ") for c in visible):
        warnings.append("name_not_latin")
    return " ".join(visible.split()), tuple(warnings)
