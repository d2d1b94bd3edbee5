from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential.pseudonym import subject_of
from device.policy.lists import ListKind
from device.policy.listtext import MAX_PROBLEMS, ParsedList, parse_list
from device.policy.subjects import Roster, Subjects, window

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


def read(text: str, kind: ListKind = ListKind.DENY) -> ParsedList:
    return parse_list(text.split("\n"), kind, key=KEY, timezone=ZoneInfo("Asia/Ho_Chi_Minh"))


def test_a_file_holds_identifiers_subjects_and_comments() -> None:
    given_subject = "00112233445566778899aabbccddeeff"
    text = f"\ufeff# staff\n048095000111  # Mẫu\r\n\n subject:{given_subject.upper()} \nURN:UVCI:01:XX:A#1\n"
    parsed = read(text)
    assert parsed.problems == ()
    assert len(parsed.content) == 3
    assert (subject_of("048095000111", key=KEY) or "") in parsed.content
    assert (subject_of("URN:UVCI:01:XX:A#1", key=KEY) or "") in parsed.content
    assert given_subject in parsed.content


def test_each_unusable_line_is_named_and_the_others_are_used() -> None:
    text = "subject:12\n48095000111\n048095000111,Mẫu\n" + "x" * 129 + "\na\u202eb\n048095000222"
    parsed = read(text)
    assert [problem.line for problem in parsed.problems] == [1, 2, 3, 4, 5]
    assert parsed.unusable == 5
    assert "32 hex digits" in parsed.problems[0].message
    assert "leading zero" in parsed.problems[1].message
    assert "other columns" in parsed.problems[2].message
    assert len(parsed.content) == 1


def test_problems_are_counted_when_there_are_too_many_to_tell() -> None:
    parsed = read("subject:\n" * 500)
    assert len(parsed.problems) == MAX_PROBLEMS
    assert parsed.unusable == 500


@given(
    st.text() | st.lists(st.sampled_from([*"#: ;|\n\r\t0aZ\ufeff", "subject:", "048095000111"])).map("".join)
)
def test_any_text_is_read_and_no_problem_repeats_it(text: str) -> None:
    parsed = read(text)
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
    assert read(text).content == Subjects(members)


# -- rosters --------------------------------------------------------------------------------------

ANNA, BINH = (subject_of(number, key=KEY) or "" for number in ("046190123456", "079088000111"))
EIGHT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 08:00 in Viet Nam


def test_a_roster_expects_people_within_their_times_only() -> None:
    text = (
        "046190123456, 2026-03-02T08:00, 2026-03-02T12:00\n046190123456,2026-03-04,2026-03-04\n079088000111"
    )
    parsed = read(text, ListKind.ROSTER)
    assert (parsed.problems, len(parsed.content)) == ((), 3)
    roster = parsed.content
    assert isinstance(roster, Roster)
    hours = {0: True, 3.99: True, 4: False, -0.01: False, 39.99: False, 40: True, 63.99: True, 64: False}
    found = {hour: roster.expects([ANNA], EIGHT + timedelta(hours=hour)) for hour in hours}
    assert found == hours
    assert roster.expects([BINH], datetime(2100, 1, 1, tzinfo=UTC))
    assert roster.any_of([ANNA])
    assert not roster.any_of(["00" * 16])
    assert not roster.expects(["00" * 16], EIGHT)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("046190123456,tomorrow", "2026-03-02"),
        ("046190123456,2026-03-02,2026-03-01", "before"),
        ("046190123456,,1969-01-01", "1970"),
        ("046190123456,2200-01-01", "2106"),
        ("046190123456,9999-12-31,9999-12-31", "2026-03-02"),
        ("046190123456,2026-03-02,2026-03-03,gate", "from and until"),
        (",2026-03-02", "identifier"),
    ],
)
def test_a_line_of_a_roster_that_cannot_be_meant_is_named(line: str, word: str) -> None:
    parsed = read(line, ListKind.ROSTER)
    assert len(parsed.content) == 0
    assert word in parsed.problems[0].message


WINDOWS = st.lists(
    st.tuples(st.sampled_from([ANNA, BINH, "00" * 16, "ff" * 16]), st.integers(0, 50), st.integers(1, 9))
)


@given(WINDOWS, st.integers(0, 60))
def test_a_packed_roster_expects_whom_its_windows_name(windows: list[tuple[str, int, int]], now: int) -> None:
    start = datetime.fromtimestamp(0, UTC)
    moment = [start + timedelta(seconds=second) for second in range(61)]
    roster = Roster(window(who, moment[begins], moment[begins + length]) for who, begins, length in windows)
    for who in {who for who, _, _ in windows}:
        expected = any(w == who and b <= now < b + length for w, b, length in windows)
        assert roster.expects([who], moment[now]) is expected


@given(st.binary(max_size=200))
def test_bytes_are_a_packed_set_only_in_their_one_order(body: bytes) -> None:
    entries = [body[at : at + 16] for at in range(0, len(body), 16)]
    ordered = len(body) % 16 == 0 and entries == sorted(set(entries))
    try:
        assert Subjects.of_body(body).body == body
    except ValueError:
        assert not ordered
    else:
        assert ordered
