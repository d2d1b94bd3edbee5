"""The real daemon on a card that is slow, fails, turns read-only or comes back torn."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from device.runtime import SystemClock
from tests.support.codes import empty, shown
from tests.support.daemon import Daemon
from tests.support.forgetful_disk import ForgetfulDisk
from tests.support.gate import ANNA, BINH, CHI, Gate
from tests.support.journal import append_many, open_journal
from tests.support.reckoning import Reckoning

pytestmark = pytest.mark.slow

SLOW_S = 2.0
# As in the unit file.
WATCHDOG_S = 15.0
# Without its own journal ext4 reports what failed and goes on; with it, a failed write makes it read-only.
GOES_ON = ("-O", "^has_journal")
NOT_RECORDED = "could not be recorded"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """People come all the time; where the journal lies is the test's to say."""
    gate = Gate(tmp_path, fps=10)
    gate.changes = {"policy.repeat_s": 0, "decode.showing_ends_after_s": 0.2, "uplink.enabled": False}
    for content in (ANNA, BINH, CHI):
        gate.add(shown(content), 3)
        gate.add(empty(), 5)
    return gate


@pytest.fixture
def goes_on(tmp_path: Path) -> Iterator[ForgetfulDisk]:
    with ForgetfulDisk(tmp_path / "disk", mkfs=GOES_ON, options="noatime,errors=continue") as disk:
        yield disk


@pytest.fixture
def turns_read_only(tmp_path: Path) -> Iterator[ForgetfulDisk]:
    with ForgetfulDisk(tmp_path / "disk", options="noatime,errors=remount-ro,commit=1") as disk:
        yield disk


def on(disk: ForgetfulDisk, gate: Gate) -> Path:
    gate.changes["journal.path"] = str(disk.root / "journal.db")
    return gate.write()


def said(text: str) -> Callable[[Daemon], bool]:
    return lambda daemon: any(text in line["message"] for line in list(daemon.lines))


def turns(daemon: Daemon) -> int:
    """Of the status, which comes every second: how often it came."""
    return sum("status" in line for line in list(daemon.lines))


def test_on_a_card_that_takes_two_seconds_people_wait_and_nothing_else_happens(
    tmp_path: Path, gate: Gate, goes_on: ForgetfulDisk
) -> None:
    config, reckoning = on(goes_on, gate), Reckoning()
    with Daemon(config, tmp_path, watchdog_s=WATCHDOG_S) as daemon:
        daemon.wait_until_ready()
        daemon.wait_for(lambda d: len(d.scans()) >= 1, "somebody is answered")
        goes_on.tell("delay_flushes", SLOW_S)
        before, fed = len(daemon.scans()), daemon.notifications.count("WATCHDOG=1")
        daemon.wait_for(lambda d: len(d.scans()) >= before + 4, "people are answered, slowly")
        assert daemon.notifications.count("WATCHDOG=1") > fed
        slow = daemon.scans()[before + 1 :]
        goes_on.tell("delay_flushes", 0.0)
        assert daemon.stop() == 0
        assert not said(NOT_RECORDED)(daemon)
        reckoning.note(daemon)
    assert len(slow) >= 3
    assert reckoning.greens > 0
    reckoning.check_journal(goes_on.root / "journal.db")


def test_a_round_of_upkeep_asks_a_slow_card_for_a_few_flushes_only(goes_on: ForgetfulDisk) -> None:
    """The main thread does it, which feeds the watchdog: each flush may take seconds."""
    journal = open_journal(goes_on.root / "journal.db", keep_days=0)
    append_many(journal, 1500)
    journal.acknowledge(1500)
    before = goes_on.tell("stat")["flushes"]
    journal.prune()
    assert (goes_on.tell("stat")["flushes"] - before) * SLOW_S < WATCHDOG_S
    journal.close()


def test_a_card_that_fails_lets_nobody_in_and_everybody_again_when_it_is_whole(
    tmp_path: Path, gate: Gate, goes_on: ForgetfulDisk
) -> None:
    config, reckoning = on(goes_on, gate), Reckoning()
    with Daemon(config, tmp_path) as daemon:
        daemon.wait_for(lambda d: d.greens() >= 1, "green on a card that is well")
        goes_on.tell("break", "writes", "flushes")
        daemon.wait_for(said(NOT_RECORDED), "the failing card is noticed")
        greens, status = daemon.greens(), turns(daemon)
        daemon.wait_for(lambda d: turns(d) >= status + 3, "people come all the while")
        assert daemon.greens() == greens
        goes_on.tell("break")
        daemon.wait_for(lambda d: d.greens() > greens, "green again")
        assert daemon.stop() == 0
        reckoning.note(daemon)
    reckoning.check_journal(goes_on.root / "journal.db")


def test_a_card_that_turns_read_only_lets_nobody_in_until_the_machine_has_started_anew(
    tmp_path: Path, gate: Gate, turns_read_only: ForgetfulDisk
) -> None:
    disk, reckoning = turns_read_only, Reckoning()
    config = on(disk, gate)
    with Daemon(config, tmp_path) as daemon:
        daemon.wait_for(lambda d: d.greens() >= 1 and len(d.scans()) >= 2, "green on a card that is well")
        disk.tell("break", "writes")
        daemon.wait_for(lambda _: _is_read_only(disk.root), "the kernel gives the file system up")
        disk.tell("break")
        daemon.wait_for(said(NOT_RECORDED), "the card is noticed")
        # The disk is whole again; the kernel has made the file system read-only all the same.
        greens, status = daemon.greens(), turns(daemon)
        daemon.wait_for(lambda d: turns(d) >= status + 2, "people come all the while")
        assert daemon.greens() == greens
        assert _is_read_only(disk.root)
        daemon.process.kill()
        daemon.wait()
        reckoning.note(daemon)
    disk.unmount()
    disk.mount()
    with Daemon(config, tmp_path) as daemon:
        daemon.wait_for(lambda d: d.greens() >= 1, "green after the start")
        reckoning.check_journal(disk.root / "journal.db")
        assert daemon.stop() == 0


def _is_read_only(root: Path) -> bool:
    try:
        (root / "probe").touch()
    except OSError as error:
        return error.errno == errno.EROFS
    return False


def test_a_gate_whose_journal_was_torn_opens_with_a_new_one_and_carries_over_what_is_left(
    tmp_path: Path, gate: Gate
) -> None:
    config, dice = gate.write(), random.Random(7)
    with Daemon(config, tmp_path) as daemon:
        daemon.wait_for(lambda d: len(d.scans()) >= 6, "people are answered")
        daemon.process.kill()
        daemon.wait()
        told = {scan["seq"] for scan in daemon.scans()}
    log = tmp_path / "journal.db-wal"
    content = bytearray(log.read_bytes())
    third = len(content) // 3
    content[third : third + 600] = dice.randbytes(600)
    log.write_bytes(content)
    with Daemon(config, tmp_path) as daemon:
        daemon.wait_until_ready()
        daemon.wait_for(lambda d: len(d.scans()) >= 1, "the gate works")
        assert said("a damaged journal was kept")(daemon)
        assert daemon.stop() == 0
    Reckoning().check_journal(tmp_path / "journal.db")
    with closing(open_journal(tmp_path / "journal.db", clock=SystemClock())) as journal:
        journal.prune()  # as the daemon does once a minute
    kept = {int(event["number"]) for event in gate.stored() if "number" in event}
    # What lay where it is torn, and no more.
    assert len(told - kept) <= 2
