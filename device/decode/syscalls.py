"""A filter for system calls (seccomp, mode 2): what a process that only looks at pictures may still ask for.

Memory, time, random numbers, the descriptors it holds, and its end. Nothing on this list names a file, an
address or another process. The program for the kernel is a few instructions long and made here: a library
for it would be larger than what it does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# prctl(2) and seccomp(2).
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_KILL_PROCESS = 0x8000_0000
_ALLOW = 0x7FFF_0000
# An error rather than death: a library that asks for more than it needs goes on without.
_REFUSE = 0x0005_0000 | errno.EPERM

# A 32-bit system on a 64-bit kernel numbers its calls otherwise than the machine's name says.
_POINTER_BYTES = 8

# linux/bpf_common.h: load a word, compare it with a constant, return.
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
# struct seccomp_data: offsets of the call's number and of the architecture it is meant for.
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4


@dataclass(frozen=True, slots=True)
class Machine:
    """How one kind of machine numbers what is allowed (linux/audit.h, asm/unistd.h)."""

    audit: int
    calls: Mapping[str, int]


MACHINES: Mapping[str, Machine] = {
    "aarch64": Machine(
        0xC000_00B7,
        {
            "read": 63, "write": 64, "sendto": 206, "recvfrom": 207, "ppoll": 73, "close": 57, "dup3": 24,
            "lseek": 62, "fstat": 80,
            "brk": 214, "mmap": 222, "munmap": 215, "mremap": 216, "mprotect": 226, "madvise": 233,
            "clock_gettime": 113, "clock_getres": 114, "gettimeofday": 169, "getrandom": 278,
            "futex": 98, "sched_yield": 124, "sched_getaffinity": 123, "sysinfo": 179, "membarrier": 283,
            "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "sigaltstack": 132,
            "restart_syscall": 128, "exit": 93, "exit_group": 94,
        },
    ),
    "x86_64": Machine(
        0xC000_003E,
        {
            "read": 0, "write": 1, "sendto": 44, "recvfrom": 45, "poll": 7, "ppoll": 271, "close": 3,
            "dup2": 33, "dup3": 292, "lseek": 8, "fstat": 5,
            "brk": 12, "mmap": 9, "munmap": 11, "mremap": 25, "mprotect": 10, "madvise": 28,
            "clock_gettime": 228, "clock_getres": 229, "gettimeofday": 96, "getrandom": 318,
            "futex": 202, "sched_yield": 24, "sched_getaffinity": 204, "sysinfo": 99, "membarrier": 324,
            "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sigaltstack": 131,
            "restart_syscall": 219, "exit": 60, "exit_group": 231,
        },
    ),
}  # fmt: skip


class _Instruction(ctypes.Structure):
    """struct sock_filter."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction)))


def _program(audit: int, calls: Iterable[int]) -> list[_Instruction]:
    numbers = sorted(calls)
    # Every comparison that holds jumps over those after it and the refusal.
    checks = [_Instruction(_IF_EQUAL, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    return [
        _Instruction(_LOAD, 0, 0, _ARCHITECTURE_AT),
        # A call by another architecture's numbers is an attempt to get round this.
        _Instruction(_IF_EQUAL, 1, 0, audit),
        _Instruction(_RETURN, 0, 0, _KILL_PROCESS),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
        *checks,
        _Instruction(_RETURN, 0, 0, _REFUSE),
        _Instruction(_RETURN, 0, 0, _ALLOW),
    ]


def filter_calls() -> bool:
    """Refuses this thread, for good, every system call that is not on the list.

    The process must have one thread only, and must have given up gaining privileges (prctl's NO_NEW_PRIVS).

    Returns:
        False where the kernel or the kind of machine knows no such filter: then nothing has changed.

    Raises:
        OSError: the kernel refused for another reason.
    """
    machine = MACHINES.get(platform.machine())
    if machine is None or ctypes.sizeof(ctypes.c_void_p) != _POINTER_BYTES:
        return False
    instructions = _program(machine.audit, machine.calls.values())
    array = (_Instruction * len(instructions))(*instructions)
    program = _Program(len(instructions), array)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        number = ctypes.get_errno()
        if number == errno.EINVAL:
            return False
        raise OSError(number, os.strerror(number))
    return True
