"""The shelf: a good list replaces an older one, nothing else does, and a start finds the last good one."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from pathlib import Path

import pytest

from device.errors import GateError
from device.lists.shelf import Shelf
from device.lists.standing import Change
from device.policy.listfile import ListFile
from device.policy.lists import ListKind
from tests.support.clock import ManualClock
from tests.support.lists import ANNA, BINH, ISSUED, PSEUDONYMS, District, name_of, reader

DISTRICT, STRANGER = District(), District()
DAY = timedelta(days=1)


class Gate:
    """A shelf with one list, whose file and clock a test moves."""

    def __init__(
        self, folder: Path, kind: ListKind = ListKind.DENY, *, signed: bool = True, keeps: bool = True
    ) -> None:
        self.clock = ManualClock(wall=ISSUED + timedelta(hours=1))
        self.file = folder / "list"
        self.kept = folder / "kept"
        self._kind, self._keeps = kind, keeps
        self._keys = DISTRICT.keys if signed else None
        self._writes = 0
        self.replaced: set[str] = set()
        self.shelf = self._made()

    def _made(self) -> Shelf:
        return Shelf(
            files={self._kind: self.file},
            kept=self.kept,
            reader=reader(self._keys),
            clock=self.clock,
            matches=lambda key: key not in self.replaced,
        )

    def put(self, content: ListFile | bytes) -> None:
        """Somebody copies a file over the list's."""
        self.file.write_bytes(content if isinstance(content, bytes) else content.raw)
        self._writes += 1
        os.utime(self.file, (0, self._writes))

    def start(self) -> None:
        """The process begins anew."""
        self.shelf = self._made()
        self.shelf.open()
        if self._keeps:
            self.shelf.keep()

    def look(self) -> tuple[Change, ...]:
        """Two looks: a changed file is read at the second."""
        return (*self.shelf.look(), *self.shelf.look())

    def denies(self, person: str) -> bool:
        return name_of(person) in self.shelf.lists.deny

    @property
    def version(self) -> int | None:
        return self.shelf.lists.issues[0].version


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A gate with version 5 of a deny list in force, Anna on it."""
    gate = Gate(tmp_path)
    gate.put(DISTRICT.list_of(ANNA, version=5))
    gate.start()
    return gate


def test_a_newer_list_is_taken_while_the_gate_runs(gate: Gate) -> None:
    assert gate.denies(ANNA)
    gate.put(DISTRICT.list_of(BINH, version=6))
    assert gate.shelf.look() == ()
    assert gate.shelf.look() == (Change("deny", 6),)
    assert (gate.denies(ANNA), gate.denies(BINH), gate.version) == (False, True, 6)
    assert gate.look() == ()


BAD = {
    "damaged": DISTRICT.list_of(BINH, version=6).raw[:-1],
    "unsigned": DISTRICT.list_of(BINH, version=6, signed=False).raw,
    "bad_signature": DISTRICT.list_of(BINH, version=6).raw.replace(b'"version":6', b'"version":7'),
    "unknown_key": STRANGER.list_of(BINH, version=6).raw,
    "other_kind": DISTRICT.list_of(BINH, version=6, kind=ListKind.ALLOW).raw,
    "other_gates": DISTRICT.list_of(BINH, version=6, gates=("south-door",)).raw,
    "other_pseudonyms": DISTRICT.list_of(BINH, version=6, pseudonyms="00000000").raw,
    "older": DISTRICT.list_of(BINH, version=4).raw,
}


@pytest.mark.parametrize(("word", "raw"), BAD.items())
def test_what_is_no_good_list_never_replaces_one_not_even_at_a_start(
    gate: Gate, word: str, raw: bytes
) -> None:
    gate.put(raw)
    assert gate.look() == (Change("deny", refused=word),)
    assert (gate.denies(ANNA), gate.denies(BINH), gate.version) == (True, False, 5)
    assert gate.shelf.standings()[0].refused == word
    assert gate.look() == ()
    gate.start()
    assert (gate.denies(ANNA), gate.denies(BINH), gate.version) == (True, False, 5)
    gate.put(DISTRICT.list_of(BINH, version=6))
    assert gate.look() == (Change("deny", 6),)
    assert gate.shelf.standings()[0].refused == ""


def test_another_list_under_the_same_version_is_not_taken(gate: Gate) -> None:
    gate.put(DISTRICT.list_of(BINH, version=5))
    assert gate.look() == (Change("deny", refused="older"),)


def test_plain_lines_are_not_taken_where_lists_are_signed(gate: Gate) -> None:
    gate.put(BINH.encode())
    assert gate.look() == (Change("deny", refused="unsigned"),)


def test_a_list_whose_file_has_gone_stays_in_force(gate: Gate) -> None:
    gate.file.unlink()
    assert gate.look() == (Change("deny", refused="unreadable"),)
    gate.start()
    assert gate.denies(ANNA)


@pytest.mark.parametrize("seed", range(30))
def test_a_kept_list_that_rots_on_the_card_is_not_believed(gate: Gate, seed: int) -> None:
    gate.file.unlink()
    kept = gate.kept / "deny.list"
    raw = bytearray(kept.read_bytes())
    dice = random.Random(seed)
    raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    kept.write_bytes(raw)
    with pytest.raises(GateError, match="No such file"):
        gate.start()


def test_a_gate_that_never_had_a_good_list_does_not_start_without(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    with pytest.raises(GateError, match="No such file"):
        gate.start()
    gate.put(BAD["unknown_key"])
    with pytest.raises(GateError, match="not trusted"):
        gate.start()


# -- later ----------------------------------------------------------------------------------------


def test_a_list_for_later_waits_also_through_a_start_and_without_its_file(gate: Gate) -> None:
    gate.put(DISTRICT.list_of(BINH, version=6, begins=DAY))
    assert gate.look() == ()
    assert (gate.version, gate.shelf.standings()[0].waiting) == (5, 6)
    gate.file.unlink()
    gate.start()
    assert (gate.version, gate.shelf.standings()[0].waiting) == (5, 6)
    gate.clock.advance(23 * 3600 - 1)
    assert gate.look() == ()
    gate.clock.advance(1)
    assert Change("deny", 6) in gate.look()
    gate.start()
    assert (gate.version, gate.shelf.standings()[0].waiting) == (6, None)


def test_a_list_for_later_waits_while_the_clock_is_not_trusted(gate: Gate) -> None:
    gate.put(DISTRICT.list_of(BINH, version=6, begins=DAY))
    gate.clock.set_wall(ISSUED + 2 * DAY, trusted=False)
    assert gate.look() == ()
    assert gate.version == 5
    gate.clock.set_wall(ISSUED + 2 * DAY)
    assert gate.look() == (Change("deny", 6),)


def test_a_newer_list_at_once_takes_the_place_of_one_that_waits(gate: Gate) -> None:
    gate.put(DISTRICT.list_of(BINH, version=6, begins=DAY))
    gate.look()
    gate.put(DISTRICT.list_of(ANNA, BINH, version=7))
    assert gate.look() == (Change("deny", 7),)
    gate.clock.advance(2 * 86_400)
    gate.start()
    assert (gate.version, gate.shelf.standings()[0].waiting) == (7, None)


@pytest.mark.parametrize("kind", [ListKind.ALLOW, ListKind.ROSTER])
def test_before_its_first_list_takes_effect_nobody_is_on_it(tmp_path: Path, kind: ListKind) -> None:
    gate = Gate(tmp_path, kind)
    gate.put(DISTRICT.list_of(ANNA, kind=kind, begins=DAY))
    gate.start()
    assert gate.shelf.lists.issues == ()
    assert not gate.shelf.lists.admit((name_of(ANNA),))
    gate.clock.advance(2 * 86_400)
    gate.look()
    assert gate.shelf.lists.admit((name_of(ANNA),))


# -- lists that people write ----------------------------------------------------------------------


def test_lines_are_taken_anew_when_they_change(tmp_path: Path) -> None:
    gate = Gate(tmp_path, signed=False)
    gate.put(ANNA.encode())
    gate.start()
    assert gate.denies(ANNA)
    gate.put(f"{BINH}\n# {ANNA}".encode())
    assert gate.look() == (Change("deny"),)
    assert (gate.denies(ANNA), gate.denies(BINH), gate.version) == (False, True, None)


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (ANNA.encode("utf-16"), "not_text"),
        (b"\x89PNG\r\n\x1a\n", "not_text"),
        (b"name;number\nAn;046190123456\n", "no_entry"),
    ],
)
def test_lines_that_cannot_be_meant_replace_nothing(tmp_path: Path, raw: bytes, word: str) -> None:
    gate = Gate(tmp_path, signed=False)
    gate.put(ANNA.encode())
    gate.start()
    gate.put(raw)
    assert gate.look() == (Change("deny", refused=word),)
    gate.start()
    assert gate.denies(ANNA)


def test_an_emptied_list_is_an_empty_list(tmp_path: Path) -> None:
    gate = Gate(tmp_path, signed=False)
    gate.put(ANNA.encode())
    gate.start()
    gate.put(b"# nobody any more\n")
    gate.look()
    assert not gate.denies(ANNA)


def test_somebody_who_only_asks_writes_nothing_and_sees_what_is_in_force(gate: Gate) -> None:
    gate.put(BAD["damaged"])
    before = sorted(path.name for path in gate.kept.iterdir())
    looking = Gate(gate.file.parent, keeps=False)
    looking.start()
    assert looking.denies(ANNA)
    assert sorted(path.name for path in gate.kept.iterdir()) == before


def test_nobody_is_named_in_what_is_kept(tmp_path: Path) -> None:
    gate = Gate(tmp_path, signed=False)
    gate.put(ANNA.encode())
    gate.start()
    (kept,) = gate.kept.iterdir()
    assert ANNA.encode() not in kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_the_standing_of_a_list_is_told_in_words(gate: Gate) -> None:
    gate.put(DISTRICT.list_of(BINH, version=6, begins=DAY))
    gate.look()
    gate.put(BAD["older"])
    gate.look()
    gate.clock.advance(4 * 3600)
    told = str(gate.shelf.standings()[0])
    assert told == "deny 5 5 h old (6 waits for its day) (its file is refused: older)"


def test_a_list_that_matches_nobody_any_more_is_told_once_and_a_new_one_mends_it(gate: Gate) -> None:
    gate.replaced.add(PSEUDONYMS.key_id)  # the overlap after a change of the pseudonym key is over
    assert gate.look() == (Change("deny", refused="other_pseudonyms"),)
    assert gate.shelf.standings()[0].refused == "other_pseudonyms"
    assert gate.look() == ()
    gate.replaced.clear()
    gate.put(DISTRICT.list_of(BINH, version=6))
    assert gate.look() == (Change("deny", 6),)
    assert gate.shelf.standings()[0].refused == ""
