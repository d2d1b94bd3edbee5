"""The process from its first thread to its last. Knows threads and counters, no room.

* `life` — readiness, watchdog, a changed configuration, an orderly end.
* `books` — what the process records about itself: starts and stops, the coverage ledger, the clock.
* `status` — how the gate is doing, in a line.
* `ports` — what it asks of the parts that `app.py` hands it.
"""

from __future__ import annotations

from device.daemon.life import Daemon
from device.daemon.ports import Change

__all__ = ["Change", "Daemon"]
