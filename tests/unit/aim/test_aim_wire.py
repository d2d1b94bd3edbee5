from __future__ import annotations

import contextlib
import io
import socket
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.aim.sight import (
    HEADER,
    Garbled,
    SeenCode,
    Sight,
    pack_request,
    pack_sight,
    read_request,
    read_sight,
)
from device.aim.tap import FrameTap, at_folder
from device.aim.watching import GateWatching
from device.decode.finding import Look
from device.errors import CameraError
from device.model import Cause, Controls, Corners, Frame, Symbol
from device.runtime import SystemClock, Worker

CORNERS: Corners = ((1, 2), (30, 2), (30, 31), (1, 31))


def sight() -> Sight:
    luma = np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)
    return Sight(luma, 7, 12.5, (SeenCode(CORNERS, "vn.cccd", "granted", "ok"),), steerable=True)


def exactly(stream: bytes) -> io.BytesIO:
    return io.BytesIO(stream)


def test_a_sight_comes_over_as_it_was() -> None:
    head, pixels = pack_sight(sight())
    got = read_sight(exactly(head + bytes(pixels)).read)
    assert np.array_equal(got.luma, sight().luma)
    assert (got.sequence, got.captured_at, got.codes, got.steerable) == (7, 12.5, sight().codes, True)


@given(st.binary(max_size=200), st.booleans())
def test_anything_else_is_refused_and_never_crashes(noise: bytes, framed: bool) -> None:  # noqa: FBT001 - drawn
    stream = HEADER.pack(len(noise)) + noise if framed else noise
    stream += bytes(HEADER.size + 64)
    with pytest.raises((Garbled, ValueError)):
        read_sight(exactly(stream).read)


@given(st.none() | st.builds(Controls, st.none() | st.floats(0, 32), st.none() | st.integers(1, 10**6)))
def test_a_request_comes_over_as_it_was(controls: Controls | None) -> None:
    assert read_request(pack_request(controls)) == controls


@given(st.binary(max_size=60))
def test_a_request_that_is_none_is_refused(noise: bytes) -> None:
    try:
        assert read_request(noise) is None
        assert noise.strip() == b"null"
    except Garbled:
        pass


# -- the tap and its watcher ------------------------------------------------------------------------


@dataclass
class Scene:
    """A decoder, a camera and a gate, as far as a tap asks them."""

    steered: list[Controls] = field(default_factory=list)
    answered: int = 0

    def look(self, frame: Frame) -> Look:
        del frame
        return Look((Symbol(b"secret", "QRCode", "zxing", CORNERS),), (CORNERS,))

    def answer(self, content: bytes) -> tuple[str, str, str]:
        assert content == b"secret"
        self.answered += 1
        return "vn.cccd", "granted", "ok"


class Running:
    """A tap with its thread, fed with frames as long as it runs."""

    def __init__(self, path: Path) -> None:
        self.scene = Scene()
        self.path = path
        self.tap = FrameTap(
            decoder=self.scene,
            path=path,
            answer=self.scene.answer,
            diagnose=lambda luma, corners: Cause.GLARE,
            steer=self.scene.steered.append,
            steerable=True,
        )
        self.worker = Worker("aim", self.tap.body, deadline_s=30, clock=SystemClock(), join_s=10)
        self._stop = threading.Event()
        self._feeder = threading.Thread(target=self._feed)

    def __enter__(self) -> Self:
        self.worker.start()
        self._feeder.start()
        for _ in range(500):
            with contextlib.suppress(CameraError), GateWatching(self.path):
                return self
            self._stop.wait(0.01)
        raise AssertionError("the tap does not listen")

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._feeder.join()
        self.worker.ask_to_stop()
        assert self.worker.join()
        assert self.worker.complaint() is None

    def _feed(self) -> None:
        number = 0
        while not self._stop.wait(0.01):
            number += 1
            self.tap.look(Frame(np.full((48, 64), number % 256, np.uint8), number, number / 100))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    # Longer than a socket's address may be.
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    with Running(folder / "aim.sock") as tap:
        yield tap


def test_the_running_gate_shows_what_it_sees_and_not_what_codes_hold(running: Running) -> None:
    with GateWatching(running.path) as watching:
        first, second = watching.next(), watching.next()
    assert second.sequence > first.sequence
    assert first.luma.shape == (48, 64)
    assert first.codes == (
        SeenCode(CORNERS, "vn.cccd", "granted", "ok"),
        SeenCode(CORNERS, "", "", "glare"),
    )


def test_only_the_gates_own_user_gets_to_the_socket(running: Running) -> None:
    mode = running.path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_while_nobody_watches_nothing_is_done_with_frames(running: Running) -> None:
    with GateWatching(running.path) as watching:
        watching.next()
    for _ in range(500):
        if not running.tap._watched:
            break
        threading.Event().wait(0.01)
    before = running.scene.answered
    running.tap.look(Frame(np.zeros((48, 64), np.uint8), 1, 0.0))
    assert running.scene.answered == before


def test_whoever_aims_has_the_camera_in_hand_and_gives_it_back(running: Running) -> None:
    with GateWatching(running.path) as watching:
        watching.next(Controls(focus_dioptres=3.5))
        running.tap.steer(Controls(focus_dioptres=9.0))  # the gate's own idea meanwhile
    for _ in range(500):
        if len(running.scene.steered) > 1:
            break
        threading.Event().wait(0.01)
    assert running.scene.steered == [Controls(focus_dioptres=3.5), Controls()]
    running.tap.steer(Controls(focus_dioptres=9.0))
    assert running.scene.steered[-1] == Controls(focus_dioptres=9.0)


def test_a_watcher_that_sends_something_else_is_let_go_and_the_next_is_served(running: Running) -> None:
    with socket.socket(socket.AF_UNIX) as rude:
        with at_folder(running.path) as address:
            rude.connect(address)
        rude.settimeout(10)
        rude.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert rude.recv(100) == b""
    with GateWatching(running.path) as watching:
        assert watching.next().sequence


def test_a_socket_left_behind_by_a_killed_gate_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "aim.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with Running(path) as tap, GateWatching(tap.path) as watching:
        assert watching.next().sequence
    assert not path.exists()


def test_a_gate_that_stops_while_it_is_watched_is_told(tmp_path: Path) -> None:
    with Running(tmp_path / "aim.sock") as tap:
        watching = GateWatching(tap.path)
        watching.__enter__()
        watching.next()
    with contextlib.suppress(CameraError):
        watching.next()  # may have been on its way
    with pytest.raises(CameraError, match="stopped"):
        watching.next()
    watching.__exit__()


def test_no_gate_to_watch_is_told(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="does not show"), GateWatching(tmp_path / "aim.sock"):
        pass


def test_a_folder_in_which_no_socket_can_be_made_does_not_stop_the_gate(tmp_path: Path) -> None:
    tap = Running(tmp_path / "absent" / "aim.sock")
    tap.worker.start()
    tap.worker.ask_to_stop()
    assert tap.worker.join()
    assert tap.worker.complaint() is None
