"""The running gate shows its frames to one who aims, over a Unix socket beside the journal.

Only its own user and root get there. Frames are never kept: each is sent and forgotten, and while nobody
watches nothing is done with them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from typing import TYPE_CHECKING, Final

from device.aim.sight import MAX_REQUEST_BYTES, Garbled, Sight, pack_sight, read_request, sight_of
from device.model import Controls
from device.runtime import LatestSlot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from device.model import Cause, Corners, Frame
    from device.runtime import Worker
    from device.scan import Decoder, Look

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5
"""How late a stop may be noticed."""

SEND_WITHIN_S: Final = 5.0
"""A picture goes over in a few milliseconds; a watcher that takes longer is gone."""


class FrameTap:
    """A decoder whose frames can be watched. `look` belongs to the scan thread, `body` to one of its own.

    Args:
        decoder: does the looking.
        path: of the socket; made when the thread begins, removed when it ends.
        answer: kind, outcome and reason the gate has for a code. Called on the scan thread.
        diagnose: why a code was not read. Called on the scan thread.
        steer: passes controls on to the camera. Never blocks.
        steerable: whether the camera can be steered at all.
    """

    def __init__(
        self,
        *,
        decoder: Decoder,
        path: Path,
        answer: Callable[[bytes], tuple[str, str, str]],
        diagnose: Callable[[npt.NDArray[np.uint8], Corners], Cause],
        steer: Callable[[Controls], None],
        steerable: bool,
    ) -> None:
        self._decoder = decoder
        self._path = path
        self._answer = answer
        self._diagnose = diagnose
        self._steer = steer
        self._steerable = steerable
        self._watched = self._taken = False
        self._newest: LatestSlot[Sight] = LatestSlot()

    def look(self, frame: Frame) -> Look:
        """As the decoder's own; blocks and raises as it does."""
        look = self._decoder.look(frame)
        if self._watched:
            sight = sight_of(
                frame, look, answer=self._answer, diagnose=self._diagnose, steerable=self._steerable
            )
            self._newest.put(sight)
        return look

    def steer(self, controls: Controls) -> None:
        """Passes on what the gate itself wants of the camera, unless whoever aims has taken it in hand."""
        if not self._taken:
            self._steer(controls)

    def body(self, worker: Worker) -> None:
        """The thread: waits for a watcher, serves it until it goes, waits for the next."""
        with contextlib.ExitStack() as closing:
            try:
                door = closing.enter_context(_listening(self._path))
            except OSError as error:
                # Aiming beside the running gate is a comfort: the gate does without.
                log.warning("nobody can watch while the gate runs: %s: %s", self._path, error.strerror)
                door = None
            while not worker.stopping.is_set():
                worker.beat()
                if door is None:
                    worker.stopping.wait(LOOK_EVERY_S)
                    continue
                with contextlib.suppress(TimeoutError):
                    watcher, _ = door.accept()
                    with watcher:
                        self._serve(watcher, worker)

    def _serve(self, watcher: socket.socket, worker: Worker) -> None:
        log.info("somebody aims the camera")
        watcher.settimeout(LOOK_EVERY_S)
        self._watched = True
        try:
            while not worker.stopping.is_set():
                worker.beat()
                line = _line(watcher)
                if line is None:
                    continue
                controls = read_request(line)
                if controls is not None:
                    self._taken = True
                    self._steer(controls)
                self._show(watcher, worker)
        except (OSError, Garbled) as error:
            log.info("aiming ended: %s", type(error).__name__)
        finally:
            self._watched = False
            self._newest.take(0)
            if self._taken:
                self._taken = False
                self._steer(Controls())

    def _show(self, watcher: socket.socket, worker: Worker) -> None:
        """Sends the next sight; gives up with the watcher, or when asked to stop."""
        while not worker.stopping.is_set():
            worker.beat()
            sight = self._newest.take(LOOK_EVERY_S)
            if sight is None:
                continue
            head, pixels = pack_sight(sight)
            watcher.settimeout(SEND_WITHIN_S)
            watcher.sendall(head)
            watcher.sendall(pixels)
            watcher.settimeout(LOOK_EVERY_S)
            return


def _line(watcher: socket.socket) -> bytes | None:
    """The next request; None when there is none yet.

    Raises:
        OSError: the watcher has gone.
        Garbled: it sends something else.
    """
    try:
        line = watcher.recv(MAX_REQUEST_BYTES)
    except TimeoutError:
        return None
    if not line:
        raise ConnectionAbortedError
    if not line.endswith(b"\n"):
        raise Garbled("no request")
    return line


@contextlib.contextmanager
def at_folder(path: Path) -> Iterator[str]:
    """The socket's address by way of its folder: an address has room for 107 bytes, a path for more.

    Raises:
        OSError: the folder cannot be opened.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    path.unlink(missing_ok=True)  # a killed process leaves it behind
    with socket.socket(socket.AF_UNIX) as door, at_folder(path) as address:
        door.bind(address)
        path.chmod(0o600)
        door.listen(1)
        door.settimeout(LOOK_EVERY_S)
        try:
            yield door
        finally:
            path.unlink(missing_ok=True)
