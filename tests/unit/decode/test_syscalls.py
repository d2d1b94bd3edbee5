"""The numbers of system calls, compared with the kernel's own: a wrong one would lame the decoder on a Pi."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from device.decode.syscalls import MACHINES

pytestmark = pytest.mark.slow  # needs a header that only `make test` brings

# arm64 numbers its calls by the generic table (arch/arm64/include/uapi/asm/unistd.h includes it).
TABLE = Path("/usr/include/asm-generic/unistd.h")
DEFINITION = re.compile(r"^#define (__NR\w*)\s+(\w+)$", re.MULTILINE)


def test_the_numbers_for_a_raspberry_pi_are_those_of_the_kernel() -> None:
    table: dict[str, str] = dict(DEFINITION.findall(TABLE.read_text("ascii")))
    ours = MACHINES["aarch64"].calls
    theirs = {}
    for name in ours:
        number = table[f"__NR_{name}"]
        theirs[name] = int(table.get(number, number))
    assert ours == theirs
