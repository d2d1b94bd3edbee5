from __future__ import annotations

import hashlib
import hmac
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential.pseudonym import Pseudonyms, subject_of

KEY = b"a key for tests, 32 bytes long.."
OLD = KEY[::-1]
UNTIL = datetime(2026, 12, 31, 17, tzinfo=UTC)


def test_a_subject_is_the_first_half_of_the_keyed_hash() -> None:
    whole = hmac.new(KEY, b"048095000111", hashlib.sha256).hexdigest()
    assert subject_of("048095000111", key=KEY) == whole[:32]


def test_nobody_has_no_subject() -> None:
    assert subject_of("", key=KEY) is None
    assert subject_of("  ", key=KEY) is None


def test_another_key_gives_another_subject() -> None:
    assert subject_of("048095000111", key=KEY) != subject_of("048095000111", key=KEY[::-1])


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        subject_of("048095000111", key=b"short")


@given(st.text())
def test_any_identifier_has_the_subject_of_its_canonical_form(identifier: str) -> None:
    subject = subject_of(identifier, key=KEY)
    assert subject == subject_of(f" {unicodedata.normalize('NFD', identifier)}\n", key=KEY)
    assert subject is None or len(bytes.fromhex(subject)) == 16


def test_a_persons_former_pseudonym_is_known_until_the_overlap_ends() -> None:
    names = Pseudonyms(KEY, previous=OLD, until=UNTIL)
    former = subject_of("048095000111", key=OLD)
    assert names.subject("048095000111") == subject_of("048095000111", key=KEY)
    assert names.former("048095000111", UNTIL - timedelta(seconds=1), trusted=True) == former
    assert names.former("048095000111", UNTIL, trusted=True) is None


def test_lists_made_with_the_key_before_match_until_then() -> None:
    names = Pseudonyms(KEY, previous=OLD, until=UNTIL)
    new, old = names.key_ids
    assert names.matches(new, UNTIL, trusted=True)
    assert names.matches(old, UNTIL - timedelta(seconds=1), trusted=True)
    assert not names.matches(old, UNTIL, trusted=True)
    assert names.matches(old, UNTIL, trusted=False)
    assert not names.matches("00000000", UNTIL, trusted=False)


def test_a_clock_that_is_not_set_ends_no_overlap() -> None:
    names = Pseudonyms(KEY, previous=OLD, until=UNTIL)
    assert names.former("048095000111", UNTIL + timedelta(days=900), trusted=False) is not None


def test_without_a_key_before_it_nobody_has_a_former_pseudonym() -> None:
    assert Pseudonyms(KEY).former("048095000111", UNTIL, trusted=False) is None
    assert Pseudonyms(KEY, previous=OLD).former("", UNTIL, trusted=True) is None


def test_keys_are_told_apart_by_an_id_and_never_shown() -> None:
    assert Pseudonyms(KEY).key_id != Pseudonyms(OLD).key_id
    assert len(bytes.fromhex(Pseudonyms(KEY).key_id)) == 4
    assert repr(KEY) not in repr(Pseudonyms(KEY, previous=OLD))
    with pytest.raises(ValueError, match="16 bytes"):
        Pseudonyms(KEY, previous=b"short")
