"""The rulebook of a configured gate: settings, lists, keys and the journal's newest scans become a judge.

Beside `app.py`, because `gate-scanner explain` asks the same judge without any of the daemon's other parts.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device.credential.pseudonym import Pseudonyms
from device.credential.registry import PERSONAL_KINDS
from device.credential.trust import NOBODY, Trust, parse_trust
from device.errors import GateError, JournalError
from device.journal.recall import newest_scans
from device.policy.judge import Judge, nowhere
from device.policy.lists import Lists, Subjects, parse_list
from device.policy.occupancy import MAX_REMEMBERED, Occupancy, rebuild
from device.policy.rules import Hours, PassbackMode, Rules

if TYPE_CHECKING:
    from pathlib import Path

    from device.config.model import Settings
    from device.model import ScanEvent
    from device.policy.judge import Whereabouts
    from device.runtime import Clock

log = logging.getLogger(__name__)


def judge_of(
    settings: Settings,
    clock: Clock,
    *,
    pseudonyms: Pseudonyms,
    presence: Whereabouts = nowhere,
) -> Judge:
    """The judge of a configured gate; `gate-scanner explain` asks the same one, without a `presence`.

    Reads the list files.

    Raises:
        GateError: one of them cannot be read.
    """
    policy = settings.policy
    rules = Rules(
        accept=frozenset(policy.accept),
        hours=tuple(Hours(h.weekdays, h.opens, h.closes) for h in policy.hours),
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
    lists = Lists(
        deny=_list(policy.deny_list, pseudonyms.key) if policy.deny_list else Subjects(),
        allow=_list(policy.allow_list, pseudonyms.key) if policy.allow_list else None,
    )
    return Judge(
        rules=rules,
        lists=lists,
        pseudonyms=pseudonyms,
        poster_hosts=frozenset(settings.credentials.poster_hosts),
        clock=clock,
        presence=presence,
        trust=_trust(settings.credentials.trust_list, rules.audiences),
    )


def asks_the_past(settings: Settings) -> bool:
    """Whether a rule asks who is inside or which passes were used."""
    policy = settings.policy
    passes = settings.credentials.trust_list is not None
    return passes or policy.passback.mode is not PassbackMode.OFF or policy.capacity is not None


def occupancy_of(settings: Settings, clock: Clock) -> Occupancy:
    """Who is inside and what was used, by the newest events of the journal; where no rule asks, nobody."""
    policy = settings.policy
    events: tuple[ScanEvent, ...] = ()
    if asks_the_past(settings):
        try:
            recalled = newest_scans(settings.journal.path, limit=MAX_REMEMBERED, clock=clock)
        except JournalError as error:
            log.error("who is inside and which passes were used is not known: %s", error)
        else:
            events = recalled.scans
            words = "who is inside and which passes were used is known from the last %d scans"
            log.log(logging.INFO if recalled.in_time else logging.WARNING, words, len(events))
    return rebuild(events, forget_after_s=policy.passback.forget_after_s, now=clock.reading())


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


def _trust(path: Path | None, audiences: frozenset[str]) -> Trust:
    if path is None:
        return NOBODY
    parsed = parse_trust(_text(path), audiences=audiences)
    for problem in parsed.problems:
        log.warning("%s: left out: %s", path, problem)
    log.info("%s: %d keys, %d for other gates", path, len(parsed.trust), parsed.elsewhere)
    return parsed.trust


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error


def _list(path: Path, key: bytes) -> Subjects:
    parsed = parse_list(_text(path), key=key)
    for problem in parsed.problems:
        log.warning("%s:%d: left out: %s", path, problem.line, problem.message)
    log.info("%s: %d entries, %d unusable", path, len(parsed.subjects), parsed.unusable)
    return parsed.subjects
