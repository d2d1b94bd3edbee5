from __future__ import annotations

from device.credential.registry import KINDS
from device.demo import words
from device.model import Outcome, Reason


def test_every_word_of_the_wire_has_plain_words() -> None:
    assert set(words.REASONS) == set(Reason)
    assert set(words.OUTCOMES) == set(Outcome)


def test_kinds_are_told_as_the_registry_describes_them() -> None:
    assert words.kind("vn.cccd") == "chip ID card"
    assert all(words.kind(kind.word) and "(" not in words.kind(kind.word) for kind in KINDS)


def test_an_unknown_word_is_shown_as_it_is() -> None:
    assert words.kind("zz.new") == "zz.new"
    assert words.reason("brand_new") == "brand_new"
    assert words.outcome("maybe") == "maybe"
