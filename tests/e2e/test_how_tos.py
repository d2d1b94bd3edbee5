"""The how-tos are followed word by word: every command in them, in a shell, in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from device.privacy.sealing import OpeningKey

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs" / "how-to"
CODE_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a how-to asks its reader to write first.
GIVEN = {
    "issue-lists.md": {
        "refused.txt": "048095000111\noffice/1042\n",
        "people.csv": "Name;ID number\nAn;048095000111\nBình;079088000111\n",
    },
    "issue-passes.md": {},
    "provision-by-card.md": {
        "gate.yaml": "gate: {tenant: phu-vang, site: market, name: north-door}\n"
        "uplink: {host: mqtt.phu-vang.example, username: n, password_file: mqtt.password, tls: {}}\n",
        "mqtt.password": "correct horse battery staple\n",
        "device.pub": OpeningKey(OpeningKey.generate()).public_pem.decode(),
        "wifi.txt": "cho phu vang 2026\n",
    },
}


@pytest.mark.parametrize("name", GIVEN)
def test_every_command_of_a_how_to_works(name: str, tmp_path: Path) -> None:
    for file, content in GIVEN[name].items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    commands = CODE_BLOCK.findall((DOCS / name).read_text(encoding="utf-8"))
    assert commands
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(commands)],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
