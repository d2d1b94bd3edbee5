from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential.pseudonym import subject_of
from device.policy.lists import MAX_PROBLEMS, Subjects, parse_list

KEY = b"a key for tests, 32 bytes long.."
SUBJECTS = st.sets(st.binary(min_size=16, max_size=16).map(bytes.hex))


@given(SUBJECTS, st.binary(min_size=16, max_size=16).map(bytes.hex))
def test_a_packed_set_holds_what_a_set_holds(members: set[str], other: str) -> None:
    packed = Subjects(members)
    assert len(packed) == len(members)
    assert all(member in packed for member in members)
    assert (other in packed) == (other in members)
    assert packed.any_of([other, *members]) == bool(members)
    assert not packed.any_of([])


@given(st.lists(st.binary(min_size=16, max_size=16).map(bytes.hex)))
def test_the_digest_does_not_depend_on_order_or_repetition(members: list[str]) -> None:
    assert Subjects(members).digest == Subjects([*reversed(members), *members]).digest
    assert Subjects(members) == Subjects(reversed(members))


def test_subjects_that_share_half_of_their_digits_are_told_apart() -> None:
    members = [f"{7:016x}{low:016x}" for low in (0, 5, 2**64 - 1)]
    packed = Subjects(members)
    assert all(member in packed for member in members)
    assert f"{7:016x}{6:016x}" not in packed


@pytest.mark.parametrize("subject", ["", "00" * 15, "00" * 17, "x" * 32])
def test_what_is_no_subject_is_refused(subject: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - two sentences, ours and the language's
        Subjects([subject])


def test_a_file_holds_identifiers_subjects_and_comments() -> None:
    given_subject = "00112233445566778899aabbccddeeff"
    text = f"\ufeff# staff\n048095000111  # Mẫu\r\n\n subject:{given_subject.upper()} \nURN:UVCI:01:XX:A#1\n"
    parsed = parse_list(text, key=KEY)
    assert parsed.problems == ()
    assert len(parsed.subjects) == 3
    assert (subject_of("048095000111", key=KEY) or "") in parsed.subjects
    assert (subject_of("URN:UVCI:01:XX:A#1", key=KEY) or "") in parsed.subjects
    assert given_subject in parsed.subjects


def test_each_unusable_line_is_named_and_the_others_are_used() -> None:
    text = "subject:12\n48095000111\n048095000111,Mẫu\n" + "x" * 129 + "\na\u202eb\n048095000222"
    parsed = parse_list(text, key=KEY)
    assert [problem.line for problem in parsed.problems] == [1, 2, 3, 4, 5]
    assert parsed.unusable == 5
    assert "32 hex digits" in parsed.problems[0].message
    assert "leading zero" in parsed.problems[1].message
    assert "other columns" in parsed.problems[2].message
    assert len(parsed.subjects) == 1


def test_problems_are_counted_when_there_are_too_many_to_tell() -> None:
    parsed = parse_list("subject:\n" * 500, key=KEY)
    assert len(parsed.problems) == MAX_PROBLEMS
    assert parsed.unusable == 500


@given(
    st.text() | st.lists(st.sampled_from([*"#: ;|\n\r\t0aZ\ufeff", "subject:", "048095000111"])).map("".join)
)
def test_any_text_is_read_and_no_problem_repeats_it(text: str) -> None:
    parsed = parse_list(text, key=KEY)
    told = {
        message
        for message in (problem.message for problem in parsed.problems)
        if "digits, where" not in message
    }
    assert told <= {
        "'subject:' must be followed by exactly 32 hex digits",
        "an identifier has at most 128 characters, none of them invisible",
        "one identifier a line, without other columns",
    }
    assert all(problem.line >= 1 for problem in parsed.problems)


@given(SUBJECTS)
def test_a_written_list_reads_back(members: set[str]) -> None:
    text = "\n".join(f"subject:{member}" for member in members)
    assert parse_list(text, key=KEY).subjects == Subjects(members)
