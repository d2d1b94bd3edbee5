"""Compact JWS (RFC 7515): taken apart strictly, checked against a trust list.

Strict means: base64url without padding and in its one canonical form, UTF-8 JSON without byte order mark,
duplicate names, NaN or Infinity, one of two algorithms, no `crit`, no `b64`, and a `kid` that is a short
text and only ever compared. Written out because the usual libraries forgive padding, marks and times
given as texts.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from device.credential.flaw import Flawed
from device.credential.signature import Algorithm

if TYPE_CHECKING:
    from device.credential.trust import Trust, TrustedKey
    from device.model import Standing

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

BEGINNING = re.compile(r"ey[A-Za-z0-9_-]{10,}\.")
"""`{"` in base64url begins with `ey`; the shortest header names an algorithm."""

_ALGORITHMS = {"ES256": Algorithm.ES256, "EdDSA": Algorithm.EDDSA, "Ed25519": Algorithm.EDDSA}
_PART = re.compile(r"[A-Za-z0-9_-]*")
_MAX_KID_CHARACTERS = 64


@dataclass(frozen=True, slots=True, repr=False)
class Jws:
    """A signed message, not yet checked. Nothing in `payload` may be believed before `signer` is asked.

    Attributes:
        header: the protected header.
        payload: what was signed.
        signed: header and payload as they were signed.
        signature: over them.
        algorithm: None when it names one that is not known here.
        kid: names the key; None when it names none.
    """

    header: dict[str, Json]
    payload: bytes
    signed: bytes
    signature: bytes
    algorithm: Algorithm | None
    kid: bytes | None

    def signer(self, trust: Trust) -> TrustedKey | Standing:
        """Who signed it, see `Trust.signer`. Raises Flawed for an algorithm that is not known."""
        if self.algorithm is None:
            raise Flawed("algorithm")
        return trust.signer(
            kid=self.kid, algorithm=self.algorithm, message=self.signed, signature=self.signature
        )


def open_compact(text: str) -> Jws:
    """Takes a message apart. Raises Flawed."""
    parts = text.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise Flawed("jws")
    header = read_object(base64url(parts[0]))
    if "crit" in header or "b64" in header:
        raise Flawed("critical_header")
    alg, kid = header.get("alg"), header.get("kid")
    if kid is not None and (not isinstance(kid, str) or not 0 < len(kid) <= _MAX_KID_CHARACTERS):
        raise Flawed("kid")
    return Jws(
        header=header,
        payload=base64url(parts[1]),
        signed=f"{parts[0]}.{parts[1]}".encode(),
        signature=base64url(parts[2]),
        algorithm=_ALGORITHMS.get(alg) if isinstance(alg, str) else None,
        kid=kid.encode("utf-8", "surrogatepass") if kid is not None else None,
    )


def base64url(text: str) -> bytes:
    """The bytes of unpadded base64url in its canonical form. Raises Flawed."""
    if not _PART.fullmatch(text):
        raise Flawed("base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise Flawed("base64url") from None
    if base64.urlsafe_b64encode(data).rstrip(b"=") != text.encode():
        raise Flawed("base64url")
    return data


def read_object(data: bytes) -> dict[str, Json]:
    """The JSON object that `data` is. Raises Flawed; never anything else."""
    try:
        item = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        # Recursion: a QR code holds some 2,900 brackets, the interpreter stops at about 1,000.
        raise Flawed("json") from None
    if not isinstance(item, dict):
        raise Flawed("json")
    return item


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate name")
    return found


def _refuse(_: str) -> NoReturn:
    raise ValueError("not a JSON number")
