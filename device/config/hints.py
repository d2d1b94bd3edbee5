"""What was probably meant: from words that cannot be used to ones that can. Pure; raises nothing.

Each function takes what is written (a short text) and gives an advice, or nothing. A wrong advice is worse
than none.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from datetime import date as calendar_day
from datetime import time
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SIMILAR: Final = 0.6
"""difflib's own default: `camrea` finds `camera`, `door` finds nothing."""


def nothing(_found: str) -> str:
    """No idea."""
    return ""


def folded(word: str) -> str:
    """The word as far as a person would call it the same: `Pulse-S` and `pulse_s`."""
    return re.sub(r"[\s-]", "_", word.strip().casefold())


def closest(found: str, words: Iterable[str]) -> str:
    """The word that is most like what was found; empty when none is like it."""
    known = {folded(word): word for word in words}
    near = difflib.get_close_matches(folded(found), known, n=1, cutoff=_SIMILAR)
    return known[near[0]] if near else ""


def among(words: Iterable[str]) -> Callable[[str], str]:
    """The hint for a setting that takes one of these words."""
    known = tuple(words)

    def hint(found: str) -> str:
        word = closest(found, known)
        return f"did you mean {word}?" if word else ""

    return hint


_YES: Final = frozenset({"1", "y", "t", "high", "enable", "enabled", "có"})
_NO: Final = frozenset({"0", "n", "f", "low", "disable", "disabled", "không"})


def flag(found: str) -> str:
    """For true or false."""
    word = found.casefold()
    if word in _YES or word in _NO:
        return f"write {'true' if word in _YES else 'false'}"
    return among(("true", "false"))(found)


def slug(found: str) -> str:
    """For an identifier: the same without accents, capitals and spaces."""
    bare = unicodedata.normalize("NFD", found.casefold().replace("đ", "d"))
    bare = "".join(c for c in bare if not unicodedata.combining(c))
    word = re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:48].rstrip("-")
    return f"write {word}" if word else ""


# -- hours ----------------------------------------------------------------------------------------

_TIME: Final = re.compile(r"([0-9]{1,2})(?: ?[:.h] ?([0-9]{1,2})?)? ?(am|pm)?", re.IGNORECASE)
_FOUR_DIGITS: Final = re.compile(r"([0-9]{1,2})([0-9]{2})()")


def clock_time(found: str) -> str:
    """For a time of day: `7h30`, `7.30`, `7 pm`, `0730`."""
    loose = _FOUR_DIGITS.fullmatch(found) or _TIME.fullmatch(found.removesuffix(":00"))
    if loose is None:
        return ""
    hour, minute, half = int(loose[1]), int(loose[2] or 0), (loose[3] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return f"write {time(hour, minute):%H:%M}"
    except ValueError:
        return ""


_DATE: Final = re.compile(
    r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})|([0-9]{4})[./]?([0-9]{1,2})[./]?([0-9]{1,2})"
)


def date(found: str) -> str:
    """For a date: the day first, as people here write it."""
    loose = _DATE.fullmatch(found)
    if loose is None:
        return ""
    day, month, year = (loose[3], loose[2], loose[1])[::-1] if loose[1] else (loose[6], loose[5], loose[4])
    try:
        return f"write {calendar_day(int(year), int(month), int(day))}"
    except ValueError:
        return ""


_DAY_NAMES: Final = {
    **dict.fromkeys(("monday", "t2", "thứ 2", "thứ hai"), "mon"),
    **dict.fromkeys(("tuesday", "tues", "t3", "thứ 3", "thứ ba"), "tue"),
    **dict.fromkeys(("wednesday", "weds", "t4", "thứ 4", "thứ tư"), "wed"),
    **dict.fromkeys(("thursday", "thur", "thurs", "t5", "thứ 5", "thứ năm"), "thu"),
    **dict.fromkeys(("friday", "t6", "thứ 6", "thứ sáu"), "fri"),
    **dict.fromkeys(("saturday", "t7", "thứ 7", "thứ bảy"), "sat"),
    **dict.fromkeys(("sunday", "cn", "chủ nhật"), "sun"),
    **dict.fromkeys(("weekday", "weekdays", "workdays"), "mon-fri"),
    **dict.fromkeys(("weekend", "weekends"), "sat-sun"),
    **dict.fromkeys(("daily", "all", "always", "every day", "everyday", "*"), "mon-sun"),
    **{day: day for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
}
_BETWEEN_DAYS: Final = re.compile(r"\s*(?:-|–|—|\bto\b|\.\.|đến)\s*")  # noqa: RUF001 - dashes people paste


def day(found: str) -> str:
    """For a day or a span of days."""
    word = found.strip().casefold()
    if word in _DAY_NAMES:
        return f"write {_DAY_NAMES[word]}"
    match [_DAY_NAMES.get(end, "") for end in _BETWEEN_DAYS.split(word)]:
        case [first, last] if first and last:
            return f"write {first}-{last}"
        case _:
            pass
    if "," in word or " " in word:
        return "one day or span for each list entry: [mon, wed, fri]"
    near = closest(
        word, (name for name, day in _DAY_NAMES.items() if name.endswith("day") and "-" not in day)
    )
    return f"did you mean {_DAY_NAMES[near]}?" if near else ""


_OWN_ZONE: Final = "Asia/Ho_Chi_Minh"
_OWN_ZONE_WORDS: Final = frozenset(
    {
        "hanoi",
        "hue",
        "da_nang",
        "danang",
        "saigon",
        "hcm",
        "hcmc",
        "vietnam",
        "viet_nam",
        "vn",
        "ict",
        "indochina",
    }
)
_OWN_OFFSET: Final = re.compile(r"(?:utc|gmt)?\+?0?7(?::?00)?", re.IGNORECASE)


def zone(found: str) -> str:
    """For a time zone: `Asia/Hanoi` and `GMT+7` are written by people who know where they are."""
    if folded(found.rpartition("/")[2]) in _OWN_ZONE_WORDS or _OWN_OFFSET.fullmatch(found):
        return f"for Viet Nam write {_OWN_ZONE}"
    return among(available_timezones())(found)


# -- hosts, files and devices ---------------------------------------------------------------------

_ADDRESS: Final = re.compile(
    r"(?:[a-z+]{1,10}://)?(?:[^/@\s]{0,60}@)?(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?(?:[/?#]\S*)?",
    re.IGNORECASE,
)


def host(found: str) -> str:
    """For a host name: what is left of a web address."""
    parts = _ADDRESS.fullmatch(found)
    if parts is None:
        return ""
    port = f", and port: {parts[2]} on a line of its own" if parts[2] else ""
    return f"write {parts[1].strip('[]')}{port}"


def path(found: str) -> str:
    """For a file: shells and Windows have taught other habits."""
    if found.startswith("~") or "$" in found:
        return "nothing is filled in here: write the whole path, from / on"
    return "write / between folders" if "\\" in found else ""


def video_device(found: str) -> str:
    """For a camera's device file."""
    number = re.fullmatch(r"(?:/?dev/)?(?:video)?([0-9]{1,2})", found)
    return f"write /dev/video{int(number[1])}" if number else ""
