"""How the gate is doing: one line for the service manager, the same with more figures for the log."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.daemon.ports import Capture, Inputs, Journal, Lists, Scan, Slot, Uplink, UplinkCounts
    from device.model import Cue
    from device.notify import Notifier

log = logging.getLogger(__name__)


class Status:
    """Told from the main thread; nothing blocks.

    Args:
        slot: for what was replaced in it.
        capture: for what is wrong with the camera.
        scan: for its counters.
        inputs: for its counters; None when nothing is wired.
        lists: for their versions and ages.
        journal: for its counters.
        uplink: for its counters; None when no uplink is configured.
        suspended: whether a card has suspended the gate; never blocks.
        notifier: the service manager.
    """

    def __init__(
        self,
        *,
        slot: Slot,
        capture: Capture,
        scan: Scan,
        inputs: Inputs | None,
        lists: Lists,
        journal: Journal,
        uplink: Uplink | None,
        suspended: Callable[[], bool],
        notifier: Notifier,
    ) -> None:
        self._slot = slot
        self._capture = capture
        self._scan = scan
        self._inputs = inputs
        self._lists = lists
        self._journal = journal
        self._uplink = uplink
        self._suspended = suspended
        self._notifier = notifier

    def tell(self, state: Cue, refused: str) -> None:
        """Tells it.

        Args:
            state: what the panel shows while nobody is there.
            refused: the configuration that cannot be used, in a few words; empty where there is none.
        """
        scan, journal = self._scan.stats(), self._journal.stats()
        uplink = self._uplink.stats() if self._uplink else None
        suspended = self._suspended()
        trouble, standings = self._capture.stats.trouble, self._lists.standings()
        status: dict[str, object] = {
            "state": state,
            "suspended": suspended,
            "camera": trouble,
            "scan": asdict(scan),
            "replaced": self._slot.replaced,
            "journal": {"stored": journal.stored, "pending": journal.pending, "set_aside": journal.set_aside},
            "lists": [one.as_json() for one in standings],
        }
        if uplink:
            status["uplink"] = {
                "connected": uplink.connected,
                "published": uplink.published,
                "confirmed": uplink.confirmed,
                "refusing": uplink.refusing,
                "pace": uplink.pace,
                "twin": uplink.twin,
            }
        log.debug("status", extra={"fields": {"status": status}})
        answers = f"{scan.granted} granted, {scan.denied} denied, {scan.attention} wrong code"
        aside = f", {journal.set_aside} refused" if journal.set_aside else ""
        told = (
            f"{state}{', suspended by a card' if suspended else ''}: {scan.presented} shown, {answers}",
            self._passed(),
            f"{journal.pending} to deliver{aside}, {_broker(uplink)}",
            f"configuration refused: {refused}" if refused else "",
            "another device has this gate's name" if uplink and uplink.twin else "",
            trouble,
            *map(str, standings),
        )
        self._notifier.status("; ".join(filter(None, told)))

    def _passed(self) -> str:
        passed = self._inputs.stats().passed if self._inputs else None
        return "" if passed is None else f"{passed} passed"


def _broker(uplink: UplinkCounts | None) -> str:
    """In a few words."""
    if uplink is None:
        return "no uplink"
    if not uplink.connected:
        return "broker away"
    if uplink.refusing:
        return f"broker takes no events: {uplink.refusing}"
    return "broker connected" if uplink.pace == "free" else f"broker connected, data budget {uplink.pace}"
