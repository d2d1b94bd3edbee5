"""Files of every version that was ever written, kept as they were, open and go on.

Whoever raises the version keeps a file of it here: nine events, three sent, the fifth refused.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from device.journal.database import VERSION
from device.service.events import verify
from tests.support.journal import open_journal, scan_event

KEPT = Path(__file__).parents[2] / "data" / "journal"


@pytest.fixture(params=range(1, VERSION + 1))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(KEPT / f"version-{request.param}.db", tmp_path / "journal.db"))


def version(path: Path) -> int:
    outside = sqlite3.connect(path)
    number: int = outside.execute("PRAGMA user_version").fetchone()[0]
    outside.close()
    return number


def test_an_old_file_is_taken_over_with_everything_in_it(old: Path) -> None:
    assert version(old) <= VERSION
    before = verify(old)
    journal = open_journal(old)
    stats = journal.stats()
    assert journal.replaced is None
    assert journal.id == before.journal
    assert (stats.stored, stats.acknowledged_through, stats.set_aside) == (9, 3, 1)
    assert stats.confirmed_through == 0
    assert journal.append(scan_event()).seq == 10
    journal.close()
    assert version(old) == VERSION
    assert verify(old).whole


def test_an_old_file_is_read_without_being_changed(old: Path) -> None:
    content = old.read_bytes()
    assert verify(old).events == 9
    assert old.read_bytes() == content


def test_an_old_and_a_new_file_end_with_the_same_tables(old: Path, tmp_path: Path) -> None:
    def tables(path: Path) -> list[tuple[str, str, int, str]]:
        outside = sqlite3.connect(path)
        found = outside.execute(
            "SELECT m.name, c.name, c.pk, c.type"
            " FROM sqlite_master m, pragma_table_info(m.name) c ORDER BY 1, 2"
        ).fetchall()
        outside.close()
        return found

    open_journal(old).close()
    open_journal(tmp_path / "new.db").close()
    assert tables(old) == tables(tmp_path / "new.db")
