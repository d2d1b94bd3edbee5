"""What works and is probably not meant. Never an error: somebody may mean it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from device.config.boot import boot_default

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.config.model import Settings
    from device.config.nodes import Document
    from device.errors import Problem

_HIGH_AT_FIRST: Final = frozenset({*range(9), 14})
"""BCM pins that are high from power-on until a program claims them: 0 to 8 by pull-ups, where all others
have pull-downs (BCM2835 ARM Peripherals, page 102; later models kept it), and 14, the serial console."""

_LOOPBACK: Final = ("127.", "::1", "localhost")
_PLAIN_PORT: Final = 1883
_TLS_PORT: Final = 8883


def notes(settings: Settings, document: Document) -> Iterator[Problem]:
    """What a technician should look at once more."""
    yield from _panel(settings, document)
    yield from _uplink(settings, document)
    if settings.privacy.keep_clear:
        message = "who passed stands readable on the card and at the broker; a thief of the box can read it"
        yield document.problem(("privacy", "keep_clear"), message, "seal_to keeps it for the district alone")
    if settings.journal.when_unavailable == "admit":
        message = "while nothing can be recorded, people pass and no event will tell of them"
        yield document.problem(("journal", "when_unavailable"), message)


def _panel(settings: Settings, document: Document) -> Iterator[Problem]:
    panel = settings.panel
    if panel.driver == "mock" and settings.camera.source != "replay":
        message = "with a real camera, no light and no relay will ever move"
        yield document.problem(("panel", "driver"), message, "write lgpio at a real gate")
    lamps = (panel.lights.green, panel.lights.yellow, panel.lights.red, panel.lights.blue)
    if not any((*lamps, panel.buzzer, panel.relay)):
        message = "no light, no buzzer and no relay: nobody at the gate will learn the answer"
        yield document.problem(("panel",), message, at=document.of_key(("panel",)))
    relay = panel.relay
    if relay is not None and panel.driver == "lgpio" and relay.active_high is (relay.pin in _HIGH_AT_FIRST):
        better = "15 to 27" if relay.active_high else "2 to 8"
        setting = boot_default(relay)
        message = f"from power-on until the program runs, pin {relay.pin} rests where this relay opens"
        hint = f"use a pin of {better}, or put {setting} into /boot/firmware/config.txt"
        yield document.problem(("panel", "relay", "pin"), message, hint)


def _uplink(settings: Settings, document: Document) -> Iterator[Problem]:
    uplink = settings.uplink
    if not uplink.enabled or uplink.host is None:
        return
    if uplink.tls is None and not uplink.host.startswith(_LOOPBACK):
        what = "events and the password" if uplink.password_file else "events"
        message = f"without tls, {what} travel readable by anybody"
        yield document.problem(("uplink",), message, "add tls: {}", at=document.of_key(("uplink",)))
    if uplink.tls is None and uplink.port == _TLS_PORT:
        yield document.problem(
            ("uplink", "port"), "8883 is the usual port with TLS", "add tls: {}, or port: 1883"
        )
    if uplink.tls is not None and uplink.port == _PLAIN_PORT:
        yield document.problem(
            ("uplink", "port"), "1883 is the usual port without TLS", "usual with TLS is 8883"
        )
