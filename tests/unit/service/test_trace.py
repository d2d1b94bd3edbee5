"""He says he was there at 10:32: every answer, on histories that a real ledger and journal have written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import GateError, JournalError
from device.journal.record import encoded
from device.model import Cause, Outcome, StoredEvent
from device.service.trace.answer import Answer, Trace
from device.service.trace.dating import Calendar, entry_of
from device.service.trace.stretches import Doing
from device.service.trace.words import as_json, as_text
from tests.support.gate_life import HE, SHE, DistrictsCopy, GateLife, at


@pytest.fixture
def life(tmp_path: Path) -> Iterator[GateLife]:
    life = GateLife(tmp_path)
    yield life
    life.journal.close()


@pytest.fixture
def district(tmp_path: Path, life: GateLife) -> DistrictsCopy:
    return DistrictsCopy(tmp_path / "store.db", life.clock)


def told(trace: Trace) -> str:
    return as_text(trace, UTC)


# -- the answers ----------------------------------------------------------------------------------


def test_who_was_granted_was_there(life: GateLife) -> None:
    life.live_until("10:31:40")
    event = life.show()
    life.live_until("10:45")
    life.journal.acknowledge(life.journal.stats().last_seq)
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.GRANTED, True)
    assert found.found is not None
    assert found.found.entry.event == event
    assert "10:31:40  granted (ok), vn.cccd" in told(found)


def test_who_was_refused_is_told_so_with_the_reason(life: GateLife) -> None:
    life.live_until("10:33")
    life.show(outcome=Outcome.DENIED)
    life.live_until("10:45")
    life.journal.acknowledge(life.journal.stats().last_seq)
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.REFUSED, True)
    assert "denied (denied_by_list)" in told(found)


def test_a_grant_counts_whatever_was_refused_nearer_to_that_time(life: GateLife) -> None:
    life.live_until("10:30")
    life.show()
    life.live_until("10:32")
    life.show(outcome=Outcome.DENIED)
    life.live_until("10:45")
    life.journal.acknowledge(life.journal.stats().last_seq)
    assert life.trace("10:32", HE).answer is Answer.GRANTED


def test_a_gate_that_was_scanning_can_say_that_nobody_showed_the_code(life: GateLife) -> None:
    life.live_until("10:10")
    life.show(HE)
    life.live_until("10:32")
    life.show(SHE)
    life.live_until("10:50")
    life.show(HE)
    life.live_until("11:00")
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.NOT_PRESENTED, True)
    assert found.doing == (Doing.SCANNING,)
    assert "The gate was scanning all this time, and nobody showed this person's code." in told(found)
    assert "before 10:10:00  granted" in told(found)
    assert "after  10:50:00  granted" in told(found)


def test_a_code_that_could_not_be_read_is_the_answer_where_it_is_near(life: GateLife) -> None:
    life.live_until("10:31:30")
    life.fail_to_read(Cause.GLARE)
    life.live_until("10:45")
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.UNREADABLE, True)
    assert "there was glare on it" in told(found)


def test_a_code_that_could_not_be_read_long_before_leaves_a_doubt_only(life: GateLife) -> None:
    life.live_until("10:28")
    life.fail_to_read()
    life.live_until("10:45")
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.NOT_PRESENTED, False)
    assert "10:28:00  seen, not read: there was glare on it" in told(found)


def test_a_code_of_another_kind_is_named_as_it_could_have_been_his(life: GateLife) -> None:
    life.live_until("10:32")
    life.show(None, Outcome.ATTENTION)
    life.live_until("10:45")
    found = life.trace("10:32", HE)
    assert found.answer is Answer.NOT_PRESENTED
    assert "attention (wrong_kind), wrong.payment" in told(found)


def test_a_gate_without_pictures_could_not_have_seen_him(life: GateLife) -> None:
    life.live_until("10:30")
    life.live_until("10:36", seeing=False)
    life.live_until("10:45")
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.DOWN, True)
    assert found.doing == (Doing.BLIND,)
    assert "blind; the camera gave no pictures" in told(found)


def test_a_gate_that_was_switched_off_says_so_and_by_whom(life: GateLife) -> None:
    life.live_until("10:30")
    life.stop()
    life.be_away(600)
    life.start()
    life.live_until("11:00")
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure, found.why) == (Answer.DOWN, True, "it was stopped")
    assert "10:30:00 - ...       down; it was stopped" in told(found)


def test_a_power_cut_is_told_from_the_last_sign_of_life_to_the_next_start(life: GateLife) -> None:
    life.live_until("10:30:37")
    life.be_away(390)
    life.boot()
    life.live_until("11:00")
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.DOWN, True)
    (down,) = (s for s in found.history.stretches if s.doing is Doing.DOWN)
    assert (down.since.earliest, down.until.latest) == (at("10:30:30"), at("10:37:27"))
    assert "the power was cut" in down.why


def test_a_process_that_was_killed_is_told_from_a_power_cut(life: GateLife) -> None:
    life.live_until("10:31")
    life.be_away(120)
    life.start()
    life.live_until("10:50")
    assert "the process was killed or died" in life.trace("10:32", HE).why


def test_the_minutes_before_a_power_cut_are_known_though_their_account_was_lost(life: GateLife) -> None:
    life.live_until("10:33:00")
    life.be_away(60)
    life.boot()
    life.live_until("11:00")
    scanning, down = (s.doing for s in life.trace("10:32", HE, minutes=2).history.stretches)
    assert (scanning, down) == (Doing.SCANNING, Doing.DOWN)


def test_what_a_change_cut_short_is_not_claimed_for_the_time_after_it(life: GateLife) -> None:
    life.live_until("10:30")
    life.live_until("10:33", seeing=False)
    life.be_away(300)
    life.boot()
    life.live_until("11:00")
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.UNTOLD, False)


def test_a_camera_that_came_and_went_leaves_a_doubt(life: GateLife) -> None:
    life.live_until("10:20")
    for _ in range(150):
        life.live(4, seeing=False)
        life.live(4)
    found = life.trace("10:32", HE)
    assert found.answer is Answer.DOWN
    assert Doing.WAVERING in found.doing
    assert "on and off; came and went" in told(found)


# -- delivery -------------------------------------------------------------------------------------


def test_what_waits_at_the_gate_is_not_delivered(life: GateLife) -> None:
    life.live_until("10:32")
    life.show()
    life.live_until("10:45")
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.UNDELIVERED, True)
    assert "it waits at the gate for the broker" in told(found)


def test_what_the_broker_has_is_not_delivered_until_the_district_has_it(life: GateLife) -> None:
    life.live_until("10:20")
    life.journal.acknowledge(life.journal.stats().last_seq)
    life.journal.confirm(life.journal.id, life.journal.stats().last_seq)
    life.live_until("10:32")
    seq = life.show().seq
    life.live_until("10:45")
    life.journal.acknowledge(seq)
    life.journal.prune()
    assert "has not confirmed" in life.trace("10:32", HE).why
    life.journal.confirm(life.journal.id, seq)
    life.journal.prune()
    assert life.trace("10:32", HE).answer is Answer.GRANTED


def test_what_the_broker_refused_is_told_with_its_reason(life: GateLife) -> None:
    life.live_until("10:32")
    seq = life.show().seq
    life.live_until("10:45")
    life.journal.set_aside(seq, "not authorized (0x87)")
    life.journal.prune()
    assert life.trace("10:32", HE).why == "the broker refuses it: not authorized (0x87)"


def test_the_districts_store_answers_as_the_gate_does(life: GateLife, district: DistrictsCopy) -> None:
    life.live_until("10:32")
    life.show()
    life.live_until("10:45")
    district.take(life)
    assert district.trace("10:32", HE).answer is Answer.GRANTED
    assert district.trace("10:32", SHE).answer is Answer.NOT_PRESENTED
    assert district.trace("10:32", SHE).sure


def test_events_that_have_not_arrived_keep_the_store_from_saying_that_nobody_came(
    life: GateLife, district: DistrictsCopy
) -> None:
    life.live_until("10:32")
    seq = life.show().seq
    life.live_until("10:45")
    district.take(life, last=seq - 1)
    found = district.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.UNDELIVERED, False)
    district.take(life, first=seq + 1)
    found = district.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.UNDELIVERED, False)
    assert f"1 event not here ({seq})" in told(found)
    district.take(life)
    assert district.trace("10:32", HE).answer is Answer.GRANTED


def test_a_store_with_several_gates_asks_which_one(life: GateLife, district: DistrictsCopy) -> None:
    life.live_until("10:32")
    district.take(life)
    assert district.trace("10:31", gate="site/gate").gate == "gate/v1/tenant/site/gate"
    with pytest.raises(GateError, match="tenant/site/gate"):
        district.trace("10:31", gate="site/other")


# -- clocks ---------------------------------------------------------------------------------------


def test_events_before_the_clock_was_set_are_dated_by_it(life: GateLife) -> None:
    life.live_until("10:10")
    life.be_away(600)
    life.boot(wall=datetime(1970, 1, 1, tzinfo=UTC))
    life.live(640)
    life.show()
    life.live(360)
    life.set_clock("10:37:40")
    life.live_until("10:50")
    life.journal.acknowledge(life.journal.stats().last_seq)
    found = life.trace("10:32", HE)
    assert (found.answer, found.sure) == (Answer.GRANTED, True)
    assert found.found is not None
    assert found.found.when.earliest == at("10:31:40")


def test_a_boot_whose_clock_was_never_set_lies_between_its_neighbours(life: GateLife) -> None:
    life.live_until("10:10")
    life.be_away(600)
    life.boot(wall=datetime(1970, 1, 1, tzinfo=UTC))
    life.live(400)
    life.show()
    life.live(200)
    life.be_away(60)
    life.boot()
    life.clock.set_wall(at("10:50"))
    life.live_until("11:00")
    life.journal.acknowledge(life.journal.stats().last_seq)
    found = life.trace("10:32", HE)
    assert found.found is not None
    when = found.found.when
    assert (when.earliest, when.latest) == (at("10:10:00") + timedelta(seconds=420), at("10:46:20"))
    assert (found.answer, found.sure) == (Answer.GRANTED, False)
    assert "10:17:00~10:46:20  granted" in told(found)
    missed = life.trace("10:32", SHE)
    assert not missed.sure


def test_a_wall_clock_that_jumps_by_a_day_moves_no_event(life: GateLife) -> None:
    life.live_until("10:30")
    life.stop()
    life.boot(wall=at("10:30") - timedelta(days=1))
    life.live(60)
    life.show()
    life.live(60)
    life.set_clock("10:33")
    life.live_until("10:50")
    life.journal.acknowledge(life.journal.stats().last_seq)
    found = life.trace("10:32", HE)
    assert found.found is not None
    assert found.found.when.earliest == at("10:32")


# -- edges ----------------------------------------------------------------------------------------


def test_nobody_asked_for_is_a_question_about_the_gate(life: GateLife) -> None:
    life.live_until("10:30")
    life.show()
    life.live_until("10:45")
    found = life.trace("10:31")
    assert (found.answer, found.sure) == (Answer.SCANNING, True)
    assert "1 code answered" in told(found)


def test_a_time_before_the_oldest_event_is_not_known(life: GateLife) -> None:
    life.live_until("10:10")
    found = life.trace("08:00", HE)
    assert (found.answer, found.sure, found.why) == (Answer.UNTOLD, False, "before the oldest event there is")


def test_a_gate_that_is_asked_at_once_knows_by_its_sign_of_life(life: GateLife) -> None:
    life.live_until("10:33:15")
    now = life.trace("10:32", HE, now="10:33:24", alive=True)
    assert (now.answer, now.sure, now.doing) == (Answer.NOT_PRESENTED, True, (Doing.SCANNING,))
    later = life.trace("10:34:30", HE, now="10:35:00", alive=True)
    assert (later.answer, later.sure) == (Answer.UNTOLD, False)


def test_an_empty_journal_has_nothing_to_say(tmp_path: Path) -> None:
    with pytest.raises(JournalError):
        GateLife.trace(_only_a_path(tmp_path / "none.db"), "10:32")


def _only_a_path(path: Path) -> GateLife:
    life = GateLife.__new__(GateLife)
    life.path, life._beat = path, path.with_name("beat.json")
    return life


def test_the_answer_for_programs_names_its_evidence(life: GateLife) -> None:
    life.live_until("10:30")
    life.stop()
    life.be_away(600)
    life.start()
    life.live_until("10:50")
    found = as_json(life.trace("10:32", HE))
    assert found["answer"] == "down"
    assert found["doing"] == ["down"]
    stretches = found["stretches"]
    assert isinstance(stretches, list)
    assert [s["doing"] for s in stretches] == ["scanning", "down"]
    assert stretches[1]["since"] == {
        "earliest": "2026-03-02T10:30:00.000Z",
        "latest": "2026-03-02T10:30:00.000Z",
    }
    assert all(s["events"] for s in stretches)


@given(st.binary(max_size=200) | st.from_type(type(None)))
def test_an_event_that_holds_anything_at_all_is_opened_or_left_out(content: bytes | None) -> None:
    data = content or b'{"before":[],"clock":{"boot":1,"uptime_ms":"x"},"what":"started"}'
    assert entry_of(StoredEvent("j1", 1, "gate.lifecycle.v1", data)) is None


@given(
    st.recursive(
        st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from(["boot", "wall", "uptime_ms", "trusted", "x"]), inner),
    )
)
def test_a_clock_that_holds_anything_at_all_is_a_reading_or_none(clock: object) -> None:
    try:
        data = encoded({"clock": clock, "what": "started", "before": clock})  # type: ignore[dict-item]  # anything
    except ValueError:
        return
    entry = entry_of(StoredEvent("j1", 1, "gate.lifecycle.v1", data))
    if entry is not None:
        Calendar([entry], now=at("10:00")).when(entry.clock)


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["live", "blind", "stop", "kill", "cut", "unset", "set"]), max_size=8))
def test_whatever_happens_no_moment_is_left_out_of_the_account(
    tmp_path_factory: pytest.TempPathFactory, turns: list[str]
) -> None:
    life = GateLife(tmp_path_factory.mktemp("life"))
    for turn in turns:
        life.live(100)
        match turn:
            case "live":
                life.live(400)
            case "blind":
                life.live(50, seeing=False)
            case "stop":
                life.stop()
                life.be_away(60)
                life.start()
            case "kill":
                life.be_away(30)
                life.start()
            case "cut":
                life.be_away(200)
                life.boot()
            case "unset":
                life.be_away(200)
                life.boot(wall=datetime(1970, 1, 1, tzinfo=UTC))
            case "set":
                life.set_clock(life.real.strftime("%H:%M:%S"))
    found = life.trace("10:30", minutes=24 * 60, now="23:00")
    told = found.history.stretches
    assert told[-1].until.latest == at("23:00")
    for stretch, following in pairwise(told):
        assert abs(stretch.until.likely - following.since.likely) < timedelta(seconds=2)
        assert stretch.since.earliest <= stretch.until.latest
    life.journal.close()
