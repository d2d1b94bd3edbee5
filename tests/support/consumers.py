"""`gate-scanner watch` as a subprocess that tests may kill, and the district's key."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from device.credential.signature import Algorithm, PublicKey
from device.runtime import SystemClock
from device.service.passes import make_key
from device.service.store import Store

if TYPE_CHECKING:
    from device.model import StoredEvent
    from device.service.books import Book
    from tests.support.broker import Broker

News = dict[str, Any]


class District:
    """Its key in a file, and what gates know of it."""

    def __init__(self, folder: Path) -> None:
        self.key_file = folder / "district.pem"
        self.public_file = folder / "district.pub"
        key = make_key(self.key_file)
        self.public_file.write_bytes(key.public_pem)
        self.sign = key.sign

    def verify(self, signature: bytes, message: bytes) -> bool:
        """As a gate does it."""
        key = PublicKey.from_pem(self.public_file.read_bytes())
        return key.verifies(Algorithm.EDDSA, message, signature)


class Consumer:
    """Runs while the context lasts, with `--json`; what it told and said stays readable.

    Args:
        broker: to subscribe at.
        store: its file.
        district: confirms and asks with its key; None for neither.
        config: a gate's configuration, from which broker and tenant are taken.
        more: further arguments.
    """

    def __init__(
        self,
        broker: Broker,
        store: Path,
        *,
        district: District | None = None,
        config: Path | None = None,
        more: tuple[str, ...] = (),
    ) -> None:
        confirm = ("--confirm", "--key", str(district.key_file)) if district else ()
        told = ("--host", broker.host, "--port", str(broker.port), "--tenant", "tenant")
        where = told if config is None else ("--config", str(config))
        self._command = (sys.executable, "-m", "device", "watch", "--json", "--store", str(store))
        self._command += (*where, *confirm, *more)
        self._changed = threading.Condition()
        self.news: list[News] = []
        self.said = ""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._tell, self._say)]
        for reader in self._readers:
            reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, timeout_s: float = 60) -> int:
        """Waits for the end; the exit code. Everything it told has been read then."""
        code = self.process.wait(timeout_s)
        for reader in self._readers:
            reader.join(10)
        return code

    def wait_for(self, true: Callable[[Consumer], bool], what: str, timeout_s: float = 60) -> None:
        """Waits until the function is content; fails with what the consumer said if it never is."""
        with self._changed:
            if not self._changed.wait_for(lambda: true(self), timeout_s):
                raise AssertionError(f"{what}. It said:\n{self.said}\nand told last: {self.news[-5:]}")

    def told(self, what: str) -> list[News]:
        """The news of one kind so far."""
        return [news for news in list(self.news) if news["what"] == what]

    def _tell(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.news.append(json.loads(line))
                self._changed.notify_all()

    def _say(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.said += line
                self._changed.notify_all()


def stored(path: Path, gate: str, journal: str) -> tuple[list[StoredEvent], Book, int]:
    """The events in a consumer's file, how complete they are, and how many breaks were noted."""
    with Store(path, clock=SystemClock()) as store:
        (book,) = (b for b in store.books if (b.gate, b.journal) == (gate, journal))
        return list(store.events(gate, journal)), book, store.counts(book).broken
