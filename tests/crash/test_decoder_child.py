"""The decoder's child is killed, hung and fed with poison: it costs frames, never the daemon."""

from __future__ import annotations

import os
import signal
import threading
from statistics import median
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from device.errors import DecoderDied
from device.model import Frame
from device.runtime import SystemClock
from tests.support.codes import code, micro_code, shown, structured_append
from tests.support.pools import decoder_pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from device.decode.pool import DecoderPool

pytestmark = pytest.mark.slow

DEADLINE_MS = 400.0
# Nothing but a hung child takes so long, whatever else the machine does.
PATIENT_MS = 2000.0


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    pool = decoder_pool(deadline_ms=DEADLINE_MS, capacity=4_000_000)
    pool.start()
    for child in pool.children:
        child.await_ready(20)
    yield pool
    pool.close()


def _frame(shift: int = 0) -> Frame:
    """The same code at another place, so that it is looked at again."""
    return Frame(luma=np.roll(shown("gate"), 40 * shift, axis=1), sequence=shift, captured_at=0.0)


def _reads(pool: DecoderPool) -> bool:
    return [s.content for s in pool.decode(_frame())] == [b"gate"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_a_child_that_dies_or_hangs_costs_one_frame(pool: DecoderPool, how: signal.Signals) -> None:
    assert _reads(pool)
    first, spare = pool.children
    os.kill(first.pid, how)
    with pytest.raises(DecoderDied):
        pool.decode(_frame(2))
    assert pool.children[0] is spare  # loaded and waiting: nothing has to be started before the next frame
    assert _reads(pool)
    assert pool.stats.lost == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_reading_goes_on_300_ms_after_the_deadline_when_a_child_is_killed_or_hung_in_mid_stream(
    how: signal.Signals,
) -> None:
    """The usual case of three, and as much more as a frame takes here: the machine may be busy."""
    clock = SystemClock()
    frames = [_frame(shift) for shift in range(20)]  # drawn beforehand: drawing is not what is measured
    blind_s: list[float] = []
    usual_s: list[float] = []
    pool = decoder_pool(deadline_ms=PATIENT_MS)
    pool.start()
    try:
        for _ in range(3):
            for child in pool.children:
                child.await_ready(20)
            struck = threading.Event()
            strike = threading.Timer(0.05, _strike, (pool.children[0].pid, how, struck))
            strike.start()
            _read_one(pool, frames)
            read_at = clock.monotonic()
            while True:
                over = struck.is_set()
                _read_one(pool, frames)
                spent, read_at = clock.monotonic() - read_at, clock.monotonic()
                (blind_s if over else usual_s).append(spent)
                if over:
                    break
            strike.join()
        assert pool.stats.lost >= 3
    finally:
        pool.close()
    assert median(blind_s) <= PATIENT_MS / 1000 + 0.3 + max(usual_s, default=0.0)


def _read_one(pool: DecoderPool, frames: list[Frame]) -> None:
    """Shows frames, the code in another place in each, until one is read."""
    while True:
        try:
            if pool.look(frames[pool.stats.frames % len(frames)]).symbols:
                return
        except DecoderDied:
            continue


def _strike(pid: int, how: signal.Signals, struck: threading.Event) -> None:
    os.kill(pid, how)
    struck.set()


def test_the_spare_is_replaced_too(pool: DecoderPool) -> None:
    for shift in range(3):
        os.kill(pool.children[0].pid, signal.SIGKILL)
        with pytest.raises(DecoderDied):
            pool.decode(_frame(shift))
        for child in pool.children:
            child.await_ready(20)
    assert _reads(pool)
    assert pool.stats.children == 5


def test_both_dying_at_once_is_survived(pool: DecoderPool) -> None:
    for child in pool.children:
        os.kill(child.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(DecoderDied):
            pool.decode(_frame())
    pool.children[0].await_ready(20)
    assert _reads(pool)


def test_closing_ends_a_decode_under_way(pool: DecoderPool) -> None:
    os.kill(pool.children[0].pid, signal.SIGSTOP)
    closing = threading.Timer(0.05, pool.close)
    closing.start()
    with pytest.raises(DecoderDied):
        pool.decode(_frame())
    closing.join(5)
    assert not closing.is_alive()


def _unreadable() -> NDArray[np.uint8]:
    """A code that is seen at once and never read."""
    luma = shown("a code nobody can read any more", None)
    luma[330:400, 600:680] = 128
    return luma


def _look(pool: DecoderPool, luma: NDArray[np.uint8], sequence: int) -> list[bytes]:
    return [s.content for s in pool.look(Frame(luma=luma, sequence=sequence, captured_at=0.0)).symbols]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_a_climber_that_dies_or_hangs_costs_no_frame(pool: DecoderPool, how: signal.Signals) -> None:
    glancing, climbing = pool.children
    os.kill(climbing.pid, signal.SIGSTOP)  # it will not have ended before it is killed
    assert _look(pool, _unreadable(), 1) == []
    assert pool.stats.climbs == 1
    os.kill(climbing.pid, how)
    sequence = 2
    deadline = threading.Event()
    while climbing in pool.children:
        assert _look(pool, np.roll(shown("gate"), 8 * sequence, axis=1), sequence) == [b"gate"]
        sequence += 1
        deadline.wait(0.01)
    assert sequence < 100
    assert pool.children[0] is glancing
    assert pool.stats.lost == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_when_the_glancing_child_dies_in_the_middle_of_a_climb_the_next_frame_is_read(
    pool: DecoderPool, how: signal.Signals
) -> None:
    glancing, climbing = pool.children
    _look(pool, _unreadable(), 1)
    os.kill(glancing.pid, how)
    with pytest.raises(DecoderDied):
        _look(pool, shown("gate"), 2)
    assert pool.children[0] is climbing
    assert _look(pool, np.roll(shown("gate"), 40, axis=1), 3) == [b"gate"]
    assert pool.stats.lost == 1


def test_a_dead_child_leaves_no_zombie(pool: DecoderPool) -> None:
    pid = pool.children[0].pid
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(DecoderDied):
        pool.decode(_frame())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def _finders(rows: int, columns: int) -> NDArray[np.uint8]:
    """Nothing but finder patterns: what a decoder that tries every triple of them dies of."""
    finder = code("x", scale=3, border=0)[:24, :24]
    return np.tile(np.pad(finder, 3, constant_values=255), (rows, columns))


def test_poison_costs_frames_only(pool: DecoderPool) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (720, 1280), dtype=np.uint8)
    poison = [
        np.zeros((1, 1), np.uint8),
        np.zeros((1, 1280), np.uint8),
        np.zeros((720, 1), np.uint8),
        noise,
        _finders(24, 42),
        np.kron(np.indices((180, 320)).sum(0) % 2, np.ones((4, 4))).astype(np.uint8) * 255,
        code("1" * 7089, error="l", scale=4)[:720, :720],
        micro_code("123"),
        np.hstack(structured_append("part of a long text " * 8, 4)),
    ]
    for sequence, luma in enumerate(poison):
        try:
            symbols = pool.decode(Frame(luma=luma, sequence=sequence, captured_at=0.0))
        except DecoderDied:
            pool.children[0].await_ready(20)
        else:
            assert symbols == ()
    assert _reads(pool)


def test_poisoned_files_cost_their_own_answer_only(pool: DecoderPool) -> None:
    png = cv2.imencode(".png", shown("gate"))[1].tobytes()
    huge = bytearray(png)
    huge[16:24] = (100_000).to_bytes(4, "big") * 2  # a header that claims ten gigapixels
    for file in (b"no picture", png[:200], bytes(huge), b"\x89PNG" + bytes(50)):
        assert pool.look_at_file(file, frames=1) is None
    look = pool.look_at_file(png, frames=1)
    assert look is not None
    assert [s.content for s in look.symbols] == [b"gate"]
