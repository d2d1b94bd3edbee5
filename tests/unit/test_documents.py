"""The documents against the product: every link leads somewhere, every command is one."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from device.cli import _parser

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def commands(page: Path) -> list[str]:
    """Lines of a page that call our program, continued lines joined."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.findall(r"^(?:    )?(?:sudo )?(gate-scanner (?!identity v1).+)$", text, re.MULTILINE)
    shortened = re.compile(r"\b[0-9a-f]{6}\.\.\.")
    return [shortened.sub("0" * 32, re.split(r" [<>|] | # |; ", line)[0].strip()) for line in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    targets = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_is_one_that_the_program_takes(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    for command in commands(page):
        words = shlex.split(command)[1:]
        try:
            args: argparse.Namespace = _parser().parse_args(words)
        except SystemExit as end:
            if end.code:
                wrong.append(f"{command}: {capsys.readouterr().err.splitlines()[-1]}")
            continue
        assert callable(args.command)
    assert wrong == []


def test_every_page_is_in_the_list_of_documents() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    pages = [p for p in ROOT.glob("docs/**/*.md") if p.name != "README.md"]
    assert [str(p) for p in pages if str(p.relative_to(ROOT / "docs")) not in index] == []


def test_the_documents_do_call_the_program() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 30
