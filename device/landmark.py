"""A code fixed in view: it is nobody's, and while it is read the camera is uncovered and in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.scan import Remaining

if TYPE_CHECKING:
    from device.model import Frame
    from device.runtime import Clock
    from device.scan import Decoder, Look


class LandmarkDecoder:
    """A decoder that keeps one code to itself. `look` belongs to one thread, `unseen_s` to any.

    Args:
        decoder: finds it, among others.
        content: of the fixed code.
        clock: to say how long ago.
    """

    def __init__(self, *, decoder: Decoder, content: bytes, clock: Clock) -> None:
        self._decoder = decoder
        self._content = content
        self._clock = clock
        self._seen_at = clock.monotonic()

    def look(self, frame: Frame) -> Look:
        """As the decoder's own, without the fixed code; blocks and raises as it does."""
        look = self._decoder.look(frame)
        others = tuple(symbol for symbol in look.symbols if symbol.content != self._content)
        if len(others) < len(look.symbols):
            self._seen_at = self._clock.monotonic()
        return Remaining(others, look.unread, look.behind_s)

    def unseen_s(self) -> float:
        """How long it has not been read, seconds; since the start at most."""
        return self._clock.monotonic() - self._seen_at
