from __future__ import annotations

from typing import TYPE_CHECKING

from device.vitals import temperature_c

if TYPE_CHECKING:
    from pathlib import Path


def test_the_temperature_is_told_in_whole_degrees_where_the_machine_tells_it(tmp_path: Path) -> None:
    file = tmp_path / "temp"
    assert temperature_c(file) is None
    for text, expected in (("48312\n", 48), ("-3600", -4), ("", None), ("warm", None)):
        file.write_text(text, encoding="ascii")
        assert temperature_c(file) == expected
