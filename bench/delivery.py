"""What is lost, twice there or late at the far end, beside a durable subscriber without a store.

    python -m bench.delivery [--events N] [--json]

Real journal, forwarder and mosquitto on Debian's defaults, killed with SIGKILL. `watch --confirm` is a
process of its own; beside it stands the usual consumer: QoS 1, kept session, acknowledging what it is
handed, asking for nothing.

* away: the broker accepts all events while the consumers are away, is killed, and comes back.
* kills: the broker is killed twelve times in the middle of a drain, with the consumer attached.
* pace: events a second from the first one's sending to the last one's confirmation at the gate.
* live: from the commit in the journal to the news at the consumer, alone and while a replay runs.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import psutil

from device.runtime import SystemClock
from device.uplink.wishes import Replay, replay_message
from tests.support.broker import Broker
from tests.support.consumers import Consumer, District, stored
from tests.support.journal import append_many, open_journal, scan_event
from tests.support.subscriber import Subscriber
from tests.support.uplinks import ADDRESS, Uplink, ids, sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.journal.sqlite_journal import SqliteJournal

KILLS = 12
LIVE_EVENTS = 60
# As many as last about as long as the live events.
REPLAYS = 4
# Longer than any batch takes, so that one live event does not meet the next.
LIVE_EVERY_S = 0.05
# Far beyond any drain; a bench that hangs should say so.
WITHIN_S = 180.0


class Scene:
    """A broker, a gate's journal with its uplink, a district."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        options = {"max_queued_messages": 0, "log_type": "error"}
        self.broker = stack.enter_context(Broker(self.folder, options=options))
        self.district = District(self.folder)
        self.store = self.folder / "store.db"
        self.journal: SqliteJournal = open_journal(
            self.folder / "journal.db", max_bytes=1 << 28, clock=SystemClock()
        )
        stack.callback(self.journal.close)

    def uplink(self, batch_events: int = 50) -> Uplink:
        return Uplink(
            self.journal, sessions(self.broker), verify=self.district.verify, batch_events=batch_events
        )

    @contextmanager
    def watching(self) -> Iterator[Consumer]:
        with Consumer(self.broker, self.store, district=self.district) as consumer:
            consumer.wait_for(lambda c: "connected" in c.said, "no connection")
            yield consumer
            consumer.stop()

    @contextmanager
    def subscribing(self) -> Iterator[Subscriber]:
        with Subscriber(self.broker.host, self.broker.port, topic=ADDRESS.event) as subscriber:
            yield subscriber

    def confirmed(self) -> bool:
        stats = self.journal.stats()
        return stats.confirmed_through == stats.last_seq

    def sent(self) -> bool:
        return not self.journal.stats().pending

    def outcome(self) -> dict[str, float]:
        """Of the consumer's file, against the journal."""
        events, _, broken = stored(self.store, ADDRESS.path, self.journal.id)
        names = [event.seq for event in events]
        return {
            "watch: lost": self.journal.stats().last_seq - len(set(names)),
            "watch: twice": len(names) - len(set(names)),
            "watch: broken": broken,
        }


def main() -> None:
    """Runs all and prints a table, or with `--json` one object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for part in (away, kills, pace, live):
            with ExitStack() as stack:
                figures[part.__name__] = part(Scene(Path(name), stack), arguments.events)
    if arguments.json:
        print(json.dumps(figures))
        return
    print(f"{arguments.events} events")
    for part_name, found in figures.items():
        for name, value in found.items():
            print(f"  {part_name:6} {name:44} {value:10.4g}")


def away(scene: Scene, events: int) -> dict[str, float]:
    """Both consumers are known to the broker, leave, and come back to one that has forgotten."""
    with scene.subscribing() as usual, scene.watching(), scene.uplink():
        append_many(scene.journal, 100)
        until(scene.confirmed)
    before = len(set(ids(usual.messages)))
    with scene.uplink():
        append_many(scene.journal, events)
        until(scene.sent)
        scene.broker.restart()
        with scene.subscribing() as again:
            Event().wait(1)
            got = len(set(ids(again.messages)))
        with scene.watching():
            until(scene.confirmed)
    return {"usual consumer: lost": 100 + events - before - got, **scene.outcome()}


def kills(scene: Scene, events: int) -> dict[str, float]:
    """Broker and links break in the middle; the usual consumer hears no replay, for nobody asks."""
    draw, pause = random.Random(1), Event()
    figures: dict[str, float] = {}
    append_many(scene.journal, events)
    with scene.subscribing() as usual, scene.uplink(batch_events=1):
        for kill in range(KILLS):
            until_sent(scene, kill * events // (2 * KILLS))
            pause.wait(draw.random() * 0.05)
            scene.broker.restart()
            usual.wait_for_subscription(kill + 2, WITHIN_S)
        until(scene.sent)
        pause.wait(1)
        names = ids(usual.messages)
    figures["usual consumer: lost"] = events - len(set(names))
    figures["usual consumer: twice"] = len(names) - len(set(names))
    with scene.uplink(batch_events=1), scene.watching():
        for _ in range(KILLS):
            append_many(scene.journal, events // KILLS)
            pause.wait(draw.random() * 0.2)
            scene.broker.restart()
        until(scene.confirmed)
    return figures | scene.outcome()


def pace(scene: Scene, events: int) -> dict[str, float]:
    """A backlog to a consumer that commits each message before it acknowledges it."""
    append_many(scene.journal, events)
    with scene.watching() as consumer:
        process = psutil.Process(consumer.process.pid)
        cpu, began = cpu_s(process), time.perf_counter()
        with scene.uplink():
            until(scene.confirmed)
            wall_s = time.perf_counter() - began
            used_s = cpu_s(process) - cpu
    return {"events/s": events / wall_s, "CPU s of the watch per 10,000": used_s / events * 10_000}


def live(scene: Scene, events: int) -> dict[str, float]:
    """Milliseconds to the far end, for single events."""
    append_many(scene.journal, events)
    figures: dict[str, float] = {}
    with scene.watching() as consumer, scene.uplink(), scene.subscribing() as asking:
        until(scene.confirmed)
        for name in ("alone", "while a replay runs"):
            if name != "alone":
                wish = replay_message(ADDRESS, Replay(scene.journal.id, 1, events), scene.district.sign)
                for _ in range(REPLAYS):
                    asking.publish(wish.topic, wish.payload)
            times = sorted(seconds_to_the_far_end(scene, consumer) for _ in range(LIVE_EVENTS))
            figures[f"ms, p50, {name}"] = 1000 * statistics.median(times)
            figures[f"ms, p95, {name}"] = 1000 * times[int(len(times) * 0.95)]
    return figures


def seconds_to_the_far_end(scene: Scene, consumer: Consumer) -> float:
    """Of one event, committed now."""
    Event().wait(LIVE_EVERY_S)
    seq = scene.journal.append(scan_event()).seq
    began = time.perf_counter()
    consumer.wait_for(lambda c: c.news[-1].get("seq") == seq, "it did not come")
    return time.perf_counter() - began


def cpu_s(process: psutil.Process) -> float:
    """User and system time so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def until_sent(scene: Scene, seq: int) -> None:
    """Until the broker has accepted more than that."""
    until(lambda: scene.journal.stats().acknowledged_through > seq)


def until(true: Callable[[], bool]) -> None:
    """Looks often until it is so."""
    pause, give_up_at = Event(), time.perf_counter() + WITHIN_S
    while not true():
        if time.perf_counter() > give_up_at:
            raise SystemExit("it does not come to an end")
        pause.wait(0.005)


if __name__ == "__main__":
    main()
