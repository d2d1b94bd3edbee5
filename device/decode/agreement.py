"""When a reading may be believed: nothing is granted on a misread. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.decode.finding import Finding

# Noise has been read as up to five digits where a preparation makes black and white of it (measured on
# 5,000 noisy pictures): shorter contents from such steps need a second look that agrees.
_LONG_ENOUGH_BYTES = 12
# Version 1 corrects so much of so little that noise passes; larger ones, or with correction to spare, do not.
_LARGE_ENOUGH_SIDE = 29
_MARGIN_ENOUGH = 0.3
# Looks apart that two readings of one showing may be.
_WITHIN_LOOKS = 30
# Contents waiting for a second reading.
_MAX_WAITING = 16


class Agreement:
    """Remembers doubtful readings until a second one agrees. Used from one thread."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[bytes, int] = OrderedDict()
        self._look = 0

    def next_look(self) -> None:
        """A new frame begins."""
        self._look += 1

    def forget(self) -> None:
        """Drops what waits."""
        self._waiting.clear()

    def believes(self, finding: Finding, *, doubtful: bool) -> bool:
        """Whether this reading may leave the decoder now. A doubtful one is remembered."""
        content = finding.content
        if content is None:
            return False
        if not doubtful or len(content) >= _LONG_ENOUGH_BYTES:
            return True
        large = finding.side is not None and finding.side >= _LARGE_ENOUGH_SIDE
        if large and finding.margin is not None and finding.margin >= _MARGIN_ENOUGH:
            return True
        before = self._waiting.pop(content, None)
        self._waiting[content] = self._look
        while len(self._waiting) > _MAX_WAITING:
            self._waiting.popitem(last=False)
        return before is not None and self._look - before <= _WITHIN_LOOKS
