"""From a file to text that YAML can be read from: size, encoding, and characters that cannot stay."""

from __future__ import annotations

import codecs
import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from device.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES: Final = 128 * 1024
"""Ten times the longest commented sample; what is longer was not written by a person."""

_ENCODING_HINT: Final = "save it as UTF-8 in the editor"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_BYTE_ORDER_MARK: Final = "\ufeff"

_MAX_OF_A_SORT: Final = 50
"""Nobody mends more before looking again."""

_NEVER: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML forbids, what it would take for a line break unseen, and half characters."""

_TAB_INDENT: Final = re.compile(r"^([ ]*)\t[ \t]*(?=[^\s#])", re.MULTILINE)
_ODD_INDENT: Final = re.compile(r"^[ ]*([\xa0\u2000-\u200b\u202f\u3000])[^\S\n]*(?=[^\s#])", re.MULTILINE)


def read(path: Path, name: str) -> str:
    """The text of a configuration file.

    Blocks while the file is read, at most `MAX_BYTES` of it.

    Raises:
        ConfigError: it cannot be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _of_file(name, "there is no such file") from None
    except IsADirectoryError:
        raise _of_file(name, "this is a folder, not a file") from None
    except PermissionError:
        raise _of_file(
            name, "this file may not be read", "use sudo, or run this as the user gate-scanner"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _of_file(name, f"this file cannot be read: {reason}") from None
    return text_of(content, name)


def text_of(content: bytes, name: str) -> str:
    """The same for bytes.

    Raises:
        ConfigError: they are too many, or no text.
    """
    if len(content) > MAX_BYTES:
        raise _of_file(name, f"this file is larger than {MAX_BYTES // 1024} KiB", "is it the right one?")
    if content.startswith(_UTF16):
        raise _of_file(name, "this file is saved as UTF-16, not as UTF-8", _ENCODING_HINT)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
        message = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise ConfigError((Problem(name, line, column, "", message, _ENCODING_HINT),)) from None
    return clean(text, name)


def clean(text: str, name: str) -> str:
    """The text with plain line ends and no byte order mark, if every character may stay where it is.

    Raises:
        ConfigError: it holds control characters, or tabs where YAML counts spaces; all of them are named.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n").replace("\r", "\n")
    problems = (
        *islice(_forbidden(text, name), _MAX_OF_A_SORT),
        *islice(_odd_indents(text, name), _MAX_OF_A_SORT),
    )
    if problems:
        raise ConfigError(tuple(sorted(problems, key=lambda p: (p.line, p.column))))
    return text


def _forbidden(text: str, name: str) -> Iterator[Problem]:
    for found in _NEVER.finditer(text):
        message = f"a character that cannot be seen stands here (U+{ord(found[0]):04X})"
        yield _at(text, found.start(), name, message, "delete it, and type this line anew")


def _odd_indents(text: str, name: str) -> Iterator[Problem]:
    for found in _TAB_INDENT.finditer(text):
        message = "this line is indented with a tab, and YAML counts spaces"
        yield _at(text, found.end(1), name, message, "use spaces, two for each level")
    for found in _ODD_INDENT.finditer(text):
        message = f"this line is indented with a copied space that is none for YAML (U+{ord(found[1]):04X})"
        yield _at(text, found.start(1), name, message, "use spaces of the keyboard, two for each level")


def _at(text: str, index: int, name: str, message: str, hint: str) -> Problem:
    line, column = text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
    return Problem(name, line, column, "", message, hint)


def _of_file(name: str, message: str, hint: str = "") -> ConfigError:
    return ConfigError((Problem(name, 0, 0, "", message, hint),))
