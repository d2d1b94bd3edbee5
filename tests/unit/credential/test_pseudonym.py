from __future__ import annotations

import hashlib
import hmac
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.credential.pseudonym import subject_of

KEY = b"a key for tests, 32 bytes long.."


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
