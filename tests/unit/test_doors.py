"""Each foreign library has one door. Layers between our own rooms are `lint-imports`' business."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import device

PACKAGE = Path(device.__file__).parent

# What may import a library: a file, or a room (a folder, all of it).
DOORS = {
    "cryptography": {"credential", "journal/signing.py", "privacy/sealing.py"},
    "cv2": {"decode", "capture", "demo"},
    "gpiozero": {"gpio"},
    "jeepney": {"wifi/bus.py"},
    "lgpio": {"gpio"},
    "paho": {"uplink/client.py", "uplink/mqtt.py", "uplink/consumer.py", "demo"},
    "picamera2": {"capture/picamera2_library.py"},
    "pydantic": {"config"},
    "pyzbar": {"decode/zbar.py"},
    "rich": {"demo"},
    "segno": {"demo", "service/passes.py"},
    "sqlite3": {"journal", "service/store.py", "service/store_file.py", "service/trace/district.py"},
    "yaml": {"config"},
    "zxingcpp": {"decode/zxing.py"},
}


@cache
def imports() -> dict[str, set[str]]:
    """Library -> files that import it."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=aliases):
                    names = [alias.name for alias in aliases]
                case ast.ImportFrom(module=str(module)):
                    names = [module]
                case _:
                    continue
            for name in names:
                found.setdefault(name.split(".")[0], set()).add(str(path.relative_to(PACKAGE)))
    return found


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_is_imported_at_its_door_only(library: str) -> None:
    doors, files = DOORS[library], imports().get(library, set())
    assert {file for file in files if file not in doors and file.split("/")[0] not in doors} == set()
    assert files, f"nobody imports {library}: it is no dependency any more"
