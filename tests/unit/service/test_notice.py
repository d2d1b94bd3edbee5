from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.cli import main
from device.config.loader import load_text
from device.credential.registry import PERSONAL_KINDS
from device.model import KeptField
from device.privacy.keeping import Form
from device.service.notice import english, vietnamese
from device.service.notice.pages import Notice, as_page, as_text, gaps
from device.service.notice.practice import Departure, Practice, practice_of

GATE = "gate: {tenant: phu-vang, site: an-bang, name: north-door, place: 'Cổng Bắc, chợ An Bằng'}\n"
PASSES = "policy: {accept: [vn.cccd, cwt.pass]}\n"
LINKED = "uplink: {host: mqtt.phu-vang.example, tls: {}}\n"


def practice(text: str = LINKED) -> Practice:
    return practice_of(load_text(GATE + text, base_dir=Path("/nowhere")))


def both(found: Practice) -> tuple[Notice, Notice]:
    return (
        vietnamese.notice(found, made_on="02/03/2026"),
        english.notice(found, made_on="2 March 2026"),
    )


def words(found: Practice) -> tuple[str, str]:
    """The two texts, each on one line."""
    first, second = (re.sub(r"\s+", " ", as_text([one])) for one in both(found))
    return first, second


# -- what the configuration says ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "vi", "en"),
    [
        (
            "",
            "Số định danh, họ tên và các thông tin khác trong mã của quý vị không được lưu.",
            "are not kept.",
        ),
        (
            "privacy: {seal_to: seal.pub}\n",
            "Số định danh và họ tên trong mã của quý vị được mã hóa ngay trong thiết bị",
            "The number and name in your code are encrypted in the device at once",
        ),
        (
            "privacy: {keep_clear: true, keep: [born]}\n",
            "Ngày sinh trong mã của quý vị được lưu ở dạng đọc được.",
            "The date of birth in your code is kept in readable form.",
        ),
        (
            f"privacy: {{seal_to: seal.pub, keep: [], keep_of_passes: [identifier]}}\n{PASSES}",
            "Số định danh trên thẻ ra vào được mã hóa",
            "The number on a gate pass is encrypted",
        ),
        ("journal: {keep_days: 7}\n", "Trên thiết bị: 7 ngày", "In the device: 7 days"),
        ("journal: {keep_days: 1}\n", "Trên thiết bị: 1 ngày", "In the device: one day, then"),
        (
            "journal: {keep_days: 0}\n",
            "trong vòng một giờ sau khi đã chuyển đi",
            "within an hour of being sent",
        ),
        ("policy: {deny_list: deny.txt}\n", "đối chiếu với danh sách", "compared with lists"),
        ("policy: {roster: roster.txt}\n", "đối chiếu với danh sách", "compared with lists"),
        ("policy: {capacity: 10}\n", "tối đa 12 giờ", "for 12 hours at most"),
        ("inputs: {beam: {pin: 5}}\n", "Cảm biến quang", "A light barrier counts"),
        (
            "privacy: {controller: UBND xã X}\n",
            "Đơn vị chịu trách nhiệm: UBND xã X",
            "Responsible: UBND xã X",
        ),
        ("privacy: {contact: '0234 1'}\n", "Liên hệ: 0234 1", "Contact: 0234 1"),
        ("privacy: {purpose_english: 'Safety.'}\n", "Kiểm soát việc ra vào", "Safety."),
    ],
)
def test_the_notice_says_what_the_configuration_does(text: str, vi: str, en: str) -> None:
    first, second = words(practice(LINKED + text))
    assert vi in first
    assert en in second


def test_what_is_not_done_is_not_said() -> None:
    first, second = words(practice())
    for absent in ("danh sách", "Cảm biến quang", "tối đa", "thẻ ra vào", "dạng đọc được"):
        assert absent not in first
    for absent in ("lists", "light barrier", "at most", "gate pass", "readable", "mqtt.phu-vang.example"):
        assert absent not in second


@pytest.mark.parametrize(
    ("text", "departure", "vi", "en"),
    [
        (LINKED, Departure.WHEN_SENT, "giữ lại cho đến khi chuyển xong", "an encrypted connection"),
        (
            "uplink: {host: h, district_key_file: k}\n",
            Departure.WHEN_CONFIRMED,
            "qua đường truyền không mã hóa",
            "has not confirmed to have stored",
        ),
        (
            "uplink: {enabled: false}\n",
            Departure.NEVER,
            "không gửi dữ liệu đi đâu",
            "sends nothing to anybody",
        ),
    ],
)
def test_it_says_who_gets_it_and_when_the_gate_forgets(
    text: str, departure: Departure, vi: str, en: str
) -> None:
    found = practice(text)
    assert found.departure is departure
    assert vi in words(found)[0]
    assert en in words(found)[1]


def test_what_the_configuration_leaves_open_is_marked() -> None:
    assert gaps(both(practice())) == 6  # controller twice and contact, in two languages
    full = "privacy: {controller: A, contact: B, purpose: C}\n"
    assert gaps(both(practice(LINKED + full))) == 1  # the purpose in English
    assert "<mark>" in as_page(both(practice()))
    assert "<mark>" not in as_page([vietnamese.notice(practice(LINKED + full), made_on="")])


def test_every_kind_and_field_has_words_in_both_languages() -> None:
    for language in (vietnamese, english):
        assert set(language.KINDS) == PERSONAL_KINDS
        assert set(language.FIELDS) == set(KeptField)


PRACTICES = st.builds(
    Practice,
    place=st.text(max_size=120),
    gate=st.just("phu-vang/an-bang/north-door"),
    accepts=st.lists(st.sampled_from(sorted(PERSONAL_KINDS)), min_size=1, unique=True).map(tuple),
    form=st.sampled_from(Form),
    fields=st.lists(st.sampled_from(KeptField), unique=True).map(tuple),
    fields_of_passes=st.lists(st.sampled_from(KeptField), unique=True).map(tuple),
    lists=st.booleans(),
    remembers_h=st.none() | st.integers(1, 168),
    beam=st.booleans(),
    keep_days=st.integers(0, 3650),
    departure=st.sampled_from(Departure),
    drops=st.booleans(),
    encrypted=st.booleans(),
    controller=st.text(max_size=240),
    contact=st.text(max_size=240),
    purpose=st.text(max_size=240),
    purpose_english=st.text(max_size=240),
)


class Reader(HTMLParser):
    """Collects what a browser would fetch, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetches: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        self.fetches += [name for name, _ in attrs if name in {"src", "href", "srcset", "action", "style"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@settings(max_examples=40)
@given(PRACTICES)
def test_any_practice_makes_two_texts_of_the_same_parts_and_a_page_that_fetches_nothing(
    found: Practice,
) -> None:
    first, second = both(found)
    assert len(first.parts) == len(second.parts) == 6
    page = as_page([first, second])
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert (reader.open, reader.fetches) == ([], [])
    assert "<script" not in page
    assert "url(" not in page
    assert "@import" not in page


def test_what_a_technician_writes_is_text_and_no_markup() -> None:
    page = as_page(both(practice(LINKED + "privacy: {controller: '<b>A & B</b>', contact: x}\n")))
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in page
    assert "<b>" not in page


def test_vietnamese_is_written_in_composed_letters() -> None:
    text = Path(vietnamese.__file__).read_text(encoding="utf-8")
    assert unicodedata.is_normalized("NFC", text)


# -- the command ----------------------------------------------------------------------------------


def test_the_command_prints_it_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "gate.yaml"
    config.write_text(GATE + LINKED, encoding="utf-8")
    assert main(["notice", "--config", str(config), "--language", "vi"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("THÔNG BÁO VỀ VIỆC XỬ LÝ DỮ LIỆU CÁ NHÂN\nCổng Bắc, chợ An Bằng\n")
    assert "privacy.controller, privacy.contact" in err
    assert main(["notice", "--config", str(config), "--format", "html"]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
