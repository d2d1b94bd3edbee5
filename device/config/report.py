"""Problems as commands print them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from device.errors import Problem


def format_problems(problems: Iterable[Problem], *, as_json: bool) -> str:
    """One line each, `FILE:LINE:COL: PATH: MESSAGE (HINT)`, or a JSON list of objects with these fields.

    Line and column count from 1 and are 0 for a problem without a place; in a path, list entries count
    from 1: `policy.hours[1].from`.
    """
    if as_json:
        return json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=2)
    return "\n".join(str(problem) for problem in problems)
