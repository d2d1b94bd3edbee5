from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from device.errors import HardwareError, PanelError
from device.gpio import chips
from device.gpio.chips import Chip, find_chip, line_holder
from device.gpio.pins import _open_lgpio, open_pins

NO_CHIP = Chip(number=987654, label="no-such-chip", lines=54)


def test_there_is_no_fallback_to_other_pins_when_the_chip_is_not_there() -> None:
    with pytest.raises(PanelError, match=r"no-such-chip|no GPIO chip|no permission") as caught:
        open_pins("lgpio", chip="no-such-chip")
    assert isinstance(caught.value, HardwareError)


def test_a_chip_is_looked_for_by_its_label() -> None:
    with pytest.raises(PanelError):
        find_chip("no-such-chip")


@pytest.mark.parametrize(
    ("label", "found", "forbidden", "expected"),
    [
        ("auto", {}, [], "this machine has no GPIO chip (no /dev/gpiochip*)"),
        (
            "auto",
            {"usb-adapter": Chip(3, "usb-adapter", 8)},
            [],
            (
                "no GPIO chip is labelled one of pinctrl-rp1, pinctrl-bcm2711, pinctrl-bcm2835; "
                "there is 'usb-adapter' (/dev/gpiochip3)"
            ),
        ),
        (
            "pinctrl-rp1",
            {"usb-adapter": Chip(3, "usb-adapter", 8)},
            [],
            "no GPIO chip is labelled 'pinctrl-rp1'; there is 'usb-adapter' (/dev/gpiochip3)",
        ),
        (
            "auto",
            {"usb-adapter": Chip(3, "usb-adapter", 8)},
            ["/dev/gpiochip0"],
            "no permission to open /dev/gpiochip0: the user must be in the group `gpio`",
        ),
    ],
)
def test_the_technician_is_told_what_is_there_instead(
    label: str, found: dict[str, Chip], forbidden: list[str], expected: str
) -> None:
    assert chips._why_not(label, found, forbidden) == expected


def test_a_line_of_a_chip_that_is_gone_has_no_holder() -> None:
    assert line_holder(NO_CHIP, 17) == ""


def test_the_structures_have_the_size_the_kernel_expects() -> None:
    def size_in(request: int) -> int:
        return request >> 16 & 0x3FFF  # <asm-generic/ioctl.h>

    assert chips._CHIP_INFO.size == size_in(chips._GET_CHIP_INFO)
    assert chips._LINE_INFO.size == size_in(chips._GET_LINE_INFO)


def test_lgpio_leaves_no_files_behind_and_the_working_directory_alone(tmp_path: Path) -> None:
    # In a process of its own, because lgpio does it at import and once only.
    script = (
        "import os\n"
        "from device.errors import PanelError\n"
        "from device.gpio.chips import Chip\n"
        "from device.gpio.pins import _open_lgpio\n"
        "try:\n"
        f"    _open_lgpio(Chip({NO_CHIP.number}, 'no-such-chip', 54))\n"
        "except PanelError as error:\n"
        "    print(error)\n"
        "print(os.getcwd())\n"
    )
    temporary = tmp_path / "temporary"
    here = tmp_path / "here"
    temporary.mkdir()
    here.mkdir()
    root = str(Path(__file__).parents[3])
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=here,
        env={"PYTHONPATH": root, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told, cwd = ended.stdout.splitlines()
    assert told.startswith("no-such-chip (/dev/gpiochip987654) cannot be opened: ")
    assert cwd == str(here)
    assert not list(here.iterdir())
    assert not list(temporary.iterdir())


def test_lgpio_without_any_folder_for_its_pipe_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not-there"))
    with pytest.raises(PanelError, match="TMPDIR"):
        _open_lgpio(NO_CHIP)
