"""Freezes one thread of a process, and nothing else of it. Runs inside the virtual machine:

    python -m tests.vm.freeze_worker PID NAME

As a driver does that never returns. A signal would stop the whole process, so the thread is traced and
interrupted; it stays so until this program ends, which it does when the process has.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from pathlib import Path

# <linux/ptrace.h>
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207


def main() -> None:
    process = Path("/proc", sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)

    def trace(request: int, thread: int) -> None:
        if libc.ptrace(request, thread, None, None):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    named = {(task / "comm").read_text(encoding="utf-8").strip(): task for task in process.glob("task/*")}
    thread = int(named[sys.argv[2]].name)
    trace(PTRACE_SEIZE, thread)
    trace(PTRACE_INTERRUPT, thread)
    print(f"frozen: {sys.argv[2]}, of {', '.join(sorted(named))}", flush=True)
    pause = threading.Event()
    while state(process) not in ("", "Z"):
        pause.wait(0.2)


def state(process: Path) -> str:
    """As the kernel has it: Z for one that has ended; empty when it is gone."""
    try:
        return (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return ""


if __name__ == "__main__":
    main()
