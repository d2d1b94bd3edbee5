from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.wifi.network import Network
from device.wifi.profiles import KEPT, Profile, needless, next_priority, settings


@given(
    name=st.binary(min_size=1, max_size=32),
    passphrase=st.one_of(st.just(""), st.from_regex(r"[ -~]{8,63}", fullmatch=True)),
    hidden=st.booleans(),
)
def test_whatever_a_network_is_called_its_name_goes_through_byte_for_byte(
    name: bytes,
    passphrase: str,
    hidden: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    made = settings(Network(name, passphrase, hidden), 10)
    assert made["802-11-wireless"]["ssid"] == ("ay", name)
    _, readable = made["connection"]["id"]
    assert isinstance(readable, str)
    assert readable.isprintable()
    assert ("802-11-wireless-security" in made) == bool(passphrase)


@pytest.mark.parametrize(
    ("name", "passphrase"),
    [
        (b"", ""),
        (b"x" * 33, ""),
        (b"a", "short"),
        (b"a", "x" * 65),
        (b"a", "đèn xanh 123"),
        (b"a", "line\nline"),
    ],
)
def test_what_is_no_network_is_none(name: bytes, passphrase: str) -> None:
    with pytest.raises(ValueError, match=r"network|passphrase") as error:
        Network(name, passphrase)
    assert passphrase not in str(error.value) or not passphrase


@given(st.lists(st.tuples(st.binary(max_size=2), st.integers(-999, 999)), min_size=1, max_size=12))
def test_the_newest_profile_stays_and_of_the_others_the_newest_of_other_names(
    made: list[tuple[bytes, int]],
) -> None:
    kept = [Profile(str(n), name, priority) for n, (name, priority) in enumerate(made)]
    gone = needless(kept, kept[-1].path)
    left = [one for one in kept if one.path not in gone]
    assert kept[-1] in left
    assert [one.ssid for one in left].count(kept[-1].ssid) == 1
    assert len(left) <= KEPT
    assert next_priority(kept) <= 999
