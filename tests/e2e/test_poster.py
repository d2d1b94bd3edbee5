"""The poster as Chromium prints it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from device.model import Cue

POSTER = Path(__file__).parents[2] / "docs/poster/lights.html"
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-pdf-header-footer")


def test_every_cue_is_on_the_poster() -> None:
    told = set(re.findall(r'data-cue="(\w+)"', POSTER.read_text(encoding="utf-8")))
    assert told == {cue.value for cue in Cue}


@pytest.mark.slow
def test_the_poster_is_one_sheet_of_a4(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: apt install chromium"
    pdf = tmp_path / "poster.pdf"
    command = [
        chromium,
        *OPTIONS,
        f"--user-data-dir={tmp_path}/profile",
        f"--print-to-pdf={pdf}",
        str(POSTER),
    ]
    subprocess.run(command, check=True, timeout=90, capture_output=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) == 1
