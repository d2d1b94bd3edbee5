"""`gate-scanner` on a machine whose wall clock is set while it runs; the real one stays as it is.

    STEP_FILE=FILE python -m tests.support.stepped_daemon run --config FILE

The file holds by how many seconds the clock is wrong; it is read whenever the time is asked for.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

from device.cli import main
from device.runtime import SystemClock

STEP_FILE = "STEP_FILE"

_utc = SystemClock.utc


def _stepped(clock: SystemClock) -> datetime:
    return _utc(clock) + timedelta(seconds=float(Path(os.environ[STEP_FILE]).read_text("ascii")))


if __name__ == "__main__":
    SystemClock.utc = _stepped  # type: ignore[method-assign, assignment]  # what this program is for
    sys.exit(main(sys.argv[1:]))
