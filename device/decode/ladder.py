"""Which engine looks at which preparation of a frame, in which order, and when it stops."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from device.decode.finding import SYMBOLOGY, Look
from device.model import Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from device.decode.finding import Finding, Luma, Quad
    from device.model import Corners
    from device.runtime import Clock

log = logging.getLogger(__name__)


class Engine(Protocol):
    """A library that finds QR codes in a picture."""

    @property
    def name(self) -> str:
        """Which library, in a word."""
        ...

    def read(self, luma: Luma) -> tuple[Finding, ...]:
        """What is in the picture. Blocks while it looks; may raise anything."""
        ...


class Ladder:
    """Looks at frames, one at a time, from one thread.

    Args:
        engines: the first one looks at every frame, the next one only where those before read nothing.
        clock: for the time spent.
    """

    def __init__(self, *, engines: Sequence[Engine], clock: Clock) -> None:
        self._engines = tuple(engines)
        self._clock = clock

    def forget(self) -> None:
        """Starts anew: the next frame has nothing to do with those before."""

    def look(self, luma: Luma) -> Look:
        """Every code in the frame. An exception of an engine costs its findings, nothing else."""
        began = self._clock.monotonic()
        unread: tuple[Corners, ...] = ()
        symbols: tuple[Symbol, ...] = ()
        failures = 0
        for engine in self._engines:
            try:
                findings = engine.read(luma)
            except Exception as error:  # noqa: BLE001 - whatever a library throws costs this look, not the process
                failures += 1
                log.debug("%s failed: %s", engine.name, type(error).__name__)
                continue
            symbols = tuple(_symbols(findings, engine.name, luma))
            unread = unread or tuple(whole_pixels(f.corners, luma) for f in findings if f.content is None)
            if symbols:
                break
        spent = (self._clock.monotonic() - began) * 1000
        return Look(symbols=symbols, unread=unread, failures=failures, spent_ms=spent)


def _symbols(findings: Iterable[Finding], engine: str, luma: Luma) -> Iterable[Symbol]:
    for finding in findings:
        if finding.content is not None:
            yield Symbol(
                content=finding.content,
                symbology=SYMBOLOGY,
                engine=engine,
                corners=whole_pixels(finding.corners, luma),
            )


def whole_pixels(corners: Quad, luma: Luma) -> Corners:
    """Corners as pixels inside the frame."""
    height, width = luma.shape
    a, b, c, d = ((min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)) for x, y in corners)
    return a, b, c, d
