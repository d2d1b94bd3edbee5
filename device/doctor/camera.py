"""The camera: is it there, does it keep its pace, is the picture good for codes, is one read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from device.decode.cause import SOFT_EDGE, cause_of
from device.decode.quality import exposure_of, sharpness_of
from device.doctor.finding import Finding, failed, ok, skipped, warned
from device.errors import CameraError, DecoderDied
from device.scenery import side_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.capture.loop import FrameSource
    from device.decode.pool import DecoderPool
    from device.model import Cause, Corners, Frame
    from device.runtime import Clock

PACE_S: Final = 2.0
"""Long enough to count frames by, and for the exposure to settle."""

FRAME_WITHIN_S: Final = 5.0
"""A camera that was just opened needs a second."""

LANDMARK_WITHIN_S: Final = 86_400.0
"""At night the light may be off; in a whole day it was on."""

SLOW_SHARE: Final = 0.8
"""Of the frames a second asked for: with fewer something is wrong, a long exposure or a weak USB port."""


def look_through(
    source: FrameSource, decoder: DecoderPool, *, clock: Clock, frames_per_second: float, code_within_s: float
) -> Iterator[Finding]:
    """Opens the camera, counts, measures, and waits for a code. Blocks for all of it.

    Args:
        source: closed; it is closed again at the end.
        decoder: started.
        clock: for the pace.
        frames_per_second: asked for.
        code_within_s: how long a code is waited for; 0 for not at all.
    """
    try:
        source.open()
        yield from _pace(source, clock, frames_per_second)
        if code_within_s > 0:
            yield _code(source, decoder, clock, code_within_s)
    except CameraError as error:
        remedy = "check the ribbon cable's ends and `rpicam-hello --list-cameras`; for USB `ls /dev/video*`"
        yield failed("camera", f"{source.name}: {error}", remedy)
    finally:
        source.close()


def decoder(*, filtered: bool) -> Finding:
    """What is to be said of a decoder that has started.

    Args:
        filtered: whether the kernel filters the system calls of its processes.
    """
    check = "decoder"
    if filtered:
        return ok(check, "its process starts and answers")
    said = "its process starts and answers; it is confined less, for this kernel filters no system calls"
    return warned(check, said, "use the operating system's own kernel, 64-bit, with CONFIG_SECCOMP_FILTER")


def in_view(unseen_s: float) -> Finding:
    """Whether the code fixed in view is still read."""
    check = "landmark"
    if unseen_s < LANDMARK_WITHIN_S:
        return ok(check, f"the fixed code was read {unseen_s:.0f} s ago")
    remedy = "is the camera covered, moved or dirty? `gate-scanner aim` shows what it sees"
    return failed(check, f"the fixed code has not been read for {unseen_s / 3600:.0f} hours", remedy)


def _pace(source: FrameSource, clock: Clock, wanted: float) -> Iterator[Finding]:
    frame = source.read(FRAME_WITHIN_S)
    began, count = clock.monotonic(), 0
    while frame is not None and clock.monotonic() - began < PACE_S:
        following = source.read(FRAME_WITHIN_S)
        if following is None:
            break
        frame, count = following, count + 1
    if frame is None:
        yield failed("camera", f"{source.name} gives no picture", "check what camera.source names")
        return
    height, width = frame.luma.shape
    pace = count / max(clock.monotonic() - began, 1e-3)
    told = f"{source.name}: {width}x{height}, {pace:.0f} frames a second of {wanted:g}"
    if pace < wanted * SLOW_SHARE:
        yield warned("camera", told, "a long exposure, a weak supply or a crowded USB port slows it down")
    else:
        yield ok("camera", told)
    yield _light(frame)


def _light(frame: Frame) -> Finding:
    check, exposure = "light", exposure_of(frame.luma)
    told = f"the lightest parts are at {exposure.white} of 255, {exposure.burnt_share:.0%} is burnt out"
    if exposure.too_dark:
        return warned(check, f"dark: {told}", "more light on the codes, or a longer exposure_us")
    if exposure.too_light:
        remedy = "turn the camera away from lamps and windows, or shorten exposure_us"
        return warned(check, f"much is burnt out: {told}", remedy)
    return ok(check, told)


def _code(source: FrameSource, decoder: DecoderPool, clock: Clock, within_s: float) -> Finding:
    """A code that somebody holds up; until then what was seen and not read is remembered."""
    until, cause = clock.monotonic() + within_s, None
    while clock.monotonic() < until:
        frame = source.read(FRAME_WITHIN_S)
        if frame is None:
            break
        try:
            look = decoder.look(frame)
        except DecoderDied:
            continue
        if look.symbols:
            return _read(frame, look.symbols[0].corners)
        if look.unread:
            cause = cause_of(frame.luma, look.unread[0])
    return _not_read(cause, within_s)


def _read(frame: Frame, corners: Corners) -> Finding:
    check, sharp = "code", sharpness_of(frame.luma, corners)
    told = f"a code was read, {side_of(corners):.0f} pixels wide, sharpness {sharp:.2f}"
    if sharp < SOFT_EDGE:
        return warned(
            check, told, "it is out of focus there: set camera.picamera2.focus_dioptres to 1/metres"
        )
    return ok(check, told)


def _not_read(cause: Cause | None, within_s: float) -> Finding:
    if cause is None:
        remedy = "hold up a card where people will, and run this again"
        return skipped("code", f"no code was held up within {within_s:.0f} s", remedy)
    return failed(
        "code", f"a code is seen and not read: {cause.value}", "`gate-scanner aim` shows the picture"
    )
