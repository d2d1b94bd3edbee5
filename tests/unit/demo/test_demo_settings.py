from __future__ import annotations

from typing import TYPE_CHECKING

from device.config.loader import load
from device.demo.settings import prepare, sample
from device.demo.story import DENIED_IDENTIFIER, story

if TYPE_CHECKING:
    from pathlib import Path


def test_the_daemon_gets_the_shipped_sample_with_only_the_port_put_in(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, broker_port=31883)
    shipped = sample().read_text(encoding="utf-8").splitlines()
    used = prepared.file.read_text(encoding="utf-8").splitlines()
    changed = [(old, new) for old, new in zip(shipped, used, strict=True) if old != new]
    assert changed == [("  port: 1883", "  port: 31883")]


def test_everything_the_configuration_names_is_there(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, broker_port=1)
    settings = load(prepared.file)
    assert settings.camera.replay.path == prepared.scene
    assert list(prepared.scene.iterdir()) == []
    assert settings.camera.frames_per_second == prepared.frames_per_second
    assert settings.policy.deny_list is not None
    assert DENIED_IDENTIFIER in settings.policy.deny_list.read_text(encoding="utf-8")


def test_nothing_lies_outside_the_folder(tmp_path: Path) -> None:
    settings = load(prepare(tmp_path, broker_port=1).file)
    key = settings.privacy.pseudonym_key_file
    assert key is not None
    assert key.stat().st_mode & 0o777 == 0o600
    for file in (settings.camera.replay.path, settings.policy.deny_list, settings.journal.path, key):
        assert file is not None
        assert file.is_relative_to(tmp_path)


def test_the_rules_of_the_sample_make_the_story_come_true(tmp_path: Path) -> None:
    policy = load(prepare(tmp_path, broker_port=1).file).policy
    ok = {s.expected.kind for s in story() if s.expected.outcome == "granted"}
    assert ok <= set(policy.accept)
    first, *_, last = story()
    assert last.starts_s - first.starts_s < policy.repeat_s
