"""The keys of a configured gate: what persons are called, and to whom who they are is sealed.

Beside `app.py`, because `gate-scanner explain` uses the same keys without any of the daemon's other parts.
"""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device.credential.flaw import Flawed
from device.credential.pseudonym import KEY_BYTES, MIN_KEY_BYTES, Pseudonyms
from device.credential.signature import PublicKey
from device.durable import read_or_make_secret, write_new
from device.errors import GateError
from device.privacy.keeping import IdentityKeeper
from device.privacy.sealing import NoSealingKey, OpeningKey, SealingKey
from device.uplink.wire import GateAddress

if TYPE_CHECKING:
    from pathlib import Path

    from device.config.model import Settings

log = logging.getLogger(__name__)


def pseudonyms_of(settings: Settings) -> Pseudonyms:
    """What persons are called at this gate.

    Where no key is configured, one is made beside the journal at the first start.

    Raises:
        GateError: a key cannot be read or made, or is too short.
    """
    privacy = settings.privacy
    if privacy.pseudonym_key_file is not None:
        key = _read(privacy.pseudonym_key_file)
    else:
        key = _own_key(_own_key_file(settings))
    previous = until = None
    if privacy.previous_pseudonym_key_file is not None:
        previous = _read(privacy.previous_pseudonym_key_file)
    if privacy.previous_pseudonym_until is not None:
        day_after = privacy.previous_pseudonym_until + timedelta(days=1)
        until = datetime.combine(day_after, time(0), ZoneInfo(settings.gate.timezone))
    return Pseudonyms(key, previous, until)


def pseudonyms_for_a_look(settings: Settings) -> Pseudonyms:
    """The same where there is a key, else for once: somebody who only asks must leave nothing behind.

    Raises:
        GateError: as `pseudonyms_of`.
    """
    if settings.privacy.pseudonym_key_file is None and not _own_key_file(settings).exists():
        return Pseudonyms.for_once()
    return pseudonyms_of(settings)


def existing_pseudonyms(settings: Settings) -> Pseudonyms:
    """The same where there must be a key already: others' names for persons are found under no other.

    Raises:
        GateError: as `pseudonyms_of`; or no key is configured, and none was made here.
    """
    own = _own_key_file(settings)
    if settings.privacy.pseudonym_key_file is None and not own.exists():
        raise GateError(f"{own}: no such file; without the gate's key nobody is found under a pseudonym")
    return pseudonyms_of(settings)


def identity_keeper_of(settings: Settings) -> IdentityKeeper:
    """What events of this gate keep of who somebody is.

    Raises:
        GateError: the key to seal to cannot be read, or is none.
    """
    gate, privacy = settings.gate, settings.privacy
    return IdentityKeeper(
        source=GateAddress(gate.tenant, gate.site, gate.name).path,
        seal=sealing_key(privacy.seal_to) if privacy.seal_to else None,
        clear=privacy.keep_clear,
        fields=privacy.kept,
        fields_of_passes=privacy.keep_of_passes,
    )


def pseudonyms_in(path: Path) -> Pseudonyms:
    """What persons are called by the key in a file alone. Raises GateError."""
    try:
        return Pseudonyms(_content(path))
    except ValueError as error:
        raise GateError(f"{path}: {error}") from error


def card_keys_of(settings: Settings) -> dict[bytes, PublicKey]:
    """Whose cards count at this gate, by `kid`; empty where none do.

    Raises:
        GateError: the key cannot be read, or is none.
    """
    path = settings.credentials.card_key_file
    return card_keys(path) if path is not None else {}


def card_memory(settings: Settings) -> Path:
    """Where the gate remembers which cards were used, and whether one has suspended it."""
    return settings.journal.path.with_name("cards.json")


def card_opener(settings: Settings) -> OpeningKey:
    """The private key that opens what cards are sealed to, `provision.key` beside the journal.

    Made there where there is none: it is the device's own, unless whoever ships devices has put a fleet's.

    Raises:
        GateError: it cannot be read or made, or is none.
    """
    path = settings.journal.path.with_name("provision.key")
    try:
        if not path.exists():
            write_new(path, OpeningKey.generate(), mode=0o600)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    return opening_key(path)


def card_keys(path: Path) -> dict[bytes, PublicKey]:
    """The provisioner's public key in a file, by `kid`. Raises GateError."""
    try:
        key = PublicKey.from_pem(_content(path))
    except Flawed:
        raise GateError(f"{path}: no public key; gate-scanner provision keys makes one") from None
    if len(key.coordinates()) != 1:
        raise GateError(f"{path}: cards are signed with Ed25519, and this is another kind of key")
    return {key.kid: key}


def sealing_key(path: Path) -> SealingKey:
    """The public key in a file. Raises GateError."""
    try:
        return SealingKey(_content(path))
    except NoSealingKey as error:
        raise GateError(f"{path} {error}") from error


def opening_key(path: Path) -> OpeningKey:
    """The private key in a file. Raises GateError."""
    try:
        return OpeningKey(_content(path))
    except NoSealingKey as error:
        raise GateError(f"{path} {error}") from error


def _own_key_file(settings: Settings) -> Path:
    return settings.journal.path.with_name("pseudonym.key")


def _own_key(path: Path) -> bytes:
    try:
        key, made = read_or_make_secret(path, KEY_BYTES)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    if made:
        log.warning("made a pseudonym key of this gate's own, %s: other gates' events will not match", path)
    return _long_enough(key, path)


def _read(path: Path) -> bytes:
    return _long_enough(_content(path), path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error


def _long_enough(key: bytes, path: Path) -> bytes:
    if len(key) < MIN_KEY_BYTES:
        raise GateError(f"{path}: a pseudonym key needs at least {MIN_KEY_BYTES} bytes")
    return key
