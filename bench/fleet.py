"""A district's gates come back together after an outage: how long connecting takes, and whether all deliver.

    python -m bench.fleet [--devices N] [--events N] [--jitter S] [--json]

Each device is the real uplink: forwarder, session and network thread, with client certificates by a made-
up authority and a backlog in memory; in a few processes, against one mosquitto with a consumer attached. Each
begins after a delay drawn by the uplink's own full jitter, as after an attempt in vain; an attempt that
fails is followed by another such delay. One that has delivered everything leaves: some thousand threads that
only wait would cost this machine what a thousand gates' own processors pay. A connection's time is TCP, TLS
and the broker's word.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, stack_size
from typing import TYPE_CHECKING

import psutil

from device.runtime import SystemClock, Worker
from device.uplink.backoff import Backoff
from device.uplink.client import Access
from device.uplink.forwarder import Forwarder
from device.uplink.mqtt import MqttSession
from device.uplink.ports import Opened
from device.uplink.tls import Tls
from device.uplink.wire import GateAddress
from tests.support.backlog import MemoryBacklog
from tests.support.broker import Broker, ServerTls
from tests.support.certificates import Authority
from tests.support.uplinks import no_budget

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from device.uplink.ports import Report
    from device.uplink.wire import Message

# What many threads of one interpreter cost each other is nothing a gate has.
PROCESSES = 8
# Ours need little; the default of 8 MiB for each of 4,500 is address space without a use.
STACK_BYTES = 512 * 1024
# The longest delay, and then some: several attempts in a row would have to fail.
WITHIN_S = 120.0
RECEIVE_MAXIMUM = 20
# In life the broker has a machine of its own; here a hundred threads would crowd its one out.
BEHIND_THE_BROKER = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process runs."""

    port: int
    first: int
    devices: int
    events: int
    jitter_s: float
    tls: Tls


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it: seconds of each connection that came about, devices that have not delivered."""

    connects_s: list[float]
    attempts: int
    undelivered: int
    cpu_s: float
    memory_mb: float
    drained_s: float


@dataclass(slots=True)
class Log:
    """Of a process: how many attempts there were, and how long those took that came about."""

    attempts: int = 0
    took_s: list[float] = field(default_factory=list)


class Timed(MqttSession):
    """Takes the time from the beginning to the broker's word."""

    def __init__(self, will: Message, *, access: Access, clock: SystemClock, log: Log) -> None:
        super().__init__(will, access=access, clock=clock)
        self._log = log
        self._began = 0.0

    def open(self) -> None:
        self._began = time.perf_counter()
        self._log.attempts += 1
        super().open()

    def _report(self, report: Report) -> None:
        if isinstance(report, Opened):
            self._log.took_s.append(time.perf_counter() - self._began)
        super()._report(report)


def main() -> None:
    """Runs it once and prints a table, or with `--json` one object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--devices", type=int, default=2242)
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--jitter", type=float, default=30.0, help="longest delay, seconds")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    allow_many_files()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        figures = come_back(Path(name), stack, arguments.devices, arguments.events, arguments.jitter)
    if arguments.json:
        print(json.dumps(figures))
        return
    print(f"{arguments.devices} devices, {arguments.events} events each, delays up to {arguments.jitter:g} s")
    for what, value in figures.items():
        print(f"  {what:44} {value:10.4g}")


def come_back(folder: Path, stack: ExitStack, devices: int, events: int, jitter_s: float) -> dict[str, float]:
    """All try in vain, the broker comes, all come back."""
    authority = Authority(folder)
    server, gate = authority.issue("server", days=90), authority.issue("gate", days=90)
    tls = Tls(ca_file=authority.ca_file, cert_file=gate.cert_file, key_file=gate.key_file)
    broker = Broker(
        folder,
        tls=ServerTls(authority.ca_file, server.cert_file, server.key_file, client_certificates=True),
        options={
            "max_inflight_messages": RECEIVE_MAXIMUM,
            "max_queued_messages": 0,
            "max_connections": -1,
            "log_type": "subscribe",
        },
    )
    stack.enter_context(broker)
    shares = [devices // PROCESSES + (number < devices % PROCESSES) for number in range(PROCESSES)]
    context = multiprocessing.get_context("spawn")
    ends: list[Connection] = []
    first = 0
    for share in shares:
        ours, theirs = context.Pipe()
        plan = Plan(broker.port, first, share, events, jitter_s, tls)
        process = context.Process(target=run_devices, args=(plan, theirs), daemon=True)
        process.start()
        stack.callback(process.join, 30)
        ends.append(ours)
        first += share
    for end in ends:
        end.recv()  # all are ready
    watching = consumer(broker, tls)
    stack.callback(watching.wait)
    stack.callback(watching.kill)
    used = psutil.Process(broker_pid(broker))
    cpu_before = used.cpu_times()
    for end in ends:
        end.send("go")
    outcomes: list[Outcome] = [end.recv() for end in ends]
    spent = used.cpu_times()
    times = sorted(seconds for outcome in outcomes for seconds in outcome.connects_s)
    return {
        "not connected, or not delivered": sum(outcome.undelivered for outcome in outcomes),
        "attempts that failed": sum(o.attempts for o in outcomes) - len(times),
        "connect p50, s": statistics.median(times),
        "connect p99, s": times[int(len(times) * 0.99)],
        "connect longest, s": times[-1],
        "all delivered after, s": max(outcome.drained_s for outcome in outcomes),
        "CPU of the devices, ms each": 1000 * sum(outcome.cpu_s for outcome in outcomes) / devices,
        "CPU of the broker, ms each": 1000
        * (spent.user + spent.system - cpu_before.user - cpu_before.system)
        / devices,
        "memory of the devices, KB each": 1000 * sum(outcome.memory_mb for outcome in outcomes) / devices,
    }


def allow_many_files() -> None:
    """As many as this machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


# -- the devices ----------------------------------------------------------------------------------


def run_devices(plan: Plan, end: Connection) -> None:
    """One process's share."""
    allow_many_files()
    os.nice(BEHIND_THE_BROKER)
    stack_size(STACK_BYTES)
    clock, log = SystemClock(), Log()
    pause = Event()
    fleet = []
    for number in range(plan.first, plan.first + plan.devices):
        backlog = MemoryBacklog(plan.events, journal=f"j{number}")
        access = Access(Broker.host, plan.port, f"fleet-{number}", tls=plan.tls)
        forwarder = Forwarder(
            backlog=backlog,
            session_factory=partial(Timed, access=access, clock=clock, log=log),
            address=GateAddress("bench", f"site-{number % 50}", f"gate-{number}"),
            clock=clock,
            version="bench",
            random=random.Random(number).random,
            budget=no_budget(clock),
            backoff_min_s=plan.jitter_s,
            backoff_max_s=plan.jitter_s,
        )
        worker = Worker(f"uplink-{number}", forwarder.body, deadline_s=WITHIN_S, clock=clock)
        fleet.append((backlog, worker))
    backoff = Backoff(min_s=plan.jitter_s, max_s=plan.jitter_s, random=random.Random(plan.first).random)
    end.send("ready")
    end.recv()
    began, cpu = time.perf_counter(), time.process_time()
    waiting = deque(sorted((backoff.delay_s(), number) for number in range(plan.devices)))
    under_way: list[int] = []
    while (waiting or under_way) and time.perf_counter() - began < WITHIN_S:
        while waiting and waiting[0][0] <= time.perf_counter() - began:
            under_way.append(waiting.popleft()[1])
            fleet[under_way[-1]][1].start()
        for number in [n for n in under_way if not fleet[n][0].stats().pending]:
            fleet[number][1].ask_to_stop()
            under_way.remove(number)
        pause.wait(0.02)
    drained_s = time.perf_counter() - began
    memory = psutil.Process().memory_full_info().pss / 1e6
    end.send(Outcome(log.took_s, log.attempts, len(under_way), time.process_time() - cpu, memory, drained_s))


def consumer(broker: Broker, tls: Tls) -> subprocess.Popen[bytes]:
    """Somebody who gets the events."""
    command = ["mosquitto_sub", "-V", "5", "-q", "1", "-h", broker.host, "-p", str(broker.port)]
    command += ["--cafile", str(tls.ca_file), "--cert", str(tls.cert_file), "--key", str(tls.key_file)]
    reader = subprocess.Popen([*command, "-t", "gate/v1/bench/+/+/event"], stdout=subprocess.DEVNULL)
    pause = Event()
    while "gate/v1/bench" not in broker.log:
        pause.wait(0.02)
    return reader


def broker_pid(broker: Broker) -> int:
    """Of the process that listens on its port."""
    for found in psutil.Process().children():
        if "mosquitto" in found.name() and "sub" not in found.name():
            return found.pid
    raise SystemExit(f"no broker on {broker.port}")


if __name__ == "__main__":
    main()
