"""A process that is started by the demonstration and never outlives it."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import IO, Self

ENDS_WITHIN_S = 6.0
"""The daemon promises to end 5 s after SIGTERM."""

READ_BYTES = 65_536
"""What a pipe holds."""

LINE_MAX_BYTES = 262_144
"""A longer line is handed out in pieces; the daemon's longest is a traceback of a few kilobytes."""


class Child:
    """One process in a session of its own, so that Ctrl-C reaches it only through `stop`.

    As a context manager it ends with the block.

    Args:
        command: program and arguments.
        log: file that its output is added to; None gives its standard error as `lines`.
        environ: its environment; None for this process's.
        ends_within_s: how long it may take to end after SIGTERM.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path | None = None,
        environ: Mapping[str, str] | None = None,
        ends_within_s: float = ENDS_WITHIN_S,
    ) -> None:
        self._ends_within_s = ends_within_s
        with (log or Path(os.devnull)).open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours, nothing in it is a visitor's
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out if log else subprocess.PIPE,
                env=dict(environ) if environ is not None else None,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def lines(self) -> Lines:
        """Its standard error, line by line.

        Raises:
            ValueError: it writes to a file.
        """
        if self._process.stderr is None:
            raise ValueError("this process writes to a file")
        return Lines(self._process.stderr)

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None when it still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> int:
        """SIGTERM, and SIGKILL when that does not help; its exit code. Blocks up to `ends_within_s`."""
        if self._process.poll() is None:
            self._process.terminate()
            if self.wait(self._ends_within_s) is None:
                self._process.kill()
        code = self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        return code


class Lines:
    """Reads a pipe line by line without ever blocking longer than asked.

    Args:
        pipe: the reading end.

    Attributes:
        ended: whether the writer has closed its end and every line was handed out.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self.ended = False
        self._pipe = pipe
        self._begun = b""

    def read(self, timeout_s: float) -> list[bytes]:
        """The lines that are complete; blocks up to `timeout_s` when nothing has come at all."""
        if self.ended or not select.select([self._pipe], [], [], timeout_s)[0]:
            return []
        data = os.read(self._pipe.fileno(), READ_BYTES)
        if not data:
            self.ended = True
            return [self._begun] if self._begun else []
        *lines, self._begun = (self._begun + data).split(b"\n")
        if len(self._begun) > LINE_MAX_BYTES:
            lines.append(self._begun)
            self._begun = b""
        return lines
