"""List files: what a district made is read, and nothing that was changed on the way."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import ListError
from device.policy.listfile import BEGINNING, MAX_VERSION, make_list, read_list
from device.policy.lists import ListKind
from tests.support.lists import ANNA, BINH, District, name_of

DISTRICT, STRANGER = District(), District()


def refusal(raw: bytes, *, asked: bool = True) -> str:
    with pytest.raises(ListError) as refused:
        read_list(io.BytesIO(raw), DISTRICT.keys if asked else None)
    return refused.value.word


@given(
    kind=st.sampled_from(ListKind),
    people=st.sets(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20)),
    version=st.integers(1, MAX_VERSION),
    begins=st.timedeltas(timedelta(), timedelta(days=999)),
    gates=st.lists(st.text(), max_size=5).map(tuple),
)
def test_what_was_made_is_what_is_read(
    kind: ListKind, people: set[str], version: int, begins: timedelta, gates: tuple[str, ...]
) -> None:
    begins -= begins % timedelta(milliseconds=1)
    made = DISTRICT.list_of(*people, kind=kind, version=version, begins=begins, gates=gates)
    found = read_list(io.BytesIO(made.raw), DISTRICT.keys)
    assert found == made
    assert found.content.any_of(map(name_of, people)) == bool(people)


def test_a_person_sees_what_a_list_is_and_nobody_who_is_on_it() -> None:
    raw = DISTRICT.list_of(ANNA, version=7).raw
    header = json.loads(raw.split(b"\n", 1)[0])
    assert (header["kind"], header["version"], header["count"]) == ("deny", 7, 1)
    assert ANNA.encode() not in raw


def test_no_flipped_bit_of_a_signed_list_is_taken() -> None:
    raw = DISTRICT.list_of(ANNA, BINH, gates=("north-door",)).raw
    for bit in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        assert refusal(bytes(flipped)) in {"not_a_list", "damaged", "unknown_key", "bad_signature"}


@given(st.data())
def test_a_list_cut_short_or_with_something_behind_it_is_not_taken(data: st.DataObject) -> None:
    raw = DISTRICT.list_of(ANNA, BINH).raw
    cut = data.draw(st.integers(0, len(raw) - 1))
    more = data.draw(st.binary(min_size=1, max_size=40))
    assert refusal(raw[:cut]) in {"not_a_list", "damaged", "bad_signature"}
    assert refusal(raw + more) == "damaged"
    assert refusal(raw + more, asked=False) == "damaged"


def test_only_the_districts_signature_counts_where_signatures_are_asked_for() -> None:
    assert refusal(STRANGER.list_of(ANNA).raw) == "unknown_key"
    assert refusal(DISTRICT.list_of(ANNA, signed=False).raw) == "unsigned"
    header = DISTRICT.list_of(ANNA).header
    forged = make_list(header, DISTRICT.list_of(ANNA).content, STRANGER.key.sign)
    assert refusal(forged.raw) == "bad_signature"
    assert read_list(io.BytesIO(STRANGER.list_of(ANNA).raw), None).header.version == 1


def test_a_signature_over_something_else_signs_no_list() -> None:
    """Wishes are signed with the district's key too: what is signed says what it is for."""
    made = DISTRICT.list_of(ANNA)
    line = made.head.split(b"\n")[0]
    bare = make_list(made.header, made.content, lambda _: DISTRICT.key.sign(line))
    assert refusal(bare.raw) == "bad_signature"


@given(st.binary(max_size=300) | st.binary(max_size=300).map(BEGINNING.__add__))
def test_any_bytes_are_answered_in_fixed_words(raw: bytes) -> None:
    for asked in (True, False):
        assert refusal(raw, asked=asked) in {"not_a_list", "damaged", "unsigned", "unknown_key"}


MEMBERS: dict[str, list[object]] = {
    "count": [-1, 10**9, True, None, "1"],
    "version": [-1, 2**53, True, 1.5, "1"],
    "kind": ["friends", None, 1],
    "issued_at": ["yesterday", "2026-03-02T08:00:00", 5, "9999-12-31T23:59:59-23:00"],
    "gates": ["north-door", [1], ["x"] * 65],
    "sha256": ["", "F" * 64],
    "pseudonyms": ["", None],
    "key": ["office", 1],
}


@pytest.mark.parametrize(("member", "value"), [(m, v) for m, values in MEMBERS.items() for v in values])
def test_a_header_that_says_something_impossible_is_damaged(member: str, value: object) -> None:
    line, rest = DISTRICT.list_of(ANNA).raw.split(b"\n", 1)
    header = json.loads(line)
    header[member] = value
    raw = json.dumps(header, separators=(",", ":")).encode() + b"\n" + rest
    assert refusal(raw, asked=False) == "damaged"
