"""Everything a gate goes by that a district may change while it runs: its lists and its trust list."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from device.credential.trust import NOBODY, Trust, parse_trust
from device.errors import GateError, JournalError
from device.lists.shelf import stamp_of
from device.lists.standing import Change, Standing
from device.model import Lifecycle, LifecycleEvent
from device.policy.lists import Issue, Lists
from device.policy.listtext import nothing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from device.lists.shelf import Shelf, Stamp
    from device.model import Event, StoredEvent
    from device.runtime import Clock, Worker

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 5.0
"""A denied person is refused ten seconds after the file was copied; a look costs four calls of the kernel."""

PAUSE_S: Final = 0.002
"""After each part of a long text: the scan thread has waited no longer than the part took."""

TRUST: Final = "trust"


class TrustFile:
    """The trust list of a gate and its file. One that cannot be used never takes the place of a good one.

    Args:
        path: of the file; None where none is configured.
        audiences: the names this gate answers to.
    """

    def __init__(self, path: Path | None, audiences: frozenset[str]) -> None:
        self._path = path
        self._audiences = audiences
        self._read_at: Stamp = None
        self._seen: Stamp = None
        self._refused = ""
        self.trust = NOBODY
        self.issue: Issue | None = None

    def open(self) -> None:
        """Reads the file. Raises GateError when it cannot be read."""
        if self._path is None:
            return
        self._read_at = self._seen = stamp_of(self._path)
        problem = self._read(self._path, first=True)
        if problem:
            raise GateError(f"{self._path}: {problem}")

    def look(self) -> tuple[Change, ...]:
        """Takes a file that has changed and stayed so for one look; raises nothing."""
        if self._path is None:
            return ()
        stamp = stamp_of(self._path)
        settled, self._seen = stamp == self._seen, stamp
        if stamp == self._read_at or not settled:
            return ()
        self._read_at = stamp
        problem = self._read(self._path, first=False)
        self._refused = "damaged" if problem else ""
        if problem:
            log.error("%s: %s; goes on with the keys in force", self._path, problem)
            return (Change(TRUST, refused="damaged"),)
        return (Change(TRUST, (self.issue.version if self.issue else None) or 0),)

    def standing(self, clock: Clock) -> Standing | None:
        """How the trust list stands now; None where there is none."""
        issue = self.issue
        if issue is None:
            return None
        age = int((clock.utc() - issue.issued_at).total_seconds()) if clock.trusted() else None
        return Standing(TRUST, issue.version, age, waiting=None, refused=self._refused)

    def _read(self, path: Path, *, first: bool) -> str:
        """Takes what is in the file; why it cannot, in words."""
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
            written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError as error:
            return error.strerror or "it cannot be read"
        parsed = parse_trust(text, audiences=self._audiences)
        if parsed.problems and not first:
            return "; ".join(parsed.problems)
        for problem in parsed.problems:
            log.warning("%s: left out: %s", path, problem)
        log.info("%s: %d keys, %d for other gates", path, len(parsed.trust), parsed.elsewhere)
        self.trust, self.issue = parsed.trust, Issue(TRUST, parsed.version, written_at)
        return ""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Lists and keys in force, in one piece."""

    lists: Lists
    trust: Trust


class Library:
    """Lists and trust list together. `open`, then `look`, from one thread."""

    def __init__(self, shelf: Shelf, trust: TrustFile, clock: Clock) -> None:
        self._shelf = shelf
        self._trust = trust
        self._clock = clock

    def open(self) -> Holdings:
        """Reads everything. Blocks while files are read. Raises GateError."""
        self._shelf.open()
        self._trust.open()
        return self.holdings()

    def keep(self) -> None:
        """See `Shelf.keep`."""
        self._shelf.keep()

    def look(self, pause: Callable[[], None] = nothing) -> tuple[Change, ...]:
        """Takes what has changed; see `Shelf.look`."""
        return (*self._shelf.look(pause), *self._trust.look())

    def holdings(self) -> Holdings:
        """What is in force."""
        lists = self._shelf.lists
        if self._trust.issue is not None:
            lists = replace(lists, issues=(*lists.issues, self._trust.issue))
        return Holdings(lists, self._trust.trust)

    def standings(self) -> tuple[Standing, ...]:
        """How each list stands, from any thread."""
        trust = self._trust.standing(self._clock)
        return (*self._shelf.standings(), *([trust] if trust else []))


class Recorder(Protocol):
    """Makes events durable."""

    def append(self, event: Event) -> StoredEvent:
        """See `device.scan.ports.Recorder`."""
        ...


class Librarian:
    """Looks after a library in a thread of its own: scanning never waits for a list.

    Args:
        library: see `look_after`.
        go_by: see `look_after`.
        recorder: of what was taken and refused.
        clock: for those events.
        version: of the software, for those events.
    """

    def __init__(
        self,
        *,
        library: Library,
        go_by: Callable[[Lists, Trust], None],
        recorder: Recorder,
        clock: Clock,
        version: str,
    ) -> None:
        self.look_after(library, go_by)
        self._recorder = recorder
        self._clock = clock
        self._version = version
        self._kept: Library | None = None

    def body(self, worker: Worker) -> None:
        """The thread: a look every few seconds until asked to stop."""

        def pause() -> None:
            worker.beat()
            worker.stopping.wait(PAUSE_S)

        while True:
            worker.beat()
            self.turn(pause)
            if worker.stopping.wait(LOOK_EVERY_S):
                break

    def look_after(self, library: Library, go_by: Callable[[Lists, Trust], None]) -> None:
        """Looks after another library from the next turn on. From any thread; never blocks.

        Args:
            library: opened.
            go_by: told of what is in force when that has changed; quick, and raises nothing.
        """
        self._charge = (library, go_by)

    def turn(self, pause: Callable[[], None] = nothing) -> None:
        """One look; blocks while changed files are read and events recorded."""
        library, go_by = self._charge
        if library is not self._kept:
            library.keep()
            self._kept = library
        changes = library.look(pause)
        if any(not change.refused for change in changes):
            now = library.holdings()
            go_by(now.lists, now.trust)
        for change in changes:
            self._record(change)

    def _record(self, change: Change) -> None:
        what = Lifecycle.LIST_REFUSED if change.refused else Lifecycle.LIST_TAKEN
        event = LifecycleEvent(what, str(change), self._version, self._clock.reading())
        try:
            self._recorder.append(event)
        except JournalError as error:
            log.error("'%s' could not be recorded: %s", what, error)
