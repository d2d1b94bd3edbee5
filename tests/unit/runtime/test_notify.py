from __future__ import annotations

import socket
from pathlib import Path

from device.notify import Notifier


def test_messages_reach_the_service_manager(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"})
        notifier.ready()
        notifier.status("open\nfor business")
        notifier.watchdog()
        notifier.patience(90)
        notifier.stopping()
        got = [manager.recv(100) for _ in range(6)]
    assert got == [
        b"WATCHDOG_USEC=2000000",
        b"READY=1",
        b"STATUS=open for business",
        b"WATCHDOG=1",
        b"WATCHDOG_USEC=90000000",
        b"STOPPING=1",
    ]
    assert notifier.watchdog_s == 2.0


def test_without_a_service_manager_nothing_happens() -> None:
    notifier = Notifier({})
    notifier.ready()
    assert notifier.watchdog_s is None


def test_a_service_manager_that_has_gone_is_no_error(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


def test_a_nonsense_watchdog_setting_means_no_watchdog() -> None:
    assert Notifier({"WATCHDOG_USEC": "soon"}).watchdog_s is None
    assert Notifier({"WATCHDOG_USEC": "0"}).watchdog_s is None
