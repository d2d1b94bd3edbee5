"""One decoder child as the daemon sees it: started, asked, killed."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import logging
import mmap
import os
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from device.decode.wire import (
    MAX_BYTES,
    MAX_REPLY_BYTES,
    READY,
    READY_UNFILTERED,
    FrameRequest,
    Garbled,
    PictureRequest,
    pack_request,
    unpack_reply,
)
from device.errors import DecoderDied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.decode.finding import Look, Luma
    from device.decode.wire import Request
    from device.runtime import Clock

log = logging.getLogger(__name__)

# fcntl(2), file seals: the child can neither shrink the memory under the daemon nor write to it.
_F_ADD_SEALS = 1033
_SEALS = 0x1 | 0x2 | 0x4 | 0x10  # SEAL, SHRINK, GROW, FUTURE_WRITE
# SIGKILL ends a process at once unless the kernel itself hangs: then waiting longer is no use either.
_REAP_S = 1.0
# A time-out of zero would mean not to wait at all, and its error another.
_SHORTEST_WAIT_S = 0.001
# What a child needs of the environment: to find Python's libraries and zbar's.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


class Child:
    """A decoder process with its own shared memory. Used from one thread; `kill` from any.

    Args:
        engines: which ones, in order.
        capacity: bytes of the largest picture it can be asked about.
        clock: for deadlines.
    """

    def __init__(self, *, engines: Sequence[str], capacity: int, clock: Clock) -> None:
        self._clock = clock
        self._ready = False
        self._filtered = True
        self._asked: Request | None = None
        self._busy = threading.Lock()  # held while the channel is in use: it is closed only then
        memory = os.memfd_create("gate-frame", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                os.ftruncate(memory, capacity)
                self._memory = mmap.mmap(memory, capacity)
                fcntl.fcntl(memory, _F_ADD_SEALS, _SEALS)
                self._process = _start(engines, theirs.fileno(), memory)
            finally:
                os.close(memory)
        self._channel = ours
        self._capacity = capacity

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def filtered(self) -> bool:
        """Whether the kernel filters its system calls; known when it is ready."""
        return self._filtered

    def ready(self) -> bool:
        """Whether the child has loaded its libraries by now. Never blocks.

        Raises:
            DecoderDied: it ended instead, or says nonsense.
        """
        return self.await_ready(0)

    def await_ready(self, timeout_s: float) -> bool:
        """Whether the child has loaded its libraries; blocks until it has, up to `timeout_s`.

        Raises:
            DecoderDied: it ended instead, or says nonsense.
        """
        if self._ready:
            return True
        if not self._says_something(timeout_s):
            return False
        with self._busy:
            greeting = self._receive(self._clock.monotonic(), "greets and says nothing")
        if greeting == READY_UNFILTERED:
            self._filtered = False
            _tell_unfiltered()
        elif greeting != READY:
            raise DecoderDied("the decoder's child greets in a strange way")
        self._ready = True
        return True

    def begin(self, luma: Luma, *, sequence: int, budget_ms: float) -> None:
        """Asks for a look at the frame, and does not wait: `finish` must be called before the next question.

        Raises:
            DecoderDied: it has ended: kill it.
            ValueError: the frame is larger than the shared memory.
        """
        height, width = luma.shape
        request = FrameRequest(sequence=sequence, width=width, height=height, budget_ms=budget_ms)
        self._put(request, luma.reshape(-1))

    def finished(self) -> bool:
        """Whether `finish` would return, or raise, at once. Never blocks."""
        return self._says_something()

    def finish(self, until: float) -> Look:
        """What the child sees in the frame of `begin`. Blocks until `until` on the clock at most.

        Raises:
            DecoderDied: it ended, overran, or answered nonsense: kill it.
        """
        look = self._answer(until)
        if look is None:
            raise DecoderDied("the decoder's child answers nonsense")
        return look

    def look_at_file(
        self, file: Luma, *, sequence: int, frames: int, budget_ms: float, until: float
    ) -> Look | None:
        """What the child sees in a picture file's bytes; None when it is none. Blocks until `until` at most.

        Raises:
            DecoderDied: it ended, overran, or answered nonsense: kill it.
            ValueError: the file is larger than the shared memory.
        """
        self._put(PictureRequest(sequence, file.size, frames=frames, budget_ms=budget_ms), file)
        return self._answer(until)

    def _put(self, request: Request, payload: Luma) -> None:
        if payload.size > self._capacity:
            raise ValueError("the picture is larger than the shared memory")
        np.copyto(np.frombuffer(self._memory, np.uint8, payload.size), payload)
        self._asked = request
        with self._busy:
            try:
                self._channel.sendall(pack_request(request))
            except OSError as error:
                raise DecoderDied("the decoder's child has ended") from error

    def _answer(self, until: float) -> Look | None:
        if self._asked is None:
            raise RuntimeError("the decoder's child was not asked anything")
        request, self._asked = self._asked, None
        with self._busy:
            reply = self._receive(until, "overran its deadline")
        try:
            return unpack_reply(reply, request)
        except Garbled as error:
            raise DecoderDied(f"the decoder's child answers nonsense ({error})") from error

    def _says_something(self, within_s: float = 0.0) -> bool:
        """Whether a message waits, or the end of all messages; blocks until one does, for so long at most."""
        with self._busy:
            if self._channel.fileno() < 0:  # closed from another thread
                return True
            poll = select.poll()
            poll.register(self._channel, select.POLLIN)
            return bool(poll.poll(max(within_s, 0.0) * 1000))

    def kill(self) -> None:
        """Ends the process and frees what belongs to it. Idempotent; blocks a second at most."""
        self._process.kill()
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for a reply
        try:
            self._process.wait(_REAP_S)
        except subprocess.TimeoutExpired:
            log.critical("the decoder's child %d does not die", self._process.pid)
        with self._busy:
            self._channel.close()

    def _receive(self, until: float, late: str) -> bytes:
        left = until - self._clock.monotonic()
        try:
            self._channel.settimeout(max(left, _SHORTEST_WAIT_S))
            message = self._channel.recv(MAX_REPLY_BYTES)
        except TimeoutError as error:
            raise DecoderDied(f"the decoder's child {late}") from error
        except OSError as error:  # it died with our request unread
            raise DecoderDied("the decoder's child has ended") from error
        if not message:
            raise DecoderDied("the decoder's child has ended")
        return message


@functools.cache
def _tell_unfiltered() -> None:
    """Once, however many children are started: it is the kernel's doing, and stays so."""
    log.warning("this kernel cannot filter system calls: the decoder's child is confined less")


def child_environment() -> dict[str, str]:
    """What a process that takes pictures apart gets to know."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # The package may run from a checkout: the child finds the same one.
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    # One thread a child: the libraries' own pools would only fight each other.
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    # A picture file may claim any size: larger ones are refused before memory is asked for.
    return environment | {"OPENCV_IO_MAX_IMAGE_PIXELS": str(MAX_BYTES)}


def child_command(module: str) -> list[str]:
    """How such a process is started."""
    return [sys.executable, "-P", "-s", "-m", module]


def _start(engines: Sequence[str], channel: int, memory: int) -> subprocess.Popen[bytes]:
    command = child_command("device.decode.child")
    command += ["--parent", str(os.getpid()), "--socket", str(channel), "--memory", str(memory)]
    command += ["--engines", *engines]
    return subprocess.Popen(  # noqa: S603 - our own module, no word of it from outside
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=child_environment(),
        pass_fds=(channel, memory),
        start_new_session=True,
    )
