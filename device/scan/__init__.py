"""From a frame to a cue, and the order of it: decide, record, then signal.

* `loop` — one frame after another.
* `ports` — what it asks of decoder, judge, journal and panel.
"""

from __future__ import annotations

from device.scan.loop import ScanLoop, ScanStats, cue_for
from device.scan.ports import Decoder, Look, Remaining

__all__ = ["Decoder", "Look", "Remaining", "ScanLoop", "ScanStats", "cue_for"]
