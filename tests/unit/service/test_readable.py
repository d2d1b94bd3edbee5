from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.service.pictures import readable


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Trần Văn Mẫu".encode(), "Trần Văn Mẫu"),
        ("今度のバージョン".encode("shift_jis"), "今度のバージョン"),
        ("ﾃﾞｻﾞｲﾝQR".encode("shift_jis"), "ﾃﾞｻﾞｲﾝQR"),
        ("SUB:阿;;".encode("gb2312"), "SUB:阿;;"),
        (b"caf\xe9", "café"),
    ],
)
def test_text_of_old_character_sets_is_shown_as_it_was_meant(content: bytes, text: str) -> None:
    assert readable(content) == text


@given(st.binary(max_size=300))
def test_every_content_can_be_shown(content: bytes) -> None:
    assert isinstance(readable(content), str)


@given(st.text(max_size=100))
def test_utf_8_is_never_taken_for_anything_else(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    assert readable(content) == text or "\ud800" <= max(text) <= "\udfff"
