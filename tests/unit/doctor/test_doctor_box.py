from __future__ import annotations

from pathlib import Path

import pytest

from device.config.loader import load
from device.doctor import camera, machine, record
from device.doctor.finding import Finding, Level, failed, ok, skipped, warned
from device.doctor.panel import show_panel
from device.doctor.visit import as_event, quick
from device.errors import PanelError
from device.gpio.lines import BuzzerWire, GpioLines, Wire
from device.gpio.patterns import Lamp
from device.gpio.pins import open_pins
from device.journal.sqlite_journal import SqliteJournal
from device.journal.state import WhenFull
from device.model import Lifecycle, LifecycleEvent, Occasion
from device.runtime import SystemClock
from tests.support.clock import ManualClock
from tests.support.codes import empty
from tests.support.gate import Gate

THROTTLED = "devices/platform/soc/soc:firmware/get_throttled"
HEAT = "class/thermal/thermal_zone0/temp"


def written(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    return root


class SlowClock(ManualClock):
    """Every look at it takes a while, as if each flush did."""

    def __init__(self, step_s: float) -> None:
        super().__init__()
        self._step_s = step_s

    def monotonic(self) -> float:
        self.advance(self._step_s)
        return super().monotonic()


@pytest.mark.parametrize(
    ("bits", "level", "word"),
    [
        ("0\n", Level.OK, "no under-voltage"),
        ("1\n", Level.FAILED, "now"),
        ("50005\n", Level.FAILED, "now"),
        ("10000\n", Level.WARNED, "since the start"),
        ("40000\n", Level.WARNED, "heat"),
        ("nonsense\n", Level.SKIPPED, "does not tell"),
    ],
)
def test_the_supply_is_told_as_the_firmware_has_it(
    tmp_path: Path, bits: str, level: Level, word: str
) -> None:
    found = machine.power(written(tmp_path, THROTTLED, bits))
    assert found.level is level
    assert word in found.said


@pytest.mark.parametrize(
    ("millis", "level"), [("48000\n", Level.OK), ("71500\n", Level.WARNED), ("84000\n", Level.FAILED)]
)
def test_a_box_in_the_sun_is_told_before_it_slows_down(tmp_path: Path, millis: str, level: Level) -> None:
    assert machine.temperature(written(tmp_path, HEAT, millis)).level is level


@pytest.mark.parametrize(("filtered", "level"), [(True, Level.OK), (False, Level.WARNED)])
def test_a_decoder_whose_system_calls_nobody_filters_is_told(*, filtered: bool, level: Level) -> None:
    assert camera.decoder(filtered=filtered).level is level


def test_what_a_machine_does_not_tell_is_skipped_and_not_guessed(tmp_path: Path) -> None:
    found = [machine.power(tmp_path), machine.temperature(tmp_path), machine.memory(tmp_path)]
    assert [f.level for f in found] == [Level.SKIPPED] * 3


@pytest.mark.parametrize(("available_kb", "level"), [(900_000, Level.OK), (20_000, Level.WARNED)])
def test_a_machine_short_of_memory_is_told(tmp_path: Path, available_kb: int, level: Level) -> None:
    text = f"MemTotal: 1000000 kB\nMemFree: 1 kB\nMemAvailable: {available_kb} kB\n"
    assert machine.memory(written(tmp_path, "meminfo", text)).level is level


@pytest.mark.parametrize(("step_s", "level"), [(0.001, Level.OK), (0.2, Level.WARNED), (1.5, Level.FAILED)])
def test_a_worn_card_is_told_by_its_flushes(tmp_path: Path, step_s: float, level: Level) -> None:
    assert machine.write_latency(tmp_path, SlowClock(step_s)).level is level


def test_looking_for_a_worn_card_does_not_take_long(tmp_path: Path) -> None:
    clock = SlowClock(2.0)
    began = clock.utc()
    machine.write_latency(tmp_path, clock)
    assert (clock.utc() - began).total_seconds() < 15


def test_a_folder_that_is_not_there_is_told_with_its_name(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    space = machine.free_space(absent, journal_bytes=0, journal_max_bytes=1)
    writes = machine.write_latency(absent, SystemClock())
    assert space.level is writes.level is Level.FAILED
    assert str(absent) in space.said
    assert str(absent) in writes.said


def test_a_card_that_cannot_hold_a_full_journal_is_told(tmp_path: Path) -> None:
    found = machine.free_space(tmp_path, journal_bytes=0, journal_max_bytes=2**60)
    assert found.level is Level.WARNED


def test_an_unset_clock_is_told(tmp_path: Path) -> None:
    assert machine.time_of_day(ManualClock(trusted=False)).level is Level.WARNED
    assert machine.time_of_day(ManualClock(trusted=True)).level is Level.OK


# -- journal ----------------------------------------------------------------------------------------


def journal_at(path: Path, events: int) -> None:
    clock = SystemClock()
    journal = SqliteJournal.open(path, max_bytes=2**22, keep_days=30, when_full=WhenFull.REFUSE, clock=clock)
    for _ in range(events):
        journal.append(LifecycleEvent(Lifecycle.STARTED, "first_start", "0", clock.reading()))
    journal.close()


def test_a_whole_journal_is_told_with_its_length(tmp_path: Path) -> None:
    journal_at(tmp_path / "journal.db", 3)
    found = record.completeness(tmp_path / "journal.db")
    assert found == ok("journal", "3 events, complete and unchanged")


def test_no_journal_yet_is_no_fault(tmp_path: Path) -> None:
    assert record.completeness(tmp_path / "journal.db").level is Level.SKIPPED


def test_a_file_that_is_no_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database" * 100)
    assert record.completeness(tmp_path / "journal.db").level is Level.FAILED


def test_a_journal_damaged_before_is_pointed_out_without_its_companions(tmp_path: Path) -> None:
    for name in ("journal.db.damaged-1", "journal.db.damaged-1-wal", "other.db.damaged-1"):
        (tmp_path / name).write_bytes(b"")
    found = record.quarantined(tmp_path / "journal.db")
    assert found.level is Level.WARNED
    assert found.said == "1 damaged before and kept: journal.db.damaged-1"


# -- panel ------------------------------------------------------------------------------------------


def panel_lines() -> GpioLines:
    return GpioLines(
        pins=open_pins("mock"),
        lights={Lamp.GREEN: Wire(17), Lamp.RED: Wire(22)},
        buzzer=BuzzerWire(18),
        relay=Wire(24),
    )


@pytest.mark.parametrize("pull_relay", [False, True])
def test_each_line_is_shown_by_itself_and_the_relay_only_when_asked(*, pull_relay: bool) -> None:
    lines, seen = panel_lines(), []
    findings = list(
        show_panel(
            lambda: lines,
            fitted=frozenset({"green", "red", "buzzer", "relay"}),
            pull_relay=pull_relay,
            pause=lambda _: seen.append(lines._state),
            tell=lambda _: None,
        )
    )
    assert [f.level for f in findings] == [Level.OK] * 3
    lit = [sorted(state.lamps) for state in seen]
    assert lit[:2] == [["green"], ["red"]]
    assert [bool(state.tone_hz) for state in seen][:3] == [False, False, True]
    assert any(state.relay for state in seen) is pull_relay


def test_a_pin_that_is_held_by_somebody_is_told_in_the_words_of_the_panel() -> None:
    def held() -> GpioLines:
        raise PanelError("panel.relay (GPIO 24): in use by 'gpioset' (process 812, gpioset)")

    (found,) = show_panel(
        held, fitted=frozenset(), pull_relay=False, pause=lambda _: None, tell=lambda _: None
    )
    assert found.level is Level.FAILED
    assert "process 812" in found.said


def test_a_panel_without_any_line_is_told() -> None:
    findings = list(
        show_panel(
            lambda: GpioLines(pins=open_pins("mock"), lights={}),
            fitted=frozenset(),
            pull_relay=False,
            pause=lambda _: None,
            tell=lambda _: None,
        )
    )
    assert findings[-1].level is Level.WARNED


# -- the visit --------------------------------------------------------------------------------------


def test_the_record_of_a_visit_has_words_and_no_sentences() -> None:
    findings: list[Finding] = [
        ok("clock", "synchronised"),
        warned("power", "under-voltage", "a better supply"),
        failed("broker_tcp", "refused", "check"),
        skipped("pins", "the running gate has it"),
    ]
    event = as_event(findings, Occasion.NIGHTLY, "1.2.3", ManualClock().reading())
    assert (event.ok, event.warned, event.failed, event.skipped) == (
        ("clock",),
        ("power",),
        ("broker_tcp",),
        ("pins",),
    )


def test_the_quick_form_touches_neither_pins_nor_camera_nor_network(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.add(empty())
    words = [f.check for f in quick(load(gate.write()), SystemClock())]
    assert words == ["card_space", "card_writes", "power", "temperature", "memory", "clock"]
