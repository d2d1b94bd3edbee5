"""A list's file, in either form, and whether it is for this gate."""

from __future__ import annotations

import io
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from device.errors import ListError
from device.policy.listfile import BEGINNING, Header, ListFile, make_list, read_list
from device.policy.listtext import nothing, parse_list

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import BinaryIO
    from zoneinfo import ZoneInfo

    from device.policy.listfile import Verify
    from device.policy.lists import ListKind

log = logging.getLogger(__name__)

MAX_TEXT_BYTES = 64 * 2**20
"""A million lines of some 60 characters; a larger file is something else."""


class ListReader:
    """Reads lists for one gate. Immutable; safe from any thread.

    Args:
        keys: of who may sign lists, by name; None when lists need no signature.
        pseudonym_key: with which identifiers in text files are hashed.
        pseudonym_ids: names of the keys whose pseudonyms match here, that of `pseudonym_key` first.
        audiences: the names this gate answers to.
        timezone: of the times on a roster that people wrote.
    """

    def __init__(
        self,
        *,
        keys: Mapping[str, Verify] | None,
        pseudonym_key: bytes,
        pseudonym_ids: tuple[str, ...],
        audiences: frozenset[str],
        timezone: ZoneInfo,
    ) -> None:
        self._keys = keys
        self._pseudonym_key = pseudonym_key
        self._pseudonym_ids = pseudonym_ids
        self._audiences = audiences
        self._timezone = timezone

    def read(self, path: Path, kind: ListKind, pause: Callable[[], None] = nothing) -> ListFile:
        """The list in a file. Blocks while it is read.

        Args:
            path: of the file.
            kind: that it must be.
            pause: called every few lines of a text, so that other threads come to their turn.

        Raises:
            ListError: it cannot be read, is broken, or not for this gate.
        """
        try:
            with path.open("rb") as file:
                beginning = file.read(len(BEGINNING))
                file.seek(0)
                if beginning == BEGINNING:
                    return self._issued(file, kind)
                if self._keys is not None:
                    raise ListError(
                        "unsigned", "the list is not signed, and this gate takes signed ones only"
                    )
                raw = file.read(MAX_TEXT_BYTES + 1)
                written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except OSError as error:
            raise ListError("unreadable", error.strerror or "it cannot be read") from error
        return self._text(raw, path, kind, written_at, pause)

    def _issued(self, file: BinaryIO, kind: ListKind) -> ListFile:
        found = read_list(file, self._keys)
        header = found.header
        if header.kind is not kind:
            raise ListError("other_kind", f"this is a list of the kind {header.kind}, not {kind}")
        if header.gates and self._audiences.isdisjoint(header.gates):
            raise ListError("other_gates", "the list is for other gates")
        if header.pseudonyms not in self._pseudonym_ids:
            message = "the list was made with another pseudonym key than this gate's: it would match nobody"
            raise ListError("other_pseudonyms", message)
        return found

    def _text(
        self, raw: bytes, path: Path, kind: ListKind, written_at: datetime, pause: Callable[[], None]
    ) -> ListFile:
        if len(raw) > MAX_TEXT_BYTES:
            raise ListError("too_large", f"a list has at most {MAX_TEXT_BYTES >> 20} MiB")
        try:
            lines = io.StringIO(raw.decode("utf-8"), newline="\n")
        except UnicodeDecodeError:
            raise ListError("not_text", "this is no list, and no text in UTF-8") from None
        parsed = parse_list(lines, kind, key=self._pseudonym_key, timezone=self._timezone, pause=pause)
        for problem in parsed.problems:
            log.warning("%s:%d: left out: %s", path, problem.line, problem.message)
        if parsed.unusable and not len(parsed.content):
            raise ListError("no_entry", "not one of its lines can be used")
        log.info("%s: %d entries, %d unusable", path, len(parsed.content), parsed.unusable)
        header = Header(kind, 0, written_at, written_at, self._pseudonym_ids[0])
        return make_list(header, parsed.content)
