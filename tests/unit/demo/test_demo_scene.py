from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from device.credential.registry import parse
from device.decode.zxing import Zxing
from device.demo.scene import HEIGHT, RISE_S, SMALL, WIDTH, Stage, contact_sheet, draw, leaves_s
from device.demo.story import DENIED_IDENTIFIER, TAIL_S, story
from device.model import Outcome, Reason, Standing

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

# decode.showing_ends_after_s of the sample is 1 s; a scene must not depend on the last tenth of it.
AWAY_S = 2.0


SHOWINGS = story()


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(SHOWINGS)


def contents(picture: npt.NDArray[np.uint8]) -> set[bytes]:
    return {f.content for f in Zxing().read(picture) if f.content is not None}


def test_every_code_is_readable_while_it_is_held_and_of_the_kind_the_story_says(stage: Stage) -> None:
    for showing in SHOWINGS:
        together = [s for s in SHOWINGS if abs(s.starts_s - showing.starts_s) < 1]
        for part in (0.2, 0.8):
            found = contents(stage.picture(showing.starts_s + RISE_S + part * showing.holds_s))
            kinds = sorted(parse(content).kind for content in found)
            assert kinds == sorted(s.expected.kind for s in together), (showing.who, part)


def test_vietnamese_names_are_in_the_codes_letter_by_letter(stage: Stage) -> None:
    first = SHOWINGS[0]
    (content,) = contents(stage.picture(first.starts_s + RISE_S + first.holds_s / 2))
    credential = parse(content)
    assert credential.standing is Standing.CLAIMED
    assert credential.name == "Trần Văn Mẫu"


def test_the_refused_person_is_the_one_on_the_deny_list(stage: Stage) -> None:
    (showing,) = (s for s in SHOWINGS if s.expected.reason is Reason.DENIED_BY_LIST)
    (content,) = contents(stage.picture(showing.starts_s + RISE_S + showing.holds_s / 2))
    assert parse(content).identifier == DENIED_IDENTIFIER


def test_a_code_is_out_of_sight_long_enough_before_it_is_shown_again() -> None:
    again = [s for s in SHOWINGS if s.expected.reason is Reason.ALREADY_SHOWN]
    assert again
    for showing in again:
        earlier = [s for s in SHOWINGS if s.prop is showing.prop and s.starts_s < showing.starts_s]
        assert earlier
        assert showing.starts_s - max(leaves_s(s) for s in earlier) > AWAY_S


def test_nobody_is_in_the_picture_between_groups_of_people(stage: Stage) -> None:
    for before, after in pairwise(SHOWINGS):
        if after.starts_s - before.starts_s > 1:
            assert contents(stage.picture((leaves_s(before) + after.starts_s) / 2)) == set()


def test_the_story_has_every_answer_a_visitor_should_see() -> None:
    assert {s.expected.outcome for s in SHOWINGS} == set(Outcome)
    assert {s.expected.reason for s in SHOWINGS} == {
        Reason.OK,
        Reason.WRONG_KIND,
        Reason.DENIED_BY_LIST,
        Reason.ALREADY_SHOWN,
    }


def test_the_same_moment_gives_the_same_picture_twice(stage: Stage) -> None:
    assert np.array_equal(stage.picture(18.4), Stage(SHOWINGS).picture(18.4))


def test_drawing_writes_numbered_pictures_of_the_whole_story_and_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    scene = draw(tmp_path, frames_per_second=2, progress=lambda done, total: told.append((done, total)))
    files = sorted(tmp_path.iterdir())
    assert len(files) == scene.frames == len(scene.small)
    assert told[-1] == (scene.frames, scene.frames)
    assert scene.duration_s >= max(leaves_s(s) for s in SHOWINGS) + TAIL_S
    picture = cv2.imread(str(files[0]), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape == (HEIGHT, WIDTH)
    assert scene.small[0].shape == SMALL[::-1]


def test_the_contact_sheet_is_one_picture() -> None:
    sheet = cv2.imdecode(np.frombuffer(contact_sheet(columns=2), np.uint8), cv2.IMREAD_UNCHANGED)
    assert sheet is not None
    assert sheet.shape[0] > sheet.shape[1]
