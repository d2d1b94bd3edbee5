"""``python -m device`` is ``gate-scanner``."""

from device.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
