"""The clutter must be what it says: a long run over pictures that nobody misreads would prove nothing."""

from __future__ import annotations

import numpy as np
import pytest

from bench.sets.clutter import HEIGHT, WIDTH, clutter, kinds
from device.decode.zxing import Zxing


@pytest.mark.parametrize("number", range(len(kinds())), ids=kinds())
def test_a_picture_follows_from_its_number_alone(number: int) -> None:
    kind, text, luma = clutter(number)
    again = clutter(number)
    assert (kind, text) == again[:2]
    assert (luma == again[2]).all()
    assert luma.shape == (HEIGHT, WIDTH)
    assert luma.dtype == np.uint8
    assert luma.std() > 1


def test_every_kind_has_its_turn() -> None:
    assert [clutter(number)[0] for number in range(len(kinds()))] == list(kinds())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["half symbols", "scratched symbols", "drowned symbols"])
def test_spoilt_codes_are_spoilt_from_what_is_read_to_what_is_lost(kind: str) -> None:
    engine, read = Zxing(unread=False), []
    for number in range(kinds().index(kind), 40 * len(kinds()), len(kinds())):
        _, text, luma = clutter(number)
        read.append({finding.content for finding in engine.read(luma)} == {text.encode()})
    assert 0 < sum(read) < len(read)


@pytest.mark.slow
def test_hollow_symbols_are_taken_for_codes_and_hold_nothing() -> None:
    engine, seen = Zxing(), 0
    for number in range(kinds().index("hollow symbols"), 20 * len(kinds()), len(kinds())):
        findings = engine.read(clutter(number)[2])
        assert all(finding.content is None for finding in findings)
        seen += bool(findings)
    assert seen >= 5
