"""Whoever takes the box, reads its log or listens to the broker learns no name: everything is searched."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from device.cli import main
from device.service.seals import make_seal
from device.uplink.wire import parse_events
from tests.support.broker import Broker
from tests.support.daemon import Daemon
from tests.support.gate import ANNA, BINH, Gate
from tests.support.subscriber import Received, Subscriber

pytestmark = pytest.mark.slow

PERSONAL = (
    "046190123456",
    "Nguyễn Thị An",
    "079088000111",
    "191234567",
    "Trần Văn Bình",
    "Phường Thử Nghiệm",
)
NAMES_AND_NUMBERS = ("046190123456", "Nguyễn Thị An", "079088000111", "Trần Văn Bình")


def forms(text: str) -> Iterator[bytes]:
    """A text as files, logs and protocols write it."""
    for form in (text, unicodedata.normalize("NFD", text)):
        yield form.encode()
        yield form.encode("utf-16-le")
        yield json.dumps(form)[1:-1].encode()


def found(content: bytes) -> set[str]:
    """What of the two persons stands in some bytes."""
    return {text for text in PERSONAL if any(form in content for form in forms(text))}


def found_in_files(folder: Path) -> dict[str, set[str]]:
    """The same for each file of a gate that has something; the pictures are the camera's."""
    files = (file for file in folder.rglob("*") if file.is_file() and "scene" not in file.parts)
    return {file.name: what for file in files if (what := found(file.read_bytes()))}


def found_in_processes(pid: int) -> set[str]:
    """In what everybody on the machine may read of the daemon and its children."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    told = [word for process in processes for word in (*process.cmdline(), *process.environ().values())]
    return found("\n".join(told).encode("utf-8", "surrogateescape"))


def visited(folder: Path, privacy: dict[str, object], broker: Broker) -> Gate:
    """A gate for two people, one after the other."""
    changes = {f"privacy.{name}": value for name, value in privacy.items()}
    gate = Gate(folder, port=broker.port, changes=changes)
    gate.hold(ANNA)
    gate.hold(BINH)
    return gate


def run(gate: Gate, broker: Broker) -> tuple[bytes, bytes, set[str]]:
    """Lets both pass, then takes the journal away while it works: log, MQTT, processes."""
    config = gate.write()
    with (
        Subscriber(broker.host, broker.port) as subscriber,
        Daemon(config, gate.folder) as daemon,
    ):
        daemon.wait_for(lambda d: len(d.scans()) >= 2, "both are answered")
        assert subscriber.wait_for(lambda m: sum(p.startswith(b"gate.scan.v1 ") for p in read(m)) >= 2)
        processes = found_in_processes(daemon.process.pid)
        files = {name: (gate.folder / name).read_bytes() for name in ("journal.db", "journal.db-wal")}
        (gate.folder / "journal.db").unlink()  # the worst that can happen between two scans
        assert daemon.wait() == 74
        for name, content in files.items():
            (gate.folder / name).write_bytes(content)
        log = json.dumps(daemon.lines, ensure_ascii=False).encode()
        wire = b"\n".join(read(subscriber.messages))
    return log, wire, processes


def read(messages: tuple[Received, ...]) -> list[bytes]:
    """Topics and payloads; of events, what was packed."""
    pieces: list[bytes] = []
    for message in messages:
        pieces += message.topic.encode(), message.payload
        if message.topic.endswith("/event"):
            pieces += (event.type.encode() + b" " + event.data for event in parse_events(message.payload))
    return pieces


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with Broker(folder, persistence=True) as broker:
        yield broker


def test_with_a_seal_nobody_but_the_district_learns_who_it_was(
    tmp_path: Path, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gate"
    folder.mkdir()
    make_seal(tmp_path / "district.pem", folder / "seal.pub")
    gate = visited(folder, {"seal_to": "seal.pub", "keep": ["identifier", "name", "born"]}, broker)
    log, wire, processes = run(gate, broker)
    assert found_in_files(tmp_path) == {}
    assert (found(log), found(wire), processes) == (set(), set(), set())
    assert wire.count(b'"sealed":{') >= 2
    journal, key = str(gate.journal), str(tmp_path / "district.pem")
    assert main(["unseal", journal, "--key", key, "--gate", "test-district/test-site/door-1"]) == 0
    opened = capsys.readouterr().out
    assert "046190123456  Nguyễn Thị An  1990-06-05" in opened
    assert "079088000111  Trần Văn Bình  1988-02-29" in opened


def test_without_a_seal_nothing_is_kept_at_all(tmp_path: Path, broker: Broker) -> None:
    folder = tmp_path / "gate"
    folder.mkdir()
    log, wire, processes = run(visited(folder, {}, broker), broker)
    assert found_in_files(tmp_path) == {}
    assert (found(log), found(wire), processes) == (set(), set(), set())
    assert b"sealed" not in wire


def test_clear_text_stands_where_it_was_asked_for_and_nowhere_else(tmp_path: Path, broker: Broker) -> None:
    folder = tmp_path / "gate"
    folder.mkdir()
    log, wire, processes = run(visited(folder, {"keep_clear": True}, broker), broker)
    assert set(found_in_files(folder)) <= {"journal.db", "journal.db-wal"}
    assert found_in_files(folder)
    assert found(wire) == set(NAMES_AND_NUMBERS)
    assert (found(log), processes) == (set(), set())
