"""The composition root: parts are wired, and given to the daemon to run.

No room receives the configuration: `fittings.py`, `rulebook.py` and this file hand each its plain values.
What then happens to the parts, from the first thread to the last, is `device/daemon/`.
"""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device import __version__
from device.aim.tap import FrameTap
from device.beat import read_beat
from device.capture.loop import CaptureLoop
from device.daemon import Daemon
from device.decode.cause import cause_of
from device.doctor.visit import nightly_look
from device.fittings import (
    aim_socket,
    decoder_pool,
    forwarder_of,
    frame_source,
    gpio_panel,
    input_loop,
    open_journal,
    steerable,
    steering_of,
)
from device.keyring import card_keys_of, card_memory, card_opener, identity_keeper_of, pseudonyms_of
from device.landmark import LandmarkDecoder
from device.lists.library import Librarian
from device.model import Lifecycle, LifecycleEvent, Occasion
from device.nightly import Nightly
from device.policy.judge import in_service
from device.presentation import Tracker
from device.provision.desk import CardDesk
from device.provision.joining import Joining
from device.provision.lookout import CardLookout
from device.provision.memory import Memory
from device.rulebook import judge_of, library_of, occupancy_of
from device.runtime import LatestSlot, Supervisor, Worker
from device.scan import ScanLoop
from device.takeover import Takeover
from device.unread import UnreadWatch
from device.wifi.manager import NetworkManager

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from device.config.model import Settings
    from device.model import Frame
    from device.notify import Notifier
    from device.runtime import Clock
    from device.scan import Decoder

log = logging.getLogger(__name__)

SCAN_DEADLINE_S = 15.0
"""The decoder's longest deadline and a card that takes seconds to flush, together."""

PANEL_DEADLINE_S = 5.0
"""Its thread wakes at least once a second."""

LISTS_DEADLINE_S = 60.0
"""It beats every few seconds, but a list of a million entries is hashed and put on a slow card in one go."""

CARDS_DEADLINE_S = 60.0
"""It beats twice a second, but a self-test flushes a slow card a few times, and D-Bus calls may wait."""

FORWARDER_DEADLINE_S = 15.0
"""It beats four times a second, but the journal it reads may block while the card is slow."""

AIM_DEADLINE_S = 15.0
"""It beats twice a second, and waits a few seconds for a watcher that does not take its picture."""

TELL_UNREAD_AFTER_S = 0.3
"""A code in view and unread this long is not going to be read without help."""


def assemble(
    settings: Settings,
    *,
    config: Path,
    clock: Clock,
    notifier: Notifier,
    stop: threading.Event,
    changed: threading.Event,
    parts: ExitStack,
) -> Daemon:
    """Builds every part, in the order in which they can fail usefully; nothing moves yet.

    Args:
        settings: complete and valid.
        config: the file they come from, looked at again when it has changed.
        clock: given to every part.
        notifier: the service manager.
        stop: set when the process is asked to stop.
        changed: set when the process is asked to look at its configuration again.
        parts: closes, in reverse order, what must be closed.

    Raises:
        JournalUnusable: the journal cannot be opened, not even anew.
        PanelError: a pin cannot be claimed.
        DecoderDied: the decoder does not start.
    """
    slot: LatestSlot[Frame] = LatestSlot()
    first_frame, ended = threading.Event(), threading.Event()
    # First of all the pins: a relay that a killed process left pulled is released here.
    panel = gpio_panel(settings, clock)
    parts.callback(panel.close)
    journal = open_journal(settings, clock)
    parts.callback(journal.close)
    if journal.replaced is not None:
        log.error("a damaged journal was kept as %s and a new one begun", journal.replaced.path)
        journal.append(
            LifecycleEvent(
                Lifecycle.JOURNAL_REPLACED, journal.replaced.path.name, __version__, clock.reading()
            )
        )
    occupancy = occupancy_of(settings, clock)
    pseudonyms, identities = pseudonyms_of(settings), identity_keeper_of(settings)
    library = library_of(settings, clock, pseudonyms=pseudonyms)
    card_keys = card_keys_of(settings)
    memory = Memory(card_memory(settings), next(iter(card_keys)).hex()) if card_keys else None
    suspended = memory.suspended if memory else in_service
    judge = judge_of(
        settings,
        clock,
        pseudonyms=pseudonyms,
        library=library,
        presence=occupancy.presence,
        suspended=suspended,
    )
    pool = decoder_pool(settings, clock)
    pool.start()
    parts.callback(pool.close)
    landmark = None
    if settings.camera.landmark:
        landmark = LandmarkDecoder(decoder=pool, content=settings.camera.landmark.encode(), clock=clock)
    unseen_s = landmark.unseen_s if landmark else None
    report = threading.Event()
    eyes: Decoder = landmark or pool
    desk = None
    if memory:
        gate = settings.gate
        desk = CardDesk(
            keys=card_keys,
            opens=card_opener(settings),
            gate=f"{gate.tenant}/{gate.site}/{gate.name}",
            memory=memory,
            pseudonyms=pseudonyms,
            checkup=partial(nightly_look, settings, clock, unseen_s=unseen_s, occasion=Occasion.CARD),
            report=report.set,
            joining=Joining(
                wireless=NetworkManager(clock=clock),
                recorder=journal,
                panel=panel,
                clock=clock,
                version=__version__,
            ),
            recorder=journal,
            panel=panel,
            clock=clock,
        )
        ends_after_s = settings.decode.showing_ends_after_s
        eyes = CardLookout(decoder=eyes, hand=desk.hand, ends_after_s=ends_after_s, clock=clock)
    capture = CaptureLoop(
        source=frame_source(settings, clock),
        slot=slot,
        clock=clock,
        stall_s=settings.camera.stall_s,
        reopen_attempts=settings.camera.reopen_attempts,
        on_first_frame=first_frame.set,
        on_end=ended.set,
    )
    tap = FrameTap(
        decoder=eyes,
        path=aim_socket(settings),
        answer=lambda content: scan.preview(content),  # noqa: PLW0108 - the scan loop is made below
        diagnose=cause_of,
        steer=capture.steer,
        steerable=steerable(settings),
    )
    inputs = input_loop(settings, journal, panel, clock)
    scan = ScanLoop(
        slot=slot,
        decoder=tap,
        tracker=Tracker(settings.decode.showing_ends_after_s),
        unread_watch=UnreadWatch(
            tell_after_s=TELL_UNREAD_AFTER_S, ends_after_s=settings.decode.showing_ends_after_s
        ),
        diagnose=cause_of,
        steering=steering_of(settings),
        steer=tap.steer,
        judge=judge,
        identities=identities,
        recorder=journal,
        panel=panel,
        clock=clock,
        direction=settings.gate.direction,
        followers=[occupancy.note, *([inputs.note] if inputs else [])],
        admit_unrecorded=settings.journal.when_unavailable == "admit",
    )
    output = [Worker("panel", panel.body, deadline_s=PANEL_DEADLINE_S, clock=clock, wake=panel.wake)]
    uplink = None
    if settings.uplink.enabled:
        uplink = forwarder_of(settings, journal, clock, standings=library.standings)
        output.append(
            Worker("forwarder", uplink.body, deadline_s=FORWARDER_DEADLINE_S, clock=clock, wake=journal.wake)
        )
    intake = [
        Worker("scan", scan.body, deadline_s=SCAN_DEADLINE_S, clock=clock),
        Worker("capture", capture.body, deadline_s=capture.silence_s, clock=clock, join_s=capture.stop_s),
    ]
    librarian = Librarian(
        library=library, go_by=judge.go_by, recorder=journal, clock=clock, version=__version__
    )
    intake.append(Worker("lists", librarian.body, deadline_s=LISTS_DEADLINE_S, clock=clock))
    output.append(Worker("aim", tap.body, deadline_s=AIM_DEADLINE_S, clock=clock))
    if desk is not None:
        intake.append(Worker("cards", desk.body, deadline_s=CARDS_DEADLINE_S, clock=clock))
    if inputs is not None:
        intake.append(Worker("inputs", inputs.body, deadline_s=SCAN_DEADLINE_S, clock=clock))
    beat = settings.journal.path.with_name("beat.json")
    return Daemon(
        intake=Supervisor(intake),
        output=Supervisor(output),
        slot=slot,
        capture=capture,
        scan=scan,
        inputs=inputs,
        lists=library,
        journal=journal,
        uplink=uplink,
        panel=panel,
        nightly=Nightly(clock=clock, timezone=ZoneInfo(settings.gate.timezone)),
        checkup=partial(nightly_look, settings, clock, unseen_s=unseen_s),
        report=report,
        suspended=suspended,
        configuration=Takeover(
            config=config,
            settings=settings,
            clock=clock,
            pseudonyms=pseudonyms,
            sealed_to=identities.sealed_to,
            presence=occupancy.presence,
            suspended=suspended,
            card_keys=frozenset(card_keys),
            scan=scan,
            librarian=librarian,
        ),
        clock=clock,
        notifier=notifier,
        version=__version__,
        beat=beat,
        before=read_beat(beat),
        first_frame=first_frame,
        ended=ended,
        stop=stop,
        changed=changed,
    )
