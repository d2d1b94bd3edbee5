from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.beat import read_beat, write_beat
from device.coverage import LONGEST_S, Ledger, Sample
from device.model import CoverageEvent
from tests.support.clock import ManualClock


def sample(*, frames: int = 0, looked: int = 0, recording: bool = True, presented: int = 0) -> Sample:
    return Sample(frames, looked, presented, 0, recording, sent=3, confirmed=2)


class Minute:
    """A gate whose minutes are told."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.frames = self.looked = 0
        self.recording = True
        self.ledger = Ledger(sample(), self.clock.reading())
        self.written: list[CoverageEvent] = []

    def live(self, seconds: float, *, seeing: bool = True, deciding: bool = True) -> None:
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            self.frames += seeing
            self.looked += seeing and deciding
            now = sample(frames=self.frames, looked=self.looked, recording=self.recording)
            interval = self.ledger.due(now, self.clock.reading())
            if interval is not None:
                self.written.append(interval)
                self.ledger.written(now, self.clock.reading())

    def told(self) -> list[tuple[bool, bool, bool]]:
        return [(e.seeing, e.deciding, e.recording) for e in self.written]


def test_intervals_follow_each_other_without_a_gap() -> None:
    minute = Minute()
    minute.live(30)
    minute.live(20, seeing=False)
    minute.live(LONGEST_S * 2)
    ends = [e.clock.uptime_ms for e in minute.written]
    assert [e.since_ms for e in minute.written[1:]] == ends[:-1]


def test_a_gate_that_only_works_is_told_every_five_minutes() -> None:
    minute = Minute()
    minute.live(LONGEST_S * 3 + 10)
    assert minute.told()[1:] == [(True, True, True)] * 3  # the first ends with the first frame


def test_a_blind_gate_is_told_apart_from_a_quiet_one() -> None:
    minute = Minute()
    minute.live(30)
    minute.live(30, seeing=False)
    minute.live(30)
    assert minute.told() == [(False, False, True), (True, True, True), (False, False, True)]


def test_frames_that_nobody_looks_at_are_not_deciding() -> None:
    minute = Minute()
    minute.live(10)
    minute.live(10, deciding=False)
    minute.live(10)
    assert (True, False, True) in minute.told()


def test_setting_the_clock_cuts_the_interval() -> None:
    minute = Minute()
    minute.live(10)
    before = len(minute.written)
    minute.clock.set_wall(minute.clock.utc(), trusted=False)
    minute.live(1)
    assert len(minute.written) == before + 1


def test_an_interval_that_could_not_be_written_stays_open() -> None:
    clock = ManualClock()
    ledger = Ledger(sample(), clock.reading())
    clock.advance(LONGEST_S)
    first = ledger.due(sample(frames=5), clock.reading())
    clock.advance(60)
    second = ledger.due(sample(frames=9), clock.reading())
    assert first is not None
    assert second is not None
    assert (first.since_ms, second.since_ms) == (1_000_000, 1_000_000)
    assert second.frames == 9


@given(st.lists(st.tuples(st.floats(0.1, 400), st.booleans(), st.booleans()), max_size=20))
def test_whatever_happens_every_frame_is_in_exactly_one_interval(
    turns: list[tuple[float, bool, bool]],
) -> None:
    minute = Minute()
    for seconds, seeing, recording in turns:
        minute.recording = recording
        minute.live(min(seconds, 20), seeing=seeing)
    last = minute.ledger.interval(sample(frames=minute.frames), minute.clock.reading())
    assert sum(e.frames for e in minute.written) + last.frames == minute.frames


def test_the_last_sign_of_life_is_read_back(tmp_path: Path) -> None:
    reading = ManualClock().reading()
    write_beat(tmp_path / "beat.json", reading)
    assert read_beat(tmp_path / "beat.json") == reading


def test_a_folder_that_is_gone_does_not_stop_a_gate(tmp_path: Path) -> None:
    write_beat(tmp_path / "gone" / "beat.json", ManualClock().reading())
    assert read_beat(tmp_path / "gone" / "beat.json") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"wall": 1}', b"\xff\xfe", b"[" * 1000])
def test_a_torn_beat_is_no_beat(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "beat.json").write_bytes(content)
    assert read_beat(tmp_path / "beat.json") is None
