"""Each foreign library has one door. Layers between our own rooms are `lint-imports`' business."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import device

PACKAGE = Path(device.__file__).parent

# What may import a library: a file, or a room (a folder, all of it).
DOORS = {
    "cv2": {"decode", "capture/pictures.py", "capture/replay_source.py", "capture/v4l2_source.py", "demo"},
    "gpiozero": {"gpio"},
    "lgpio": {"gpio"},
    "paho": {"uplink/mqtt.py", "demo"},
    "picamera2": {"capture/picamera2_source.py"},
    "pydantic": {"config"},
    "pyzbar": {"decode/zbar.py"},
    "rich": {"demo"},
    "segno": {"demo", "service/passes.py"},
    "sqlite3": {"journal"},
    "yaml": {"config"},
    "zxingcpp": {"decode/zxing.py"},
}


def importers(library: str) -> set[str]:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            if any(name.split(".")[0] == library for name in names):
                found.add(str(path.relative_to(PACKAGE)))
    return found


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_is_imported_at_its_door_only(library: str) -> None:
    doors = DOORS[library]
    strangers = {file for file in importers(library) if file not in doors and file.split("/")[0] not in doors}
    assert not strangers
    assert importers(library), f"nobody imports {library}: it is no dependency any more"
