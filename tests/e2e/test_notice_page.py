"""The page as Chromium prints it: one sheet of A4, with every letter it needs."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from device.config.loader import load_text
from device.credential.registry import PERSONAL_KINDS
from device.model import KeptField
from device.privacy.keeping import Form
from device.service.notice import english, vietnamese
from device.service.notice.pages import as_page
from device.service.notice.practice import Departure, Practice, practice_of

pytestmark = pytest.mark.slow

USUAL = practice_of(
    load_text(
        "gate: {tenant: phu-vang, site: an-bang, name: north-door, place: 'Cổng Bắc, chợ An Bằng'}\n"
        "privacy: {seal_to: s.pub, controller: Ủy ban nhân dân xã Phú Vang, contact: 0234 000 0000}\n"
        "uplink: {host: mqtt.phu-vang.example, tls: {}}\n",
        base_dir=Path("/nowhere"),
    )
)
LONGEST = replace(
    USUAL,
    place="Cổng phía bắc của chợ An Bằng " * 4,
    gate="/".join(["n" * 48] * 3),
    accepts=tuple(sorted(PERSONAL_KINDS)),
    form=Form.SEALED,
    fields=tuple(KeptField),
    fields_of_passes=tuple(KeptField),
    lists=True,
    remembers_h=168,
    beam=True,
    keep_days=3650,
    departure=Departure.WHEN_CONFIRMED,
    controller="Ủy ban nhân dân xã Phú Vang, thành phố Huế " * 5,
    contact="Ủy ban nhân dân xã Phú Vang, thành phố Huế " * 5,
    purpose="Bảo đảm an toàn cho người mua bán trong chợ " * 5,
    purpose_english="To keep the people in the market safe. " * 6,
)


OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-pdf-header-footer")


def printed(page: str, folder: Path) -> bytes:
    chromium = shutil.which("chromium")
    assert chromium, "chromium is missing: apt install chromium"
    source, pdf = folder / "notice.html", folder / "notice.pdf"
    source.write_text(page, encoding="utf-8")
    command = [chromium, *OPTIONS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={pdf}", str(source)]
    subprocess.run(command, check=True, timeout=90, capture_output=True)
    return pdf.read_bytes()


@pytest.mark.parametrize(
    ("practice", "languages"),
    [
        (USUAL, (vietnamese, english)),
        (USUAL, (vietnamese,)),
        (replace(USUAL, controller="", contact="", lists=True, remembers_h=12), (vietnamese, english)),
        (LONGEST, (vietnamese, english)),
        (LONGEST, (english,)),
    ],
    ids=["usual", "usual in one language", "middling", "longest", "longest in one language"],
)
def test_the_notice_is_one_sheet_of_a4(
    practice: Practice, languages: tuple[ModuleType, ...], tmp_path: Path
) -> None:
    pdf = printed(as_page([one.notice(practice, made_on="02/03/2026") for one in languages]), tmp_path)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    box = re.search(rb"/MediaBox\s*\[\s*0\s+0\s+([0-9.]+)\s+([0-9.]+)", pdf)
    assert box is not None
    assert [round(float(side)) for side in box.groups()] == [595, 842]
