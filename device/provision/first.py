"""Cards at a device without a configuration: the one that brings it, checked whole first; and a network's."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from device.config.loader import load
from device.durable import write_over
from device.errors import ConfigError, GateError, JournalError
from device.model import CardEvent, CardKind, CardOutcome, CardReason, Cue
from device.provision.bundle import CONFIGURATION, unpack
from device.provision.card import Card, objection, read
from device.provision.network import network_of
from device.provision.parts import Collector, is_part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.credential.signature import PublicKey
    from device.privacy.sealing import OpeningKey
    from device.provision.bundle import Files
    from device.provision.desk import Panel, Recorder
    from device.provision.joining import Joining
    from device.provision.memory import Memory
    from device.runtime import Clock

log = logging.getLogger(__name__)

FILE_MODE: Final = 0o640
"""The gate's group reads what the owner wrote; nobody else."""

TAKEN: Final = ".provisioned.json"
"""Which card was taken last, beside the files it brought."""


class FirstConfiguration:
    """Answers codes until one of them has configured the device. Belongs to one thread.

    The event stands before any file is written, and the card's number is kept after the last one: after a
    power cut between the two the same card is shown once more.

    Args:
        keys: of the provisioner, by `kid`.
        opens: the device's own key, for what is sealed.
        into: folder of the configuration; must exist.
        memory: of used cards, other than configurations.
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
        into: Path,
        memory: Memory,
        joining: Joining,
        recorder: Recorder,
        panel: Panel,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._opens = opens
        self._into = into
        self._memory = memory
        self._joining = joining
        self._recorder = recorder
        self._panel = panel
        self._clock = clock
        self._collector = Collector()

    def answer(self, content: bytes) -> bool:
        """Whether this code has configured the device. Blocks while files are checked and written.

        Raises:
            GateError: the files could not be written.
            JournalError: the card could not be recorded; nothing was done.
        """
        if is_part(content):
            before = self._collector.progress
            whole = self._collector.add(content, self._clock.monotonic())
            if self._collector.progress != before:
                log.info("%d of %d codes are read", *self._collector.progress)
            if whole is None:
                return False
            content = whole
        card = read(content, self._keys)
        if isinstance(card, Card) and card.kind is CardKind.WIFI:
            self._join(card)
            return False
        files = card if isinstance(card, CardReason) else self._files(card)
        known = card if isinstance(card, Card) else None
        if isinstance(files, CardReason):
            self._refuse(known, files)
            return False
        self._record(known, None)
        self._write(files, known)
        self._panel.show(Cue.TAKEN)
        return True

    def _refuse(self, card: Card | None, reason: CardReason) -> None:
        self._record(card, reason)
        log.warning("a card is refused: %s", reason)
        self._panel.show(Cue.ATTENTION)

    def _join(self, card: Card) -> None:
        network = self._untimely(card) or self._memory.objection(card) or network_of(card, self._opens)
        if isinstance(network, CardReason):
            self._refuse(card, network)
            return
        self._record(card, None)
        try:
            self._memory.note(card)
        except OSError as error:
            log.error("a card was taken, and a start would forget it: %s", error.strerror)
        self._joining.begin(network)

    def _untimely(self, card: Card) -> CardReason | None:
        # Which gate it becomes, the device learns from a card itself.
        return objection(card, gate=card.gate, utc=self._clock.utc(), trusted=self._clock.trusted())

    def _files(self, card: Card) -> Files | CardReason:
        if card.kind is not CardKind.CONFIGURATION:
            return CardReason.NOT_HERE
        reason = self._untimely(card) or self._older(card)
        files = reason or unpack(card.body, serial=card.serial, gate=card.gate, key=self._opens)
        if isinstance(files, CardReason):
            return files
        return files if self._usable(files, card) else CardReason.UNUSABLE

    def _older(self, card: Card) -> CardReason | None:
        last = _last(self._into / TAKEN)
        if card.serial == last:
            return CardReason.USED
        return CardReason.OLDER if card.serial < last else None

    def _usable(self, files: Files, card: Card) -> bool:
        """Whether the gate would start with these files, tried in a folder of their own."""
        with tempfile.TemporaryDirectory(dir=self._into, prefix=".card-") as scratch:
            for name, content in files.items():
                write_over(Path(scratch, name), content, mode=0o600)
            try:
                gate = load(Path(scratch, CONFIGURATION)).gate
            except ConfigError as error:
                for problem in error.problems:
                    # What stands there may be a secret at the wrong place: only where it stands is told.
                    where = f"line {problem.line}" if problem.line else "as a whole"
                    log.warning("%s, %s: %s", CONFIGURATION, where, problem.path or "cannot be used")
                return False
        return card.gate in {"", f"{gate.tenant}/{gate.site}/{gate.name}"}

    def _write(self, files: Files, card: Card | None) -> None:
        """The configuration last: with it the gate starts. Raises GateError."""
        names = sorted(files, key=lambda name: (name == CONFIGURATION, name))
        try:
            group = self._into.stat().st_gid
            for name in names:
                _put(self._into / name, files[name], group)
            told = {"serial": card.serial if card else 0}
            _put(self._into / TAKEN, json.dumps(told).encode(), group)
        except OSError as error:
            raise GateError(
                f"{self._into}: the configuration could not be written: {error.strerror}"
            ) from error
        log.info("%s: %s", self._into, ", ".join(names))

    def _record(self, card: Card | None, reason: CardReason | None) -> None:
        """Raises JournalError."""
        event = CardEvent(
            outcome=CardOutcome.DONE if reason is None else CardOutcome.REFUSED,
            clock=self._clock.reading(),
            kind=card.kind if card else None,
            serial=card.serial if card else None,
            reason=reason,
        )
        try:
            self._recorder.append(event)
        except JournalError:
            self._panel.show(Cue.FAULT)
            raise


def _put(path: Path, content: bytes, group: int) -> None:
    write_over(path, content, mode=FILE_MODE)
    path.chmod(FILE_MODE)  # whatever the mask is
    if path.stat().st_gid != group:  # under the unit it is, and the sandbox knows no chown
        os.chown(path, -1, group)


def _last(path: Path) -> int:
    """Number of the card that was taken last; 0 for none. What cannot be read is no reason to stay dark."""
    try:
        match json.loads(path.read_bytes()):
            case {"serial": int(serial)}:
                return serial
            case _:
                return 0
    except (OSError, ValueError):
        return 0
