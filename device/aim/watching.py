"""Where sights come from: the running gate, which shows its own, or the camera itself while no gate runs."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Final, Protocol

from device.aim.sight import Garbled, Sight, pack_request, read_sight, sight_of
from device.aim.tap import at_folder
from device.errors import CameraError, CameraUnavailable, DecoderDied

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    import numpy as np
    import numpy.typing as npt

    from device.capture.loop import FrameSource
    from device.decode.pool import DecoderPool
    from device.model import Cause, Controls, Corners

SIGHT_WITHIN_S: Final = 10.0
"""The gate's decoder may be at work for a second; a camera may be opened anew."""


class Watching(Protocol):
    """Gives sights. A context manager, used from one thread."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def next(self, controls: Controls | None = None) -> Sight:
        """The next sight; the camera is asked for the controls first. Blocks `SIGHT_WITHIN_S` at most.

        Raises:
            CameraError: there is none.
        """
        ...


class GateWatching:
    """Watches the running gate.

    Args:
        path: of its socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Self:
        self._socket.settimeout(SIGHT_WITHIN_S)
        try:
            with at_folder(self._path) as address:
                self._socket.connect(address)
        except OSError as error:
            self._socket.close()
            raise CameraUnavailable(
                f"the running gate does not show its picture: {error.strerror}"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def next(self, controls: Controls | None = None) -> Sight:
        try:
            self._socket.sendall(pack_request(controls))
            return read_sight(self._receive)
        except (OSError, Garbled) as error:
            raise CameraUnavailable("the gate has stopped, or somebody else aims") from error

    def _receive(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            part = self._socket.recv(min(count, 1 << 20))
            if not part:
                raise ConnectionAbortedError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class CameraWatching:
    """Watches through the camera itself.

    Args:
        source: closed; opened and closed with this.
        decoder: started and closed with this.
        answer: kind, outcome and reason the gate would have for a code.
        diagnose: why a code was not read.
        steerable: whether the camera can be asked for another focus or exposure.
    """

    def __init__(
        self,
        *,
        source: FrameSource,
        decoder: DecoderPool,
        answer: Callable[[bytes], tuple[str, str, str]],
        diagnose: Callable[[npt.NDArray[np.uint8], Corners], Cause],
        steerable: bool,
    ) -> None:
        self._source = source
        self._decoder = decoder
        self._answer = answer
        self._diagnose = diagnose
        self._steerable = steerable

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as undo:
            undo.callback(self._source.close)
            self._source.open()
            undo.callback(self._decoder.close)
            self._decoder.start()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._decoder.close()
        self._source.close()

    def next(self, controls: Controls | None = None) -> Sight:
        if controls is not None:
            self._source.steer(controls)
        while True:
            frame = self._source.read(SIGHT_WITHIN_S)
            if frame is None:
                raise CameraError("the recorded pictures have ended")
            with contextlib.suppress(DecoderDied):  # the next frame finds another decoder
                look = self._decoder.look(frame)
                return sight_of(
                    frame, look, answer=self._answer, diagnose=self._diagnose, steerable=self._steerable
                )
