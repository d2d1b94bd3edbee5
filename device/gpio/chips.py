"""Asks the kernel which GPIO chips there are and who holds a line: two ioctls of <linux/gpio.h>, no library.

A chip is found by its label, because its number moves: the header of a Raspberry Pi 5 was gpiochip4
and became gpiochip0 with a kernel update.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from device.errors import PanelError

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTO: Final = "auto"
"""Instead of a label: the chip that drives the header of whichever Raspberry Pi this is."""

# The chip behind the 40-pin header: of a Pi 5, of a Pi 4, of all earlier ones.
_PI_LABELS: Final = ("pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835")

# <linux/gpio.h>: GPIO_GET_CHIPINFO_IOCTL and struct gpiochip_info (name, label, lines).
_GET_CHIP_INFO: Final = 0x8044B401
_CHIP_INFO: Final = struct.Struct("=32s32sI")
# GPIO_V2_GET_LINEINFO_IOCTL and struct gpio_v2_line_info (name, consumer, offset, attributes, flags, rest).
_GET_LINE_INFO: Final = 0xC100B405
_LINE_INFO: Final = struct.Struct("=32s32sIIQ176x")
_LINE_USED: Final = 1 << 0


@dataclass(frozen=True, slots=True)
class Chip:
    """A GPIO chip as the kernel describes it.

    Attributes:
        number: N of /dev/gpiochipN, which moves between kernels.
        label: what it is, which stays.
        lines: how many lines it has.
    """

    number: int
    label: str
    lines: int

    @property
    def path(self) -> str:
        """The device file."""
        return f"/dev/gpiochip{self.number}"


def find_chip(label: str) -> Chip:
    """The chip with this label (or the Pi's own for `AUTO`); the lowest number of several.

    Raises:
        PanelError: there is none, or its device file may not be opened.
    """
    forbidden: list[str] = []
    found: dict[str, Chip] = {}
    for number in _numbers():
        try:
            chip = _describe(number)
        except PermissionError:
            forbidden.append(f"/dev/gpiochip{number}")
        except OSError:
            continue  # gone again between listing and opening it: a USB adapter, say
        else:
            found.setdefault(chip.label, chip)
    for wanted in _PI_LABELS if label == AUTO else (label,):
        if wanted in found:
            return found[wanted]
    raise PanelError(_why_not(label, found, forbidden))


def line_holder(chip: Chip, line: int) -> str:
    """Who holds the line, for a person to read: `'gpioset' (process 812, gpioset)`; empty when it is free.

    The kernel knows the name that the holder gave itself. The process is looked up as far as this
    user may look into other processes. Raises nothing.
    """
    try:
        with _opened(chip.number) as fd:
            answer = fcntl.ioctl(fd, _GET_LINE_INFO, _LINE_INFO.pack(b"", b"", line, 0, 0))
    except OSError:
        return ""
    _, consumer, _, _, flags = _LINE_INFO.unpack(answer)
    if not flags & _LINE_USED:
        return ""
    named = f"'{_text(consumer)}'" if _text(consumer) else "the kernel"
    processes = ", ".join(_processes(chip, line))
    return f"{named} ({processes})" if processes else named


def _numbers() -> list[int]:
    names = (path.name.removeprefix("gpiochip") for path in Path("/dev").glob("gpiochip*"))
    return sorted(int(name) for name in names if name.isdecimal())


@contextmanager
def _opened(number: int) -> Iterator[int]:
    fd = os.open(f"/dev/gpiochip{number}", os.O_RDWR | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def _describe(number: int) -> Chip:
    with _opened(number) as fd:
        answer = fcntl.ioctl(fd, _GET_CHIP_INFO, bytes(_CHIP_INFO.size))
    _, label, lines = _CHIP_INFO.unpack(answer)
    return Chip(number, _text(label), lines)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("ascii", "replace")


def _why_not(label: str, found: dict[str, Chip], forbidden: list[str]) -> str:
    wanted = f"one of {', '.join(_PI_LABELS)}" if label == AUTO else f"'{label}'"
    if forbidden:
        return f"no permission to open {', '.join(forbidden)}: the user must be in the group `gpio`"
    if not found:
        return "this machine has no GPIO chip (no /dev/gpiochip*)"
    have = ", ".join(f"'{chip.label}' ({chip.path})" for chip in found.values())
    return f"no GPIO chip is labelled {wanted}; there is {have}"


def _processes(chip: Chip, line: int) -> list[str]:
    """Other processes that hold the line, else those that have the chip open: `process 812, gpioset`.

    The kernel tells chip and line of a request made through its newer interface; lgpio uses the older.
    """
    holders: dict[str, str] = {}
    openers: dict[str, str] = {}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        process = link.parts[2]
        if int(process) == os.getpid():
            continue
        try:
            target = str(link.readlink())
            if target == "anon_inode:gpio-line" and _is_request_of(link, chip, line):
                holders[process] = _command(process)
            elif target == chip.path:
                openers[process] = _command(process)
        except OSError:
            continue  # it ended meanwhile, or belongs to another user
    return [f"process {process}, {command}" for process, command in (holders or openers).items()]


def _is_request_of(link: Path, chip: Chip, line: int) -> bool:
    told = Path(*link.parts[:3], "fdinfo", link.name).read_text(encoding="ascii").split()
    pairs = set(zip(told[::2], told[1::2], strict=False))
    return {("gpio-chip:", f"gpiochip{chip.number}"), ("gpio-line:", str(line))} <= pairs


def _command(process: str) -> str:
    return Path("/proc", process, "comm").read_text(encoding="utf-8", errors="replace").strip()
