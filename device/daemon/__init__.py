"""The process from its first thread to its last. Knows threads and counters, no room.

* `life` — readiness, watchdog, status, ledger, an orderly end.
* `ports` — what it asks of the parts that `app.py` hands it.
"""

from __future__ import annotations

from device.daemon.life import Daemon
from device.daemon.ports import Change

__all__ = ["Change", "Daemon"]
