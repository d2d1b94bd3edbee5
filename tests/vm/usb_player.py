"""A USB camera that does as it is told, for the unit under systemd. Runs inside the virtual machine:

    python -m tests.vm.usb_player

Through v4l2loopback it shows a person's code for a while, then nobody, over and over. SIGUSR1: falls silent
and stays plugged in; SIGUSR2: goes on. When it ends, the device has no camera any more.
"""

from __future__ import annotations

import signal
import threading

from tests.support.codes import empty, shown
from tests.support.gate import ANNA
from tests.vm.usb_camera_source import packed, playing

SHOWN_S = 0.7


def main() -> None:
    pictures = [packed(shown(ANNA), "GREY"), packed(empty(), "GREY")]
    pause = threading.Event()
    with playing("GREY", pictures[0]) as player:
        signal.signal(signal.SIGUSR1, lambda *_: player.silent.set())
        signal.signal(signal.SIGUSR2, lambda *_: player.silent.clear())
        print("playing", flush=True)
        while True:
            pictures.reverse()
            player.payload = pictures[0]
            pause.wait(SHOWN_S)


if __name__ == "__main__":
    main()
