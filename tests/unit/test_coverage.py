from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.beat import read_beat, write_beat
from device.coverage import CUTS, LONGEST_S, UNWRITTEN, Ledger, Sample
from device.model import CoverageEvent
from tests.support.clock import ManualClock


def sample(*, frames: int = 0, looked: int = 0, recording: bool = True, presented: int = 0) -> Sample:
    return Sample(frames, looked, presented, 0, recording, sent=3, confirmed=2)


class Minute:
    """A gate whose minutes are told."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.frames = self.looked = 0
        self.recording = self.card_takes = True
        self.ledger = Ledger(sample(), self.clock.reading())
        self.written: list[CoverageEvent] = []

    def live(self, seconds: float, *, seeing: bool = True, deciding: bool = True) -> None:
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            self.frames += seeing
            self.looked += seeing and deciding
            now = sample(frames=self.frames, looked=self.looked, recording=self.recording)
            interval = self.ledger.due(now, self.clock.reading())
            if interval is not None and self.card_takes:
                self.written.append(interval)
                self.ledger.written()

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


def test_what_could_not_be_written_is_written_later_as_it_was() -> None:
    minute = Minute()
    minute.live(30)
    minute.card_takes = False
    minute.live(30, seeing=False)
    minute.live(LONGEST_S + 10)
    minute.card_takes = True
    minute.live(5)
    seen, blind = (True, True, True), (False, False, True)
    assert minute.told() == [blind, seen, blind, seen]
    lengths = [(e.clock.uptime_ms - e.since_ms) // 1000 for e in minute.written]
    assert lengths[1:] == [31, 28, LONGEST_S]  # two seconds of silence are not blindness yet


def test_a_card_that_is_full_for_an_hour_is_told_as_not_recording_and_no_minute_of_it_is_missing() -> None:
    minute = Minute()
    minute.live(60)
    minute.recording = minute.card_takes = False
    minute.live(3600)
    minute.recording = minute.card_takes = True
    minute.live(60)
    ends = [e.clock.uptime_ms for e in minute.written]
    assert [e.since_ms for e in minute.written[1:]] == ends[:-1]
    unrecorded = [e for e in minute.written if not e.recording]
    assert sum(e.clock.uptime_ms - e.since_ms for e in unrecorded) == 3_600_000


def test_a_card_that_never_comes_back_does_not_fill_the_memory() -> None:
    minute = Minute()
    minute.card_takes = False
    for _ in range(UNWRITTEN * 2):
        minute.live(LONGEST_S)
    assert len(minute.ledger._unwritten) == UNWRITTEN
    minute.card_takes = True
    minute.live(UNWRITTEN)
    ends = [e.clock.uptime_ms for e in minute.written]
    assert [e.since_ms for e in minute.written[1:]] == ends[:-1]


def test_a_gate_that_wavers_is_told_with_how_often_and_claims_no_more_than_was_always_so() -> None:
    minute = Minute()
    minute.live(30)
    for _ in range(60):
        minute.live(7, seeing=False)
        minute.live(8)
    told = minute.written[1:]
    assert len(told) <= (CUTS + 1) * 16 * 60 // LONGEST_S + CUTS
    wavering = [e for e in told if e.changes]
    assert wavering
    assert not any(e.seeing for e in wavering)
    assert all(e.frames > 0 for e in wavering)


@given(st.lists(st.tuples(st.floats(0.1, 400), st.booleans(), st.booleans()), max_size=20))
def test_whatever_happens_every_frame_is_in_exactly_one_interval(
    turns: list[tuple[float, bool, bool]],
) -> None:
    minute = Minute()
    for seconds, seeing, recording in turns:
        minute.recording = recording
        minute.live(min(seconds, 20), seeing=seeing)
    rest = minute.ledger.rest(sample(frames=minute.frames), minute.clock.reading())
    assert sum(e.frames for e in (*minute.written, *rest)) == minute.frames


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
