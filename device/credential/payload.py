"""Bytes of a code to text, with one decision for everything an encoding can be.

==============================  =====================================================================
what the bytes are              what becomes of them
==============================  =====================================================================
UTF-8                           taken as it is; a byte order mark is dropped with a warning
UTF-16 with byte order mark     decoded, with a warning: some office software makes such codes
UTF-16 without                  holds NULs, see below: never guessed
not UTF-8                       read as ISO 8859-1 (what ISO/IEC 18004 assumes without ECI) so that a
                                wrong kind is still recognised; a personal code read so is malformed
NUL anywhere                    no text
lone surrogates                 not UTF-8 and not UTF-16: as above
more than 30 marks on a letter  no text: beyond Unicode's Stream-Safe Text Format (UAX #15), which every
                                language stays within; ordering thousands of marks takes quadratic time
longer than any QR code         no text, not looked at
==============================  =====================================================================

The text is brought to NFC, never NFKC: a full-width digit is no digit. Bidirectional and zero-width
characters stay in the text; kinds that show a name drop them there and warn.
"""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass
from enum import Enum, auto

MAX_CONTENT_BYTES = 7089
"""Digits in a version 40-L code, the most characters a QR code can carry (ISO/IEC 18004, table 7)."""

MAX_MARKS = 30
"""Combining marks in a row, UAX #15 section 13."""

MAX_FIELDS = 24
"""No known grammar has more than 17 fields; what lies beyond this stays in the last one."""


class Encoding(Enum):
    """How the text was read."""

    UTF8 = auto()
    UTF16 = auto()
    LATIN1 = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True, repr=False)
class Payload:
    """The content of a code, decoded once for all kinds. Personal: has no repr, is never kept.

    Attributes:
        text: NFC; empty when the bytes are no text.
        fields: the text cut at `|`, without one line end at its end.
        encoding: how the text was read.
        warnings: fixed words about the encoding.
    """

    text: str
    fields: tuple[str, ...]
    encoding: Encoding
    warnings: tuple[str, ...] = ()


NO_TEXT = Payload(text="", fields=(), encoding=Encoding.NONE)


def read(content: bytes) -> Payload:
    """The content as text, by the table above. Total, in time bounded by `MAX_CONTENT_BYTES`."""
    if len(content) > MAX_CONTENT_BYTES:
        return NO_TEXT
    warnings: tuple[str, ...] = ()
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text, encoding, warnings = content.decode("utf-16"), Encoding.UTF16, ("utf16",)
        else:
            text, encoding = content.decode("utf-8"), Encoding.UTF8
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), Encoding.LATIN1
    if "\0" in text or _heaps_marks(text):
        return NO_TEXT
    if text.startswith("\ufeff"):
        text, warnings = text[1:], ("byte_order_mark",)
    text = unicodedata.normalize("NFC", text)
    line, warned = _one_line(text)
    fields = tuple(line.split("|", MAX_FIELDS - 1)) if "|" in line else (line,)
    return Payload(text=text, fields=fields, encoding=encoding, warnings=warnings + warned)


def _heaps_marks(text: str) -> bool:
    """Whether any letter bears more than `MAX_MARKS`."""
    if text.isascii():
        return False
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > MAX_MARKS:
            return True
    return False


def _one_line(text: str) -> tuple[str, tuple[str, ...]]:
    line = text.removesuffix("\n").removesuffix("\r")
    return line, ("line_end",) if line != text and "|" in line else ()
