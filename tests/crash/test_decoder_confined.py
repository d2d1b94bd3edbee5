"""What a subverted decoder could still do: nothing but look at pictures and answer."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest

from tests.support.codes import shown
from tests.support.pools import decoder_pool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.decode.pool import DecoderPool

pytestmark = pytest.mark.slow

# Run by an interpreter of its own: what `confine` takes away does not come back.
ATTEMPTS = """
import ctypes, json, os, resource, signal, socket, threading
from device.decode.confine import confine

libc = ctypes.CDLL(None, use_errno=True)

def called(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "")

def start_thread():
    thread = threading.Thread(target=lambda: None)
    try:
        thread.start()
    except RuntimeError:
        raise PermissionError(1, "") from None

held = os.open("/etc/passwd", os.O_RDONLY)
attempts = {
    "read a file": lambda: open("/etc/passwd").close(),
    "write a file": lambda: open("/tmp/gate-confined", "w").close(),
    "list a folder": lambda: os.listdir("/"),
    "ask whether a file is there": lambda: os.stat("/etc/passwd"),
    "delete a file": lambda: os.unlink("/tmp/gate-confined"),
    "make a name for a held file": lambda: os.link("/proc/self/fd/%d" % held, "/tmp/gate-confined"),
    "open a connection": lambda: socket.socket(socket.AF_INET),
    "open a local connection": lambda: socket.socket(socket.AF_UNIX),
    "make a pair of sockets": socket.socketpair,
    "start a thread": start_thread,
    "start a process": os.fork,
    "run a program": lambda: os.execv("/bin/true", ["true"]),
    "signal its parent": lambda: os.kill(os.getppid(), 0),
    "signal itself": lambda: os.kill(os.getpid(), 0),
    "trace a process": lambda: called(libc.ptrace(16, os.getppid(), 0, 0)),
    "write into a process": lambda: called(libc.process_vm_writev(os.getppid(), 0, 0, 0, 0, 0)),
    "raise its limits": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    "become another user": lambda: os.setuid(1),
    "make a namespace": lambda: called(libc.unshare(0x10000000)),
    "load a filter": lambda: called(libc.prctl(22, 2, 0, 0, 0)),
}
filtered = confine()
results = {}
for name, attempt in attempts.items():
    try:
        attempt()
    except OSError as error:
        results[name] = error.errno
    except ValueError:  # so Python tells that limits must not be raised
        results[name] = 1
    else:
        results[name] = 0
os.write(1, json.dumps([filtered, results]).encode())
os._exit(0)
"""

# Run on a system that calls itself 32-bit: its calls have other numbers, and there is no filter for them.
UNFILTERED = """
import logging
import cv2
from tests.support.codes import shown
from tests.support.pools import decoder_pool

logging.basicConfig(format="%(message)s")
file = cv2.imencode(".png", shown("gate"))[1].tobytes()
pool = decoder_pool(capacity=4_000_000)
pool.start()
pool.children[0].kill()
try:
    pool.look_at_file(file, frames=1)
except OSError:
    pass  # the one that was killed
for child in pool.children:
    child.await_ready(30)
look = pool.look_at_file(file, frames=1)
print(pool.filtered, pool.stats.children, [symbol.content for symbol in look.symbols])
pool.close()
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    pool = decoder_pool(capacity=4_000_000)
    pool.start()
    yield pool
    pool.close()


def test_a_confined_process_can_do_nothing_to_files_connections_or_other_processes() -> None:
    asked = subprocess.run([sys.executable, "-c", ATTEMPTS], capture_output=True, check=False, timeout=60)
    assert asked.stderr == b""
    filtered, results = json.loads(asked.stdout)
    assert filtered
    assert {name: number for name, number in results.items() if number != errno.EPERM} == {}


def test_where_no_filter_is_to_be_had_codes_are_read_all_the_same_and_it_is_told_once() -> None:
    asked = subprocess.run(
        ["setarch", "i686", sys.executable, "-c", UNFILTERED],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert asked.stdout == "False 3 [b'gate']\n", asked.stderr
    assert asked.stderr.count("cannot filter system calls") == 1


def test_the_child_at_work_is_confined(pool: DecoderPool) -> None:
    proc = Path(f"/proc/{pool.children[0].pid}")
    status = dict(line.split(":\t", 1) for line in (proc / "status").read_text("ascii").splitlines())
    limits = (proc / "limits").read_text("ascii")
    assert pool.filtered
    assert status["Seccomp"] == "2"  # by a filter of ours; see proc(5)
    assert status["NoNewPrivs"] == "1"
    assert status["Threads"] == "1"  # a filter is a thread's: there must be no other
    for limit in ("Max processes", "Max file size", "Max core file size"):
        (line,) = [line for line in limits.splitlines() if line.startswith(limit)]
        assert line.split()[len(limit.split())] == "0"


def test_the_child_holds_its_channel_and_the_picture_and_nothing_else(pool: DecoderPool) -> None:
    held = [str(fd.readlink()) for fd in Path(f"/proc/{pool.children[0].pid}/fd").iterdir()]
    kinds = {name.split(":")[0] for name in held}
    assert kinds == {"/dev/null", "socket", "/memfd"}
    assert sum(name.startswith("socket:") for name in held) == 1


@pytest.mark.parametrize("kind", [".png", ".jpg", ".bmp", ".webp", ".tif", ".gif", ".jp2", ".avif", ".ppm"])
def test_a_confined_child_reads_every_kind_of_picture_file(pool: DecoderPool, kind: str) -> None:
    if not cv2.haveImageWriter(f"x{kind}"):
        pytest.skip(f"this OpenCV cannot write {kind}")
    colours = cv2.cvtColor(shown("gate"), cv2.COLOR_GRAY2BGR)  # GIF knows nothing else
    look = pool.look_at_file(cv2.imencode(kind, colours)[1].tobytes(), frames=1)
    assert look is not None
    assert [symbol.content for symbol in look.symbols] == [b"gate"]
    assert look.failures == 0


def test_no_step_of_the_ladder_lacks_what_was_taken_from_the_child(pool: DecoderPool) -> None:
    spoilt = shown("a code nobody can read any more", None)
    spoilt[330:400, 600:680] = 128
    look = pool.look_at_file(cv2.imencode(".png", spoilt)[1].tobytes(), frames=3)
    assert look is not None
    assert look.symbols == ()
    assert look.failures == 0
