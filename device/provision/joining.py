"""The network that a card has brought is joined while all else goes on; what became of it is recorded."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from device.errors import JournalError, JournalUnusable, WirelessError
from device.model import Cue, Lifecycle, LifecycleEvent

if TYPE_CHECKING:
    from device.provision.desk import Panel, Recorder
    from device.runtime import Clock
    from device.wifi.network import Network

log = logging.getLogger(__name__)


class Wireless(Protocol):
    """Joins one network at a time. Each call blocks for seconds at most."""

    def join(self, network: Network) -> None:
        """Begins; one that is under way is given up. Raises WirelessError."""
        ...

    def look(self) -> bool:
        """Whether it is joined and kept; False while it is under way. Raises WirelessError: it is over."""
        ...

    def give_up(self) -> None:
        """Ends what is under way; the network before comes back. Raises nothing."""
        ...


class Joining:
    """Belongs to one thread.

    Args:
        wireless: joins networks.
        recorder: of what became of it.
        panel: shows it.
        clock: for events.
        version: of the software, likewise.
    """

    def __init__(
        self, *, wireless: Wireless, recorder: Recorder, panel: Panel, clock: Clock, version: str
    ) -> None:
        self._wireless = wireless
        self._recorder = recorder
        self._panel = panel
        self._clock = clock
        self._version = version
        self._under_way = False

    def begin(self, network: Network) -> None:
        """Begins to join; another one that is under way is given up and recorded. Blocks for seconds.

        Raises:
            JournalUnusable: only a new start can begin a new journal.
        """
        self.end()
        self._panel.show(Cue.TRYING)
        try:
            self._wireless.join(network)
        except WirelessError as error:
            self._failed(error)
        else:
            self._under_way = True

    def look(self) -> bool:
        """Whether one is being joined; to be asked some times a second. Blocks and raises as `begin`."""
        if not self._under_way:
            return False
        try:
            joined = self._wireless.look()
        except WirelessError as error:
            self._under_way = False
            self._failed(error)
            return False
        if joined:
            self._under_way = False
            log.info("the network of a card is joined, and kept")
            self._tell(Lifecycle.NETWORK_JOINED, "wifi", Cue.TAKEN)
        return not joined

    def end(self) -> None:
        """Gives up what is under way: the network before comes back. Blocks and raises as `begin`."""
        if self._under_way:
            self._under_way = False
            self._wireless.give_up()
            self._failed(WirelessError("given_up", "another card came, or the gate stops"))

    def _failed(self, error: WirelessError) -> None:
        log.warning("the network of a card is not joined: %s: %s", error.word, error)
        self._tell(Lifecycle.NETWORK_FAILED, error.word, Cue.ATTENTION)

    def _tell(self, what: Lifecycle, detail: str, cue: Cue) -> None:
        try:
            self._recorder.append(LifecycleEvent(what, detail, self._version, self._clock.reading()))
        except JournalUnusable:
            self._panel.show(Cue.FAULT)
            raise
        except JournalError as error:
            log.error("'%s' could not be recorded: %s", what, error)
            self._panel.show(Cue.FAULT)
            return
        self._panel.show(cue)
