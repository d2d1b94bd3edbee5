"""A disk with a write cache that forgets when the power goes; flushes can be held, failed or lied about.

One file, served to the kernel by FUSE (its protocol spoken directly, no library), carries a loop device
with a real ext4. A write stays in the cache until a flush asks for it, as in a drive; `cut` loses what was
not flushed, or keeps a random part of it, sector by sector in any order, or all up to some write; and every
request fails until `power_on`. Requests can be slow, and fail, as those of a card that is dying.

The server is a process of its own: one that shared an interpreter with its user would wait for itself.
Needs root, /dev/fuse, loop devices and e2fsprogs; says so where they are missing.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import select
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTOR: Final = 512
# Longer than a build in a mount namespace of its own was seen to take; shorter than a test may.
LET_GO_WITHIN_S: Final = 90.0
_MAX_WRITE: Final = 1 << 20
_EIO: Final = 5
_ENOSYS: Final = 38
# FUSE operations by number, as in <linux/fuse.h>.
_GETATTR, _SETATTR, _OPEN, _READ, _WRITE, _STATFS, _RELEASE = 3, 4, 14, 15, 16, 17, 18
_FSYNC, _FLUSH, _INIT, _DESTROY = 20, 25, 26, 38
_KINDS: Final = {_READ: "reads", _WRITE: "writes", _FSYNC: "flushes"}
_SILENT: Final = {2, 36, 42}  # forget, interrupt and batched forget get no reply


class Platter:
    """What the disk holds: `durable` survives a cut, `seen` is what a reader gets."""

    def __init__(self, size: int) -> None:
        self.durable = bytearray(size)
        self.seen = bytearray(size)
        self.cache: list[tuple[int, bytes]] = []
        self.powered = True
        self.lying = False
        self.holding = False
        self.failing = 0
        self.broken: frozenset[str] = frozenset()
        self.unreadable: range = range(0)
        self.flushes = 0
        self.written = 0

    def write(self, offset: int, data: bytes) -> None:
        self.seen[offset : offset + len(data)] = data
        self.cache.append((offset, data))
        self.written += len(data)

    def flush(self) -> None:
        self.flushes += 1
        if not self.lying:
            for offset, data in self.cache:
                self.durable[offset : offset + len(data)] = data
            self.cache.clear()

    def forget(self) -> None:
        """A failed flush: the cache is gone, though readers may still see it (as with Linux's page cache)."""
        self.cache.clear()

    def cut(self, keep: float, seed: int) -> int:
        """The power goes; each cached sector was written after all with probability `keep`."""
        dice = random.Random(seed)
        lost = 0
        for offset, data in self.cache:
            for at in range(0, len(data), SECTOR):
                if dice.random() < keep:
                    self.durable[offset + at : offset + at + SECTOR] = data[at : at + SECTOR]
                else:
                    lost += 1
        self._go_dark()
        return lost

    def cut_at(self, share: float) -> int:
        """The power goes; of the cached writes, this share had been done, oldest first."""
        done = round(len(self.cache) * share)
        for offset, data in self.cache[:done]:
            self.durable[offset : offset + len(data)] = data
        lost = sum(len(data) // SECTOR for _, data in self.cache[done:])
        self._go_dark()
        return lost

    def _go_dark(self) -> None:
        self.cache.clear()
        self.seen[:] = self.durable
        self.powered = False


class _Server:
    """Answers the kernel on /dev/fuse and the test on standard input."""

    def __init__(self, at: str, image: str) -> None:
        content = Path(image).read_bytes()
        self._platter = Platter(len(content))
        self._platter.durable[:] = self._platter.seen[:] = content
        self._size = len(content)
        self._clock = SystemClock()
        self._fuse = os.open("/dev/fuse", os.O_RDWR)
        self._held: list[int] = []
        self._delay_s = 0.0
        self._late: deque[tuple[float, int]] = deque()
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self._fuse},rootmode=100600,user_id=0,group_id=0,allow_other"
        if libc.mount(b"forgetful", at.encode(), b"fuse.forgetful", 0, options.encode()):
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), at)

    def serve(self) -> None:
        poll = select.poll()
        poll.register(self._fuse, select.POLLIN)
        poll.register(sys.stdin.fileno(), select.POLLIN)
        print("ready", flush=True)  # noqa: T201 - the test reads it
        while True:
            for source, _ in poll.poll(self._next_turn_ms()):
                if source == self._fuse:
                    self._answer_kernel()
                elif not (line := sys.stdin.readline()):
                    return
                else:
                    print(json.dumps(self._answer_test(json.loads(line))), flush=True)  # noqa: T201 - as above
            while self._late and self._late[0][0] <= self._clock.monotonic():
                self._flushed(self._late.popleft()[1])

    def _next_turn_ms(self) -> float | None:
        if not self._late:
            return None
        return max(0.0, (self._late[0][0] - self._clock.monotonic()) * 1000)

    def _answer_test(self, words: list[Any]) -> dict[str, int]:
        platter = self._platter
        match words:
            case ["cut", keep, seed]:
                self._release(_EIO)
                return {"lost_sectors": platter.cut(keep, seed)}
            case ["cut_at", share]:
                self._release(_EIO)
                return {"lost_sectors": platter.cut_at(share)}
            case ["stat"]:
                return {"flushes": platter.flushes, "written": platter.written, "held": len(self._held)}
        self._change(words)
        return {}

    def _change(self, words: list[Any]) -> None:
        platter = self._platter
        match words:
            case ["power_on"]:
                platter.powered = True
            case ["lie", lying]:
                platter.lying = lying
            case ["hold"]:
                platter.holding = True
            case ["release"]:
                platter.holding = False
                self._release(0)
            case ["fail_flushes", count]:
                platter.failing = count
            case ["break", *kinds]:
                platter.broken = frozenset(kinds)
            case ["spoil", offset, length]:
                platter.unreadable = range(offset, offset + length)
            case ["delay_flushes", seconds]:
                self._delay_s = seconds
            case _:
                raise ValueError(words)

    def _release(self, error: int) -> None:
        for unique in self._held:
            if not error:
                self._platter.flush()
            self._reply(unique, error=error)
        self._held.clear()

    def _answer_kernel(self) -> None:
        try:
            request = os.read(self._fuse, _MAX_WRITE + 4096)
        except OSError as error:
            if error.errno == 19:  # unmounted
                raise SystemExit from None
            return  # the caller was interrupted
        _, operation, unique = struct.unpack_from("<IIQ", request)
        body = memoryview(request)[40:]
        if operation in _SILENT:
            return
        if operation in {_READ, _WRITE, _FSYNC}:
            self._transfer(operation, unique, body)
        else:
            self._attend(operation, unique, body)

    def _transfer(self, operation: int, unique: int, body: memoryview) -> None:
        platter = self._platter
        if not platter.powered or _KINDS[operation] in platter.broken:
            self._reply(unique, error=_EIO)
        elif operation == _READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            spoilt = offset < platter.unreadable.stop and offset + size > platter.unreadable.start
            if spoilt:
                self._reply(unique, error=_EIO)
            else:
                self._reply(unique, bytes(platter.seen[offset : offset + size]))
        elif operation == _WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            platter.write(offset, bytes(body[40 : 40 + size]))
            self._reply(unique, struct.pack("<II", size, 0))
        elif platter.holding:
            self._held.append(unique)
        elif self._delay_s:
            self._late.append((self._clock.monotonic() + self._delay_s, unique))
        else:
            self._flushed(unique)

    def _flushed(self, unique: int) -> None:
        platter = self._platter
        if not platter.powered:
            self._reply(unique, error=_EIO)
        elif platter.failing:
            platter.failing -= 1
            platter.forget()
            self._reply(unique, error=_EIO)
        else:
            platter.flush()
            self._reply(unique)

    def _attend(self, operation: int, unique: int, body: memoryview) -> None:
        if operation == _INIT:
            _, minor, readahead = struct.unpack_from("<III", body)
            big_writes, many_pages = 1 << 5, 1 << 22
            head = struct.pack("<IIII", 7, min(minor, 31), readahead, big_writes | many_pages)
            self._reply(
                unique, head + struct.pack("<HHIIHH32x", 16, 12, _MAX_WRITE, 1, _MAX_WRITE // 4096, 0)
            )
        elif operation in {_GETATTR, _SETATTR}:
            times = struct.pack("<QQQIII", 0, 0, 0, 0, 0, 0)
            attributes = struct.pack("<QQQ", 1, self._size, self._size // SECTOR) + times
            kind = struct.pack("<IIIIIII", 0o100600, 1, 0, 0, 0, 4096, 0)
            self._reply(unique, struct.pack("<QII", 1, 0, 0) + attributes + kind)
        elif operation == _OPEN:
            direct_io = 1
            self._reply(unique, struct.pack("<QII", 1, direct_io, 0))
        elif operation == _STATFS:
            self._reply(unique, struct.pack("<5QIIII24x", 0, 0, 0, 1, 0, 4096, 255, 4096, 0))
        elif operation in {_RELEASE, _FLUSH, _DESTROY}:
            self._reply(unique)
        else:
            self._reply(unique, error=_ENOSYS)

    def _reply(self, unique: int, payload: bytes = b"", *, error: int = 0) -> None:
        with contextlib.suppress(OSError):  # the caller was interrupted
            os.write(self._fuse, struct.pack("<IiQ", 16 + len(payload), -error, unique) + payload)


class _Alive:
    """Whether the kernel still has a file system; its loop device may be another one's by then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = path.stat().st_ino

    def is_there(self) -> bool:
        try:
            return self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            return False


class ForgetfulDisk:
    """The disk from its user's side: an ext4 that is mounted at `root` between `mount` and `unmount`.

    Args:
        work: an empty folder for its files.
        size: bytes.
        mkfs: further options for mkfs.ext4.
        options: mount options.
    """

    def __init__(
        self, work: Path, *, size: int = 16 << 20, mkfs: tuple[str, ...] = (), options: str = "noatime"
    ) -> None:
        self._mounts = work / "mounts"
        self.root = self._mounts / "root"
        self._at = work / "disk"
        self._options = options
        self._alive: _Alive | None = None
        self.root.mkdir(parents=True)
        self._at.touch()
        image = work / "image"
        with image.open("wb") as file:
            file.truncate(size)
        _run("mkfs.ext4", "-q", "-F", "-E", "nodiscard", *mkfs, str(image))
        self._server = subprocess.Popen(
            [sys.executable, __file__, str(self._at), str(image)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._hear() != "ready":
            raise RuntimeError("no FUSE mount: this test needs root and /dev/fuse")
        # Shared: what `ip netns exec` copies for itself (other tests do) is unmounted together with it.
        _run("mount", "--bind", str(self._mounts), str(self._mounts))
        _run("mount", "--make-shared", str(self._mounts))

    def __enter__(self) -> Self:
        self.mount()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.tell("release")
            self.tell("break")
            self.tell("delay_flushes", 0.0)
            self.tell("power_on")
        self.unmount()
        _run("umount", "-l", str(self._mounts))
        self._server.communicate("", timeout=20)
        _run("umount", "-l", str(self._at))

    def mount(self) -> None:
        """Mounts the file system as a start of the machine does: checked and repaired, then mounted."""
        loop = _run("losetup", "--find", "--show", str(self._at))
        try:
            # 1: errors were corrected; anything above is reported by the mount.
            subprocess.run(["e2fsck", "-f", "-y", loop], check=False, capture_output=True, timeout=60)
            _run("mount", "-t", "ext4", "-o", self._options, loop, str(self.root))
            self._alive = _Alive(Path("/sys/fs/ext4", Path(loop).name))
        finally:
            _run("losetup", "--detach", loop)  # takes effect when it is unmounted

    def unmount(self) -> None:
        """Unmounts it, and waits until the kernel has let go of it.

        A mount namespace of somebody's own (`unshare --mount`, a unit's sandbox) has the file system as well,
        and keeps it alive: it would go on writing after the power has returned.

        Raises:
            RuntimeError: somebody keeps it for more than a minute and a half.
        """
        subprocess.run(["umount", "-l", str(self.root)], check=False, capture_output=True)
        until, pause = time.monotonic() + LET_GO_WITHIN_S, threading.Event()
        while self._alive and self._alive.is_there():
            if time.monotonic() > until:
                raise RuntimeError(f"{self.root} is unmounted, and a process or mount namespace still has it")
            pause.wait(0.05)

    def tell(self, *words: object) -> dict[str, int]:
        """Changes how the disk behaves; waits until it does.

        `cut KEEP SEED`, `cut_at SHARE`, `power_on`, `lie BOOL`, `hold`, `release`, `fail_flushes N`,
        `delay_flushes SECONDS`, `break KIND...` (`reads`, `writes`, `flushes`; none: whole again),
        `spoil OFFSET LENGTH` (cannot be read any more), `stat`.
        """
        if self._server.stdin is None or self._server.poll() is not None:
            raise OSError("the disk has gone")
        self._server.stdin.write(json.dumps(words) + "\n")
        self._server.stdin.flush()
        answer: dict[str, int] = json.loads(self._hear())
        return answer

    def _hear(self) -> str:
        return self._server.stdout.readline().strip() if self._server.stdout else ""


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    except FileNotFoundError as error:
        raise RuntimeError(
            f"{command[0]} is not installed: this test needs e2fsprogs and util-linux"
        ) from error
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()} (this test needs root)")
    return done.stdout.strip()


@contextlib.contextmanager
def small_disk(at: Path, *, size: int) -> Iterator[Path]:
    """A real file system of `size` bytes that can really be full, mounted at `at` (made for it)."""
    at.mkdir(parents=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at))
    try:
        yield at
    finally:
        _run("umount", "-l", str(at))


if __name__ == "__main__":
    _Server(sys.argv[1], sys.argv[2]).serve()
