"""A process that is started by the demonstration and never outlives it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENDS_WITHIN_S = 6.0
"""The daemon promises to end 5 s after SIGTERM."""


class Child:
    """One process in a session of its own, so that Ctrl-C reaches it only through `stop`.

    Args:
        command: program and arguments.
        log: file that its output is added to; None gives its standard error as `errors`, a pipe.
        environ: its environment; None for this process's.

    Attributes:
        errors: the reading end of its standard error, or None when it writes to a file.
    """

    def __init__(
        self, command: Sequence[str], *, log: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        with (log or Path(os.devnull)).open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours, nothing in it is a visitor's
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out if log else subprocess.PIPE,
                env=dict(environ) if environ is not None else None,
                start_new_session=True,
            )
        self.errors: IO[bytes] | None = self._process.stderr

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None when it still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> int:
        """SIGTERM, and SIGKILL when that does not help; its exit code. Blocks up to `ENDS_WITHIN_S`."""
        if self._process.poll() is None:
            self._process.terminate()
            if self.wait(ENDS_WITHIN_S) is None:
                self._process.kill()
        code = self._process.wait()
        if self.errors:
            self.errors.close()
        return code
