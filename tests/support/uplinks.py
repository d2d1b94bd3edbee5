"""A forwarder as a worker of its own, on a real session, for tests."""

from __future__ import annotations

import random
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device.runtime import SystemClock, Worker
from device.uplink.budget import Budget
from device.uplink.client import Access
from device.uplink.forwarder import Forwarder
from device.uplink.mqtt import MqttSession
from device.uplink.wire import GateAddress, Message, parse_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Self

    from device.runtime import Clock
    from device.uplink.ports import Backlog, Session
    from tests.support.broker import Broker
    from tests.support.subscriber import Received

ADDRESS = GateAddress("tenant", "site", "gate")
WILL = Message(ADDRESS.state, b'{"status":"lost"}', retain=True)


def sessions(broker: Broker, **changes: Any) -> Callable[[Message], MqttSession]:  # noqa: ANN401 - passed on
    """Makes sessions with this broker; changes are arguments of it or of `Access`."""
    beside = {name: changes.pop(name) for name in ("clock", "window") if name in changes}
    access = Access(**{"host": broker.host, "port": broker.port, "client_id": "gate", **changes})
    return partial(MqttSession, access=access, **{"clock": SystemClock(), **beside})


def no_budget(clock: Clock) -> Budget:
    """As much data as one likes."""
    return Budget(daily_bytes=None, clock=clock, timezone=UTC, path=Path("/nonexistent"))


class Uplink:
    """Runs a forwarder while the context lasts; delays are short, and the same in every run."""

    def __init__(
        self,
        backlog: Backlog,
        session_factory: Callable[[Message], Session],
        *,
        clock: Clock | None = None,
        **changes: Any,  # noqa: ANN401 - passed on to Forwarder
    ) -> None:
        clock = clock or SystemClock()
        settings = {
            "backoff_min_s": 0.05,
            "backoff_max_s": 0.5,
            "random": random.Random(1).random,
            "budget": no_budget(clock),
        }
        self.forwarder = Forwarder(
            backlog=backlog,
            session_factory=session_factory,
            address=ADDRESS,
            clock=clock,
            version="1",
            **{**settings, **changes},
        )
        self.worker = Worker("uplink", self.forwarder.body, deadline_s=10, clock=SystemClock())

    def __enter__(self) -> Self:
        self.worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.ask_to_stop()
        assert self.worker.join(), "the forwarder did not end in time"
        assert self.worker.error is None, self.worker.error


def ids(messages: Iterable[Received]) -> list[str]:
    """The ids of the events in these messages, in order of arrival, repeats included."""
    return [event.id for m in messages if m.topic == ADDRESS.event for event in parse_events(m.payload)]


def first_seen(names: Iterable[str]) -> list[str]:
    """Without repeats, as a consumer that upserts by id has them."""
    return list(dict.fromkeys(names))
