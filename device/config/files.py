"""Files the configuration names: whether they are there, can be read, and hold what they should.

Asked only where the daemon will run: on a technician's laptop a gate's files are not there.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from device.config.hints import closest
from device.config.model import Camera, Journal
from device.config.nodes import path_of
from device.config.scalars import Reads
from device.config.shape import leaves
from device.logs import printable
from device.privacy.sealing import NoSealingKey, SealingKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.config.crosschecks import Draft
    from device.config.model import Settings
    from device.config.nodes import Loc
    from device.errors import Problem

HEAD_BYTES: Final = 64 * 1024
"""As much of a file is looked at: room for a chain of certificates and its key."""

NEIGHBOURS: Final = 500
"""Files of a folder that are looked through for a similar name."""

_PEM: Final = re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}?(CERTIFICATE|PRIVATE KEY|PUBLIC KEY)-----")
_LOCKED: Final = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED")

_ONLY_ITS_NAME: Final = "the name of a file belongs here, never the secret itself"
_NOT_ALLOWED: Final = "the user this runs as, gate-scanner, must be able to read it"

Answer: TypeAlias = tuple[str, str]
"""Message and hint."""


def unusable(draft: Draft) -> Iterator[Problem]:
    """Files that are not as they should be. Reads the beginning of each; blocks for as long as that takes."""
    for loc, path, reads in _files(draft):
        answer = _file(path, reads)
        if answer and not (reads.kept and _kept(loc, draft)):
            yield draft.document.problem(loc, *answer)
    camera = draft.sections.get(("camera",))
    if isinstance(camera, Camera) and camera.source == "replay" and camera.replay.path is not None:
        answer = _pictures(camera.replay.path)
        if answer:
            yield draft.document.problem(("camera", "replay", "path"), *answer)


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a configuration names.

    Attributes:
        path: of the file.
        setting: that names it, dotted.
        public: what it holds may be known to anybody.
    """

    path: Path
    setting: str
    public: bool


def named(settings: Settings) -> tuple[Named, ...]:
    """Every file that is read at start, in the order of the settings."""
    found = []
    for leaf in leaves(settings, ()):
        reads = (leaf.shape.item or leaf.shape).mark(Reads)
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        if reads is not None:
            public = reads.seals or reads.pem in {"CERTIFICATE", "PUBLIC KEY"}
            found += [Named(v, path_of(leaf.loc), public) for v in values if isinstance(v, Path)]
    return tuple(found)


def _files(draft: Draft) -> Iterator[tuple[Loc, Path, Reads]]:
    """Every file that is named, by itself or in a list."""
    for leaf in draft.leaves():
        shape = leaf.shape.item or leaf.shape
        reads = shape.mark(Reads)
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        for number, value in enumerate(values if reads else ()):
            if reads and isinstance(value, Path):
                yield (*leaf.loc, number) if leaf.shape.item else leaf.loc, value, reads


def _kept(loc: Loc, draft: Draft) -> bool:
    """Whether the gate has a list that was in force: it goes on with it, and the status says so."""
    journal = draft.sections.get(("journal",))
    kind = str(loc[-1]).removesuffix("_list")
    return isinstance(journal, Journal) and (journal.lists_folder / f"{kind}.list").exists()


def _file(path: Path, reads: Reads) -> Answer | None:
    # What is written for a secret's file may be the secret itself: its name is not repeated.
    name = f"the file with {reads.what}" if reads.secret else printable(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return f"{name} is a folder or a device", "a file is needed"
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return _absent(path, name, secret=reads.secret)
    except PermissionError:
        return f"{name} may not be read", _NOT_ALLOWED
    except (OSError, ValueError) as error:
        return f"{name} cannot be read: {_reason(error)}", ""
    return _content(head, name, reads)


def _pictures(path: Path) -> Answer | None:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return _absent(path, printable(str(path)), secret=False)
    except (OSError, ValueError) as error:
        return f"{printable(str(path))} cannot be read: {_reason(error)}", ""
    return None


def _absent(path: Path, name: str, *, secret: bool) -> Answer:
    folder = path.parent
    if not folder.is_dir():
        return f"{name} is not there: there is no folder {printable(str(folder))}", ""
    if secret:
        return f"{name} is not in {printable(str(folder))}", _ONLY_ITS_NAME
    try:
        with os.scandir(folder) as entries:
            near = closest(path.name, [entry.name for entry in islice(entries, NEIGHBOURS)])
    except OSError:
        near = ""
    return f"{name} is not there", f"did you mean {printable(near)}?" if near else ""


def _content(head: bytes, name: str, reads: Reads) -> Answer | None:
    if reads.min_bytes and not head.strip():
        return f"{name} is empty", ""
    if len(head) < reads.min_bytes:
        hint = "make one with head -c 32 /dev/urandom"
        return f"{name} has {len(head)} bytes, and needs {reads.min_bytes} at least", hint
    if reads.seals:
        return _sealing_key(head, name)
    return _pem(head, name, reads) if reads.pem else None


def _pem(head: bytes, name: str, reads: Reads) -> Answer | None:
    blocks = {found.decode() for found in _PEM.findall(head)}
    if reads.pem not in blocks:
        other = ", ".join(sorted(blocks)).lower()
        hint = f"it holds a line -----BEGIN {reads.pem}-----"
        if reads.pem == "PUBLIC KEY" and "PRIVATE KEY" in blocks:
            hint = "the private one stays with the district; openssl pkey -pubout makes the other"
        elif other:
            hint = "were cert_file and key_file exchanged?"
        return f"{name} holds {f'a {other}, not' if other else 'not'} {reads.what}", hint
    if reads.secret and _LOCKED.search(head):
        return (
            f"{name} is locked with a passphrase, and nobody is there to type it",
            "openssl pkey unlocks it",
        )
    return None


def _sealing_key(head: bytes, name: str) -> Answer | None:
    try:
        SealingKey(head)
    except NoSealingKey as error:
        return f"{name} {error.message}", error.hint
    return None


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or "" if isinstance(error, OSError) else str(error)
