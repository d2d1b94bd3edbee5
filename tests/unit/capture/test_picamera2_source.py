from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.camera_controls import possible_controls, steered_controls, wanted_controls
from device.capture.picamera2_library import explain, load_picamera2
from device.capture.picamera2_source import Picamera2Source
from device.errors import CameraStalled, CameraUnavailable
from device.model import Controls
from tests.support.clock import ManualClock
from tests.support.frame_source_contract import next_frame, opened
from tests.support.picamera2_stand_in import Rig

if TYPE_CHECKING:
    from pathlib import Path

SHORT_S = 0.02


@pytest.fixture
def rig() -> Rig:
    return Rig(ManualClock())


def source_on(
    rig: Rig,
    *,
    lores_width: int | None = None,
    exposure_us: int | None = None,
    gain: float | None = None,
    focus_dioptres: float | None = None,
    within_s: float = 10.0,
) -> Picamera2Source:
    return Picamera2Source(
        clock=rig.clock,
        index=0,
        width=128,
        height=72,
        frames_per_second=30,
        exposure_us=exposure_us,
        gain=gain,
        focus_dioptres=focus_dioptres,
        lores_width=lores_width,
        library=rig.library,
        open_within_s=within_s,
        close_within_s=within_s,
    )


def test_brightness_is_the_first_plane_without_the_padding(rig: Rig) -> None:
    rig.padding = 64
    with opened(source_on(rig, lores_width=32)) as source:
        frame = next_frame(source)
    expected = (np.arange(72) + 1).astype(np.uint8)
    assert np.array_equal(frame.luma, np.repeat(expected[:, None], 128, axis=1))
    assert frame.lores is not None
    assert frame.lores.shape == (18, 32)
    assert frame.lores.flags.c_contiguous


def test_without_a_width_there_is_no_small_picture(rig: Rig) -> None:
    with opened(source_on(rig)) as source:
        assert next_frame(source).lores is None


def test_a_frame_is_dated_by_the_sensor(rig: Rig) -> None:
    with opened(source_on(rig)) as source:
        assert next_frame(source).captured_at == pytest.approx(rig.clock.monotonic(), abs=1e-6)


def test_frames_that_nobody_fetched_leave_a_gap_in_the_numbers(rig: Rig) -> None:
    with opened(source_on(rig)) as source:
        assert next_frame(source).sequence == 1
        rig.clock.advance(4 * rig.period_s)
        assert next_frame(source).sequence == 6


def test_the_time_while_it_was_closed_counts_as_no_lost_frames(rig: Rig) -> None:
    source = source_on(rig)
    with opened(source):
        assert next_frame(source).sequence == 1
    rig.clock.advance(60)
    with opened(source):
        assert next_frame(source).sequence == 2


def test_every_buffer_is_given_back(rig: Rig) -> None:
    with opened(source_on(rig)) as source:
        for _ in range(20):
            next_frame(source)
            assert rig.buffers_out == 0


def test_the_camera_is_configured_once_for_each_opening_with_few_buffers(rig: Rig) -> None:
    source = source_on(rig)
    for _ in range(3):
        with opened(source):
            for _ in range(5):
                next_frame(source)
            assert rig.user is not None
            assert len(rig.user._ring) == 4
    assert rig.starts == 3


def test_a_stall_keeps_its_job_so_that_no_buffer_is_lost_to_a_forgotten_one(rig: Rig) -> None:
    with opened(source_on(rig)) as source:
        next_frame(source)
        rig.silent = True
        for _ in range(10):
            with pytest.raises(CameraStalled, match=r"no frame within 0\.5 s"):
                source.read(0.5)
        assert len(rig.jobs) == 1
        rig.silent = False
        next_frame(source)
        assert rig.buffers_out == 0


def test_closing_leaves_no_job_waiting_that_could_take_a_frame(rig: Rig) -> None:
    source = source_on(rig)
    source.open()
    rig.silent = True
    with pytest.raises(CameraStalled):
        source.read(1)
    source.close()
    assert rig.jobs == []


def test_a_frame_that_came_after_the_last_look_is_given_back_when_closing(rig: Rig) -> None:
    source = source_on(rig)
    source.open()
    with pytest.raises(CameraStalled):
        source.read(0.001)
    assert rig.user is not None
    rig.user._deliver()
    source.close()
    assert rig.buffers_out == 0


def test_a_camera_that_breaks_down_is_unavailable_and_may_come_back(rig: Rig) -> None:
    source = source_on(rig)
    with opened(source):
        next_frame(source)
        rig.broken_by = RuntimeError("Failed to queue request: No such device")
        with pytest.raises(CameraUnavailable, match="camera 0 broke down: Failed to queue request"):
            source.read(1)
    rig.broken_by = None
    with opened(source):
        next_frame(source)


def test_a_camera_in_use_is_named_with_how_to_find_the_user(rig: Rig) -> None:
    with (
        opened(source_on(rig)),
        pytest.raises(CameraUnavailable, match="camera 0 is in use by another program: sudo fuser"),
    ):
        source_on(rig).open()


def test_a_camera_that_fails_to_start_is_closed_again(rig: Rig) -> None:
    rig.broken_by = OSError(12, "Cannot allocate memory")
    with pytest.raises(CameraUnavailable, match="contiguous memory"):
        source_on(rig).open()
    assert rig.user is None


def test_a_camera_of_another_kind_is_refused_with_what_to_configure(rig: Rig) -> None:
    rig.format = "MJPEG"
    with pytest.raises(CameraUnavailable, match=r"gives MJPEG, not YUV420: .* camera\.source v4l2"):
        source_on(rig).open()
    assert rig.user is None


def test_starting_that_takes_too_long_is_waited_for_again_not_begun_twice(rig: Rig) -> None:
    rig.may_start.clear()
    source = source_on(rig, within_s=SHORT_S)
    for _ in range(3):
        with pytest.raises(CameraUnavailable, match="did not start within"):
            source.open()
        source.close()
    rig.may_start.set()
    patient = source._opening
    assert patient is not None
    patient.result(10)
    with opened(source):
        next_frame(source)
    assert rig.starts == 1


def test_closing_that_hangs_does_not_hold_up_the_caller_and_is_named_by_the_next_opening(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    source = source_on(rig, within_s=SHORT_S)
    source.open()
    rig.may_close.clear()
    source.close()
    assert "camera 0 does not come back from closing" in caplog.text
    with pytest.raises(CameraUnavailable, match="only a restart of the process frees it"):
        source.open()
    rig.may_close.set()
    closing = source._closing
    assert closing is not None
    closing.result(10)
    with opened(source):
        next_frame(source)


def test_an_error_while_closing_is_told_and_not_raised(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    source = source_on(rig)
    source.open()
    rig.may_close = None  # type: ignore[assignment] # the library stumbles
    source.close()
    assert "camera 0 did not close properly" in caplog.text


def test_settings_reach_the_camera_in_its_own_words(rig: Rig) -> None:
    with opened(source_on(rig, exposure_us=5000, gain=4, focus_dioptres=5.5)):
        assert rig.controls == {
            "FrameDurationLimits": (33333, 33333),
            "ExposureTime": 5000,
            "AnalogueGain": 4.0,
            "AeEnable": False,
            "AfMode": 0,
            "LensPosition": 5.5,
        }


def test_what_is_not_set_is_left_to_the_camera(rig: Rig) -> None:
    with opened(source_on(rig)):
        assert set(rig.controls) == {"FrameDurationLimits"}
    with opened(source_on(rig, exposure_us=5000)):
        assert set(rig.controls) == {"FrameDurationLimits", "ExposureTime"}


def test_a_size_that_the_camera_changed_is_told_and_used(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rig.least_width = 64
    with opened(source_on(rig, lores_width=32)) as source:
        frame = next_frame(source)
    assert frame.lores is not None
    assert frame.lores.shape == (72, 128)
    assert "camera 0: gives 128x72 where 32x18 was asked" in caplog.text


def test_what_the_camera_cannot_do_is_told_once(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    del rig.offered["AfMode"], rig.offered["LensPosition"]
    source = source_on(rig, exposure_us=500_000, focus_dioptres=5)
    for _ in range(3):
        with opened(source):
            assert rig.controls["ExposureTime"] == 77193
    told = [r.getMessage() for r in caplog.records]
    assert len(told) == 1
    assert "camera 0: ExposureTime 500000 is not possible, 77193 is used; has no AfMode" in told[0]


def test_the_lens_of_a_running_camera_is_steered_and_set_back(rig: Rig) -> None:
    with opened(source_on(rig, exposure_us=5000, focus_dioptres=5)) as source:
        next_frame(source)
        assert source.steer(Controls(focus_dioptres=8))
        next_frame(source)
        assert rig.controls["LensPosition"] == 8.0
        assert source.steer(Controls())
        next_frame(source)
        assert rig.controls["LensPosition"] == 5.0
        assert rig.controls["ExposureTime"] == 5000
        assert rig.starts == 1


def test_a_steered_exposure_holds_the_gain_and_gives_it_back(rig: Rig) -> None:
    rig.gain = 4.5
    with opened(source_on(rig, exposure_us=5000)) as source:
        next_frame(source)
        source.steer(Controls(exposure_us=1250))
        next_frame(source)
        assert (rig.controls["ExposureTime"], rig.controls["AnalogueGain"]) == (1250, 4.5)
        source.steer(Controls(focus_dioptres=8))
        next_frame(source)
        # 0 is libcamera's word for: by itself.
        assert (rig.controls["ExposureTime"], rig.controls["AnalogueGain"]) == (5000, 0)


def test_a_gain_that_is_configured_stays_as_it_is(rig: Rig) -> None:
    with opened(source_on(rig, exposure_us=5000, gain=2)) as source:
        next_frame(source)
        for controls in (Controls(exposure_us=1250), Controls()):
            source.steer(controls)
            next_frame(source)
            assert rig.controls["AnalogueGain"] == 2.0


def test_what_was_left_to_the_camera_goes_back_to_it(rig: Rig) -> None:
    with opened(source_on(rig)) as source:
        next_frame(source)
        source.steer(Controls(focus_dioptres=8, exposure_us=1250))
        next_frame(source)
        source.steer(Controls())
        next_frame(source)
        assert {name: rig.controls[name] for name in ("LensPosition", "AfMode", "ExposureTime")} == {
            "LensPosition": 1.0,
            "AfMode": 0,
            "ExposureTime": 0,
        }


def test_a_control_that_picamera2_lost_is_set_again(rig: Rig) -> None:
    with opened(source_on(rig, focus_dioptres=5)) as source:
        next_frame(source)
        for asked, got in ((Controls(focus_dioptres=8), 8.0), (Controls(), 5.0)):
            rig.loses = 1
            source.steer(asked)
            for _ in range(3):
                next_frame(source)
            assert rig.controls["LensPosition"] == got


def test_a_camera_without_a_lens_applies_what_it_has(rig: Rig) -> None:
    del rig.offered["AfMode"], rig.offered["LensPosition"]
    with opened(source_on(rig, exposure_us=5000)) as source:
        next_frame(source)
        assert source.steer(Controls(focus_dioptres=8, exposure_us=1250))
        next_frame(source)
        assert rig.controls["ExposureTime"] == 1250
        assert not source.steer(Controls(focus_dioptres=8))
        next_frame(source)
        assert rig.controls["ExposureTime"] == 5000
        assert "LensPosition" not in rig.controls


def test_opening_again_begins_with_what_is_configured(rig: Rig) -> None:
    source = source_on(rig, focus_dioptres=5, exposure_us=5000)
    with opened(source):
        next_frame(source)
        source.steer(Controls(focus_dioptres=8, exposure_us=1250))
        next_frame(source)
    with opened(source):
        for _ in range(4):
            next_frame(source)
        assert (rig.controls["LensPosition"], rig.controls["ExposureTime"]) == (5.0, 5000)
        assert rig.controls["AnalogueGain"] == 0


def test_a_camera_that_breaks_down_while_it_is_steered_says_so_when_read(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(source_on(rig, focus_dioptres=5)) as source:
        next_frame(source)
        rig.offered = None  # type: ignore[assignment] # the library stumbles
        assert not source.steer(Controls(focus_dioptres=8))
        assert "camera 0 could not be steered" in caplog.text


STEERED = st.builds(
    Controls,
    focus_dioptres=st.one_of(st.none(), st.floats(0, 32)),
    exposure_us=st.one_of(st.none(), st.integers(50, 100_000)),
)


@given(
    asked=st.lists(STEERED, max_size=6),
    exposure_us=st.one_of(st.none(), st.integers(50, 77_000)),
    gain=st.one_of(st.none(), st.floats(1, 16)),
    focus=st.one_of(st.none(), st.floats(0, 15)),
    without=st.sets(st.sampled_from(["ExposureTime", "AnalogueGain", "AfMode", "LensPosition"])),
)
def test_whatever_was_asked_in_between_the_camera_comes_back_to_what_is_configured(
    asked: list[Controls],
    exposure_us: int | None,
    gain: float | None,
    focus: float | None,
    without: set[str],
) -> None:
    offered = {name: limits for name, limits in Rig(ManualClock()).offered.items() if name not in without}
    configured = wanted_controls(
        frames_per_second=30, exposure_us=exposure_us, gain=gain, focus_dioptres=focus
    )
    in_force, _ = possible_controls(configured, offered)
    begun = dict(in_force)
    before = Controls()
    for after in (*asked, Controls()):
        changes = steered_controls(configured, offered, before=before, after=after, gain=3.0)
        assert set(changes) <= set(offered)
        in_force |= changes
        before = after
    by_itself = {"ExposureTime": 0, "AnalogueGain": 0, "AfMode": 0, "LensPosition": 1.0}
    for name, value in in_force.items():
        assert value == begun.get(name, by_itself.get(name))


NUMBERS = st.one_of(st.integers(-1000, 10**6), st.floats(-1000, 1e6))


@given(
    rate=st.floats(1, 120),
    exposure_us=st.one_of(st.none(), st.integers(1, 10**6)),
    gain=st.one_of(st.none(), st.floats(1, 64)),
    focus=st.one_of(st.none(), st.floats(0, 40)),
    offered=st.dictionaries(
        st.sampled_from(["FrameDurationLimits", "ExposureTime", "AnalogueGain", "AeEnable", "LensPosition"]),
        st.tuples(st.one_of(st.none(), NUMBERS), st.one_of(st.none(), NUMBERS), st.none()),
    ),
)
def test_only_what_is_offered_is_asked_for_and_within_its_limits(
    rate: float,
    exposure_us: int | None,
    gain: float | None,
    focus: float | None,
    offered: dict[str, tuple[float | None, float | None, None]],
) -> None:
    wanted = wanted_controls(frames_per_second=rate, exposure_us=exposure_us, gain=gain, focus_dioptres=focus)
    possible, notes = possible_controls(wanted, offered)
    assert set(possible) == set(wanted) & set(offered)
    changed = {control for control, value in possible.items() if value != wanted[control]}
    assert len(notes) == len(wanted) - len(possible) + len(changed)
    for control in changed:
        least, greatest, _ = offered[control]
        assert least is not None
        assert greatest is not None
        value = possible[control]
        for part in value if isinstance(value, tuple) else (value,):
            assert least - 1 <= part <= greatest + 1


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RuntimeError("Failed to acquire camera: Device or resource busy"), "in use"),
        (RuntimeError("No camera number 0 found"), "was not found"),
        (IndexError("list index out of range"), "was not found"),
        (RuntimeError("Could not open any dmaHeap device"), "group video"),
        (PermissionError(13, "Permission denied"), "group video"),
        (RuntimeError("failed to allocate capture buffers for stream 0"), "contiguous memory"),
        (RuntimeError("something new"), "cannot be started: something new"),
        (AssertionError(), "cannot be started: AssertionError"),
    ],
)
def test_an_error_of_the_library_becomes_what_a_technician_can_do(error: Exception, says: str) -> None:
    outer = RuntimeError("Camera __init__ sequence did not complete.")
    outer.__cause__ = error
    assert says in explain(error, "camera 0")
    if not isinstance(error, IndexError):
        assert says in explain(outer, "camera 0")


def test_without_picamera2_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraUnavailable, match="sudo apt install python3-picamera2"):
        load_picamera2()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise ValueError('numpy.dtype size changed')", "numpy < 2"),
        ("import a_part_that_is_missing", "a_part_that_is_missing is missing"),
    ],
)
def test_a_picamera2_that_cannot_be_loaded_says_why(
    body: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picamera2.py").write_text(body, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(CameraUnavailable, match=says):
        load_picamera2()
