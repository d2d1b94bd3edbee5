from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from device.errors import WorkerDied
from device.runtime import LatestSlot, Supervisor, SystemClock, WorkClock, Worker, rfc3339
from tests.support.clock import ManualClock


def until(event: threading.Event) -> Callable[[Worker], None]:
    def body(_: Worker) -> None:
        event.wait(10)

    return body


def test_the_newest_item_replaces_the_waiting_one_and_the_loss_is_counted() -> None:
    slot: LatestSlot[str] = LatestSlot()
    slot.put("old")
    slot.put("new")
    assert slot.take(0) == "new"
    assert slot.replaced == 1
    assert slot.empty


def test_taking_from_an_empty_slot_gives_nothing_after_the_timeout() -> None:
    slot: LatestSlot[str] = LatestSlot()
    assert slot.take(0.001) is None


def test_a_waiting_taker_is_woken_by_an_item() -> None:
    slot: LatestSlot[str] = LatestSlot()
    taken: list[str | None] = []
    taker = threading.Thread(target=lambda: taken.append(slot.take(10)))
    taker.start()
    slot.put("frame")
    taker.join(10)
    assert taken == ["frame"]


def a_worker(clock: ManualClock, body: object = None, **kwargs: float) -> Worker:
    def wait_to_be_stopped(worker: Worker) -> None:
        worker.stopping.wait(10)

    chosen = body if callable(body) else wait_to_be_stopped
    return Worker("part", chosen, deadline_s=kwargs.get("deadline_s", 5.0), clock=clock)


def test_a_worker_that_beats_in_time_gives_no_complaint() -> None:
    clock = ManualClock()
    worker = a_worker(clock)
    supervisor = Supervisor([worker])
    supervisor.start()
    clock.advance(4)
    supervisor.check()
    worker.beat()
    clock.advance(4)
    supervisor.check()
    assert supervisor.stop() == []


def test_a_worker_that_does_not_beat_in_time_is_the_death_of_the_process() -> None:
    clock = ManualClock()
    supervisor = Supervisor([a_worker(clock)])
    supervisor.start()
    clock.advance(6)
    with pytest.raises(WorkerDied, match="part has not moved for 6"):
        supervisor.check()
    assert supervisor.stop() == []


def test_the_kernel_knows_a_worker_by_its_name() -> None:
    seen: list[str] = []

    def look(_: Worker) -> None:
        task = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
        seen.append(task.read_text(encoding="utf-8").strip())

    worker = a_worker(ManualClock(), look)
    worker.start()
    assert worker.join()
    assert seen == ["part"]


def test_a_worker_that_raises_is_named_with_its_error() -> None:
    def fail(_: Worker) -> None:
        raise OSError("cable")

    worker = a_worker(ManualClock(), fail)
    supervisor = Supervisor([worker])
    supervisor.start()
    assert worker.join()
    with pytest.raises(WorkerDied, match="part died: OSError: cable"):
        supervisor.check()


def test_a_worker_that_returns_unasked_is_dead_too() -> None:
    worker = a_worker(ManualClock(), lambda _: None)
    supervisor = Supervisor([worker])
    supervisor.start()
    assert worker.join()
    with pytest.raises(WorkerDied, match="part ended by itself"):
        supervisor.check()


def test_a_worker_that_was_asked_to_stop_is_not_dead() -> None:
    supervisor = Supervisor([a_worker(ManualClock())])
    supervisor.start()
    assert supervisor.stop() == []
    supervisor.check()


def test_a_worker_that_will_not_stop_is_named() -> None:
    release = threading.Event()
    worker = Worker("stuck", until(release), deadline_s=5, clock=ManualClock(), join_s=0.01)
    supervisor = Supervisor([worker])
    supervisor.start()
    assert supervisor.stop() == ["stuck"]
    release.set()


def test_a_worker_is_woken_when_it_is_asked_to_stop() -> None:
    wake = threading.Event()
    worker = Worker("sleeper", until(wake), deadline_s=5, clock=ManualClock(), wake=wake.set)
    supervisor = Supervisor([worker])
    supervisor.start()
    assert supervisor.stop() == []


def test_the_system_clock_tells_both_times_in_the_form_of_the_wire() -> None:
    reading = SystemClock().reading()
    assert reading.wall.endswith("Z")
    assert len(reading.wall) == len("2026-01-01T00:00:00.000Z")
    assert reading.uptime_ms > 0
    assert len(reading.boot) == 36


def test_times_on_the_wire_are_utc_with_milliseconds() -> None:
    clock = ManualClock()
    assert rfc3339(clock.utc()).endswith("Z")


def test_waiting_is_no_work() -> None:
    clock = WorkClock(least_share=0.0)
    before, waited = clock.monotonic(), threading.Event()
    waited.wait(0.05)
    assert clock.monotonic() - before < 0.04


def test_of_waiting_too_some_share_counts_so_that_every_budget_ends() -> None:
    clock = WorkClock(least_share=0.5)
    before, waited = clock.monotonic(), threading.Event()
    waited.wait(0.05)
    assert clock.monotonic() - before >= 0.02
