"""The rulebook of a configured gate: settings, lists, keys and the journal's newest scans become a judge.

Beside `app.py`, because `gate-scanner explain` asks the same judge without any of the daemon's other parts.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device.credential.flaw import Flawed
from device.credential.pseudonym import Pseudonyms
from device.credential.registry import PERSONAL_KINDS
from device.credential.signature import Algorithm, PublicKey
from device.errors import GateError, JournalError
from device.journal.recall import newest_scans, used_passes
from device.lists.library import Library, TrustFile
from device.lists.reading import ListReader
from device.lists.shelf import Shelf
from device.policy.judge import Judge, in_service, nowhere
from device.policy.lists import ListKind, Lists
from device.policy.occupancy import MAX_REMEMBERED, Occupancy, rebuild
from device.policy.rules import Hours, PassbackMode, Rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from device.config.model import Settings
    from device.model import ScanEvent
    from device.policy.judge import Whereabouts
    from device.policy.listfile import Verify
    from device.runtime import Clock

log = logging.getLogger(__name__)


def library_of(settings: Settings, clock: Clock, *, pseudonyms: Pseudonyms) -> Library:
    """The lists and keys of a configured gate, not opened yet.

    Args:
        settings: complete and valid.
        clock: for what takes effect later, and ages.
        pseudonyms: what persons are called.

    Raises:
        GateError: a key that may sign lists cannot be read.
    """
    policy = settings.policy
    audiences = _audiences(settings)
    files = {
        ListKind.DENY: policy.deny_list,
        ListKind.ALLOW: policy.allow_list,
        ListKind.ROSTER: policy.roster,
    }
    reader = ListReader(
        keys=list_keys(policy.list_keys) if policy.list_keys else None,
        pseudonym_key=pseudonyms.key,
        pseudonym_ids=pseudonyms.key_ids,
        audiences=audiences,
        timezone=ZoneInfo(settings.gate.timezone),
    )
    shelf = Shelf(
        files={kind: path for kind, path in files.items() if path is not None},
        kept=settings.journal.lists_folder,
        reader=reader,
        clock=clock,
        matches=lambda key: pseudonyms.matches(key, clock.utc(), trusted=clock.trusted()),
    )
    return Library(shelf, TrustFile(settings.credentials.trust_list, audiences), clock)


def judge_of(
    settings: Settings,
    clock: Clock,
    *,
    pseudonyms: Pseudonyms,
    library: Library | None = None,
    presence: Whereabouts = nowhere,
    suspended: Callable[[], bool] = in_service,
) -> Judge:
    """The judge of a configured gate, and its library opened: the list files are read.

    `gate-scanner explain` asks the same one, without a `presence` and with a library for once.

    Raises:
        GateError: one of them cannot be used.
    """
    policy = settings.policy
    rules = Rules(
        accept=frozenset(policy.accept),
        hours=tuple(
            Hours(h.weekdays, h.opens, h.closes, h.effective_from, h.effective_until) for h in policy.hours
        ),
        closed_on=frozenset(policy.closed_on),
        timezone=ZoneInfo(settings.gate.timezone),
        repeat_s=policy.repeat_s,
        untrusted_clock=policy.untrusted_clock,
        audiences=_audiences(settings),
        suspended=policy.suspended,
        direction=settings.gate.direction,
        passback=policy.passback.mode,
        forget_after_s=policy.passback.forget_after_s,
        capacity=policy.capacity,
    )
    library = library or library_of(settings, clock, pseudonyms=pseudonyms)
    holdings = library.open()
    return Judge(
        rules=rules,
        lists=holdings.lists,
        pseudonyms=pseudonyms,
        poster_hosts=frozenset(settings.credentials.poster_hosts),
        clock=clock,
        presence=presence,
        suspended=suspended,
        trust=holdings.trust,
    )


def asks_the_past(settings: Settings) -> bool:
    """Whether a rule asks who is inside or which passes were used."""
    policy = settings.policy
    passes = settings.credentials.trust_list is not None
    return passes or policy.passback.mode is not PassbackMode.OFF or policy.capacity is not None


def occupancy_of(settings: Settings, clock: Clock) -> Occupancy:
    """Who is inside and what was used, by the events of the journal; where no rule asks, nobody."""
    path = settings.journal.path
    events: tuple[ScanEvent, ...] = ()
    used: tuple[ScanEvent, ...] = ()
    if asks_the_past(settings):
        try:
            scans = newest_scans(path, limit=MAX_REMEMBERED, clock=clock)
            passes = used_passes(path, limit=MAX_REMEMBERED, clock=clock)
        except JournalError as error:
            log.error("who is inside and which passes were used is not known: %s", error)
        else:
            events, used = scans.scans, passes.scans
            in_time = scans.in_time and passes.in_time
            words = "who is inside is known from the last %d scans; %d passes for one passage are used"
            log.log(logging.INFO if in_time else logging.WARNING, words, len(events), len(used))
    forget_after_s = settings.policy.passback.forget_after_s
    return rebuild(events, forget_after_s=forget_after_s, now=clock.reading(), used=used)


def judge_of_any_gate(clock: Clock) -> Judge:
    """A judge without a configuration: takes every kind, knows no lists, pseudonyms are for once."""
    return Judge(
        rules=Rules(accept=PERSONAL_KINDS),
        lists=Lists(),
        pseudonyms=Pseudonyms.for_once(),
        poster_hosts=frozenset(),
        clock=clock,
    )


def _audiences(settings: Settings) -> frozenset[str]:
    """The names this gate answers to when a pass says which gates it is for."""
    gate = settings.gate
    place = f"{gate.tenant}/{gate.site}"
    own = (gate.name, f"{gate.site}/{gate.name}", f"{place}/{gate.name}", gate.site, place)
    return frozenset((*own, *settings.credentials.audiences))


def list_keys(paths: Iterable[Path]) -> dict[str, Verify]:
    """Who may sign lists, by the names of their keys, from files with public keys. Raises GateError."""
    found: dict[str, Verify] = {}
    for path in paths:
        try:
            key = PublicKey.from_pem(path.read_bytes())
        except Flawed:
            raise GateError(f"{path}: no public key") from None
        except OSError as error:
            raise GateError(f"{path}: {error.strerror}") from error
        found[key.kid.hex()] = partial(_is_signed_by, key)
    return found


def _is_signed_by(key: PublicKey, signature: bytes, message: bytes) -> bool:
    return key.verifies(Algorithm.EDDSA, message, signature)
