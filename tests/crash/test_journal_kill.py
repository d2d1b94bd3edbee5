"""kill -9 and power cuts at random moments: nothing whose append returned is ever missing."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import threading
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from device.journal.reader import JournalReader
from tests.support.forgetful_disk import ForgetfulDisk
from tests.support.journal import append_many, open_journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

KILLS = 12
CUTS = 10
MANY_CUTS = 120
CUTS_OF_A_DISK = 20
# Of all lives, so many end at work; the others while the program starts and opens the journal.
AT_WORK = 0.75
LONGEST_S = 0.6


def live_and_die(
    path: Path,
    *,
    dice: random.Random,
    end: Callable[[], object] = lambda: None,
    options: tuple[str, ...] = (),
) -> int:
    """Ends a writer in the given way and by kill, mostly at work, now and then while it begins.

    Returns:
        The last number it promised; 0 for none.
    """
    command = [sys.executable, "-m", "tests.support.journal_writer", str(path), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        if dice.random() < AT_WORK:
            assert writer.stdout.readline().startswith("OPEN ")
        threading.Event().wait(dice.uniform(0.0, LONGEST_S))
        assert writer.poll() is None, "the writer ended by itself"
        end()
        writer.kill()
        said = writer.stdout.read()
    promised = re.findall(r"^STORED ([0-9]+)$", said[: said.rfind("\n") + 1], re.MULTILINE)
    return int(promised[-1]) if promised else 0


def check(path: Path, promised: int) -> None:
    """The journal opens, is whole, and ends with what was promised or the one event on its way."""
    with closing(open_journal(path, max_bytes=64 << 20)) as journal:
        assert journal.replaced is None
        assert journal.stats().last_seq >= promised
        with JournalReader(path) as reader:
            found = reader.verify(10)
    assert found.whole, found.breaks


@pytest.mark.parametrize("options", [(), ("--deliver",)])
def test_no_event_that_was_promised_is_lost_by_kill_9(tmp_path: Path, options: tuple[str, ...]) -> None:
    dice = random.Random(20260302)
    path = tmp_path / "journal.db"
    most = 0
    for _ in range(KILLS):
        most = max(most, live_and_die(path, dice=dice, options=options))
        check(path, most)
    assert most > 0


def cut_again_and_again(folder: Path, *, cuts: int, seed: int) -> int:
    """Lives, cuts the power and checks, so many times; how many promises were made in all."""
    dice = random.Random(seed)
    promises = 0
    while cuts:
        life = min(cuts, CUTS_OF_A_DISK)
        cuts -= life
        with ForgetfulDisk(folder / f"disk-{cuts}") as disk:
            path, most = disk.root / "journal.db", 0
            for _ in range(life):
                cut = partial(disk.tell, "cut", dice.choice([0.0, 0.5, 1.0]), dice.randrange(1 << 30))
                most = max(most, live_and_die(path, dice=dice, end=cut, options=("--deliver",)))
                disk.unmount()
                disk.tell("power_on")
                disk.mount()
                check(path, most)
            promises += most
    return promises


def test_no_event_that_was_promised_is_lost_by_a_power_cut(tmp_path: Path) -> None:
    assert cut_again_and_again(tmp_path, cuts=CUTS, seed=20260303) > 0


@pytest.mark.torture
def test_no_event_that_was_promised_is_lost_by_a_hundred_power_cuts(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    promises = cut_again_and_again(tmp_path, cuts=MANY_CUTS, seed=seed)
    print(f"{MANY_CUTS} power cuts, {promises} promises, none broken; seed {seed}")  # noqa: T201 - the figure
    assert promises > MANY_CUTS


def test_a_card_that_lies_about_flushing_is_caught_by_these_tests(tmp_path: Path) -> None:
    """The control: tests that never fail prove nothing."""
    with ForgetfulDisk(tmp_path / "disk") as disk:
        path = disk.root / "journal.db"
        journal = open_journal(path)
        append_many(journal, 100)
        disk.tell("lie", True)
        append_many(journal, 100)
        disk.tell("cut", 0.0, 1)
        journal.close()
        disk.unmount()
        disk.tell("lie", False)
        disk.tell("power_on")
        disk.mount()
        with pytest.raises(AssertionError):
            check(path, 200)
