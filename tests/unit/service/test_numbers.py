from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.service.numbers import Numbers, Span

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 40)),
        st.tuples(st.just("expect"), st.integers(0, 40)),
        st.tuples(st.just("write_off"), st.integers(0, 40)),
    )
)


def spelled_out(spans: tuple[Span, ...]) -> set[int]:
    return {number for span in spans for number in range(span.first, span.last + 1)}


@given(st.integers(0, 5), STEPS)
def test_the_holes_are_what_a_set_of_numbers_would_say(through: int, steps: list[tuple[str, int]]) -> None:
    numbers, settled, top = Numbers(through), set(range(1, through + 1)), through
    newest = through
    for what, number in steps:
        match what:
            case "take":
                assert numbers.take(number) == (number not in settled)
                settled.add(number)
                top, newest = max(top, number), max(newest, number)
            case "expect":
                numbers.expect(number)
                top = max(top, number)
            case _:
                below = set(range(1, number + 1))
                assert spelled_out(numbers.write_off(number)) == below - settled
                settled |= below
                top = max(top, number)
        assert numbers.top == top
        assert numbers.stored_through == min(numbers.through, newest)
        assert spelled_out(numbers.missing) == set(range(1, top + 1)) - settled
        assert numbers.through == next((n - 1 for n in range(1, top + 1) if n not in settled), top)
        assert all(a.last + 1 < b.first for a, b in zip(numbers.missing, numbers.missing[1:], strict=False))


def test_a_span_of_one_is_written_as_one_number() -> None:
    assert [str(Span(7, 7)), str(Span(7, 9))] == ["7", "7 to 9"]
