from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.decode.finding import Look
from device.decode.outline import Mark
from device.errors import GateError
from device.model import Cause, Symbol
from device.service.drawings import Drawings, marks_of, safe_name
from tests.support.codes import shown

if TYPE_CHECKING:
    from pathlib import Path

CORNERS = ((1, 1), (9, 1), (9, 9), (1, 9))
PNG = cv2.imencode(".png", shown("gate", width=320, height=240))[1].tobytes()


@given(st.text(min_size=1))
@example("../../etc/passwd")
@example("-rf.jpg")
@example(".hidden")
@example("a\x1b[2J\u202egpj.exe")
@example("not utf-8: \udce9\udcff.png")
@example("." * 300)
@example("写真" * 200)
def test_a_name_is_safe_whatever_the_picture_is_called(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert all(c.isalnum() or c in "-_" for c in safe)
    assert not safe.startswith("-")
    assert len(f"{safe}-seen-999.png".encode()) < 255


@pytest.mark.parametrize(
    ("name", "safe"), [("photo.jpg", "photo"), ("Ảnh thẻ 2.tar.png", "Ảnh_thẻ_2_tar"), ("???.png", "picture")]
)
def test_a_name_can_be_recognised(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.slow
def test_a_drawing_never_takes_another_files_place(tmp_path: Path) -> None:
    (tmp_path / "photo-seen.png").write_bytes(b"mine")
    drawings = Drawings(tmp_path)
    kept = [drawings.keep(name, PNG, Look()).name for name in ("photo.png", "photo.jpg")]
    assert kept == ["photo-seen-2.png", "photo-seen-3.png"]
    assert (tmp_path / "photo-seen.png").read_bytes() == b"mine"


@pytest.mark.slow
def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "photo-seen.png").symlink_to(tmp_path / "elsewhere")
    assert Drawings(tmp_path).keep("photo.png", PNG, Look()).name == "photo-seen-2.png"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.slow
def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    drawing = Drawings(tmp_path / "of" / "today").keep("photo.png", PNG, Look())
    assert cv2.imread(str(drawing)) is not None


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for wrong in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(GateError, match="file"):
            Drawings(wrong)


@pytest.mark.slow
def test_what_cannot_be_drawn_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="cannot be drawn"):
        Drawings(tmp_path).keep("photo.png", b"no picture", Look())
    assert list(tmp_path.iterdir()) == []


def test_a_code_is_numbered_and_its_text_is_not_drawn() -> None:
    symbols = tuple(Symbol(text, "QRCode", "zxing", CORNERS) for text in (b"first", b"second"))
    look = Look(symbols=symbols, unread=(CORNERS,), causes=(Cause.TOO_SMALL,))
    assert set(marks_of(look)) == {
        Mark(CORNERS, "1", was_read=True),
        Mark(CORNERS, "2", was_read=True),
        Mark(CORNERS, "too small", was_read=False),
    }
