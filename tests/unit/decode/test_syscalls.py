"""The numbers of system calls, compared with the kernel's own: a wrong one would lame the decoder on a Pi."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.decode.syscalls import MACHINES

pytestmark = pytest.mark.slow  # needs a header that only `make test` brings

# arm64 numbers its calls by the generic table (arch/arm64/include/uapi/asm/unistd.h includes it).
HEADERS = Path("/usr/include")
TABLE, MACHINES_OF_ELF, AUDIT = "asm-generic/unistd.h", "linux/elf-em.h", "linux/audit.h"
DEFINITION = re.compile(r"^#define (\w+)\s+(\w+)", re.MULTILINE)


def definitions(header: str) -> dict[str, str]:
    return dict(DEFINITION.findall((HEADERS / header).read_text("ascii")))


def test_the_numbers_for_a_raspberry_pi_are_those_of_the_kernel() -> None:
    table = definitions(TABLE)
    ours = MACHINES["aarch64"].calls
    theirs = {}
    for name in ours:
        number = table[f"__NR_{name}"]
        theirs[name] = int(table.get(number, number))
    assert ours == theirs


def test_the_mark_of_a_raspberry_pi_is_that_of_the_kernel() -> None:
    mark = int(definitions(MACHINES_OF_ELF)["EM_AARCH64"])
    for flag in ("__AUDIT_ARCH_64BIT", "__AUDIT_ARCH_LE"):
        mark |= int(definitions(AUDIT)[flag], 16)
    assert MACHINES["aarch64"].audit == mark
