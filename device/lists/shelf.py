"""The lists a gate goes by: read from their files, taken when they are good, kept on the card.

A list that is broken, not signed as it must be, for another gate or older never takes the place of one that
is in force. What is in force is kept beside the journal, byte for byte, and so is what waits for its day:
after a start the gate goes on with them, whatever has become of the files meanwhile. A list that takes
effect later than it was issued waits until the clock is trusted and says so.

Somebody may be writing a file while it is looked at, so a changed one is read when it has stayed the same
for one look.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from device.durable import write_over
from device.errors import GateError, ListError
from device.lists.standing import Change, Standing
from device.policy.lists import CONTENTS, Issue, ListKind, Lists
from device.policy.listtext import nothing
from device.policy.subjects import Subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from device.lists.reading import ListReader
    from device.policy.listfile import Header, ListFile
    from device.policy.subjects import Roster
    from device.runtime import Clock


log = logging.getLogger(__name__)

Stamp: TypeAlias = "tuple[int, int, int] | None"
"""What changes when a file is written; None for no file."""


@dataclass(slots=True)
class _Place:
    """One list's place on the shelf."""

    kind: ListKind
    path: Path
    in_force: ListFile | None = None
    waiting: ListFile | None = None
    kept: ListFile | None = None
    kept_waiting: ListFile | None = None
    read: Stamp = None
    seen: Stamp = None
    refused: str = ""

    @property
    def newest(self) -> ListFile | None:
        return self.waiting or self.in_force


def always(_key_id: str) -> bool:
    """Pseudonyms of any key match."""
    return True


class Shelf:
    """Holds the lists. `open`, then `look` every few seconds, from one thread; the rest from any.

    Args:
        files: the configured lists.
        kept: folder of the last good ones; made when it is needed. Nothing is written before `keep`.
        reader: for this gate.
        clock: for what takes effect later, and ages.
        matches: whether subjects made with the pseudonym key of this name match anybody now.
    """

    def __init__(
        self,
        *,
        files: Mapping[ListKind, Path],
        kept: Path,
        reader: ListReader,
        clock: Clock,
        matches: Callable[[str], bool] = always,
    ) -> None:
        self._places = tuple(_Place(kind, path) for kind, path in sorted(files.items()))
        self._kept = kept
        self._keeps = False
        self._reader = reader
        self._clock = clock
        self._matches = matches

    def open(self) -> None:
        """Reads what was kept and what is in the files now. Blocks while they are read.

        Raises:
            GateError: a list cannot be used, and no good one was kept.
        """
        for place in self._places:
            place.in_force = place.kept = self._kept_one(place, "")
            place.waiting = place.kept_waiting = _later(self._kept_one(place, "next."), place.in_force)
            self._promote(place)
            place.read = place.seen = stamp_of(place.path)
            try:
                self._consider(place, self._reader.read(place.path, place.kind))
            except ListError as error:
                if place.newest is None:
                    raise GateError(f"{place.path}: {error}") from error
                place.refused = error.word
                log.error("%s: %s; goes on with the list that was kept", place.path, error)

    def keep(self) -> None:
        """From now on keeps what is in force and what waits. Blocks while what is new is written."""
        self._keeps = True
        for place in self._places:
            self._keep(place)

    def look(self, pause: Callable[[], None] = nothing) -> tuple[Change, ...]:
        """Takes what has changed. Blocks while a changed file is read; raises nothing.

        Args:
            pause: called every few lines of a long text, so that other threads come to their turn.
        """
        changes = []
        for place in self._places:
            before = place.in_force
            refused = self._look_at(place, pause)
            self._promote(place)
            refused = refused or self._outlived(place)
            if place.in_force is not None and place.in_force is not before:
                changes.append(Change(place.kind.value, place.in_force.header.version))
            elif refused:
                changes.append(Change(place.kind.value, refused=refused))
        return tuple(changes)

    @property
    def lists(self) -> Lists:
        """The lists in force. Where a list is configured and none has taken effect, it is empty."""
        contents = {
            place.kind: place.in_force.content if place.in_force else CONTENTS[place.kind]()
            for place in self._places
        }
        taken = [place.in_force.header for place in self._places if place.in_force]
        issues = tuple(Issue(one.kind, one.version or None, one.issued_at) for one in taken)
        deny, allow = contents.get(ListKind.DENY), contents.get(ListKind.ALLOW)
        return Lists(
            deny=deny if isinstance(deny, Subjects) else Subjects(),
            allow=allow if isinstance(allow, Subjects) else None,
            roster=_roster(contents.get(ListKind.ROSTER)),
            issues=issues,
        )

    def standings(self) -> tuple[Standing, ...]:
        """How each list stands now."""
        trusted, utc = self._clock.trusted(), self._clock.utc()
        found = []
        for place in self._places:
            one, next_one = place.in_force, place.waiting
            age = int((utc - one.header.issued_at).total_seconds()) if one and trusted else None
            found.append(
                Standing(
                    name=place.kind.value,
                    version=one.header.version or None if one else None,
                    age_s=age,
                    waiting=next_one.header.version if next_one else None,
                    refused=place.refused,
                )
            )
        return tuple(found)

    # -- files ------------------------------------------------------------------------------------

    def _look_at(self, place: _Place, pause: Callable[[], None]) -> str:
        """Takes a file that has changed and stayed so; the word for why not, else nothing."""
        stamp = stamp_of(place.path)
        settled, place.seen = stamp == place.seen, stamp
        if stamp == place.read or not settled:
            return ""
        place.read = stamp
        try:
            self._consider(place, self._reader.read(place.path, place.kind, pause))
        except ListError as error:
            place.refused = error.word
            log.error("%s: %s; goes on with the list in force", place.path, error)
            return error.word
        return ""

    def _outlived(self, place: _Place) -> str:
        """Tells once of a list in force that matches nobody any more, its pseudonym key being replaced."""
        if place.refused or place.in_force is None or self._matches(place.in_force.header.pseudonyms):
            return ""
        place.refused = "other_pseudonyms"
        words = "%s: the list in force was made with the pseudonym key before this one: it matches nobody now"
        log.error(words, place.path)
        return place.refused

    def _consider(self, place: _Place, found: ListFile) -> None:
        """Takes a list, or lets it wait. Raises ListError for one that is older than what is there."""
        newest, header = place.newest, found.header
        place.refused = ""
        if newest is not None:
            if newest.head == found.head:
                return
            if 0 < header.version <= newest.header.version:
                versions = f"version {header.version} is not newer than {newest.header.version}"
                raise ListError("older", f"{versions}, which is in force or waits")
        if self._effective(header):
            self._take(place, found)
            return
        place.waiting = found
        self._keep(place)
        words = "%s: version %d, %d entries, waits for its day"
        log.info(words, place.path, header.version, len(found.content))

    def _take(self, place: _Place, found: ListFile) -> None:
        place.in_force, place.waiting = found, None
        self._keep(place)
        if found.header.version:
            words = "the %s list is version %d now, %d entries"
            log.info(words, place.kind, found.header.version, len(found.content))

    def _promote(self, place: _Place) -> None:
        if place.waiting is not None and self._effective(place.waiting.header):
            self._take(place, place.waiting)

    def _effective(self, header: Header) -> bool:
        if header.effective_from <= header.issued_at:
            return True
        return self._clock.trusted() and self._clock.utc() >= header.effective_from

    # -- what is kept -----------------------------------------------------------------------------

    def _kept_file(self, kind: ListKind, prefix: str = "") -> Path:
        return self._kept / f"{prefix}{kind}.list"

    def _kept_one(self, place: _Place, prefix: str) -> ListFile | None:
        path = self._kept_file(place.kind, prefix)
        if not path.exists():
            return None
        try:
            return self._reader.read(path, place.kind)
        except ListError as error:
            log.error("%s, kept from before: %s", path, error)
            return None

    def _keep(self, place: _Place) -> None:
        """Makes the files in the folder those that are in force and wait."""
        if not self._keeps:
            return
        for wanted, before, prefix in (
            (place.in_force, place.kept, ""),
            (place.waiting, place.kept_waiting, "next."),
        ):
            path = self._kept_file(place.kind, prefix)
            try:
                if wanted is None:
                    path.unlink(missing_ok=True)
                elif wanted is not before:
                    self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)
                    write_over(path, wanted.raw, mode=0o600)
            except OSError as error:
                # It counts all the same: only a start without the file would not find it again.
                log.error("%s: %s; the list could not be kept", path, error.strerror)
        place.kept, place.kept_waiting = place.in_force, place.waiting


def _later(waiting: ListFile | None, in_force: ListFile | None) -> ListFile | None:
    """What waited, unless it has taken effect and only its copy is left behind."""
    if waiting and in_force and waiting.header.version <= in_force.header.version:
        return None
    return waiting


def _roster(content: Subjects | Roster | None) -> Roster | None:
    return None if content is None or isinstance(content, Subjects) else content


def stamp_of(path: Path) -> Stamp:
    """A file's stamp."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
