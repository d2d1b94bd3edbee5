"""One code in, one verdict out: parse, pseudonym and decide, tied together with what the gate knows.

The daemon and `gate-scanner explain` hold the same object, so that what is explained is what happens.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from device.credential.registry import parse
from device.credential.trust import NOBODY
from device.model import CredentialRef
from device.policy.decide import Moment, decide
from device.policy.occupancy import NOT_KNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.credential.pseudonym import Pseudonyms
    from device.credential.trust import Trust
    from device.model import Credential, ListInForce, Verdict
    from device.policy.lists import Lists
    from device.policy.occupancy import Presence
    from device.policy.rules import Rules
    from device.runtime import Clock


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything known about one decision. `credential` is personal: for explaining, not for keeping."""

    credential: Credential
    subject: str | None
    subject_key: str
    verdict: Verdict
    rules: str
    lists: tuple[ListInForce, ...] | None

    @property
    def ref(self) -> CredentialRef:
        """What an event keeps."""
        return CredentialRef(
            kind=self.credential.kind,
            standing=self.credential.standing,
            subject=self.subject,
            subject_key=self.subject_key if self.subject is not None else None,
            issuer=self.credential.issuer or None,
            once=self.credential.once or None,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision as the scan loop needs it. `credential` is personal: what is kept of it is not said here.

    Attributes:
        ref: what every event keeps of the credential.
        verdict: the decision.
        identity: what the repeat hold-off goes by.
        credential: what was shown.
        rules: fingerprint of the rules, lists and keys it was made under, 16 hex digits.
        lists: those lists; None where none is configured.
    """

    ref: CredentialRef
    verdict: Verdict
    identity: str
    credential: Credential
    rules: str
    lists: tuple[ListInForce, ...] | None = None


def identity_of(subject: str | None, content: bytes) -> str:
    """The person where one is known, since a pass may change its code while it is held; else the code."""
    return subject or hashlib.sha256(content).hexdigest()


class Whereabouts(Protocol):
    """Knows on which side a person is."""

    def __call__(self, subject: str | None, now: float, former: str | None = None, /) -> Presence:
        """See `Occupancy.presence`."""
        ...


def nowhere(_subject: str | None, _now: float, _former: str | None = None) -> Presence:
    """Nobody knows where anybody is."""
    return NOT_KNOWN


def in_service() -> bool:
    """Nothing but the rules suspends the gate."""
    return False


def never(_identity: str) -> None:
    """Nobody has been granted before."""


@dataclass(frozen=True, slots=True)
class _Book:
    """What a decision is made by, in one piece: a change replaces it whole."""

    lists: Lists
    trust: Trust
    fingerprints: tuple[str, str]


class Judge:
    """Decides about codes by rules, lists and keys. Safe from any thread; nothing blocks.

    Args:
        rules: of the gate.
        lists: in force.
        pseudonyms: what persons are called.
        poster_hosts: see `parse`.
        clock: for the moment of each decision.
        trust: whose signatures count.
        presence: where a person is; called by who calls `judge`.
        suspended: whether the gate is suspended, whatever the rules say; likewise.
    """

    def __init__(
        self,
        *,
        rules: Rules,
        lists: Lists,
        pseudonyms: Pseudonyms,
        poster_hosts: frozenset[str],
        clock: Clock,
        trust: Trust = NOBODY,
        presence: Whereabouts = nowhere,
        suspended: Callable[[], bool] = in_service,
    ) -> None:
        # As they are, and suspended.
        self._rules = rules, replace(rules, suspended=True)
        self._suspended = suspended
        self._pseudonyms = pseudonyms
        self._poster_hosts = poster_hosts
        self._clock = clock
        self._presence = presence
        self.go_by(lists, trust)

    def go_by(self, lists: Lists, trust: Trust) -> None:
        """From now on decides by these. A decision under way is made by those before."""
        usual, suspended = (rules.fingerprint(lists, trust_digest=trust.digest) for rules in self._rules)
        self._book = _Book(lists, trust, (usual, suspended))

    @property
    def fingerprint(self) -> str:
        """Names the rules, lists and keys in force, 16 hex digits."""
        return self._book.fingerprints[self._suspended()]

    def judge(self, content: bytes, granted_at: Callable[[str], float | None]) -> Answer:
        """The decision as the scan loop needs it. Never raises, whatever the content.

        Args:
            content: as the decoder found it.
            granted_at: when an identity was last granted with `ok`, on `Clock.monotonic`; None for never.
        """
        judgement = self.examine(content, moment=self.now(), granted_at=granted_at)
        return Answer(
            ref=judgement.ref,
            verdict=judgement.verdict,
            identity=identity_of(judgement.subject, content),
            credential=judgement.credential,
            rules=judgement.rules,
            lists=judgement.lists,
        )

    def now(self) -> Moment:
        """This moment, as `decide` takes it."""
        return Moment(utc=self._clock.utc(), trusted=self._clock.trusted(), monotonic=self._clock.monotonic())

    def examine(
        self, content: bytes, *, moment: Moment, granted_at: Callable[[str], float | None] = never
    ) -> Judgement:
        """The decision with all that led to it, at any moment. Pure."""
        book, suspended = self._book, self._suspended()
        credential = parse(content, poster_hosts=self._poster_hosts, trust=book.trust)
        subject = self._pseudonyms.subject(credential.identifier)
        former = self._former(credential.identifier, moment)
        verdict = decide(
            credential,
            subject=subject,
            rules=self._rules[suspended],
            lists=book.lists,
            moment=moment,
            last_granted_at=granted_at(identity_of(subject, content)),
            presence=self._presence(subject, moment.monotonic, former),
            aliases=self._aliases(credential, former, moment),
        )
        return Judgement(
            credential=credential,
            subject=subject,
            subject_key=self._pseudonyms.key_id,
            verdict=verdict,
            rules=book.fingerprints[suspended],
            lists=book.lists.in_force(moment.utc, trusted=moment.trusted),
        )

    def _aliases(self, credential: Credential, former: str | None, moment: Moment) -> tuple[str, ...]:
        """All that lists may know the person by, but for the subject itself."""
        names = [former]
        for alias in credential.aliases:
            names += self._pseudonyms.subject(alias), self._former(alias, moment)
        return tuple(name for name in names if name is not None)

    def _former(self, identifier: str, moment: Moment) -> str | None:
        return self._pseudonyms.former(identifier, moment.utc, trusted=moment.trusted)
