from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.durable import read_or_make_secret, write_new, write_over


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "signing.key"
    secret, made = read_or_make_secret(path, 32)
    assert (len(secret), made) == (32, True)
    assert read_or_make_secret(path, 32) == (secret, False)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_draft_that_a_power_cut_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    (tmp_path / f".signing.key.{os.getpid()}.new").write_bytes(b"half")
    secret, made = read_or_make_secret(path, 32)
    assert made
    assert path.read_bytes() == secret
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_is_replaced_or_left_alone_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    write_new(path, b"first", mode=0o644)
    with pytest.raises(FileExistsError):
        write_new(path, b"second", mode=0o644)
    assert path.read_bytes() == b"first"
    write_over(path, b"second", mode=0o644)
    assert path.read_bytes() == b"second"
