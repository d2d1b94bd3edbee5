"""The composition root: settings become running parts. The only file that knows every room.

No room receives the configuration: each part is built here from plain values. What then happens to the
parts, from the first thread to the last, is `device/daemon.py`.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from device import __version__
from device.beat import read_beat
from device.capture.loop import CaptureLoop
from device.config.loader import load
from device.credential.flaw import Flawed
from device.credential.signature import Algorithm, PublicKey
from device.daemon import Daemon
from device.decode.blurred import blurred_places
from device.decode.cause import cause_of
from device.decode.pool import DecoderPool
from device.errors import ExitCode, GateError, JournalUnusable
from device.gpio.contacts import ContactWire, GpioContacts
from device.gpio.lines import BuzzerWire, GpioLines, Wire
from device.gpio.panel import GpioPanel
from device.gpio.patterns import Lamp
from device.gpio.pins import open_pins
from device.inputs import InputLoop
from device.journal.signing import Signer
from device.journal.sqlite_journal import SqliteJournal
from device.journal.state import WhenFull
from device.keyring import pseudonyms_of
from device.logs import set_up
from device.model import Input, Lifecycle, LifecycleEvent
from device.notify import Notifier
from device.presentation import Tracker
from device.rulebook import judge_of, occupancy_of
from device.runtime import LatestSlot, Supervisor, SystemClock, Worker
from device.scan import ScanLoop
from device.steering import Steering
from device.unread import UnreadWatch
from device.uplink.forwarder import Forwarder
from device.uplink.mqtt import MqttSession
from device.uplink.tls import Tls
from device.uplink.wire import GateAddress

if TYPE_CHECKING:
    from pathlib import Path

    from device.capture.loop import FrameSource
    from device.config.model import Settings
    from device.logs import Style
    from device.model import Frame
    from device.runtime import Clock
    from device.uplink.ports import Session
    from device.uplink.wire import Message
    from device.uplink.wishes import Verify

log = logging.getLogger(__name__)

SCAN_DEADLINE_S = 15.0
"""The decoder's longest deadline and a card that takes seconds to flush, together."""

PANEL_DEADLINE_S = 5.0
"""Its thread wakes at least once a second."""

FORWARDER_DEADLINE_S = 15.0
"""It beats four times a second, but the journal it reads may block while the card is slow."""

TELL_UNREAD_AFTER_S = 0.3
"""A code in view and unread this long is not going to be read without help."""


def run(config: Path, *, log_style: Style) -> int:
    """The daemon: blocks until it is asked to stop or a part dies; the exit code.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    clock = SystemClock()
    set_up(log_style, "info", clock)
    settings = load(config)
    set_up(log_style, settings.service.log_level, clock)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    code = ExitCode.OK
    stuck: list[str] = []
    try:
        with ExitStack() as parts:
            daemon = assemble(settings, clock=clock, notifier=Notifier(os.environ), stop=stop, parts=parts)
            stuck = daemon.stuck
            daemon.run()
    except JournalUnusable as error:
        log.critical("the journal cannot be used: %s", error)
        code = ExitCode.JOURNAL
    except GateError as error:
        log.critical("%s", error)
        unusable = isinstance(error.__cause__, JournalUnusable)
        code = ExitCode.JOURNAL if unusable else ExitCode.WORKER_DIED
    if stuck:
        # A driver that never returns would hold up the interpreter's own end as well.
        logging.shutdown()
        os._exit(code)
    return code


def assemble(
    settings: Settings, *, clock: Clock, notifier: Notifier, stop: threading.Event, parts: ExitStack
) -> Daemon:
    """Builds every part, in the order in which they can fail usefully; nothing moves yet.

    Args:
        settings: complete and valid.
        clock: given to every part.
        notifier: the service manager.
        stop: set when the process is asked to stop.
        parts: closes, in reverse order, what must be closed.

    Raises:
        JournalUnusable: the journal cannot be opened, not even anew.
        PanelError: a pin cannot be claimed.
        DecoderDied: the decoder does not start.
    """
    slot: LatestSlot[Frame] = LatestSlot()
    first_frame, ended = threading.Event(), threading.Event()
    # First of all the pins: a relay that a killed process left pulled is released here.
    panel = _panel(settings, clock)
    parts.callback(panel.close)
    journal = _journal(settings, clock)
    parts.callback(journal.close)
    if journal.replaced is not None:
        log.error("a damaged journal was kept as %s and a new one begun", journal.replaced.path)
        journal.append(
            LifecycleEvent(
                Lifecycle.JOURNAL_REPLACED, journal.replaced.path.name, __version__, clock.reading()
            )
        )
    occupancy = occupancy_of(settings, clock)
    judge = judge_of(settings, clock, pseudonyms=pseudonyms_of(settings), presence=occupancy.presence)
    pool = DecoderPool(
        engines=settings.decode.engines,
        deadline_ms=settings.decode.deadline_ms,
        budget_ms=settings.decode.budget_ms,
        capacity=settings.camera.width * settings.camera.height,
        clock=clock,
    )
    pool.start()
    parts.callback(pool.close)
    capture = CaptureLoop(
        source=_source(settings, clock),
        slot=slot,
        clock=clock,
        stall_s=settings.camera.stall_s,
        reopen_attempts=settings.camera.reopen_attempts,
        on_first_frame=first_frame.set,
        on_end=ended.set,
    )
    inputs = _inputs(settings, journal, panel, clock)
    scan = ScanLoop(
        slot=slot,
        decoder=pool,
        tracker=Tracker(settings.decode.showing_ends_after_s),
        unread_watch=UnreadWatch(
            tell_after_s=TELL_UNREAD_AFTER_S, ends_after_s=settings.decode.showing_ends_after_s
        ),
        diagnose=cause_of,
        steering=_steering(settings),
        steer=capture.steer,
        judge=judge,
        recorder=journal,
        panel=panel,
        clock=clock,
        direction=settings.gate.direction,
        followers=[occupancy.note, *([inputs.note] if inputs else [])],
        admit_unrecorded=settings.journal.when_unavailable == "admit",
    )
    output = [Worker("panel", panel.body, deadline_s=PANEL_DEADLINE_S, clock=clock, wake=panel.wake)]
    forwarder = _forwarder(settings, journal, clock) if settings.uplink.enabled else None
    if forwarder is not None:
        output.append(
            Worker(
                "forwarder", forwarder.body, deadline_s=FORWARDER_DEADLINE_S, clock=clock, wake=journal.wake
            )
        )
    intake = [
        Worker("scan", scan.body, deadline_s=SCAN_DEADLINE_S, clock=clock),
        Worker("capture", capture.body, deadline_s=capture.silence_s, clock=clock, join_s=capture.stop_s),
    ]
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
        journal=journal,
        uplink=forwarder,
        panel=panel,
        clock=clock,
        notifier=notifier,
        version=__version__,
        beat=beat,
        before=read_beat(beat),
        first_frame=first_frame,
        ended=ended,
        stop=stop,
    )


# -- one part each --------------------------------------------------------------------------------


def _journal(settings: Settings, clock: Clock) -> SqliteJournal:
    journal = settings.journal
    return SqliteJournal.open(
        journal.path,
        max_bytes=journal.max_bytes,
        keep_days=journal.keep_days,
        when_full=WhenFull(journal.when_full),
        clock=clock,
        signer=Signer.load_or_create(journal.path.with_name("signing.key")),
    )


def _source(settings: Settings, clock: Clock) -> FrameSource:
    camera = settings.camera
    # Each source imports its library when it is made: a gate needs one of the three.
    match camera.source:
        case "picamera2":
            from device.capture.picamera2_source import Picamera2Source

            return Picamera2Source(
                clock=clock,
                index=camera.picamera2.index,
                width=camera.width,
                height=camera.height,
                frames_per_second=camera.frames_per_second,
                exposure_us=camera.picamera2.exposure_us,
                gain=camera.picamera2.gain,
                focus_dioptres=camera.picamera2.focus_dioptres,
                lores_width=camera.picamera2.lores_width,
            )
        case "v4l2":
            from device.capture.v4l2_source import V4l2Source

            return V4l2Source(
                clock=clock,
                device=str(camera.v4l2.device),
                width=camera.width,
                height=camera.height,
                frames_per_second=camera.frames_per_second,
            )
        case "replay":
            from device.capture.replay_source import ReplaySource

            return ReplaySource(
                clock=clock,
                path=camera.replay.path or "",
                repeat=camera.replay.repeat,
                width=camera.width,
                height=camera.height,
                frames_per_second=camera.frames_per_second,
            )


def _steering(settings: Settings) -> Steering:
    camera = settings.camera
    on_ribbon = camera.source == "picamera2"
    return Steering(
        focus_dioptres=camera.picamera2.focus_dioptres if on_ribbon else None,
        exposure_us=camera.picamera2.exposure_us if on_ribbon else None,
        frame_s=1 / camera.frames_per_second,
        suspects=blurred_places,
    )


def _panel(settings: Settings, clock: Clock) -> GpioPanel:
    panel = settings.panel
    lights = {
        lamp: Wire(pin=wired.pin, active_high=wired.active_high)
        for lamp in Lamp
        if (wired := getattr(panel.lights, lamp.value)) is not None
    }
    buzzer = relay = None
    if panel.buzzer:
        passive = panel.buzzer.kind == "passive"
        buzzer = BuzzerWire(panel.buzzer.pin, active_high=panel.buzzer.active_high, passive=passive)
    if panel.relay:
        relay = Wire(panel.relay.pin, active_high=panel.relay.active_high)
    lines = GpioLines(
        pins=open_pins(panel.driver, chip=panel.chip), lights=lights, buzzer=buzzer, relay=relay
    )
    return GpioPanel(lines=lines, clock=clock, relay_pulse_s=panel.relay.pulse_s if panel.relay else 1.0)


def _inputs(settings: Settings, journal: SqliteJournal, panel: GpioPanel, clock: Clock) -> InputLoop | None:
    found = {name: contact for name in Input if (contact := getattr(settings.inputs, name)) is not None}
    if not found:
        return None
    wires = {name: ContactWire(c.pin, active_high=c.active_high, pull=c.pull) for name, c in found.items()}
    button, beam = settings.inputs.button, settings.inputs.beam
    return InputLoop(
        contacts=GpioContacts(
            pins=open_pins(settings.panel.driver, chip=settings.panel.chip, outputs=False), wires=wires
        ),
        wired=frozenset(wires),
        recorder=journal,
        panel=panel,
        clock=clock,
        direction=settings.gate.direction,
        button_opens=button is not None and button.opens,
        pass_within_s=beam.pass_within_s if beam else 0.0,
    )


def _forwarder(settings: Settings, journal: SqliteJournal, clock: Clock) -> Forwarder:
    uplink, gate = settings.uplink, settings.gate
    tls = None
    if uplink.tls:
        tls = Tls(
            ca_file=uplink.tls.ca_file,
            cert_file=uplink.tls.cert_file,
            key_file=uplink.tls.key_file,
            server_name=uplink.tls.server_name or "",
            alpn=("mqtt",) if uplink.tls.alpn else (),
        )

    def session(will: Message) -> Session:
        return MqttSession(
            will,
            host=uplink.host or "",
            port=uplink.port,
            client_id=settings.client_id,
            clock=clock,
            username=uplink.username or "",
            password_file=uplink.password_file,
            tls=tls,
            keepalive_s=uplink.keepalive_s,
            window=uplink.window,
        )

    return Forwarder(
        backlog=journal,
        session_factory=session,
        address=GateAddress(gate.tenant, gate.site, gate.name),
        clock=clock,
        version=__version__,
        random=secrets.SystemRandom().random,
        backoff_min_s=uplink.backoff_min_s,
        backoff_max_s=uplink.backoff_max_s,
        verify=_district(uplink.district_key_file) if uplink.district_key_file else None,
    )


def _district(path: Path) -> Verify:
    try:
        key = PublicKey.from_pem(path.read_bytes())
    except Flawed:
        raise GateError(f"{path}: no public key") from None
    return lambda signature, message: key.verifies(Algorithm.EDDSA, message, signature)
