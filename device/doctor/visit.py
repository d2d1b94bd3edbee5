"""The order of a visit: the box first, then what needs hands and eyes, then the way to the broker."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from device import __version__
from device.doctor import broker, camera, machine, record
from device.doctor.finding import Finding, Level, ok, skipped
from device.doctor.panel import show_panel
from device.errors import DecoderDied
from device.fittings import address_of, broker_session, decoder_pool, frame_source, gpio_lines, tls_of
from device.gpio.patterns import Lamp
from device.model import CheckupEvent, Occasion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from device.config.model import Settings
    from device.model import ClockReading
    from device.runtime import Clock

log = logging.getLogger(__name__)

_RUNNING: Final = "the running gate has it"
_STOP_FIRST: Final = "for a full visit first: sudo systemctl stop gate-scanner"


def quick(
    settings: Settings, clock: Clock, *, sys: Path = Path("/sys"), proc: Path = Path("/proc")
) -> Iterator[Finding]:
    """The box: nothing that disturbs a running gate. Blocks for a few flushes of the card."""
    journal = settings.journal
    size = journal.path.stat().st_size if journal.path.exists() else 0
    yield machine.free_space(journal.path.parent, journal_bytes=size, journal_max_bytes=journal.max_bytes)
    yield machine.write_latency(journal.path.parent, clock)
    yield machine.power(sys)
    yield machine.temperature(sys)
    yield machine.memory(proc)
    yield machine.time_of_day(clock)


def nightly_look(
    settings: Settings,
    clock: Clock,
    *,
    unseen_s: Callable[[], float] | None,
    occasion: Occasion = Occasion.NIGHTLY,
) -> CheckupEvent:
    """What the gate finds out about itself while it works. Blocks for seconds at most.

    Args:
        settings: of the gate.
        clock: for the event.
        unseen_s: how long the code fixed in view has not been read; None where there is none.
        occasion: why it looks.
    """
    found = [*quick(settings, clock)]
    if unseen_s is not None:
        found.append(camera.in_view(unseen_s()))
    for finding in found:
        if finding.level in {Level.WARNED, Level.FAILED}:
            log.warning("%s: %s", finding.check, finding.said)
    return as_event(found, occasion, __version__, clock.reading())


def full(
    settings: Settings,
    clock: Clock,
    *,
    running: bool,
    pull_relay: bool,
    code_within_s: float,
    pause: Callable[[float], None],
    tell: Callable[[str], None],
) -> Iterator[Finding]:
    """Everything there is to look at. Blocks for it, some ten seconds and `code_within_s`.

    Args:
        settings: of the gate.
        clock: for paces and deadlines.
        running: whether the gate itself runs: then it has camera and pins.
        pull_relay: whether the relay is pulled too: the door opens.
        code_within_s: how long a code held up is waited for.
        pause: waits so many seconds.
        tell: says what the technician is to do or see now.
    """
    yield from quick(settings, clock)
    yield record.completeness(settings.journal.path)
    yield record.quarantined(settings.journal.path)
    if running:
        yield ok("running", "the gate is running")
        yield skipped("pins", _RUNNING, _STOP_FIRST)
        yield skipped("camera", _RUNNING, _STOP_FIRST)
    else:
        yield from show_panel(
            partial(gpio_lines, settings),
            fitted=fitted_lines(settings),
            pull_relay=pull_relay,
            pause=pause,
            tell=tell,
        )
        tell("now: hold up a code where people will")
        yield from _camera(settings, clock, code_within_s)
    yield from _broker(settings, clock)


def fitted_lines(settings: Settings) -> frozenset[str]:
    """Names of the panel's lines that are wired."""
    panel = settings.panel
    lamps = {lamp.value for lamp in Lamp if getattr(panel.lights, lamp.value) is not None}
    others = {name for name in ("buzzer", "relay") if getattr(panel, name) is not None}
    return frozenset(lamps | others)


def as_event(
    findings: Iterable[Finding], occasion: Occasion, version: str, reading: ClockReading
) -> CheckupEvent:
    """What the journal keeps of a visit: words, no sentences."""
    words: dict[Level, list[str]] = {level: [] for level in Level}
    for finding in findings:
        words[finding.level].append(finding.check)
    return CheckupEvent(
        occasion=occasion,
        ok=tuple(words[Level.OK]),
        warned=tuple(words[Level.WARNED]),
        failed=tuple(words[Level.FAILED]),
        skipped=tuple(words[Level.SKIPPED]),
        version=version,
        clock=reading,
    )


def _camera(settings: Settings, clock: Clock, code_within_s: float) -> Iterator[Finding]:
    pool = decoder_pool(settings, clock)
    try:
        pool.start()
        yield camera.decoder(filtered=pool.filtered)
        yield from camera.look_through(
            frame_source(settings, clock),
            pool,
            clock=clock,
            frames_per_second=settings.camera.frames_per_second,
            code_within_s=code_within_s,
        )
    except DecoderDied as error:
        yield Finding("decoder", Level.FAILED, str(error), "a library is missing: install the package again")
    finally:
        pool.close()


def _broker(settings: Settings, clock: Clock) -> Iterator[Finding]:
    uplink = settings.uplink
    if not uplink.enabled:
        yield skipped("broker", "no uplink is configured: events stay in the journal")
        return
    # Not the gate's own client id: the broker would throw the running gate out.
    session = partial(broker_session, settings, clock, client_id=f"{settings.client_id}-doctor")
    yield from broker.Road(
        host=uplink.host or "",
        port=uplink.port,
        tls=tls_of(settings),
        session=session,
        address=address_of(settings),
        clock=clock,
    ).walk()
