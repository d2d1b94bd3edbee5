"""Takes the provisioner's cards out of what the decoder reads: they are no visitors."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from device.provision.card import is_card
from device.provision.parts import is_part
from device.scan import Remaining

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.model import Frame
    from device.runtime import Clock
    from device.scan import Decoder, Look

MAX_SHOWN: Final = 64
"""Codes that are held up or were a moment ago: more than the longest card has."""


class CardLookout:
    """A decoder that hands cards and their parts to somebody else, once each showing. Belongs to one thread.

    Args:
        decoder: finds them, among others.
        hand: takes a code's content; False when it has no room, then it is handed again with a later frame.
        ends_after_s: a code out of view for this long counts as shown anew when it returns.
        clock: to know how long ago.
    """

    def __init__(
        self, *, decoder: Decoder, hand: Callable[[bytes], bool], ends_after_s: float, clock: Clock
    ) -> None:
        self._decoder = decoder
        self._hand = hand
        self._ends_after_s = ends_after_s
        self._clock = clock
        self._shown: OrderedDict[bytes, float] = OrderedDict()

    def look(self, frame: Frame) -> Look:
        """As the decoder's own, without cards; blocks and raises as it does."""
        look = self._decoder.look(frame)
        cards = [symbol for symbol in look.symbols if is_card(symbol.content) or is_part(symbol.content)]
        if not cards:
            return look
        for symbol in cards:
            self._show(symbol.content)
        others = tuple(symbol for symbol in look.symbols if symbol not in cards)
        return Remaining(others, look.unread, look.behind_s)

    def _show(self, content: bytes) -> None:
        now, name = self._clock.monotonic(), sha256(content).digest()
        seen_at = self._shown.pop(name, None)
        if seen_at is None or now - seen_at >= self._ends_after_s:
            if not self._hand(content):
                return
            if len(self._shown) >= MAX_SHOWN:
                self._shown.popitem(last=False)
        self._shown[name] = now
