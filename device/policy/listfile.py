"""List files as a district issues them: a header, a signature, the entries.

    {"gate-list":1,"kind":"deny","version":20261122013000,...,"count":2,"sha256":"...","key":"..."}
    <signature, base64url without padding, or `unsigned`>
    <entries: 16 bytes each (a roster's 24), in ascending order, nothing between or behind them>

The signature (Ed25519) covers the header as it stands there, and the header the entries by their SHA-256: a
reader knows who speaks before it reads an entry, needs no more memory than the entries, and `head -n 1`
tells a person what a file is. No identifier is in it, only pseudonyms.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from device.errors import ListError
from device.policy.lists import CONTENTS, ListKind
from device.policy.listtext import MAX_ENTRIES
from device.runtime import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from device.policy.subjects import Roster, Subjects

# Whether the signature over the message is that of a key.
Verify: TypeAlias = "Callable[[bytes, bytes], bool]"

BEGINNING: Final = b'{"gate-list":1,'
"""No list that people write begins so."""

MAX_HEADER_BYTES: Final = 8192
"""A header of 64 gates' names has some 4,000."""

MAX_GATES: Final = 64
"""Names of gates or sites a list may be for."""

MAX_VERSION: Final = 2**53 - 1
"""Beyond it a number is not the same in every JSON reader."""

_SIGNED_FOR: Final = b"gate-scanner list\0"
"""Before what is signed, so that a signature over a list is good for nothing else."""

_UNSIGNED: Final = b"unsigned"
_SIGNATURE: Final = re.compile(rb"[A-Za-z0-9_-]{86}")
_CHUNK_BYTES: Final = 64 * 1024
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_KEY: Final = re.compile(r"[0-9a-f]{16}")
_PSEUDONYMS: Final = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Header:
    """What a list says of itself.

    Attributes:
        kind: see `ListKind`.
        version: a later list has a greater one; 0 for a list that people wrote.
        issued_at: when it was made, UTC.
        effective_from: from when on it counts, UTC.
        pseudonyms: names the key its pseudonyms were made with, see `Pseudonyms.key_id`.
        gates: names of gates or sites it is for, as in `Rules.audiences`; empty for every gate.
        key: names the key that signed, 16 hex digits; empty when nobody did.
    """

    kind: ListKind
    version: int
    issued_at: datetime
    effective_from: datetime
    pseudonyms: str
    gates: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list as it was read: nothing in it contradicts itself, and who had to sign it did.

    Attributes:
        header: see `Header`.
        content: the entries.
        head: the two lines before the entries, byte for byte.
    """

    header: Header
    content: Subjects | Roster
    head: bytes

    @property
    def raw(self) -> bytes:
        """The whole file."""
        return self.head + self.content.body


def make_list(
    header: Header, content: Subjects | Roster, sign: Callable[[bytes], bytes] | None = None
) -> ListFile:
    """A new list; `sign` with the key that `header.key` names, or unsigned without."""
    said = {
        "gate-list": 1,
        "kind": header.kind.value,
        "version": header.version,
        "issued_at": rfc3339(header.issued_at),
        "effective_from": rfc3339(header.effective_from),
        "count": len(content),
        "pseudonyms": header.pseudonyms,
        "gates": list(header.gates),
        "sha256": content.digest,
        "key": header.key,
    }
    line = json.dumps(said, separators=(",", ":")).encode()
    signature = base64.urlsafe_b64encode(sign(_SIGNED_FOR + line)).rstrip(b"=") if sign else _UNSIGNED
    return ListFile(header, content, line + b"\n" + signature + b"\n")


def read_list(file: BinaryIO, keys: Mapping[str, Verify] | None) -> ListFile:
    """Reads a list; blocks for as long as the file does.

    Args:
        file: at its beginning.
        keys: of who may sign lists, by name; None when nobody needs to.

    Raises:
        ListError: it is no list, broken, or not signed by any of these.
        OSError: the file cannot be read.
    """
    line = file.readline(MAX_HEADER_BYTES)
    signature = file.readline(len(_UNSIGNED) + 128)
    header, count, digest = _header(line)
    if keys is not None:
        _authenticate(header, line.removesuffix(b"\n"), signature.removesuffix(b"\n"), keys)
    elif not signature.endswith(b"\n"):
        raise _damaged()
    kind = CONTENTS[header.kind]
    body = _body(file, count * kind.entry_bytes, digest)
    try:
        return ListFile(header, kind.of_body(body), line + signature)
    except ValueError:
        raise _damaged() from None


def _authenticate(header: Header, line: bytes, signature: bytes, keys: Mapping[str, Verify]) -> None:
    if signature == _UNSIGNED:
        raise ListError("unsigned", "the list is not signed, and this gate takes signed ones only")
    if header.key not in keys:
        raise ListError("unknown_key", f"the list is signed by the key {header.key}, which is not trusted")
    if not _SIGNATURE.fullmatch(signature):
        raise _damaged()
    decoded = base64.urlsafe_b64decode(signature + b"==")
    # The last character has room for four bits that mean nothing: one form only.
    canonical = base64.urlsafe_b64encode(decoded).rstrip(b"=") == signature
    if not canonical or not keys[header.key](decoded, _SIGNED_FOR + line):
        raise ListError("bad_signature", "the list was altered, or signed by another key than it names")


def _body(file: BinaryIO, size: int, digest: str) -> bytes:
    """The entries, hashed while they come; one byte too many or too few is damage."""
    body, hashed = bytearray(), hashlib.sha256()
    while chunk := file.read(min(_CHUNK_BYTES, size + 1 - len(body))):
        hashed.update(chunk)
        body += chunk
        if len(body) > size:
            raise _damaged()
    if len(body) != size or hashed.hexdigest() != digest:
        raise _damaged()
    return bytes(body)


def _header(line: bytes) -> tuple[Header, int, str]:
    """The header, how many entries follow, and their digest. Nothing in it may be believed yet."""
    if not line.startswith(BEGINNING):
        raise ListError("not_a_list", "this is no list that gate-scanner list makes")
    try:
        return _parsed(json.loads(line))
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        raise _damaged() from None


def _parsed(said: Any) -> tuple[Header, int, str]:  # noqa: ANN401 - JSON
    match said:
        case {
            "kind": str(kind),
            "version": int(version),
            "issued_at": str(issued_at),
            "effective_from": str(effective_from),
            "count": int(count),
            "pseudonyms": str(pseudonyms),
            "gates": [*gates],
            "sha256": str(digest),
            "key": str(key),
        } if (
            bool not in {type(version), type(count)}
            and 0 <= version <= MAX_VERSION
            and 0 <= count <= MAX_ENTRIES
            and _DIGEST.fullmatch(digest)
            and _PSEUDONYMS.fullmatch(pseudonyms)
            and (not key or _KEY.fullmatch(key))
            and len(gates) <= MAX_GATES
            and all(isinstance(gate, str) for gate in gates)
        ):
            header = Header(
                kind=ListKind(kind),
                version=version,
                issued_at=_moment(issued_at),
                effective_from=_moment(effective_from),
                pseudonyms=pseudonyms,
                gates=tuple(gates),
                key=key,
            )
            return header, count, digest
        case _:
            raise ValueError


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _damaged() -> ListError:
    return ListError("damaged", "the list is cut short or damaged")
