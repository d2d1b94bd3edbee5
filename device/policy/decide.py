"""The decision: pure, exhaustive, one place.

The order of checks is the order of what a person should be told first:

 1. a code for something else              ATTENTION  wrong_kind
 2. a broken code                          DENIED     malformed
 3. a kind this gate does not take         ATTENTION  kind_not_accepted   policy.accept
 4. signed by nobody who is trusted        DENIED     unknown_issuer      credentials.trust_list
 5. not what the issuer signed             DENIED     bad_signature
 6. on the deny list                       DENIED     denied_by_list      policy.deny_list
 7. a pass for other gates                 DENIED     wrong_gate          gate.name
 8. needs the time, which is not trusted   DENIED     clock_not_trusted   policy.untrusted_clock
 9. not yet or no longer valid             DENIED     not_yet_valid, expired
10. its changing code is not of now        DENIED     replayed
11. not on the allow list                  DENIED     not_on_list         policy.allow_list
12. outside opening hours                  DENIED     outside_hours       policy.hours
13. granted a moment ago                   GRANTED    already_shown       policy.repeat_s
14. nothing against it                     GRANTED    ok                  policy.accept

The deny list comes before everything that time can change, so that a denied person is denied for the
same reason at every hour. With `untrusted_clock: accept` checks 8, 9, 10 and 12 are left out while the clock
is not trusted, and a grant carries the detail `clock_not_trusted`. A repeated code is decided anew each time:
only a grant is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.credential.rotation import is_current
from device.model import Outcome, Reason, Standing, Verdict
from device.policy.rules import UntrustedClock

if TYPE_CHECKING:
    from datetime import datetime

    from device.model import Credential, Rotation
    from device.policy.lists import Lists
    from device.policy.rules import Rules

CLOCK_NOT_TRUSTED = "clock_not_trusted"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a decision is made.

    Attributes:
        utc: wall time, aware.
        trusted: whether the wall time may be believed.
        monotonic: seconds on `Clock.monotonic`, for the repeat hold-off.
    """

    utc: datetime
    trusted: bool
    monotonic: float


def decide(
    credential: Credential,
    *,
    subject: str | None,
    rules: Rules,
    lists: Lists,
    moment: Moment,
    last_granted_at: float | None = None,
    aliases: tuple[str, ...] = (),
) -> Verdict:
    """What the person is told. Pure; raises nothing.

    Args:
        credential: what was shown.
        subject: pseudonym of its identifier; None matches no list.
        rules: of this gate.
        lists: in force.
        moment: now.
        last_granted_at: when the same content was last granted with `ok`, on `moment.monotonic`'s scale.
        aliases: pseudonyms of its other identifiers; a list matches when any of them is on it.
    """
    match credential.standing:
        case Standing.WRONG_KIND:
            return Verdict(Outcome.ATTENTION, Reason.WRONG_KIND, credential.kind.removeprefix("wrong."))
        case Standing.MALFORMED:
            return Verdict(Outcome.DENIED, Reason.MALFORMED, credential.detail)
        case Standing.CLAIMED | Standing.VERIFIED | Standing.UNKNOWN_ISSUER | Standing.BAD_SIGNATURE:
            pass
    if credential.kind not in rules.accept:
        return Verdict(Outcome.ATTENTION, Reason.KIND_NOT_ACCEPTED, rule="policy.accept")
    known_as = (*aliases, subject) if subject is not None else aliases
    refusal = _refusal(credential, known_as, rules, lists, moment)
    if refusal is not None:
        return refusal
    mark = CLOCK_NOT_TRUSTED if not moment.trusted and _needs_time(credential, rules) else ""
    if last_granted_at is not None and 0 <= moment.monotonic - last_granted_at < rules.repeat_s:
        return Verdict(Outcome.GRANTED, Reason.ALREADY_SHOWN, mark, "policy.repeat_s")
    return Verdict(Outcome.GRANTED, Reason.OK, mark, "policy.accept")


def _refusal(
    credential: Credential, known_as: tuple[str, ...], rules: Rules, lists: Lists, moment: Moment
) -> Verdict | None:
    """Checks 4 to 12, in their order; None when nothing is against it."""
    known = moment.trusted
    refuses = rules.untrusted_clock is UntrustedClock.REFUSE
    begins, ends = credential.not_before, credential.expires
    aud = credential.audience
    checks = (
        (credential.standing is Standing.UNKNOWN_ISSUER, Reason.UNKNOWN_ISSUER, "credentials.trust_list"),
        (credential.standing is Standing.BAD_SIGNATURE, Reason.BAD_SIGNATURE, ""),
        (lists.deny.any_of(known_as), Reason.DENIED_BY_LIST, "policy.deny_list"),
        (aud != () and rules.audiences.isdisjoint(aud), Reason.WRONG_GATE, "gate.name"),
        (
            not known and refuses and _needs_time(credential, rules),
            Reason.CLOCK_NOT_TRUSTED,
            "policy.untrusted_clock",
        ),
        (known and begins is not None and moment.utc < begins, Reason.NOT_YET_VALID, ""),
        (known and ends is not None and moment.utc >= ends, Reason.EXPIRED, ""),
        (known and not _is_of_now(credential.rotation, moment), Reason.REPLAYED, ""),
        (
            lists.allow is not None and not lists.allow.any_of(known_as),
            Reason.NOT_ON_LIST,
            "policy.allow_list",
        ),
        (known and not _open(rules, moment.utc), Reason.OUTSIDE_HOURS, "policy.hours"),
    )
    for refused, reason, rule in checks:
        if refused:
            return Verdict(Outcome.DENIED, reason, credential.detail, rule)
    return None


def _is_of_now(rotation: Rotation | None, moment: Moment) -> bool:
    """Whether a pass with a changing code shows the one of this moment; others need none."""
    if rotation is None:
        return True
    return rotation.shown is not None and is_current(rotation.key, rotation.shown, moment.utc)


def _needs_time(credential: Credential, rules: Rules) -> bool:
    """Whether any check here depends on the wall clock."""
    return bool(rules.hours or credential.not_before or credential.expires or credential.rotation)


def _open(rules: Rules, utc: datetime) -> bool:
    local = utc.astimezone(rules.timezone)
    return not rules.hours or any(hours.include(local) for hours in rules.hours)
