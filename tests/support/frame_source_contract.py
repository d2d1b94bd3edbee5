"""What every `FrameSource` keeps, as checks that run in pytest and in the virtual machine alike.

Each check is a sentence and takes a `Subject`. They need neither pytest nor a clock of their own, because
the virtual machine has no pytest and real cameras have real time.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from device.errors import CameraError, CameraStalled, CameraUnavailable
from device.model import Controls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.capture.loop import FrameSource
    from device.model import Frame
    from device.runtime import Clock

# Cameras may be slow to start, and the virtual machine shares its processor.
_PATIENCE_S = 10.0

# Each alone, both, beyond what any camera can do, and back.
STEERINGS = (
    Controls(focus_dioptres=8.0),
    Controls(exposure_us=1250),
    Controls(focus_dioptres=4.0, exposure_us=20_000),
    Controls(focus_dioptres=1000.0, exposure_us=10**9),
    Controls(),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of source under test.

    Attributes:
        make: a source on something that gives frames for ever.
        absent: a source on something that is not there.
        absent_name: what its error must name.
        size: width and height that frames must have.
        clock: what the sources were given.
    """

    make: Callable[[], FrameSource]
    absent: Callable[[], FrameSource]
    absent_name: str
    size: tuple[int, int]
    clock: Clock


@contextmanager
def refused(kind: type[CameraError], word: str = "") -> Iterator[None]:
    """Passes when exactly this kind of error is raised, with the word in its text."""
    raised: CameraError | None = None
    try:
        yield
    except CameraError as error:
        raised = error
    assert type(raised) is kind, f"not {kind.__name__}: {raised!r}"
    assert word in str(raised), f"{word!r} is not in {str(raised)!r}"


@contextmanager
def opened(source: FrameSource) -> Iterator[FrameSource]:
    """The source, open; closed afterwards."""
    source.open()
    try:
        yield source
    finally:
        source.close()


def next_frame(source: FrameSource) -> Frame:
    """The next frame of a source that gives some for ever."""
    frame = source.read(_PATIENCE_S)
    assert frame is not None, "the source ended"
    return frame


def a_frame_is_a_brightness_plane_of_the_size_asked_for(subject: Subject) -> None:
    with opened(subject.make()) as source:
        luma = next_frame(source).luma
    assert luma.shape == subject.size[::-1]
    assert luma.dtype == np.uint8
    assert luma.flags.c_contiguous


def a_frame_belongs_to_its_taker_alone(subject: Subject) -> None:
    with opened(subject.make()) as source:
        first = next_frame(source)
        before = first.luma.copy()
        for _ in range(8):
            assert next_frame(source).luma is not first.luma
        assert np.array_equal(first.luma, before)
    assert np.array_equal(first.luma, before)


def frames_are_numbered_upwards_and_dated_not_later_than_now(subject: Subject) -> None:
    with opened(subject.make()) as source:
        before = subject.clock.monotonic() - _PATIENCE_S
        numbers = []
        for _ in range(5):
            frame = next_frame(source)
            assert before <= frame.captured_at <= subject.clock.monotonic()
            before = frame.captured_at
            numbers.append(frame.sequence)
    assert numbers == sorted(set(numbers))


def a_frame_that_is_not_there_in_time_is_a_stall_and_comes_later(subject: Subject) -> None:
    with opened(subject.make()) as source:
        next_frame(source)
        stalled = False
        for _ in range(100):
            try:
                source.read(0.0)
            except CameraStalled:
                stalled = True
                break
        assert stalled
        next_frame(source)


def many_stalls_cost_no_later_frame(subject: Subject) -> None:
    with opened(subject.make()) as source:
        next_frame(source)
        stalls = 0
        while stalls < 20:
            try:
                source.read(0.0)
            except CameraStalled:
                stalls += 1
        for _ in range(10):
            next_frame(source)


def a_source_that_is_not_open_gives_no_frame(subject: Subject) -> None:
    source = subject.make()
    with refused(CameraUnavailable, source.name):
        source.read(0.1)
    with opened(source):
        next_frame(source)
    with refused(CameraUnavailable, source.name):
        source.read(0.1)


def closing_is_allowed_at_any_time_and_twice(subject: Subject) -> None:
    source = subject.make()
    source.close()
    source.open()
    source.close()
    source.close()


def a_closed_source_opens_again_and_goes_on_counting(subject: Subject) -> None:
    source = subject.make()
    last = -1
    for _ in range(4):
        with opened(source):
            for _ in range(2):
                frame = next_frame(source)
                assert frame.sequence > last
                last = frame.sequence


def steering_disturbs_no_frame(subject: Subject) -> None:
    with opened(subject.make()) as source:
        last = next_frame(source)
        for controls in STEERINGS:
            source.steer(controls)
            frame = next_frame(source)
            assert frame.luma.shape == last.luma.shape
            assert frame.sequence > last.sequence
            last = frame


def what_can_be_steered_can_be_set_back_and_what_cannot_says_so(subject: Subject) -> None:
    with opened(subject.make()) as source:
        next_frame(source)
        able = [source.steer(controls) for controls in STEERINGS if controls != Controls()]
        assert source.steer(Controls()) is any(able)
        next_frame(source)
        assert [source.steer(controls) for controls in STEERINGS if controls != Controls()] == able


def a_source_that_is_not_open_is_not_steered(subject: Subject) -> None:
    source = subject.make()
    assert not any(source.steer(controls) for controls in STEERINGS)
    with opened(source):
        next_frame(source)
    assert not any(source.steer(controls) for controls in STEERINGS)


def what_is_absent_is_named_and_may_be_asked_for_again(subject: Subject) -> None:
    source = subject.absent()
    for _ in range(3):
        with refused(CameraUnavailable, subject.absent_name):
            source.open()
        source.close()


CHECKS: tuple[Callable[[Subject], None], ...] = (
    a_frame_is_a_brightness_plane_of_the_size_asked_for,
    a_frame_belongs_to_its_taker_alone,
    frames_are_numbered_upwards_and_dated_not_later_than_now,
    a_frame_that_is_not_there_in_time_is_a_stall_and_comes_later,
    many_stalls_cost_no_later_frame,
    a_source_that_is_not_open_gives_no_frame,
    closing_is_allowed_at_any_time_and_twice,
    a_closed_source_opens_again_and_goes_on_counting,
    steering_disturbs_no_frame,
    what_can_be_steered_can_be_set_back_and_what_cannot_says_so,
    a_source_that_is_not_open_is_not_steered,
    what_is_absent_is_named_and_may_be_asked_for_again,
)
