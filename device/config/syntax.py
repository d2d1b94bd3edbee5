"""YAML's complaints in a technician's words. Pure: looks at the complaint and at the lines around it.

A YAML parser notices a slip where it can go on no further, often a line or more after it was made. Here
the line that was meant is looked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from device.config.nodes import Place, short

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Complaint:
    """What the parser says.

    Attributes:
        problem: what it did not expect.
        context: what it was reading.
        at: where it stopped.
        since: where what it was reading began.
    """

    problem: str
    context: str
    at: Place
    since: Place


Answer: TypeAlias = tuple[Place, str, str]
"""Where it is, what it is, what to do."""

_NAME: Final = r"[A-Za-z_][\w.-]*"
_SETTING: Final = re.compile(rf"\s*(?:- +)*({_NAME}) *:(?: +(.*))?")
_NO_SPACE: Final = re.compile(rf"\s*(?:- +)*({_NAME}):([^\s:/].*)")
_OTHER_SIGN: Final = re.compile(
    rf"\s*(?:- +)*({_NAME})(?: *(?:=>|=|\N{{FULLWIDTH COLON}}) *(.*)| +([^\s,]+)|)"
)
_CONFLICT: Final = re.compile(r"(<{7}|={7}|>{7})(?: |$)")

_NOT_AT_THE_START: Final = re.compile(r"found character '(.)' that cannot start")
_MARKED_VALUE: Final = (
    "while scanning an alias",
    "while scanning an anchor",
    "while scanning a block scalar",
    "while scanning a tag",
    "while parsing a tag",
    "while parsing a node",
)
_UNEXPECTED: Final = re.compile(r"(?:but (?:found|got) )'(.+)'")


def explain(complaint: Complaint, lines: Sequence[str]) -> Answer:
    """Place, message and hint for one complaint."""
    line = _line(lines, complaint.at)
    conflict = next((p for p in (complaint.since, complaint.at) if _CONFLICT.match(_line(lines, p))), None)
    if conflict:
        return (
            conflict,
            "two versions of the file were joined here and never settled",
            "keep one, delete the marks",
        )
    for part in (_first_character, _quotes, _brackets, _colons, _layout):
        answer = part(complaint, line, lines)
        if answer:
            return answer
    return complaint.at, f"this is no valid YAML: {complaint.problem}", ""


def missing_colon(line: str) -> tuple[str, str]:
    """Message and hint for a line that should be a setting and has no colon followed by a space."""
    joined = _NO_SPACE.fullmatch(line)
    if joined:
        return "a space is missing after the colon", f"write {short(joined[1])}: {short(joined[2].strip())}"
    other = _OTHER_SIGN.fullmatch(_without_comment(line))
    if other:
        written = f"{short(other[1])}: {short((other[2] or other[3] or '').strip())}".strip()
        return "a setting and its value are separated by a colon and a space", f"write {written}"
    return "this line is no setting", "a setting is a name, a colon, a space and a value"


def _line(lines: Sequence[str], place: Place) -> str:
    return lines[place.line - 1] if 0 < place.line <= len(lines) else ""


def _without_comment(line: str) -> str:
    return re.sub(r"(?:^|\s)#.*", "", line).rstrip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _above(lines: Sequence[str], place: Place) -> int:
    """Number of the nearest line above that says something; 0 when there is none."""
    numbers = range(min(place.line - 1, len(lines)), 0, -1)
    return next((n for n in numbers if _without_comment(lines[n - 1]).strip()), 0)


# -- one kind of slip each: an answer, or None ----------------------------------------------------


def _first_character(complaint: Complaint, line: str, _lines: Sequence[str]) -> Answer | None:
    found = _NOT_AT_THE_START.search(complaint.problem)
    begin = found[1] if found else line[complaint.since.column - 1 : complaint.since.column]
    if complaint.problem.startswith("found character '\\t'"):
        return complaint.at, "a tab stands here", "use spaces"
    if line.startswith("%"):
        return Place(complaint.at.line, 1), "no line begins with %", "delete it, or put # before it"
    place = complaint.at if found else complaint.since
    if not found and not (complaint.context.startswith(_MARKED_VALUE) and begin in "*&|>!"):
        return None
    setting = _SETTING.fullmatch(_without_comment(line))
    value = setting[2] if setting and setting[2] else line[place.column - 1 :]
    return place, f"a value with {begin} at its beginning needs quotation marks", f"write {_quoted(value)}"


def _quoted(value: str) -> str:
    text = short(value.strip())
    return f"'{text}'" if '"' in text or "\\" in text else f'"{text}"'


def _quotes(complaint: Complaint, line: str, lines: Sequence[str]) -> Answer | None:
    if complaint.context == "while scanning a quoted scalar":
        mark = _line(lines, complaint.since)[complaint.since.column - 1 :][:1]
        return (
            complaint.since,
            f"the quotation mark {mark} that opens here is never closed",
            f"add {mark} at the end",
        )
    if complaint.context == "while scanning a double-quoted scalar":
        hint = "use single quotation marks ' around it, or / between folders"
        return complaint.at, "in double quotation marks \\ has a meaning of its own", hint
    if "<scalar>" not in complaint.problem:
        return None
    open_line = next((n for n in range(complaint.at.line, 0, -1) if lines[n - 1].count('"') % 2), 0)
    if 0 < open_line < complaint.at.line:
        place = Place(open_line, lines[open_line - 1].rindex('"') + 1)
        return place, 'the quotation mark " that opens here is not closed on its line', 'add " at the end'
    if complaint.context.endswith(("mapping", "collection")) and line[: complaint.at.column - 1].rstrip()[
        -1:
    ] in {
        '"',
        "'",
    }:
        return (
            complaint.at,
            "something follows the closing quotation mark",
            "put all of it into quotation marks",
        )
    return None


def _brackets(complaint: Complaint, _line_text: str, lines: Sequence[str]) -> Answer | None:
    if "flow" in complaint.context or complaint.problem.startswith("expected ',' or"):
        opened = _line(lines, complaint.since)[complaint.since.column - 1 :][:1]
        closing = {"[": "]", "{": "}"}.get(opened, "]")
        if complaint.at.line > complaint.since.line:
            return complaint.since, f"the bracket {opened} that opens here is not closed", f"add {closing}"
        return (
            complaint.at,
            f"a comma or {closing} is expected before this",
            "separate list entries with commas",
        )
    found = _UNEXPECTED.search(complaint.problem)
    if found and found[1] in {"]", "}", ","}:
        message = f"{found[1]} stands here without a beginning"
        return complaint.at, message, "a text with it needs quotation marks"
    return None


def _colons(complaint: Complaint, line: str, lines: Sequence[str]) -> Answer | None:
    if complaint.problem == "could not find expected ':'":
        return Place(complaint.since.line, complaint.since.column), *missing_colon(
            _line(lines, complaint.since)
        )
    if complaint.problem != "mapping values are not allowed here":
        return None
    setting = _SETTING.fullmatch(line)
    if setting and setting[2] and setting.start(2) < complaint.at.column - 1:
        place = Place(complaint.at.line, setting.start(2) + 1)
        value = _without_comment(setting[2])
        return (
            place,
            "a value with a colon and a space in it needs quotation marks",
            f"write {_quoted(value)}",
        )
    above = _above(lines, complaint.at)
    before = lines[above - 1] if above else ""
    if before and not _SETTING.fullmatch(_without_comment(before)):
        return Place(above, _indent(before) + 1), *missing_colon(before)
    place = Place(complaint.at.line, _indent(line) + 1)
    message = f"this line is indented further than line {above}, which has its value already"
    return place, message, f"begin it with {_indent(before)} spaces, below line {above}"


def _layout(complaint: Complaint, line: str, lines: Sequence[str]) -> Answer | None:
    if complaint.problem == "sequence entries are not allowed here":
        hint = "write [a, b], or each entry with its hyphen on a line of its own"
        return complaint.at, "a list does not begin behind a name", hint
    if complaint.problem.startswith("expected '<document start>'"):
        return _outdented(complaint.at, line, lines)
    if not complaint.problem.startswith("expected <block end>"):
        return None
    if line.lstrip().startswith("-") and complaint.context.endswith("mapping"):
        return (
            complaint.at,
            "a list entry stands where a setting is expected",
            "indent it below the list's name",
        )
    if _indent(line) + 1 == complaint.at.column:
        return _misplaced(complaint.at, line, lines)
    return complaint.at, "this does not belong here", "a text with special characters needs quotation marks"


def _outdented(at: Place, line: str, lines: Sequence[str]) -> Answer:
    """A line after what YAML takes for the whole file."""
    first = next((number for number, text in enumerate(lines, 1) if _without_comment(text).strip()), 1)
    if _indent(lines[first - 1]) > _indent(line):
        message = f"the first section is indented, and the one on line {at.line} is not"
        return Place(first, 1), message, "begin every section without spaces"
    return at, "nothing may follow the line that ends the file", "delete the line ..."


def _misplaced(at: Place, line: str, lines: Sequence[str]) -> Answer:
    """A line whose indentation belongs to nothing."""
    own, above = _indent(line), _above(lines, at)
    before = lines[above - 1] if above else ""
    if before.startswith(" " * own + "- "):
        hint = f"if it belongs to that entry, indent it by {own + 2}"
        return at, f"this line begins below the hyphen of line {above}", hint
    if before and not _SETTING.fullmatch(_without_comment(before)):
        return Place(above, _indent(before) + 1), *missing_colon(before)
    message = f"this line is indented by {own} spaces, and line {above} above it by {_indent(before)}"
    return at, message, "lines of one section are indented alike"
