from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.passage import BLOCKED_S, MAX_OUTSTANDING, SAME_PERSON_S, Barrier, Passages


def persons(*interruptions: tuple[float, float]) -> int:
    """Through a barrier that was interrupted from and until these moments."""
    barrier, found = Barrier(), 0
    for since, until in interruptions:
        found += barrier.change(since, interrupted=True)
        assert not barrier.change(until, interrupted=False)
    return found


def test_a_bag_behind_a_person_is_the_same_person() -> None:
    assert persons((10.0, 10.2), (10.4, 10.5), (10.8, 10.9)) == 1


def test_whoever_walks_behind_is_another_person() -> None:
    assert persons((10.0, 10.2), (10.2 + SAME_PERSON_S, 11.0)) == 2


def test_a_barrier_that_stays_interrupted_is_told_once_and_when_it_is_clear_again() -> None:
    barrier = Barrier()
    barrier.change(5.0, interrupted=True)
    told = [barrier.blocked(5.0 + second) for second in range(int(BLOCKED_S) + 3)]
    assert told == [None] * int(BLOCKED_S) + [True, None, None]
    barrier.change(30.0, interrupted=False)
    assert [barrier.blocked(30.0), barrier.blocked(31.0)] == [False, None]


@given(st.lists(st.tuples(st.floats(0.01, 3), st.floats(0.01, 3)), max_size=30))
def test_there_are_never_more_persons_than_interruptions(spans: list[tuple[float, float]]) -> None:
    now, interruptions = 0.0, []
    for clear_s, interrupted_s in spans:
        interruptions.append((now + clear_s, now + clear_s + interrupted_s))
        now += clear_s + interrupted_s
    assert bool(spans) <= persons(*interruptions) <= len(spans)


def test_a_grant_is_good_for_one_person() -> None:
    passages = Passages(pass_within_s=10)
    passages.granted(0)
    assert [passages.passed(2), passages.passed(3)] == [True, False]


def test_a_grant_does_not_wait_for_ever() -> None:
    passages = Passages(pass_within_s=10)
    passages.granted(0)
    assert not passages.passed(10.5)


def test_who_shows_the_code_twice_before_walking_lets_nobody_else_through() -> None:
    passages = Passages(pass_within_s=10)
    passages.granted(0)
    passages.granted(3, again=True)
    assert [passages.passed(4), passages.passed(5)] == [True, False]


def test_who_comes_back_and_is_let_through_again_is_expected_again() -> None:
    passages = Passages(pass_within_s=10)
    passages.granted(0)
    assert passages.passed(1)
    passages.granted(5, again=True)
    assert passages.passed(6)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 20)), max_size=200))
def test_nobody_passes_on_a_grant_that_was_not_given(happenings: list[tuple[bool, float]]) -> None:
    passages, now, granted, passed = Passages(pass_within_s=10), 0.0, 0, 0
    for is_grant, pause_s in happenings:
        now += pause_s
        if is_grant:
            granted += 1
            passages.granted(now)
        else:
            passed += passages.passed(now)
        assert passed <= granted


def test_a_storm_of_grants_is_bounded() -> None:
    passages = Passages(pass_within_s=10)
    for _ in range(10 * MAX_OUTSTANDING):
        passages.granted(0)
    assert sum(passages.passed(1) for _ in range(10 * MAX_OUTSTANDING)) == MAX_OUTSTANDING
