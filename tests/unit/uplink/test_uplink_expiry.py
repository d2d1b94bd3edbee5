from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.runtime import SystemClock
from device.uplink.expiry import end_of_file, end_of_peer
from tests.support.certificates import Authority

if TYPE_CHECKING:
    from pathlib import Path


def pem(der: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"


# From 2049 on OpenSSL writes the other of the two forms of time.
@pytest.mark.parametrize("days", [1, 400, 365 * 40])
def test_the_end_of_a_certificate_is_read_from_its_file(tmp_path: Path, days: int) -> None:
    issued = Authority(tmp_path).issue("gate", days=days)
    end = end_of_file("words before it\n" + issued.cert_file.read_text(encoding="ascii"))
    assert end is not None
    assert abs(end - SystemClock().utc() - timedelta(days=days)) < timedelta(minutes=5)


@given(st.binary(max_size=120).map(pem) | st.text(max_size=100))
def test_a_file_without_a_readable_certificate_has_no_end(text: str) -> None:
    assert end_of_file(text) is None


@given(st.data())
def test_a_damaged_certificate_is_no_failure(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    der = _certificate(tmp_path_factory)
    at = data.draw(st.integers(0, len(der) - 1))
    damaged = der[:at] + bytes([data.draw(st.integers(0, 255))]) + der[at + 1 :]
    assert end_of_file(pem(damaged[: data.draw(st.integers(0, len(der)))])) is None or len(damaged) == len(
        der
    )


def test_a_peers_end_is_what_the_handshake_told() -> None:
    assert end_of_peer({"notAfter": "Mar  2 08:00:00 2026 GMT"}) == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert end_of_peer({}) is None
    assert end_of_peer(None) is None


_KEPT: list[bytes] = []


def _certificate(folders: pytest.TempPathFactory) -> bytes:
    if not _KEPT:
        text = Authority(folders.mktemp("authority")).issue("gate").cert_file.read_text(encoding="ascii")
        _KEPT.append(base64.b64decode("".join(text.splitlines()[1:-1])))
    return _KEPT[0]
