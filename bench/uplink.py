"""How fast a backlog drains, what it costs in CPU time and bytes, beside `mosquitto_pub -l`.

    python -m bench.uplink [--events N] [--rounds N] [--json]

Each round starts a fresh mosquitto for every contender, with one subscriber attached: `mosquitto_pub -l`
(one event a message), this uplink sending each event alone, and this uplink with batches; plain, and with
client certificates. The uplink drains a real journal. Times are until the last PUBACK; the machine's own
noise meets all contenders alike, so the ratios are what to compare. CPU seconds are those of the sending
process: ours runs with its journal in this one. Bytes are what a relay counted towards the broker.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from device.journal.sqlite_journal import SqliteJournal
from device.journal.state import WhenFull
from device.model import CredentialRef, Direction, Outcome, Reason, ScanEvent, Standing
from device.runtime import SystemClock, Worker
from device.uplink.client import Access
from device.uplink.forwarder import Forwarder
from device.uplink.mqtt import MqttSession
from device.uplink.tls import Tls
from device.uplink.wire import GateAddress, envelope
from tests.support.broker import Broker, ServerTls
from tests.support.certificates import Authority
from tests.support.link import Link
from tests.support.uplinks import no_budget

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = GateAddress("bench", "site", "gate")
# Debian's mosquitto advertises it by default.
RECEIVE_MAXIMUM = 20
# Far beyond any drain; a bench that hangs should say so.
DRAIN_WITHIN_S = 300.0
BYTES_EVENTS = 2000
# Mobile networks: 50 to 150 ms. So many events that connecting, 0.4 s, does not tell the result.
ROUND_TRIP_S = 0.1
FAR_SINGLE = 2000
FAR_BATCHED = 40_000


@dataclass(frozen=True, slots=True)
class Drained:
    """One drain: seconds until the last PUBACK, and CPU seconds of the sender."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Ground:
    """What all contenders of a round share."""

    folder: Path
    events: int
    tls: Tls | None
    server_tls: ServerTls | None


def main() -> None:
    """Runs the rounds and prints a table, or with `--json` one object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:  # noqa: S108 - the journal's own speed on a card is bench/journal.py's subject
        for kind, tls, server_tls in grounds(Path(name)):
            ground = Ground(Path(name), arguments.events, tls, server_tls)
            figures[kind] = measure(ground, arguments.rounds)
        figures["bytes per event"] = wire_bytes(Path(name))
        figures["100 ms round trip"] = far_away(Path(name))
    if arguments.json:
        print(json.dumps(figures))
    else:
        show(figures, arguments.events)


def grounds(folder: Path) -> Iterator[tuple[str, Tls | None, ServerTls | None]]:
    """Plain TCP, then TLS with client certificates."""
    yield "plain", None, None
    authority = Authority(folder)
    server, gate = authority.issue("server", days=90), authority.issue("gate", days=90)
    yield (
        "mTLS",
        Tls(ca_file=authority.ca_file, cert_file=gate.cert_file, key_file=gate.key_file),
        ServerTls(authority.ca_file, server.cert_file, server.key_file, client_certificates=True),
    )


def measure(ground: Ground, rounds: int) -> dict[str, float]:
    """Medians over the rounds; the contenders of a round follow each other directly."""
    contenders = {
        "mosquitto_pub": partial(by_mosquitto_pub, ground),
        "single": partial(by_uplink, ground, batch_events=1),
        "batched": partial(by_uplink, ground, batch_events=50),
    }
    runs = [{name: drain() for name, drain in contenders.items()} for _ in range(rounds)]
    figures = {}
    for name in contenders:
        rates = [ground.events / run[name].wall_s for run in runs]
        ratios = [run["mosquitto_pub"].wall_s / run[name].wall_s for run in runs]
        figures[f"{name} events/s"] = statistics.median(rates)
        figures[f"{name} against mosquitto_pub"] = statistics.median(ratios)
        cpu = [run[name].cpu_s / ground.events * 10_000 for run in runs]
        figures[f"{name} CPU s per 10,000"] = statistics.median(cpu)
    return {name: round(value, 3) for name, value in figures.items()}


# -- contenders -----------------------------------------------------------------------------------


def by_mosquitto_pub(ground: Ground) -> Drained:
    """The broker's own client, a line a message."""
    with ExitStack() as stack:
        broker = listening(ground, stack)
        journal = filled(ground.folder, ground.events, stack)
        lines = ground.folder / "lines"
        now = SystemClock().reading()
        with lines.open("wb") as out:
            for event in journal.read(1, ground.events):
                out.write(envelope(ADDRESS, event, now) + b"\n")
        command = [*client("mosquitto_pub", broker, ground.tls), "-t", ADDRESS.event, "-l"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        with lines.open("rb") as source:
            subprocess.run(command, stdin=source, check=True, timeout=DRAIN_WITHIN_S)
        wall_s = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Drained(wall_s, cpu_s)


def by_uplink(ground: Ground, *, batch_events: int) -> Drained:
    """This project's forwarder and session, out of a real journal."""
    with ExitStack() as stack:
        broker = listening(ground, stack)
        journal = filled(ground.folder, ground.events, stack)
        return drain(journal, broker.port, ground.tls, batch_events=batch_events)


def drain(journal: SqliteJournal, port: int, tls: Tls | None, *, batch_events: int) -> Drained:
    """Connects, drains the journal, says goodbye; measured from the start to the last receipt."""
    clock = SystemClock()
    access = Access(host=Broker.host, port=port, client_id="bench", tls=tls)
    forwarder = Forwarder(
        backlog=journal,
        session_factory=partial(MqttSession, access=access, clock=clock, window=100),
        address=ADDRESS,
        clock=clock,
        version="bench",
        random=random.random,
        budget=no_budget(clock),
        batch_events=batch_events,
    )
    worker = Worker("uplink", forwarder.body, deadline_s=DRAIN_WITHIN_S, clock=clock)
    pause = Event()
    cpu, began = time.process_time(), time.perf_counter()
    worker.start()
    while journal.stats().pending and time.perf_counter() - began < DRAIN_WITHIN_S:
        pause.wait(0.005)
    drained = Drained(time.perf_counter() - began, time.process_time() - cpu)
    worker.ask_to_stop()
    if not worker.join() or journal.stats().pending:
        raise SystemExit("the drain did not end")
    return drained


# -- ground ---------------------------------------------------------------------------------------


def listening(ground: Ground, stack: ExitStack) -> Broker:
    """A fresh broker with a subscriber attached."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=ground.folder)))
    options = {
        "max_queued_messages": 0,
        "max_inflight_messages": RECEIVE_MAXIMUM,
        # Enough to see the subscriber come, and not a line for every message.
        "log_type": "subscribe",
    }
    broker = stack.enter_context(Broker(folder, tls=ground.server_tls, options=options))
    command = [*client("mosquitto_sub", broker, ground.tls), "-t", f"{ADDRESS.path}/#"]
    reader = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    stack.callback(reader.wait)
    stack.callback(reader.kill)
    pause = Event()
    while ADDRESS.path not in broker.log:
        pause.wait(0.02)
        if reader.poll() is not None:
            raise SystemExit(f"mosquitto_sub ended with {reader.returncode}")
    return broker


def client(program: str, broker: Broker, tls: Tls | None) -> list[str]:
    """The command of one of mosquitto's clients."""
    command = [program, "-V", "5", "-q", "1", "-h", broker.host, "-p", str(broker.port)]
    if tls is not None:
        command += ["--cafile", str(tls.ca_file), "--cert", str(tls.cert_file), "--key", str(tls.key_file)]
    return command


def filled(folder: Path, count: int, stack: ExitStack) -> SqliteJournal:
    """A journal with so many pending scan events."""
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder))) / "journal.db"
    clock = SystemClock()
    journal = SqliteJournal.open(
        path, max_bytes=1 << 30, keep_days=30, when_full=WhenFull.REFUSE, clock=clock
    )
    stack.callback(journal.close)
    for n in range(count):
        journal.append(scan(n, clock))
    return journal


def scan(n: int, clock: SystemClock) -> ScanEvent:
    """One of the usual events; pseudonyms do not repeat, so they do not compress."""
    subject = f"{random.Random(n).getrandbits(128):032x}"
    return ScanEvent(
        direction=Direction.IN,
        outcome=Outcome.GRANTED,
        reason=Reason.OK,
        credential=CredentialRef("vn.cccd", Standing.CLAIMED, subject),
        clock=clock.reading(),
        rules="0123456789abcdef",
        engine="zxing",
        latency_ms=50 + n % 100,
    )


def wire_bytes(folder: Path) -> dict[str, float]:
    """Bytes towards the broker for each event of a backlog, alone and in batches."""
    found = {}
    for name, batch_events in (("single", 1), ("batched", 50)):
        with ExitStack() as stack:
            broker = listening(Ground(folder, BYTES_EVENTS, None, None), stack)
            journal = filled(folder, BYTES_EVENTS, stack)
            link = stack.enter_context(Link(broker.port))
            drain(journal, link.port, None, batch_events=batch_events)
            found[name] = link.upstream_bytes / BYTES_EVENTS
    found["ratio"] = found["batched"] / found["single"]
    return {name: round(value, 3) for name, value in found.items()}


def far_away(folder: Path) -> dict[str, float]:
    """Events a second over a link of 100 ms round trip, alone and in batches."""
    found = {}
    for name, batch_events, events in (("single", 1, FAR_SINGLE), ("batched", 50, FAR_BATCHED)):
        with ExitStack() as stack:
            broker = listening(Ground(folder, events, None, None), stack)
            journal = filled(folder, events, stack)
            link = stack.enter_context(Link(broker.port, delay_s=ROUND_TRIP_S / 2))
            found[f"{name} events/s"] = (
                events / drain(journal, link.port, None, batch_events=batch_events).wall_s
            )
    found["ratio"] = found["batched events/s"] / found["single events/s"]
    return {name: round(value, 1) for name, value in found.items()}


def show(figures: dict[str, dict[str, float]], events: int) -> None:
    """For people."""
    print(f"drain of {events} events, medians")
    for kind, found in figures.items():
        print(f"{kind}:")
        for name, value in found.items():
            print(f"  {name:36} {value:10.3f}")


if __name__ == "__main__":
    main()
