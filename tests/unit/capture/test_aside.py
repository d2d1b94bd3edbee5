from __future__ import annotations

import threading

import pytest

from device.capture.aside import aside, finished


def test_a_call_aside_gives_its_result() -> None:
    future = aside("adds", lambda: 2 + 3)
    assert future.result(10) == 5
    assert finished(future, 0)


def test_a_call_aside_gives_what_it_raised() -> None:
    def fail() -> None:
        raise OSError("driver")

    future = aside("fails", fail)
    assert finished(future, 10)
    with pytest.raises(OSError, match="driver"):
        future.result(0)


def test_a_call_that_hangs_does_not_hold_up_the_caller_and_dies_with_the_process() -> None:
    let_go = threading.Event()
    names: list[tuple[str, bool]] = []

    def hang() -> None:
        names.append((threading.current_thread().name, threading.current_thread().daemon))
        let_go.wait(10)

    future = aside("camera 0 closes", hang)
    assert not finished(future, 0.01)
    let_go.set()
    assert finished(future, 10)
    assert names == [("camera 0 closes", True)]
