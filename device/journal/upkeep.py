"""Making room, and carrying events over from damaged files."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from device.errors import JournalError
from device.journal import damage
from device.journal.rescue import batches
from device.journal.state import WhenFull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from device.journal.guard import Guard
    from device.journal.keeper import Gone, Keeper
    from device.journal.memory import Memory
    from device.journal.rescue import Batch
    from device.journal.writer import Draft
    from device.runtime import Clock

# So long one round may carry events over: it is done by the thread that feeds the watchdog.
RESCUE_S: Final = 0.5


class Upkeep:
    """Removes what may go and carries over what was saved. `make_room` from any thread, the rest from one.

    Args:
        guard: of the files.
        keeper: writes lazily.
        memory: the state it moves.
        when_full: whether undelivered events may go.
        keep_days: so long a damaged file is kept as well.
        clock: bounds a round.
        commit: commits drafts while `guard.writing` is held; each draft has its outcome then.
    """

    def __init__(
        self,
        *,
        guard: Guard,
        keeper: Keeper,
        memory: Memory,
        when_full: WhenFull,
        keep_days: int,
        clock: Clock,
        commit: Callable[[Sequence[Draft]], None],
    ) -> None:
        self._guard = guard
        self._keeper = keeper
        self._memory = memory
        self._when_full = when_full
        self._keep_days = keep_days
        self._clock = clock
        self._commit = commit
        self._batches = self._damaged_files()
        self.rescued = 0
        """Events carried over since the start."""

    def prune(self) -> int:
        """Removes delivered events past their time, block by block; how many. Raises JournalError."""
        before = self._memory.head.pruned.seq
        gone = True
        while gone:
            with self._guard.writing, self._guard.translated():
                gone = self._note(self._keeper.prune(self._memory.head, short_of_room=False))
        return self._memory.head.pruned.seq - before

    def make_room(self) -> bool:
        """Removes a block as far as `when_full` allows; whether one went.

        While holding `guard.writing`; raises sqlite3.Error.
        """
        gone = self._keeper.prune(self._memory.head, short_of_room=True)
        if gone is None and self._when_full is WhenFull.DROP_OLDEST:
            gone = self._keeper.drop(self._memory.head)
        return self._note(gone)

    def erase_aside(self) -> None:
        """Deletes damaged files past their time. Raises JournalError."""
        if not self._clock.trusted():
            return
        before = self._clock.utc() - timedelta(days=self._keep_days)
        with self._guard.translated():
            needed = [name for name, _, _ in self._keeper.rescues()]
            damage.erase_old(self._guard.path, before=before, needed=needed)

    def _note(self, gone: Gone | None) -> bool:
        if gone is not None:
            self._memory.gone(gone)
        return gone is not None

    def rescue(self, *, rounds: int | None = None) -> bool:
        """Carries events over, for `RESCUE_S` or so many rounds at most; whether some may be left.

        Raises:
            JournalError: a file cannot be read or written; the next call goes on where it was.
        """
        until = self._clock.monotonic() + RESCUE_S
        while rounds is None or rounds > 0:
            with self._guard.translated():
                batch = next(self._batches, None)
            if batch is None:
                return False
            try:
                self._carry_over(batch)
            except JournalError:
                self._batches = self._damaged_files()
                raise
            if rounds is not None:
                rounds -= 1
            elif self._clock.monotonic() >= until:
                break
        return True

    def _carry_over(self, batch: Batch) -> None:
        """Appends the events first: where it ends in between, they are only carried over twice."""
        if not batch.drafts and batch.through is not None:
            return  # the search goes on
        with self._guard.writing:
            if batch.drafts:
                self._commit(batch.drafts)
            for draft in batch.drafts:
                draft.result()
            with self._guard.translated():
                self._keeper.rescued(batch.name, batch.through)
        self.rescued += len(batch.drafts)

    def _damaged_files(self) -> Iterator[Batch]:
        folder = self._guard.path.parent
        for name, journal, through in self._keeper.rescues():
            yield from batches(folder, name, journal, after_seq=through, clock=self._clock)
