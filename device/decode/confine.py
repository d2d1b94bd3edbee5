"""Gives up what a process does not need to look at pictures. Linux; one way, no return.

The decoders are C and C++ fed by strangers: when one is subverted, it finds itself in a process that
cannot open a file or a connection, start or signal another process, gain privileges, eat the machine's
memory or outlive the daemon. What is left to it is the picture before it, and its answer.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys

from device.decode.syscalls import filter_calls

# prctl(2).
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

# Libraries and a 24-megapixel picture with its preparations need less than half of this.
MAX_ADDRESS_SPACE_BYTES = 2 << 30
# The socket, the shared memory, and what Python keeps open for itself.
MAX_OPEN_FILES = 32
# The picture comes first: decoding yields to the gate's own threads when the cores are short.
NICENESS = 5


class NotConfined(OSError):
    """The kernel refused: the process must not look at pictures."""


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise NotConfined(ctypes.get_errno(), f"prctl {option}")


def die_with(parent: int) -> None:
    """Has the kernel kill this process when its parent ends; ends it now when that has happened already.

    The kernel means the parent's *thread*: a child ends with the thread that started it. To be called first.

    Raises:
        NotConfined: the kernel refused.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def confine(*, may_write_bytes: int = 0) -> bool:
    """Gives up everything else. To be called when all libraries are loaded and no thread is needed any more.

    System calls are filtered: none that names a file, an address or a process is left. The limits below
    hold where a kernel has no such filter, too: no thread or process can be started (root is exempt), no
    file can grow, no core is dumped, `/proc` hides its memory from other processes of the same user.

    Args:
        may_write_bytes: how large the files it holds may become after all.

    Returns:
        Whether system calls are filtered; False where the kernel cannot.

    Raises:
        NotConfined: the kernel refused.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)
    for limit, value in (
        (resource.RLIMIT_AS, MAX_ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, may_write_bytes),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
    ):
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError) as error:
            raise NotConfined(f"resource limit {limit}: {error}") from error
    with contextlib.suppress(OSError):  # a courtesy, which a sandbox around the service may forbid
        os.nice(NICENESS)
    try:
        return filter_calls()
    except OSError as error:
        raise NotConfined(error.errno, f"system call filter: {error.strerror}") from error
