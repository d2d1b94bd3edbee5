"""`gate-scanner` as somebody types it: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 60.0


def gate_scanner(
    folder: Path | None,
    *arguments: str | Path,
    given: str = "",
    program: tuple[str, ...] = ("-m", "device"),
) -> subprocess.CompletedProcess[str]:
    """Blocks until it has ended.

    Args:
        folder: where it is typed; where the test runs when None.
        arguments: what is typed.
        given: what stands on its standard input.
        program: of Python; the command line itself, unless a test bends something first.
    """
    return subprocess.run(
        [sys.executable, *program, *map(str, arguments)],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
