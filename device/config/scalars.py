"""What one value may be: text from the file to a typed value, and how each type is told to people.

A value is typed by the setting it stands for, never by YAML's guess: `no` is a fine name for a gate,
`010` is ten, `22:30` is a time of day. Values that are no text (defaults, say) pass unchanged.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from device.config import hints, number_hints
from device.credential.pseudonym import MIN_KEY_BYTES
from device.credential.registry import PERSONAL_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_DIGITS: Final = 18
"""More digits than any limit here has; Python itself refuses to read numbers of thousands of digits."""

NOT_OF_THIS_FORM: Final = "form"
"""Error type of a text the type cannot read. `Told` has the words."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

BYTES: Final = "bytes"
_SIZES: Final = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_FLAGS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

_WHOLE: Final = re.compile(rf"[+-]?[0-9]{{1,{MAX_DIGITS}}}")
_NUMBER: Final = re.compile(rf"[+-]?[0-9]{{1,{MAX_DIGITS}}}(?:\.[0-9]{{1,{MAX_DIGITS}}})?")
_SIZE: Final = re.compile(rf"([0-9]{{1,{MAX_DIGITS}}}) ?(|KiB|MiB|GiB)")
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAYS: Final = re.compile(rf"({'|'.join(DAYS)})(?:-({'|'.join(DAYS)}))?")
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Told:
    """How a type is told to a technician.

    Attributes:
        what: with an article, `a whole number`.
        hint: what was probably meant by a text that is none; empty when there is no idea.
        unit: of a number, as people say it.
    """

    what: str
    hint: Callable[[str], str] = hints.nothing
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """Marks the pin of a line: no two lines may share one."""


@dataclass(frozen=True, slots=True)
class Reads:
    """Marks a file that is read at start.

    Attributes:
        what: it holds, with an article, for people.
        min_bytes: a shorter file cannot be right; 0 for one that may be empty.
        pem: what its PEM block is called, for TLS files.
        secret: never repeat what is written for it, which may be the secret itself.
        kept: a gate that has read it once keeps a copy to go on with.
        seals: it must be a key that identities can be sealed to.
    """

    what: str
    min_bytes: int = 1
    pem: str = ""
    secret: bool = False
    kept: bool = False
    seals: bool = False


def written(value: object, unit: str = "") -> str:
    """A value as it is written in the file. The inverse of the readers below, exactly."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            text = f"{Decimal(repr(value)):f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case int() if unit == BYTES:
            name, size = next((n, s) for n, s in reversed(_SIZES.items()) if value % s == 0)
            return f"{value // size} {name}".strip()
        case time():
            return value.strftime("%H:%M")
        case _:
            return str(value)


def one_of(words: Sequence[str]) -> str:
    """The words a setting takes, for people."""
    return f"one of {', '.join(words)}" if len(words) > 2 else " or ".join(words)  # noqa: PLR2004 - a pair


def days_of(text: str) -> frozenset[int]:
    """`mon` or `sat-mon` as weekdays, 0 is Monday. The text has passed `_days`."""
    found = _DAYS.fullmatch(text)
    if found is None:
        raise ValueError("not days of the week")
    first = DAYS.index(found[1])
    length = (DAYS.index(found[2] or found[1]) - first) % 7
    return frozenset((first + step) % 7 for step in range(length + 1))


# -- readers: each takes what is written and gives the value, or raises ----------------------------


def _refused() -> PydanticCustomError:
    return PydanticCustomError(NOT_OF_THIS_FORM, "not of this form")


def _whole(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _WHOLE.fullmatch(value):
        raise _refused()
    return int(value)


def _number(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _NUMBER.fullmatch(value):
        raise _refused()
    return float(value)


def _size(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value)
    if found is None:
        raise _refused()
    return int(found[1]) * _SIZES[found[2]]


def _flag(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.lower() not in _FLAGS:
        raise _refused()
    return _FLAGS[value.lower()]


def _clock_time(value: object) -> object:
    """`24:00` is the midnight at the end of the day: the same hand position as `00:00`."""
    if not isinstance(value, str):
        return value
    found = _CLOCK.fullmatch(value)
    if found is None or (found[1] == "24" and found[2] != "00"):
        raise _refused()
    return time(int(found[1]) % 24, int(found[2]))


def _date(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _DATE.fullmatch(value):
        raise _refused()
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _refused() from None


def _kind(value: object) -> object:
    if isinstance(value, str) and value not in PERSONAL_KINDS:
        raise _refused()
    return value


def _host(value: object) -> object:
    if isinstance(value, str) and not _HOST.fullmatch(value):
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise _refused() from None
    return value


def _poster_host(value: object) -> object:
    value = _host(value)
    return value.lower() if isinstance(value, str) else value


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _ZONE.fullmatch(value):
        raise _refused()
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _refused() from None
    return value


def _path(value: object, info: ValidationInfo) -> object:
    """Relative to the folder of the configuration file, given as `base_dir` of the context."""
    if not isinstance(value, str):
        return value
    if not value or value.startswith("~") or "$" in value or "\\" in value:
        raise _refused()
    return Path((info.context or {}).get("base_dir", "."), value)


# -- types ----------------------------------------------------------------------------------------

_WHOLE_NUMBER: Final = "a whole number"
_A_NUMBER: Final = "a number"

Whole = Annotated[int, BeforeValidator(_whole), Told(_WHOLE_NUMBER, number_hints.whole)]
Pixels = Annotated[int, BeforeValidator(_whole), Told(_WHOLE_NUMBER, number_hints.whole, "pixels")]
Days = Annotated[int, BeforeValidator(_whole), Told(_WHOLE_NUMBER, number_hints.days, "days")]
Millis = Annotated[
    int, BeforeValidator(_whole), Told(_WHOLE_NUMBER, number_hints.milliseconds, "milliseconds")
]
Micros = Annotated[
    int, BeforeValidator(_whole), Told(_WHOLE_NUMBER, number_hints.microseconds, "microseconds")
]
WholeSeconds = Annotated[
    int, BeforeValidator(_whole), Told(_WHOLE_NUMBER, number_hints.whole_seconds, "seconds")
]
Number = Annotated[float, BeforeValidator(_number), Told(_A_NUMBER, number_hints.number)]
Seconds = Annotated[float, BeforeValidator(_number), Told(_A_NUMBER, number_hints.seconds, "seconds")]
Dioptres = Annotated[float, BeforeValidator(_number), Told(_A_NUMBER, number_hints.number, "dioptres")]
Rate = Annotated[float, BeforeValidator(_number), Told(_A_NUMBER, number_hints.number, "frames a second")]
Pin = Annotated[
    int,
    Field(ge=0, le=27),
    BeforeValidator(_whole),
    Told("a BCM pin number", number_hints.pin),
    Wire(),
]
Size = Annotated[
    int,
    BeforeValidator(_size),
    Told("a size such as 512 MiB", number_hints.size, BYTES),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{_SIZE.pattern}$"}]}),
]
Flag = Annotated[
    bool,
    BeforeValidator(_flag),
    Told("true or false", hints.flag),
    WithJsonSchema(
        {"anyOf": [{"type": "boolean"}, {"enum": [w for w in _FLAGS if w not in {"true", "false"}]}]}
    ),
]
Slug = Annotated[
    str,
    Field(pattern=r"^[a-z0-9-]{1,48}$"),
    Told("1 to 48 lower-case letters a to z, digits and hyphens", hints.slug),
]
ClientId = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._-]{1,128}$"),
    Told("1 to 128 letters, digits, dots, hyphens and underscores", hints.nothing),
]
Text = Annotated[str, Field(max_length=120), Told("a text of at most 120 characters")]
Words = Annotated[str, Field(max_length=240), Told("a text of at most 240 characters")]
UserName = Annotated[str, Field(min_length=1, max_length=120), Told("a name of 1 to 120 characters")]
ClockTime = Annotated[
    time,
    BeforeValidator(_clock_time),
    Told("a time of day from 00:00 to 24:00", hints.clock_time),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{_CLOCK.pattern})$"}),
]
Date = Annotated[
    date,
    BeforeValidator(_date),
    Told("a date such as 2026-12-31", hints.date),
    WithJsonSchema({"type": "string", "pattern": f"^{_DATE.pattern}$"}),
]
DaySpan = Annotated[
    str,
    Field(pattern=f"^(?:{_DAYS.pattern})$"),
    Told(f"a day ({', '.join(DAYS)}) or a span such as mon-fri", hints.day),
]
KindWord = Annotated[
    str,
    BeforeValidator(_kind),
    Told(one_of(sorted(PERSONAL_KINDS)), hints.among(sorted(PERSONAL_KINDS))),
    WithJsonSchema({"enum": sorted(PERSONAL_KINDS)}),
]
Zone = Annotated[str, BeforeValidator(_zone), Told("a time zone such as Asia/Ho_Chi_Minh", hints.zone)]
Host = Annotated[str, BeforeValidator(_host), Told("a host name or an IP address", hints.host)]
PosterHost = Annotated[str, BeforeValidator(_poster_host), Told("a host name", hints.host)]
VideoDevice = Annotated[
    str,
    Field(pattern=r"^/dev/[A-Za-z0-9/_.:-]{1,120}$"),
    Told("a device file such as /dev/video0", hints.video_device),
]
Chip = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$"),
    Told("auto or the label of a GPIO chip such as pinctrl-rp1"),
]
File = Annotated[Path, BeforeValidator(_path), Told("the path of a file", hints.path)]
Scene = Annotated[
    Path, BeforeValidator(_path), Told("the path of a folder of pictures or of a video", hints.path)
]
ListFile = Annotated[File, Reads("a list", min_bytes=0, kept=True)]
TrustFile = Annotated[File, Reads("a trust list")]
PseudonymKeyFile = Annotated[File, Reads("the key", min_bytes=MIN_KEY_BYTES, secret=True)]
PasswordFile = Annotated[File, Reads("the password", secret=True)]
CertificateFile = Annotated[File, Reads("a certificate", pem="CERTIFICATE")]
PublicKeyFile = Annotated[File, Reads("a public key", pem="PUBLIC KEY")]
SealingKeyFile = Annotated[File, Reads("the district's public key", seals=True)]
PrivateKeyFile = Annotated[File, Reads("a private key", pem="PRIVATE KEY", secret=True)]
