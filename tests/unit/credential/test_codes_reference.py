"""`docs/reference/codes.md` knows every word that the room uses, and no others."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

from device.credential.pseudonym import subject_of
from device.credential.registry import KINDS, LEFTOVERS
from device.credential.trust import Use, parse_trust
from device.model import Standing
from device.policy.listtext import parse_list

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs" / "reference" / "codes.md").read_text(encoding="utf-8")
SOURCE = "\n".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "device" / "credential").rglob("*.py")
)
KEY = bytes(range(32))


def section(title: str) -> str:
    return REFERENCE.split(f"## {title}\n")[1].split("\n## ")[0]


def words(title: str) -> set[str]:
    """What the first column of a section's table names."""
    rows = [line.split("|")[1] for line in section(title).splitlines() if line.startswith("| `")]
    return {word for row in rows for word in re.findall(r"`([a-z0-9_.-]+)`", row)}


def test_every_kind_is_in_the_reference() -> None:
    assert words("Kinds") == {kind.word for kind in KINDS} | set(LEFTOVERS)


def test_every_standing_is_in_the_reference() -> None:
    assert words("Standing") == {standing.value for standing in Standing}


def test_every_detail_is_in_the_reference() -> None:
    used = re.findall(
        r'Flawed\("(\w+)"\)|malformed\([\w.]+, "(\w+)"\)|^ +\("(\w+)", |claims\.text\(.*?, "(\w+)"\)',
        SOURCE,
        re.MULTILINE,
    )
    found = {word for groups in used for word in groups if word} - {"key"}
    assert words("Details of malformed codes") == found


def test_every_warning_is_in_the_reference() -> None:
    used = re.findall(r'\+= \("(\w+)",\)|append\("(\w+)"\)|, \("(\w+)",\)|return \("(\w+)",\)', SOURCE)
    found = {word for groups in used for word in groups if word}
    assert words("Warnings") == found | {"line_end"}


def test_the_trust_list_of_the_reference_is_one() -> None:
    text = section("Trust list")
    parsed = parse_trust(text.split("```json\n")[1].split("```")[0])
    assert parsed.problems == ()
    assert all(f"`{use}`" in text for use in Use)


def test_the_list_file_of_the_reference_is_one() -> None:
    lines = section("List files").split("```\n")[1].split("```")[0].splitlines()
    parsed = parse_list(lines, key=KEY, timezone=ZoneInfo("UTC"))
    assert parsed.problems == ()
    assert len(parsed.content) == 3
    assert parsed.content.any_of([subject_of("office/202600417", key=KEY) or ""])
