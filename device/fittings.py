"""Settings become the parts that touch the world: camera, pins, journal, broker.

Beside `app.py`, because the technician's commands try the same parts without the daemon around them.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device import __version__
from device.credential.flaw import Flawed
from device.credential.signature import Algorithm, PublicKey
from device.decode.blurred import blurred_places
from device.decode.pool import DecoderPool, usable_cores
from device.decode.process import Child
from device.errors import GateError
from device.gpio.contacts import ContactWire, GpioContacts
from device.gpio.lines import BuzzerWire, GpioLines, Wire
from device.gpio.panel import GpioPanel
from device.gpio.patterns import Lamp
from device.gpio.pins import open_pins
from device.inputs import InputLoop
from device.journal.signing import Signer
from device.journal.sqlite_journal import SqliteJournal
from device.journal.state import WhenFull
from device.model import Input
from device.steering import Steering
from device.uplink.budget import Budget
from device.uplink.client import Access
from device.uplink.forwarder import Forwarder
from device.uplink.health import ListHealth
from device.uplink.mqtt import MqttSession
from device.uplink.tls import Tls
from device.uplink.wire import GateAddress
from device.vitals import temperature_c

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from device.capture.loop import FrameSource
    from device.config.model import Settings
    from device.lists.standing import Standing
    from device.runtime import Clock
    from device.uplink.wire import Message
    from device.uplink.wishes import Verify


def open_journal(settings: Settings, clock: Clock) -> SqliteJournal:
    """The journal, opened or begun. Raises JournalUnusable."""
    journal = settings.journal
    return SqliteJournal.open(
        journal.path,
        max_bytes=journal.max_bytes,
        keep_days=journal.keep_days,
        when_full=WhenFull(journal.when_full),
        clock=clock,
        signer=Signer.load_or_create(journal.path.with_name("signing.key")),
    )


def decoder_pool(settings: Settings, clock: Clock) -> DecoderPool:
    """The decoder's child processes, not yet started."""
    child = partial(
        Child,
        engines=settings.decode.engines,
        capacity=settings.camera.width * settings.camera.height,
        clock=clock,
    )
    return DecoderPool(
        child=child,
        deadline_ms=settings.decode.deadline_ms,
        budget_ms=settings.decode.budget_ms,
        clock=clock,
        cores=usable_cores(),
    )


def frame_source(settings: Settings, clock: Clock) -> FrameSource:
    """The camera, closed still: its own file says what `open` raises."""
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


def aim_socket(settings: Settings) -> Path:
    """Where the running gate shows its frames to one who aims."""
    return settings.journal.path.with_name("aim.sock")


def steerable(settings: Settings) -> bool:
    """Whether the camera can be asked for another focus or exposure at all."""
    return settings.camera.source == "picamera2"


def steering_of(settings: Settings) -> Steering:
    """What asks the camera for another focus or exposure."""
    camera = settings.camera
    on_ribbon = steerable(settings)
    return Steering(
        focus_dioptres=camera.picamera2.focus_dioptres if on_ribbon else None,
        exposure_us=camera.picamera2.exposure_us if on_ribbon else None,
        frame_s=1 / camera.frames_per_second,
        suspects=blurred_places,
    )


def gpio_panel(settings: Settings, clock: Clock) -> GpioPanel:
    """Claims the panel's pins, all inactive. Raises PanelError."""
    relay = settings.panel.relay
    return GpioPanel(lines=gpio_lines(settings), clock=clock, relay_pulse_s=relay.pulse_s if relay else 1.0)


def gpio_lines(settings: Settings) -> GpioLines:
    """The panel's wires alone. Raises PanelError."""
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
    return GpioLines(pins=open_pins(panel.driver, chip=panel.chip), lights=lights, buzzer=buzzer, relay=relay)


def input_loop(
    settings: Settings, journal: SqliteJournal, panel: GpioPanel, clock: Clock
) -> InputLoop | None:
    """Claims the inputs' pins; None where nothing is wired. Raises PanelError."""
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


def forwarder_of(
    settings: Settings,
    journal: SqliteJournal,
    clock: Clock,
    *,
    standings: Callable[[], tuple[Standing, ...]],
) -> Forwarder:
    """The uplink of a gate whose uplink is enabled."""
    uplink = settings.uplink
    return Forwarder(
        backlog=journal,
        session_factory=partial(broker_session, settings, clock, client_id=settings.client_id),
        address=address_of(settings),
        clock=clock,
        version=__version__,
        random=secrets.SystemRandom().random,
        budget=Budget(
            daily_bytes=uplink.daily_bytes or None,
            clock=clock,
            timezone=ZoneInfo(settings.gate.timezone),
            path=settings.journal.path.with_name("uplink-day.json"),
        ),
        backoff_min_s=uplink.backoff_min_s,
        backoff_max_s=uplink.backoff_max_s,
        verify=_district(uplink.district_key_file) if uplink.district_key_file else None,
        temperature_c=temperature_c,
        lists=lambda: tuple(ListHealth(one.name, one.version, one.age_s) for one in standings()),
    )


def address_of(settings: Settings) -> GateAddress:
    """Where the gate's topics are."""
    return GateAddress(settings.gate.tenant, settings.gate.site, settings.gate.name)


def broker_session(settings: Settings, clock: Clock, will: Message, *, client_id: str) -> MqttSession:
    """One attempt to connect to the broker, not begun yet.

    Args:
        settings: of a gate whose uplink is enabled.
        clock: for its deadlines.
        will: what the broker says when it stops hearing from us.
        client_id: a second client with the same one throws the first one out.
    """
    uplink = settings.uplink
    access = Access(
        host=uplink.host or "",
        port=uplink.port,
        client_id=client_id,
        username=uplink.username or "",
        password_file=uplink.password_file,
        tls=tls_of(settings),
        keepalive_s=uplink.keepalive_s,
    )
    return MqttSession(will, access=access, clock=clock, window=uplink.window)


def tls_of(settings: Settings) -> Tls | None:
    """How the connection is encrypted; None where it is not."""
    tls = settings.uplink.tls
    if tls is None:
        return None
    return Tls(
        ca_file=tls.ca_file,
        cert_file=tls.cert_file,
        key_file=tls.key_file,
        server_name=tls.server_name or "",
        alpn=("mqtt",) if tls.alpn else (),
    )


def _district(path: Path) -> Verify:
    try:
        key = PublicKey.from_pem(path.read_bytes())
    except Flawed:
        raise GateError(f"{path}: no public key") from None
    return lambda signature, message: key.verifies(Algorithm.EDDSA, message, signature)
