"""Whose signatures count, and for what.

A trust list holds plain public keys, each with the name of its issuer, what it may sign and how long it
is good. Several keys may share a kid (it is only eight bytes of a hash): all of them are tried. A key
signs nothing it is not listed for: a country's health authority issues no gate passes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from device.credential.flaw import Flawed
from device.credential.signature import Algorithm, PublicKey
from device.model import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_KEYS = 4096
"""The European list held some 300 keys at its largest; more than this is not a list of issuers."""


MIN_SECRET_BYTES = 16
"""A shorter one could be guessed from a few codes."""

ISSUER = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""It goes into events, and with a slash behind it into identifiers."""


class Use(StrEnum):
    """What a key may sign."""

    DCC_TEST = "dcc_test"
    DCC_VACCINATION = "dcc_vaccination"
    DCC_RECOVERY = "dcc_recovery"
    PASS = "pass"  # noqa: S105 - a gate pass, not a password
    IDENTITY = "identity"
    SHC = "shc"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key of an issuer.

    Attributes:
        kid: what messages name it by.
        issuer: our name for who holds it; events carry it.
        key: the public key.
        uses: what it may sign.
        not_before: it signs nothing that is valid before this.
        not_after: nothing it signed is valid from then on.
        rotation_secret: what the changing codes of its passes are reckoned from; empty when it has none.
    """

    kid: bytes
    issuer: str
    key: PublicKey
    uses: frozenset[Use]
    not_before: datetime | None = None
    not_after: datetime | None = None
    rotation_secret: bytes = field(default=b"", repr=False)


class Trust:
    """An immutable trust list. Safe from any thread."""

    __slots__ = ("_by_kid", "digest")

    def __init__(self, keys: Iterable[TrustedKey] = ()) -> None:
        self._by_kid: dict[bytes, tuple[TrustedKey, ...]] = {}
        lines = []
        for key in keys:
            self._by_kid[key.kid] = (*self._by_kid.get(key.kid, ()), key)
            lines.append(
                f"{key.kid.hex()} {key.issuer} {key.key.spki.hex()} {sorted(key.uses)} "
                f"{key.not_before} {key.not_after} {bool(key.rotation_secret)}"
            )
        self.digest = hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()

    def __len__(self) -> int:
        return sum(map(len, self._by_kid.values()))

    def signer(
        self, *, kid: bytes | None, algorithm: Algorithm, message: bytes, signature: bytes
    ) -> TrustedKey | Standing:
        """Who signed the message: a key, or `UNKNOWN_ISSUER`, or `BAD_SIGNATURE`. Raises nothing.

        A message without kid is nobody's: trying every key would let it pick its issuer.
        """
        candidates = self._by_kid.get(kid, ()) if kid is not None else ()
        for candidate in candidates:
            if candidate.key.verifies(algorithm, message, signature):
                return candidate
        return Standing.BAD_SIGNATURE if candidates else Standing.UNKNOWN_ISSUER


NOBODY = Trust()


@dataclass(frozen=True, slots=True)
class ParsedTrust:
    """What a trust list file says.

    Attributes:
        trust: the usable keys.
        elsewhere: how many usable keys are trusted at other gates only, and so not here.
        version: of the list, as it says; None when it says none.
        problems: what is wrong, one sentence each, naming the entry by its number from 1.
    """

    trust: Trust = field(default_factory=Trust)
    elsewhere: int = 0
    version: int | None = None
    problems: tuple[str, ...] = ()


def parse_trust(text: str, *, audiences: frozenset[str] | None = frozenset()) -> ParsedTrust:
    """Reads a trust list file: ``{"keys": [{kid, issuer, spki, uses, ...}, ...]}``.

    `kid` and `spki` are base64 (DER), `uses` the words of `Use`, times RFC 3339. `kid_text` stands for `kid`
    where messages are JWS, whose kid is a text. A `rotation_secret` (base64) makes the file a secret. `gates`
    names where the key counts; without it, everywhere. A `version` beside `keys` is told in events. Pure;
    raises nothing.

    Args:
        text: of the file.
        audiences: the names this gate answers to, as in `Rules`; None takes the keys of every gate.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ParsedTrust(problems=("the trust list is not JSON",))
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        return ParsedTrust(problems=(f"a trust list has a list 'keys' of at most {MAX_KEYS} entries",))
    keys: list[TrustedKey] = []
    problems: list[str] = []
    numbers: dict[tuple[bytes, bytes], int] = {}
    elsewhere = 0
    for number, entry in enumerate(entries, start=1):
        try:
            key, gates = _entry(entry), _gates(entry)
        except (KeyError, TypeError, ValueError) as error:
            problems.append(f"key {number}: {_complaint(error)}")
            continue
        if gates and audiences is not None and gates.isdisjoint(audiences):
            elsewhere += 1
            continue
        first = numbers.setdefault((key.kid, key.key.spki), number)
        if first == number:
            keys.append(key)
        else:
            problems.append(f"key {number}: the same as key {first}; one entry names all that it may sign")
    version = document.get("version")
    return ParsedTrust(
        Trust(keys), elsewhere, version if type(version) is int and version > 0 else None, tuple(problems)
    )


def _complaint(error: Exception) -> str:
    match error:
        case KeyError():
            return "it needs kid (or kid_text), issuer, spki and uses"
        case Flawed():
            return "spki is no usable public key (P-256, Ed25519, or RSA of 2,048 bits and more)"
        case binascii.Error():
            return (
                f"kid, spki and rotation_secret are base64, the latter of {MIN_SECRET_BYTES} bytes and more"
            )
        case _:
            uses = ", ".join(Use)
            return (
                f"uses are among {uses}; issuer is 1 to 64 letters, digits, dots, dashes and underscores; "
                "gates is a list of names; not_before and not_after are RFC 3339 times with an offset"
            )


def _entry(entry: Any) -> TrustedKey:  # noqa: ANN401 - JSON
    uses = frozenset(Use(word) for word in entry["uses"])
    issuer = entry["issuer"]
    if not uses or not isinstance(issuer, str) or not ISSUER.fullmatch(issuer):
        raise ValueError("uses or issuer")
    return TrustedKey(
        kid=_kid(entry),
        issuer=issuer,
        key=PublicKey(base64.b64decode(entry["spki"], validate=True)),
        uses=uses,
        not_before=_time(entry.get("not_before")),
        not_after=_time(entry.get("not_after")),
        rotation_secret=_secret(entry.get("rotation_secret", "")),
    )


def _gates(entry: Any) -> frozenset[str]:  # noqa: ANN401 - JSON
    gates = entry.get("gates", [])
    if not isinstance(gates, list) or not all(isinstance(gate, str) and gate for gate in gates):
        raise TypeError("gates")
    return frozenset(gates)


def _kid(entry: Any) -> bytes:  # noqa: ANN401 - JSON
    if "kid_text" in entry:
        return str(entry["kid_text"]).encode("utf-8", "surrogatepass")
    return base64.b64decode(entry["kid"], validate=True)


def _secret(text: str) -> bytes:
    secret = base64.b64decode(text, validate=True)
    if text and len(secret) < MIN_SECRET_BYTES:
        raise binascii.Error("too short")
    return secret


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment.astimezone(UTC)
