"""The plug is pulled while the real daemon scans: whatever was green is in the journal afterwards."""

from __future__ import annotations

import random
import statistics
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.runtime import SystemClock
from tests.support.codes import empty, shown
from tests.support.daemon import Daemon
from tests.support.forgetful_disk import ForgetfulDisk
from tests.support.gate import ANNA, BINH, CHI, REFUSED, Gate
from tests.support.journal import open_journal
from tests.support.reckoning import Reckoning

pytestmark = pytest.mark.slow

CUTS = 10
MANY_CUTS = 100
# A fresh disk every so often: the first minutes of a card's life are a different path from the later ones.
CUTS_OF_A_DISK = 20
# Of all lives, so many end while people are answered; the others while the daemon starts.
AT_WORK = 0.8
LONGEST_S = 1.0
# The long form is for what happens later in a life.
TORTURE_LONGEST_S = 4.0
STARTING_S = 1.5


@dataclass
class Site:
    """A gate whose journal lies on a disk that forgets."""

    folder: Path
    disk: ForgetfulDisk
    reckoning: Reckoning = field(default_factory=Reckoning)
    longest_s: float = LONGEST_S
    ready_s: list[float] = field(default_factory=list)
    cuts: int = 0

    def __post_init__(self) -> None:
        gate = Gate(self.folder, fps=20)
        gate.changes = {
            "journal.path": str(self.disk.root / "journal.db"),
            "policy.repeat_s": 0,
            "decode.showing_ends_after_s": 0.2,
            "uplink.enabled": False,
        }
        for content in (ANNA, BINH, CHI, REFUSED):
            gate.add(shown(content), 3)
            gate.add(empty(), 6)
        self.config = gate.write()

    @property
    def journal(self) -> Path:
        return self.disk.root / "journal.db"

    def live_and_lose_power(self, dice: random.Random) -> None:
        """Starts the daemon, checks what the lives before have promised, pulls the plug at some moment."""
        clock = SystemClock()
        began = clock.monotonic()
        with Daemon(self.config, self.folder) as daemon:
            if dice.random() < AT_WORK:
                daemon.wait_until_ready()
                self.ready_s.append(clock.monotonic() - began)
                self._look_back(daemon)
                threading.Event().wait(dice.uniform(0.0, self.longest_s))
            else:
                threading.Event().wait(dice.uniform(0.0, STARTING_S))
            assert daemon.process.poll() is None, daemon.text()
            self._cut(dice)
            self.end(daemon)

    def _look_back(self, daemon: Daemon) -> None:
        """What the lives before have promised is there; else with what the start has said about it."""
        try:
            self.reckoning.check_journal(self.journal)
        except AssertionError as error:
            files = sorted(path.name for path in self.disk.root.iterdir())
            error.add_note(f"after {self.cuts} cuts; on the disk: {files}; the start said:\n{daemon.text()}")
            raise

    def end(self, daemon: Daemon) -> None:
        """The daemon ends with the power, and the power returns."""
        daemon.process.kill()
        daemon.wait()
        self.reckoning.note(daemon)
        self.disk.unmount()
        self.disk.tell("lie", False)
        self.disk.tell("power_on")
        self.disk.mount()

    def check(self) -> None:
        """The daemon comes up once more and is asked to stop."""
        with Daemon(self.config, self.folder) as daemon:
            daemon.wait_until_ready()
            assert daemon.stop() == 0
            assert not any("damaged" in line["message"] for line in daemon.lines)
        self.reckoning.check_journal(self.journal)

    def _cut(self, dice: random.Random) -> None:
        """What was not flushed is lost; or some sectors of it, in any order; or all from some write on."""
        self.cuts += 1
        if dice.random() < 0.5:
            self.disk.tell("cut", dice.choice([0.0, 0.2, 0.5, 0.8]), dice.randrange(1 << 30))
        else:
            self.disk.tell("cut_at", dice.random())


def cut_again_and_again(folder: Path, *, cuts: int, seed: int, longest_s: float = LONGEST_S) -> list[Site]:
    dice = random.Random(seed)
    sites = []
    while cuts:
        lives = min(cuts, CUTS_OF_A_DISK)
        cuts -= lives
        at = folder / f"site-{cuts}"
        at.mkdir(parents=True)
        with ForgetfulDisk(at / "disk") as disk:
            site = Site(at, disk, longest_s=longest_s)
            for _ in range(lives):
                site.live_and_lose_power(dice)
            site.check()
            sites.append(site)
    return sites


def test_whatever_was_green_when_the_plug_was_pulled_is_in_the_journal(tmp_path: Path) -> None:
    (site,) = cut_again_and_again(tmp_path, cuts=CUTS, seed=20260304)
    assert site.reckoning.greens > 0


@pytest.mark.torture
def test_whatever_was_green_is_in_the_journal_over_a_hundred_pulled_plugs(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    sites = cut_again_and_again(tmp_path, cuts=MANY_CUTS, seed=seed, longest_s=TORTURE_LONGEST_S)
    greens = sum(site.reckoning.greens for site in sites)
    told = sum(len(site.reckoning.told) for site in sites)
    ready = sorted(seconds for site in sites for seconds in site.ready_s)
    p95 = statistics.quantiles(ready, n=20)[-1]
    print(  # noqa: T201 - the figure
        f"{sum(site.cuts for site in sites)} power cuts, {told} people signalled, {greens} times green, "
        f"none missing; start to READY p50 {statistics.median(ready):.2f} s, p95 {p95:.2f} s; seed {seed}"
    )
    assert told > MANY_CUTS


@pytest.mark.parametrize("careless", ["a disk that lies about flushing", "a journal that does not wait"])
def test_carelessness_is_caught_by_these_tests(tmp_path: Path, careless: str) -> None:
    """The control: tests that never fail prove nothing."""
    lies = "lies" in careless
    with ForgetfulDisk(tmp_path / "disk") as disk:
        site = Site(tmp_path, disk)
        module = "device" if lies else "tests.support.careless_daemon"
        with Daemon(site.config, site.folder, module=module) as daemon:
            daemon.wait_until_ready()
            disk.tell("lie", lies)
            before = len(daemon.scans())
            daemon.wait_for(lambda d: len(d.scans()) >= before + 3, "people are answered")
            disk.tell("cut", 0.0, 1)
            site.end(daemon)
        open_journal(site.journal).close()
        with pytest.raises(AssertionError, match="signalled and not recorded"):
            site.reckoning.check_journal(site.journal)
