"""A folder with everything a daemon needs to run in a test: pictures, lists, key, configuration."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import yaml

from tests.support.codes import Held, empty, shown

if TYPE_CHECKING:
    from tests.support.codes import Luma

ANNA = "046190123456||Nguyễn Thị An|05061990|Nữ|Tổ 3, Phường Thử Nghiệm, Thành phố Ví Dụ|12072021"
BINH = "079088000111|191234567|Trần Văn Bình|29021988|Nam|Thôn 1,, Xã Giả Định, Tỉnh Mẫu|30042022||||"
CHI = "046090123456|TRAN VAN CHI|1990-06-05|0|163000000000000001|<1<00<0900000000"
REFUSED = "001085000222||Phạm Bị Chặn|11121985|Nam|Phường Mẫu, Thành phố Ví Dụ|15082023"
PAYMENT = "00020101021138560010A0000007270126000697040001120000000000000208QRIBFTTA53037045802VN63047BB6"


@dataclass
class Gate:
    """Writes pictures and a configuration into a folder.

    Attributes:
        folder: everything lives there; `journal.db` too.
        port: of the broker.
        fps: pictures a second.
        repeat: whether the scene begins again when it has ended.
        changes: settings that differ from the defaults here, by dotted path.
    """

    folder: Path
    port: int = 1
    fps: float = 10
    repeat: bool = True
    changes: dict[str, Any] = field(default_factory=dict)
    _pictures: int = 0

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    def add(self, picture: Luma, times: int = 1) -> None:
        """The camera sees this picture for so many frames."""
        folder = self.folder / "scene"
        folder.mkdir(exist_ok=True)
        for _ in range(times):
            cv2.imwrite(str(folder / f"{self._pictures:05d}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
            self._pictures += 1

    def hold(self, content: str, held: Held | None = None, seconds: float = 0.6) -> None:
        """Somebody holds up a code, then goes; long enough that the showing has ended."""
        self.add(shown(content, held), max(1, round(seconds * self.fps)))
        self.add(empty(), round(1.5 * self.fps))

    def write(self) -> Path:
        """Writes the configuration; its path."""
        deny = self.folder / "deny.txt"
        deny.write_text("# nobody goes in with this one\n001085000222\n", encoding="utf-8")
        key = self.folder / "pseudonym.key"
        if not key.exists():
            key.write_bytes(b"k" * 32)
            key.chmod(0o600)
        settings: dict[str, Any] = {
            "gate": {"tenant": "test-district", "site": "test-site", "name": "door-1", "direction": "in"},
            "camera": {
                "source": "replay",
                "frames_per_second": self.fps,
                "replay": {"path": "scene", "repeat": self.repeat},
            },
            "decode": {"showing_ends_after_s": 1.0},
            "policy": {"accept": ["vn.cccd", "vn.qr-national"], "deny_list": "deny.txt", "repeat_s": 3},
            "panel": {
                "driver": "mock",
                "lights": {
                    "green": {"pin": 17},
                    "yellow": {"pin": 27},
                    "red": {"pin": 22},
                    "blue": {"pin": 23},
                },
                "buzzer": {"pin": 18, "kind": "passive"},
                "relay": {"pin": 24, "pulse_s": 0.5},
            },
            "journal": {"path": "journal.db"},
            "privacy": {"pseudonym_key_file": "pseudonym.key"},
            "uplink": {"host": "127.0.0.1", "port": self.port, "backoff_max_s": 2},
            "service": {"log_level": "debug"},
        }
        for path, value in self.changes.items():
            *parents, last = path.split(".")
            place = settings
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        file = self.folder / "gate.yaml"
        file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
        return file

    def stored(self) -> list[dict[str, Any]]:
        """What stands in the journal's file, `data` of each event, oldest first. Safe while it is written."""
        with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT data FROM event ORDER BY seq").fetchall()
        return [json.loads(data) for (data,) in rows]
