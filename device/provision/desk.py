"""Answers the provisioner's cards at a gate that runs: checked, recorded, and only then done.

Between the event and what is remembered of it lie some milliseconds: a power cut just then forgets that the
card was used, and a second use stands in the journal as well.
"""

from __future__ import annotations

import logging
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Final, Protocol

from device.errors import JournalError, JournalUnusable
from device.model import CardEvent, CardKind, CardOutcome, CardReason, Cue
from device.provision.card import Card, objection, read
from device.provision.network import network_of
from device.provision.parts import Collector, is_part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from device.credential.pseudonym import Pseudonyms
    from device.credential.signature import PublicKey
    from device.model import CheckupEvent, Event, StoredEvent
    from device.privacy.sealing import OpeningKey
    from device.provision.joining import Joining
    from device.provision.memory import Memory
    from device.runtime import Clock, Worker

log = logging.getLogger(__name__)

WAITING: Final = 16
"""Codes that wait to be answered; each takes a flush of the card at most."""

WAIT_S: Final = 0.5
"""Well below the beat's deadline."""


class Recorder(Protocol):
    """Makes events durable."""

    def append(self, event: Event) -> StoredEvent:
        """Blocks until the event is on the card. Raises JournalError."""
        ...


class Panel(Protocol):
    """Lights and buzzer."""

    def show(self, cue: Cue) -> None:
        """Starts a temporary cue. Never blocks."""
        ...


class CardDesk:
    """Owns the card thread's work. `hand` belongs to any thread, the rest to that one.

    Args:
        keys: of the provisioner, by `kid`.
        opens: the device's own key, for what is sealed.
        gate: TENANT/SITE/NAME of this gate.
        memory: of used cards; says whether the gate is suspended.
        pseudonyms: what whoever signs in is called.
        checkup: looks the gate over; blocks for seconds.
        report: asks for the coverage interval to be told now; never blocks.
        joining: of the network that a card brings.
        recorder: of every card.
        panel: shows what became of it.
        clock: for validity and events.
    """

    def __init__(
        self,
        *,
        keys: Mapping[bytes, PublicKey],
        opens: OpeningKey,
        gate: str,
        memory: Memory,
        pseudonyms: Pseudonyms,
        checkup: Callable[[], CheckupEvent],
        report: Callable[[], None],
        joining: Joining,
        recorder: Recorder,
        panel: Panel,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._opens = opens
        self._gate = gate
        self._memory = memory
        self._pseudonyms = pseudonyms
        self._checkup = checkup
        self._report = report
        self._joining = joining
        self._recorder = recorder
        self._panel = panel
        self._clock = clock
        self._collector = Collector()
        self._waiting: Queue[bytes] = Queue(WAITING)
        self.turned_away = 0

    def hand(self, content: bytes) -> bool:
        """Takes the content of a code; False when too many wait, counted in `turned_away`. Never blocks."""
        try:
            self._waiting.put_nowait(content)
        except Full:
            self.turned_away += 1
            return False
        return True

    def body(self, worker: Worker) -> None:
        """The thread: one code after another; when asked to stop, those that wait are still answered."""
        while True:
            worker.beat()
            self._joining.look()
            stopping = worker.stopping.is_set()
            try:
                content = self._waiting.get(timeout=0 if stopping else WAIT_S)
            except Empty:
                if stopping:
                    self._joining.end()
                    break
            else:
                self.answer(content)

    def answer(self, content: bytes) -> None:
        """Answers one code. Blocks for the card; for seconds where the gate tests itself or joins a network.

        Raises:
            JournalUnusable: only a new start can begin a new journal.
        """
        if is_part(content):
            whole = self._collector.add(content, self._clock.monotonic())
            if whole is None:
                return
            content = whole
        card = read(content, self._keys)
        if isinstance(card, CardReason):
            self._refuse(card, None)
        elif reason := self._objection(card):
            self._refuse(reason, card)
        elif card.kind is CardKind.WIFI:
            self._join(card)
        elif self._take(card):
            self._do(card)

    def _join(self, card: Card) -> None:
        network = network_of(card, self._opens)
        if isinstance(network, CardReason):
            self._refuse(network, card)
        elif self._take(card):
            self._joining.begin(network)

    def _objection(self, card: Card) -> CardReason | None:
        if card.kind is CardKind.CONFIGURATION:
            return CardReason.NOT_HERE
        if card.kind is CardKind.SIGN_IN and not _signer(card):
            return CardReason.MALFORMED
        clock = self._clock
        said = objection(card, gate=self._gate, utc=clock.utc(), trusted=clock.trusted())
        return said or self._memory.objection(card)

    def _refuse(self, reason: CardReason, card: Card | None) -> None:
        if self._record(self._event(card, reason)):
            log.warning("a card is refused: %s%s", reason, _named(card))
            self._panel.show(Cue.ATTENTION)

    def _take(self, card: Card) -> bool:
        """Whether it is recorded; then it is remembered as well."""
        if not self._record(self._event(card)):
            return False
        try:
            self._memory.note(card)
        except OSError as error:
            log.error("a card was taken, and a start would forget it: %s", error.strerror)
        log.warning("a card is taken%s", _named(card))
        return True

    def _do(self, card: Card) -> None:
        self._panel.show(Cue.SELF_TEST if card.kind is CardKind.SELF_TEST else Cue.TAKEN)
        if card.kind is CardKind.SELF_TEST:
            self._record(self._checkup())
        if card.kind is CardKind.REPORT:
            self._report()

    def _event(self, card: Card | None, reason: CardReason | None = None) -> CardEvent:
        signs_in = card is not None and card.kind is CardKind.SIGN_IN and reason is None
        subject = self._pseudonyms.subject(_signer(card)) if card is not None and signs_in else None
        return CardEvent(
            outcome=CardOutcome.DONE if reason is None else CardOutcome.REFUSED,
            clock=self._clock.reading(),
            kind=card.kind if card else None,
            serial=card.serial if card else None,
            reason=reason,
            subject=subject,
            subject_key=self._pseudonyms.key_id if subject else None,
        )

    def _record(self, event: CardEvent | CheckupEvent) -> bool:
        """Whether it is on the card. What could not be recorded is not done."""
        try:
            self._recorder.append(event)
        except JournalUnusable:
            self._panel.show(Cue.FAULT)
            raise
        except JournalError as error:
            log.error("a card could not be recorded, so nothing was done: %s", error)
            self._panel.show(Cue.FAULT)
            return False
        return True


def _signer(card: Card) -> str:
    """Who signs in, as the provisioner numbers people."""
    return card.body.decode("utf-8", "replace").strip()


def _named(card: Card | None) -> str:
    return f", {card.kind} {card.serial}" if card else ""
