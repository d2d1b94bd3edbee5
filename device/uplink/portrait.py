"""What the gate says about itself, put together from its parts: state and health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.uplink.health import REFUSALS_MAX, Health
from device.uplink.state import Kept, state_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.model import Refusal
    from device.runtime import Clock
    from device.uplink.budget import Budget
    from device.uplink.caution import Caution
    from device.uplink.health import ListHealth
    from device.uplink.ports import Backlog, BacklogStats
    from device.uplink.state import Status
    from device.uplink.wire import GateAddress, Message


@dataclass(slots=True)
class Connections:
    """How they fare. Written by the forwarder's thread, read by any.

    Attributes:
        made: since the start of the process.
        last_error: why the last one ended or could not be made; fixed words; empty for never.
        twin: whether another device has been seen that says it is this gate.
    """

    made: int = 0
    last_error: str = ""
    twin: bool = False

    @property
    def again(self) -> int:
        """Connections after the first."""
        return max(0, self.made - 1)


class Portrait:
    """Makes the messages. Used from the forwarder's thread.

    Args:
        backlog: what there is to deliver.
        address: of this gate.
        clock: for the moment.
        version: of the software.
        budget: of a day's data.
        caution: knows what the broker refuses.
        connections: how they fare.
        temperature_c: of the processor; None where it cannot be read.
        lists: how those it goes by stand.
    """

    def __init__(
        self,
        *,
        backlog: Backlog,
        address: GateAddress,
        clock: Clock,
        version: str,
        budget: Budget,
        caution: Caution,
        connections: Connections,
        temperature_c: Callable[[], int | None],
        lists: Callable[[], tuple[ListHealth, ...]],
    ) -> None:
        self._backlog = backlog
        self._address = address
        self._clock = clock
        self._version = version
        self._budget = budget
        self._caution = caution
        self._connections = connections
        self._temperature_c = temperature_c
        self._lists = lists

    def state(self, status: Status) -> Message:
        """Birth, goodbye, last will."""
        stats = self._backlog.stats()
        kept = Kept(stats.journal, stats.first_seq, stats.acknowledged_through)
        return state_message(self._address, status, self._clock.reading(), self._version, kept)

    def health(self) -> Health:
        """How it fares now.

        Raises:
            JournalError: the journal cannot be read.
        """
        stats, budget = self._backlog.stats(), self._budget
        return Health(
            clock=self._clock.reading(),
            journal=stats.journal,
            last=stats.last_seq,
            sent=stats.acknowledged_through,
            confirmed=stats.confirmed_through,
            pending=stats.pending,
            set_aside=stats.set_aside,
            refused=self._refused(stats),
            refusing=self._caution.why,
            reconnects=self._connections.again,
            last_error=self._connections.last_error,
            twin=self._connections.twin,
            day_bytes=budget.sent_bytes if budget.limited else None,
            pace=budget.pace if budget.limited else None,
            temperature_c=self._temperature_c(),
            lists=self._lists(),
        )

    def _refused(self, stats: BacklogStats) -> tuple[Refusal, ...]:
        if not stats.set_aside:
            return ()
        found = self._backlog.refusals(REFUSALS_MAX, after_seq=stats.confirmed_through)
        # What lies ahead of `sent` is still to be passed by; it is listed then.
        return tuple(entry for entry in found if entry.last <= stats.acknowledged_through)
