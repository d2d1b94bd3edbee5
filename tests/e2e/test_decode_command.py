"""`gate-scanner decode` as a technician uses it: on photographs, folders, and whatever else lies about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.support.codes import Held, code, empty, scene, shown

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

AMBER = (0, 160, 255)
GREEN = (80, 200, 40)


def decode(*arguments: str, within_s: float = 60) -> tuple[int, list[str], list[str]]:
    """Exit code, lines said, and complaints."""
    done = subprocess.run(
        [sys.executable, "-m", "device", "decode", *arguments],
        capture_output=True,
        check=False,
        timeout=within_s,
    )
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode().splitlines()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three pictures, and what else is in such folders."""
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "b.png"), shown("second"))
    cv2.imwrite(str(folder / "a.jpg"), shown("first"))
    cv2.imwrite(str(folder / "c.PNG"), empty())
    (folder / "notes.txt").write_text("photographs of Monday")
    (folder / "more").mkdir()
    return folder


def _has(drawing: Path, colour: tuple[int, int, int]) -> bool:
    return bool(np.all(cv2.imread(str(drawing)) == colour, axis=2).any())


def test_a_folder_is_read_in_the_order_of_its_names(photos: Path) -> None:
    exit_code, said, complaints = decode(str(photos))
    assert (exit_code, complaints) == (0, [])
    assert [line.split("  (")[0] for line in said] == [
        f"{photos}/a.jpg: first",
        f"{photos}/b.png: second",
        f"{photos}/c.PNG: no code found",
    ]
    assert "(zxing, " in said[0]  # which step read it


def test_each_file_that_cannot_be_read_is_told_and_the_others_are_read(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing.png").touch()
    (tmp_path / "bare").mkdir()
    wrong = {
        tmp_path / "missing.png": "No such file or directory",
        tmp_path / "nothing.png": "an empty file",
        tmp_path / "bare": "a folder without pictures",
        photos / "notes.txt": "no picture, or one of more than 24 megapixels",
    }
    exit_code, said, complaints = decode(*map(str, wrong), str(photos / "b.png"))
    assert exit_code == 1
    assert len(said) == 1
    assert complaints == [f"{file}: {why}" for file, why in wrong.items()]


def test_a_picture_of_a_hundred_megapixels_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "poster.png"), np.full((10_000, 10_000), 255, np.uint8))
    exit_code, _, complaints = decode(str(tmp_path / "poster.png"))
    assert exit_code == 1
    assert complaints == [f"{tmp_path}/poster.png: no picture, or one of more than 24 megapixels"]


def test_of_an_animation_the_first_picture_is_read(tmp_path: Path) -> None:
    pictures = [cv2.cvtColor(shown(text), cv2.COLOR_GRAY2BGR) for text in ("first", "second")]
    for ending in ("gif", "webp"):
        animation = cv2.Animation()
        animation.frames, animation.durations = pictures, [200, 200]
        assert cv2.imwriteanimation(str(tmp_path / f"moving.{ending}"), animation)
    exit_code, said, complaints = decode(str(tmp_path))
    assert (exit_code, complaints) == (0, [])
    assert [line.split(": ")[1].split("  (")[0] for line in said] == ["first", "first"]


def test_a_code_that_is_there_and_cannot_be_read_is_told_with_the_cause(tmp_path: Path) -> None:
    spoilt = code("a code of some length, which nobody can read any more")
    spoilt[50:, 50:] = 255 - spoilt[50:, 50:]
    cv2.imwrite(str(tmp_path / "card.png"), scene((spoilt, (640, 360), Held())))
    exit_code, said, complaints = decode("--frames", "3", "--draw", str(tmp_path), str(tmp_path / "card.png"))
    assert (exit_code, complaints) == (0, [])
    assert said[0].startswith(f"{tmp_path}/card.png: a code is there, but was not read: damaged  (")
    assert _has(tmp_path / "card-seen.png", AMBER)
    assert not _has(tmp_path / "card-seen.png", GREEN)


def test_drawings_show_what_was_read_and_the_terminal_says_which_is_which(
    photos: Path, tmp_path: Path
) -> None:
    two = scene((code("left"), (320, 360), Held()), (code("right"), (960, 360), Held()))
    cv2.imwrite(str(photos / "d.png"), two)
    exit_code, said, complaints = decode("--draw", str(tmp_path / "seen"), str(photos))
    assert (exit_code, complaints) == (0, [])
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == [
        f"{name}-seen.png" for name in "abcd"
    ]
    assert [_has(tmp_path / "seen" / f"{name}-seen.png", GREEN) for name in "abcd"] == [
        True,
        True,
        False,
        True,
    ]
    texts = {line.split(": ")[1]: line.split(": ")[2].split("  (")[0] for line in said if "/d.png: 1" in line}
    texts |= {
        line.split(": ")[1]: line.split(": ")[2].split("  (")[0] for line in said if "/d.png: 2" in line
    }
    assert set(texts) == {"1", "2"}
    assert set(texts.values()) == {"left", "right"}
    assert said[-1] == f"{photos}/d.png: drawn in {tmp_path}/seen/d-seen.png"


def test_a_folder_that_takes_no_drawings_is_told_before_anything_is_decoded(photos: Path) -> None:
    exit_code, said, complaints = decode("--draw", str(photos / "notes.txt"), str(photos))
    assert (exit_code, said) == (1, [])
    assert complaints == [f"gate-scanner: {photos}/notes.txt is no folder"]


def test_a_hostile_name_moves_no_cursor_and_leaves_no_folder(tmp_path: Path) -> None:
    picture = tmp_path / os.fsdecode(b"\x1b[2J\xe2\x80\xae\xff;rm -rf.png")
    picture.write_bytes(cv2.imencode(".png", shown("gate"))[1].tobytes())
    exit_code, said, complaints = decode("--draw", str(tmp_path / "seen"), str(picture))
    assert (exit_code, complaints) == (0, [])
    assert all(line.isprintable() for line in said)
    assert [path.name for path in (tmp_path / "seen").iterdir()] == ["2J___rm_-rf-seen.png"]
    exit_code, said, _ = decode("--json", str(picture))
    assert exit_code == 0
    assert json.loads(said[0])["file"] == str(picture)


def test_a_program_gets_one_object_a_picture(photos: Path, tmp_path: Path) -> None:
    arguments = ("--json", "--draw", str(tmp_path / "seen"), str(photos), str(tmp_path / "missing"))
    exit_code, said, complaints = decode(*arguments)
    assert (exit_code, complaints) == (1, [])
    first, _, third, missing = (json.loads(line) for line in said)
    assert first["symbols"][0]["text"] == "first"
    assert first["symbols"][0]["bytes_b64"] == "Zmlyc3Q="
    assert first["symbols"][0]["engine"] == "zxing"
    assert len(first["symbols"][0]["corners"]) == 4
    assert first["unread"] == []
    assert first["drawing"] == f"{tmp_path}/seen/a-seen.png"
    assert third["symbols"] == []
    assert "error" not in third
    assert missing["error"] == "No such file or directory"


@pytest.mark.parametrize("frames", ["0", "-1", "1001", "many", "\u0663"])
def test_frames_are_a_sensible_number(frames: str) -> None:
    exit_code, _, complaints = decode("--frames", frames, "x.png")
    assert exit_code == 2
    assert complaints[-1].endswith("a number from 1 to 1000")
