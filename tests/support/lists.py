"""Lists as a district issues them, and gates that take them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device.credential.pseudonym import Pseudonyms, subject_of
from device.credential.signature import Algorithm, PublicKey
from device.credential.signing import SigningKey
from device.lists.reading import ListReader
from device.policy.listfile import Header, ListFile, make_list
from device.policy.lists import ListKind
from device.policy.subjects import Roster, Subjects, window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from device.policy.listfile import Verify

KEY = b"a key for tests, 32 bytes long.."
PSEUDONYMS = Pseudonyms(KEY)
ANNA, BINH = "046190123456", "079088000111"
ISSUED = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def name_of(identifier: str) -> str:
    return subject_of(identifier, key=KEY) or ""


class District:
    """Signs lists with a key of its own."""

    def __init__(self) -> None:
        self.key = SigningKey(SigningKey.generate())

    @property
    def keys(self) -> Mapping[str, Verify]:
        """As a gate has them that takes this district's lists."""
        public = PublicKey(self.key.spki)
        return {
            public.kid.hex(): lambda signature, message: public.verifies(Algorithm.EDDSA, message, signature)
        }

    def list_of(
        self,
        *people: str,
        kind: ListKind = ListKind.DENY,
        version: int = 1,
        begins: timedelta = timedelta(),
        gates: tuple[str, ...] = (),
        pseudonyms: str = PSEUDONYMS.key_id,
        signed: bool = True,
    ) -> ListFile:
        """A list of these people; `begins` after it was issued."""
        header = Header(
            kind=kind,
            version=version,
            issued_at=ISSUED,
            effective_from=ISSUED + begins,
            pseudonyms=pseudonyms,
            gates=gates,
            key=self.key.kid.hex() if signed else "",
        )
        content = _content(kind, people)
        return make_list(header, content, self.key.sign if signed else None)


def _content(kind: ListKind, people: Iterable[str]) -> Subjects | Roster:
    subjects = [name_of(person) for person in people]
    if kind is ListKind.ROSTER:
        return Roster(window(subject, None, None) for subject in subjects)
    return Subjects(subjects)


def reader(keys: Mapping[str, Verify] | None = None) -> ListReader:
    """As a gate reads lists; a signature is asked for where there are keys."""
    return ListReader(
        keys=keys,
        pseudonym_key=KEY,
        pseudonym_ids=PSEUDONYMS.key_ids,
        audiences=frozenset({"north-door", "market"}),
        timezone=ZoneInfo("Asia/Ho_Chi_Minh"),
    )
