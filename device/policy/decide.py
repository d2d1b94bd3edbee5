"""The decision: pure, exhaustive, one place.

The order of checks is the order of what a person should be told first:

 1. a code for something else              ATTENTION  wrong_kind
 2. a broken code                          DENIED     malformed
 3. a kind this gate does not take         ATTENTION  kind_not_accepted   policy.accept
 4. signed by nobody who is trusted        DENIED     unknown_issuer      credentials.trust_list
 5. not what the issuer signed             DENIED     bad_signature
 6. on the deny list                       DENIED     denied_by_list      policy.deny_list
 7. the gate is suspended                  DENIED     suspended           policy.suspended
 8. a pass for other gates                 DENIED     wrong_gate          gate.name
 9. needs the time, which is not trusted   DENIED     clock_not_trusted   policy.untrusted_clock
10. not yet or no longer valid             DENIED     not_yet_valid, expired
11. shown without proof of its holder      DENIED     not_proven
    its code or proof is not of now        DENIED     replayed
12. on neither allow list nor roster       DENIED     not_on_list         policy.allow_list, policy.roster
    on the roster, for another time        DENIED     not_expected        policy.roster
13. outside opening hours                  DENIED     outside_hours       policy.hours, policy.closed_on
14. good for one passage, and used         DENIED     replayed
15. granted a moment ago                   GRANTED    already_shown       policy.repeat_s
16. went this way before, and not back     DENIED     passback            policy.passback.mode
17. no room inside                         DENIED     full                policy.capacity
18. as 16, where that is only noted        GRANTED    passback            policy.passback.mode
19. nothing against it                     GRANTED    ok                  policy.accept

The deny list comes before everything that time can change, so that a denied person is denied for the
same reason at every hour. With `untrusted_clock: accept` checks 9, 10, 11 and 13 and the times of a roster
are left out while the clock is not trusted, and a grant carries the detail `clock_not_trusted`. A repeated
code is decided anew each time: only a grant is remembered. A pass for one passage is not granted again even
a moment later: the next one in the queue might show it. Who is inside is known of persons with an
identifier only, see `occupancy`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.credential.rotation import is_current, is_of_now
from device.model import Direction, Outcome, Reason, Standing, Verdict
from device.policy.occupancy import NOT_KNOWN
from device.policy.rules import PassbackMode, UntrustedClock

if TYPE_CHECKING:
    from datetime import datetime

    from device.model import Credential
    from device.policy.lists import Lists
    from device.policy.occupancy import Presence
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
    presence: Presence = NOT_KNOWN,
) -> Verdict:
    """What the person is told. Pure; raises nothing.

    Args:
        credential: what was shown.
        subject: pseudonym of its identifier; None matches no list.
        rules: of this gate.
        lists: in force.
        moment: now.
        last_granted_at: when the same content was last granted with `ok`, on `moment.monotonic`'s scale.
        aliases: pseudonyms of its other identifiers, and those under a key that was replaced; a list matches
            when any of them is on it.
        presence: where the person is, as far as the gate knows.
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
    if refusal is None and credential.once and presence.seen:
        refusal = Verdict(Outcome.DENIED, Reason.REPLAYED, "used_before")
    if refusal is not None:
        return refusal
    needs_time = _needs_time(credential, known_as, rules, lists)
    mark = CLOCK_NOT_TRUSTED if not moment.trusted and needs_time else ""
    if last_granted_at is not None and 0 <= moment.monotonic - last_granted_at < rules.repeat_s:
        return Verdict(Outcome.GRANTED, Reason.ALREADY_SHOWN, mark, "policy.repeat_s")
    return _by_presence(presence, rules, mark) or Verdict(Outcome.GRANTED, Reason.OK, mark, "policy.accept")


def _refusal(
    credential: Credential, known_as: tuple[str, ...], rules: Rules, lists: Lists, moment: Moment
) -> Verdict | None:
    """Checks 4 to 13, in their order; None when nothing is against it."""
    known = moment.trusted
    refuses = rules.untrusted_clock is UntrustedClock.REFUSE
    begins, ends = credential.not_before, credential.expires
    aud, possession = credential.audience, credential.possession
    checks = (
        (credential.standing is Standing.UNKNOWN_ISSUER, Reason.UNKNOWN_ISSUER, "credentials.trust_list"),
        (credential.standing is Standing.BAD_SIGNATURE, Reason.BAD_SIGNATURE, ""),
        (lists.deny.any_of(known_as), Reason.DENIED_BY_LIST, "policy.deny_list"),
        (rules.suspended, Reason.SUSPENDED, "policy.suspended"),
        (aud != () and rules.audiences.isdisjoint(aud), Reason.WRONG_GATE, "gate.name"),
        (
            not known and refuses and _needs_time(credential, known_as, rules, lists),
            Reason.CLOCK_NOT_TRUSTED,
            "policy.untrusted_clock",
        ),
        (known and begins is not None and moment.utc < begins, Reason.NOT_YET_VALID, ""),
        (known and ends is not None and moment.utc >= ends, Reason.EXPIRED, ""),
        (possession is not None and possession.shown_at is None, Reason.NOT_PROVEN, ""),
        (known and not _is_of_now(credential, moment), Reason.REPLAYED, ""),
        (
            not lists.admit(known_as),
            Reason.NOT_ON_LIST,
            "policy.roster" if lists.allow is None else "policy.allow_list",
        ),
        (known and not lists.expect(known_as, moment.utc), Reason.NOT_EXPECTED, "policy.roster"),
        (
            known and not rules.opened(moment.utc),
            Reason.OUTSIDE_HOURS,
            "policy.hours" if rules.hours else "policy.closed_on",
        ),
    )
    for refused, reason, rule in checks:
        if refused:
            detail = "not_of_now" if reason is Reason.REPLAYED else credential.detail
            return Verdict(Outcome.DENIED, reason, detail, rule)
    return None


def _by_presence(presence: Presence, rules: Rules, mark: str) -> Verdict | None:
    """Checks 16 to 18; None when nothing is against it."""
    went = {True: Direction.IN, False: Direction.OUT, None: None}[presence.inside]
    again = went is rules.direction
    enters = rules.direction is not Direction.OUT and went is not Direction.IN
    if again and rules.passback is PassbackMode.HARD:
        return Verdict(Outcome.DENIED, Reason.PASSBACK, rule="policy.passback.mode")
    if enters and rules.capacity is not None and presence.count >= rules.capacity:
        return Verdict(Outcome.DENIED, Reason.FULL, rule="policy.capacity")
    if again and rules.passback is PassbackMode.SOFT:
        return Verdict(Outcome.GRANTED, Reason.PASSBACK, mark, "policy.passback.mode")
    return None


def _is_of_now(credential: Credential, moment: Moment) -> bool:
    """Whether changing code and proof, where a pass needs them, are of this moment."""
    rotation, possession = credential.rotation, credential.possession
    if rotation and not (rotation.shown is not None and is_current(rotation.key, rotation.shown, moment.utc)):
        return False
    return not possession or (possession.shown_at is not None and is_of_now(possession.shown_at, moment.utc))


def _needs_time(credential: Credential, known_as: tuple[str, ...], rules: Rules, lists: Lists) -> bool:
    """Whether any check here depends on the wall clock."""
    dated = credential.not_before or credential.expires or credential.rotation or credential.possession
    return bool(dated or rules.hours or rules.closed_on or lists.goes_by_time(known_as))
