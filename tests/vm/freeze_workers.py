"""Freezes every thread of a process but the first, and nothing else of it. Runs inside the virtual machine:

    python -m tests.vm.freeze_workers PID

As a driver does that never returns. A signal would stop the whole process, so each thread is traced and
interrupted; they stay so until this program ends, which it does when the process has.
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

    workers = [int(task.name) for task in process.glob("task/*") if task.name != process.name]
    # One that runs may hold Python's lock, and with it the thread that has to notice.
    frozen = [thread for thread in workers if state(process / "task" / str(thread)) == "S"]
    for thread in frozen:
        trace(PTRACE_SEIZE, thread)
        trace(PTRACE_INTERRUPT, thread)
    print(f"frozen: {len(frozen)} of {len(workers)} threads of process {process.name}", flush=True)
    pause = threading.Event()
    while state(process) not in ("", "Z"):
        pause.wait(0.2)


def state(task: Path) -> str:
    """As the kernel has it: S for one that waits; empty when it is gone."""
    try:
        return (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return ""


if __name__ == "__main__":
    main()
