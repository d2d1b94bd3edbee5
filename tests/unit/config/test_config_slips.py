"""Every line of a sample, spoilt in every usual way: the answer points at that line or the next to it,
or names it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from device.config.loader import load_text
from device.errors import ConfigError

SAMPLES = Path(__file__).parents[3] / "config"

SLIPS: dict[str, Callable[[str], str]] = {
    "colon left out": lambda line: line.replace(":", "", 1),
    "space after the colon left out": lambda line: line.replace(": ", ":", 1),
    "indented too far": lambda line: f"   {line}",
    "indented by one less": lambda line: line.removeprefix(" "),
    "indented with a tab": lambda line: f"\t{line.lstrip()}",
    "quotation mark not closed": lambda line: line.replace(": ", ': "', 1),
    "bracket not closed": lambda line: line.replace("]", "").replace("}", ""),
    "bracket not opened": lambda line: line.replace("[", "").replace("{", ""),
    "line written twice": lambda line: f"{line}\n{line}",
    "equals sign": lambda line: line.replace(": ", " = ", 1),
    "decimal comma": lambda line: line.replace(".", ","),
    "letter lost": lambda line: line[: len(line) - len(line.lstrip())] + line.lstrip()[1:],
}


def is_setting(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


@pytest.mark.slow
@pytest.mark.parametrize("sample", ["door.yaml", "checkpoint.yaml"])
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_answered_where_it_was_made(sample: str, slip: str) -> None:
    lines = (SAMPLES / sample).read_text(encoding="utf-8").split("\n")
    far = []
    for number, line in enumerate(lines, 1):
        spoilt = SLIPS[slip](line)
        if spoilt == line or not is_setting(line):
            continue
        try:
            load_text("\n".join([*lines[: number - 1], spoilt, *lines[number:]]), base_dir=Path())
        except ConfigError as error:
            near = {problem.line for problem in error.problems} & {number - 1, number, number + 1}
            if not near and f"line {number} " not in str(error):
                far.append(f"line {number}: {spoilt!r}: {error}")
    assert not far
