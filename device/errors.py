"""Every exception the device raises on purpose.

::

    GateError
    ├── ConfigError          (ValueError)       technician: the file is wrong; exit 78, not restarted
    ├── UsageError                              who typed the command; exit 2, as argparse has it
    ├── HardwareError        (OSError)          hardware: cable, driver, permission
    │   ├── CameraError
    │   │   ├── CameraUnavailable               cannot be opened: retried a bounded number of times
    │   │   └── CameraStalled (TimeoutError)    opened, but no frame came in time: reopened
    │   └── PanelError                          a pin cannot be claimed or driven
    ├── DecoderDied          (ChildProcessError) one frame is lost, the child is replaced
    ├── JournalError         (OSError)          nothing can be recorded: nobody is granted
    │   ├── JournalFull                         the configured bound is reached and may not be pruned
    │   └── JournalUnusable                     it cannot be opened at all; exit 74
    ├── ListError            (ValueError)       district: a list is no good; the one in force stays
    ├── UplinkError          (ConnectionError)  network: the journal keeps the events, retried for ever
    ├── WirelessError        (ConnectionError)  network: a card's network is not joined; the one before stays
    └── WorkerDied           (RuntimeError)     us: exit 70, systemd starts the process again

Parsers raise nothing: a malformed code is an answer (`Standing.MALFORMED`), not a failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class GateError(Exception):
    """Root of the tree: catching it catches everything raised here on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration file, where it stands, and what to do.

    Attributes:
        file: the file as the technician named it.
        line: 1-based; 0 when the problem has no place in the file (it cannot be read, say).
        column: 1-based; 0 like `line`.
        path: dotted path of the setting, `panel.relay.pin`; empty for the file as a whole.
        message: what was found and what is allowed.
        hint: what was probably meant, or what to do; may be empty.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


class ConfigError(GateError, ValueError):
    """The configuration cannot be used. Carries every problem found, not only the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


class UsageError(GateError):
    """The command line asks for something that makes no sense."""


class HardwareError(GateError, OSError):
    """A camera, pin or other device does not do what it should."""


class CameraError(HardwareError):
    """The camera cannot be used."""


class CameraUnavailable(CameraError):
    """The camera cannot be opened: absent, taken by another process, or forbidden."""


class CameraStalled(CameraError, TimeoutError):
    """The camera is open, but no frame came within the time allowed."""


class PanelError(HardwareError):
    """A line of the panel cannot be claimed or driven."""


class DecoderDied(GateError, ChildProcessError):
    """The decoder's process died or overran its deadline with this frame; a new one takes over."""


class JournalError(GateError, OSError):
    """An event could not be made durable. It must be treated as not recorded."""


class JournalFull(JournalError):
    """The journal's configured bound is reached and nothing may be pruned."""


class JournalUnusable(JournalError):
    """The journal cannot be opened, not even anew."""


class ListError(GateError, ValueError):
    """A list is broken, not signed as it must be, not for this gate, or older. The one in force stays.

    Attributes:
        word: what is wrong, one fixed word for events.
    """

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


class UplinkError(GateError, ConnectionError):
    """The broker cannot be reached or used. The journal keeps what is pending."""


class WirelessError(GateError, ConnectionError):
    """A wireless network could not be joined. The one before stays, or comes back.

    Attributes:
        word: what is wrong, one fixed word for events.
    """

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


class WorkerDied(GateError, RuntimeError):
    """A worker ended by itself or stopped beating: the process ends and is started again."""


class ExitCode(IntEnum):
    """What the process tells systemd and scripts; 64 and up as in sysexits.h."""

    OK = 0
    BROKEN = 1
    """A check found something broken, or not everything could be done."""
    WORKER_DIED = 70
    JOURNAL = 74
    CONFIG = 78
