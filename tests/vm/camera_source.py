"""The production camera source on real picamera2 and libcamera. Runs inside the virtual machine:

    uml.py --share . --mem 768M -- python3 -m tests.vm.camera_source

The camera is libcamera's `virtual` pipeline: it plays pictures that are drawn here.
"""

from __future__ import annotations

import gc
import logging
import os
import shutil
import subprocess
import threading
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from device.capture.picamera2_library import load_picamera2
from device.capture.picamera2_source import Picamera2Source
from device.errors import CameraUnavailable
from device.runtime import SystemClock
from tests.support.codes import shown
from tests.support.frame_source_contract import (
    CHECKS,
    STEERINGS,
    Subject,
    next_frame,
    opened,
    refused,
)
from tests.vm.guest_cameras import capturing, open_files, read, seconds, told

TEXTS = frozenset(f"TICKET-{number:04d}" for number in range(4))
FRAMES = Path("/srv/frames")
DMA_BUFFERS = Path("/sys/kernel/debug/dma_buf/bufinfo")
CLOCK = SystemClock()


def prepare() -> None:
    """Draws the scene, in place of the installed one."""
    shutil.rmtree(FRAMES)
    FRAMES.mkdir()
    for number, text in enumerate(sorted(TEXTS)):
        assert cv2.imwrite(str(FRAMES / f"{number}.jpg"), cv2.cvtColor(shown(text), cv2.COLOR_GRAY2BGR))
    subprocess.run(["/opt/virtual-camera", str(FRAMES)], check=True)
    os.environ["LIBCAMERA_LOG_LEVELS"] = "*:FATAL"


def camera(index: int = 0, *, focus_dioptres: float | None = None) -> Picamera2Source:
    return Picamera2Source(
        clock=CLOCK,
        index=index,
        width=1280,
        height=720,
        frames_per_second=30,
        focus_dioptres=focus_dioptres,
        lores_width=640,
    )


def codes_come_out_readable_with_a_small_picture_beside() -> str:
    seen: set[str] = set()
    with opened(camera()) as source:
        frame = next_frame(source)
        for _ in range(200):
            seen |= read(frame)
            if seen >= TEXTS:
                break
            frame = next_frame(source)
    assert seen == TEXTS, seen
    assert frame.lores is not None
    assert frame.lores.shape == (360, 640)
    assert frame.lores.flags.c_contiguous
    small = cv2.resize(frame.luma, (640, 360), interpolation=cv2.INTER_AREA)
    apart = float(np.mean(np.abs(small.astype(int) - frame.lores)))
    assert apart < 8, f"the small picture shows something else: {apart}"
    return f"{len(seen)} codes, the small picture differs by {apart:.1f} grey levels"


def a_frame_is_dated_by_the_sensor() -> str:
    with opened(camera()) as source:
        ages = [-(next_frame(source).captured_at - CLOCK.monotonic()) for _ in range(10)]
    assert min(ages) > 0
    assert max(ages) < 1
    return f"{min(ages) * 1000:.1f} to {max(ages) * 1000:.1f} ms old at delivery"


def a_camera_in_use_is_named() -> str:
    second = camera()
    with opened(camera()) as first:
        next_frame(first)
        with refused(CameraUnavailable, "in use by another program"):
            second.open()
        next_frame(first)
    with opened(second):
        next_frame(second)
    return "and opens once it is free"


def a_setting_that_the_camera_has_not_is_left_out() -> None:
    with opened(camera(focus_dioptres=5.0)) as source:
        next_frame(source)


def a_camera_without_lens_and_shutter_says_so() -> str:
    with opened(camera()) as source:
        next_frame(source)
        assert not any(source.steer(controls) for controls in STEERINGS)
    with capturing(camera()) as running:
        for controls in STEERINGS:
            running.loop.steer(controls)
            running.frame()
        running.wait_for(lambda s: s.frames >= 20, "20 frames")
    assert running.worker.error is None
    return f"{running.stats.frames} frames, steered {running.stats.steered} times"


def opening_and_closing_leaves_nothing_behind() -> str:
    source = camera()

    def once() -> float:
        source.open()
        next_frame(source)
        return seconds(source.close)

    once()
    gc.collect()  # a closed camera object keeps a pipe until Python finds its cycle
    files, threads = open_files(), threading.active_count()
    closing = [once() for _ in range(20)]
    # What the driver took must come back at once: on a Pi it is scarce, and the next open needs it.
    assert DMA_BUFFERS.read_text().strip().endswith("Total 0 objects, 0 bytes")
    assert threading.active_count() <= threads, threading.enumerate()
    gc.collect()
    assert open_files() <= files, f"{files} open files became {open_files()}"
    return f"20 times, closing took {min(closing):.2f} to {max(closing):.2f} s"


def the_capture_loop_fills_the_slot_and_stops_when_asked() -> str:
    with capturing(camera()) as running:
        assert running.first_frame.wait(20)
        seen: set[str] = set()
        began = CLOCK.monotonic()
        while not seen >= TEXTS:
            seen |= read(running.frame())
        running.wait_for(lambda s: s.frames >= 60, "60 frames")
        took = CLOCK.monotonic() - began
    assert running.worker.error is None
    return f"{running.stats.frames / took:.0f} frames a second, {running.stats.missed} missed"


def a_camera_that_falls_silent_is_closed_and_opened_again() -> str:
    """Completed requests are dropped before picamera2 sees them, as when the cable comes loose."""
    manager = load_picamera2().Picamera2._cm  # type: ignore[attr-defined] # the library's own manager
    silent = threading.Event()
    handle = manager.handle_request

    def drop_or_handle(flushid: int | None = None) -> None:
        if silent.is_set():
            manager.cms.get_ready_requests()
        else:
            handle(flushid)

    manager.handle_request = drop_or_handle
    try:
        with capturing(camera(), stall_s=1.0) as running:
            running.wait_for(lambda s: s.frames >= 10, "frames")
            silent.set()
            running.wait_for(lambda s: s.stalls >= 1, "a stall")
            silent.clear()
            running.wait_for(lambda s: s.reopened >= 1, "frames again")
            assert running.worker.complaint() is None
        assert running.worker.error is None
    finally:
        del manager.handle_request
    return str(running.stats)


def main() -> None:
    logging.basicConfig(level="INFO", format="        %(name)s: %(message)s")
    logging.getLogger("picamera2").setLevel("CRITICAL")
    prepare()
    subject = Subject(
        make=camera,
        absent=partial(camera, 3),
        absent_name="camera 3 was not found",
        size=(1280, 720),
        clock=CLOCK,
    )
    for check in CHECKS:
        told(check.__name__, partial(check, subject))
    for own in (
        codes_come_out_readable_with_a_small_picture_beside,
        a_frame_is_dated_by_the_sensor,
        a_camera_in_use_is_named,
        a_setting_that_the_camera_has_not_is_left_out,
        a_camera_without_lens_and_shutter_says_so,
        opening_and_closing_leaves_nothing_behind,
        the_capture_loop_fills_the_slot_and_stops_when_asked,
        a_camera_that_falls_silent_is_closed_and_opened_again,
    ):
        told(own.__name__, own)
    print("camera source: all well")


if __name__ == "__main__":
    main()
