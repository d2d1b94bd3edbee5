"""What the gate would answer to a code, and why, in words: the body of `gate-scanner explain`.

The daemon's own `Judge` decides, so the answer is the gate's. What the code holds is never shown: only
which fields were found in it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from device.credential.registry import about
from device.model import Credential, KeptField, Outcome, Reason, Standing
from device.privacy.keeping import Form, IdentityKeeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from device.model import ListInForce
    from device.policy.decide import Moment
    from device.policy.judge import Judge

_ANSWERS: Mapping[Reason, str] = {
    Reason.OK: "Nothing is against it.",
    Reason.ALREADY_SHOWN: "The same code was granted a moment ago; the gate opens again.",
    Reason.WRONG_KIND: "This code is for something else; the person is asked for another one.",
    Reason.KIND_NOT_ACCEPTED: "This gate does not take such codes; the person is asked for another one.",
    Reason.MALFORMED: "It begins like a code of this kind, but cannot be one.",
    Reason.BAD_SIGNATURE: "The signature does not fit what the code says: it was altered or forged.",
    Reason.UNKNOWN_ISSUER: "Nobody this gate trusts has signed it.",
    Reason.NOT_YET_VALID: "Its validity has not begun.",
    Reason.EXPIRED: "Its validity is over.",
    Reason.DENIED_BY_LIST: "The person is on the deny list.",
    Reason.NOT_ON_LIST: "The person is on no list of those who may pass.",
    Reason.NOT_EXPECTED: "The person is on the roster, but expected at another time.",
    Reason.NOT_PROVEN: "It belongs to a phone, and was shown without that phone's proof.",
    Reason.WRONG_GATE: "It is a pass for another gate.",
    Reason.OUTSIDE_HOURS: "The gate is closed at this time.",
    Reason.CLOCK_NOT_TRUSTED: "The decision needs the time, and the clock is not set by the network yet.",
    Reason.PASSBACK: "The person is already on the other side.",
    Reason.REPLAYED: "It is a copy, its changing code or proof not of now; or good for once, and used.",
    Reason.JOURNAL_UNAVAILABLE: "The event cannot be recorded, so nobody is let in.",
    Reason.SUSPENDED: "The gate is suspended.",
    Reason.FULL: "As many persons are inside as may be.",
}

_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.GRANTED: "granted (green)",
    Outcome.DENIED: "denied (red)",
    Outcome.ATTENTION: "attention (yellow)",
}

_STANDINGS: Mapping[Standing, str] = {
    Standing.CLAIMED: "it carries no signature: whoever printed it could claim this",
    Standing.VERIFIED: "its signature was checked",
    Standing.UNKNOWN_ISSUER: "it is signed, but not by anybody trusted for it",
    Standing.BAD_SIGNATURE: "its signature is not the issuer's",
    Standing.WRONG_KIND: "",
    Standing.MALFORMED: "",
}


_FORMS: Mapping[Form, str] = {
    Form.NOT: "",
    Form.SEALED: "; sealed: only the district can read it",
    Form.CLEAR: "; in clear: whoever has the box or the events can read it",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the gate would answer, without anything the code holds.

    Attributes:
        kind: the registry's word.
        about: the kind in words.
        standing: see `Standing`.
        outcome: what the person would be told.
        reason: why.
        detail: a few fixed words.
        rule: path of the setting that decided; empty when none did.
        place: where that setting stands, `gate.yaml:12:5`; empty when it stands nowhere.
        found: names of the fields found in the code.
        warnings: oddities that did not refuse.
        subject: pseudonym, as events and list files have it; None when there is no identifier.
        rules: fingerprint of the rules and lists this was decided under.
        kept: names of the fields the event would keep of who somebody is.
        form: in which form.
        lists: those lists.
        by_default: the setting stands nowhere in a configuration file that there is.
    """

    kind: str
    about: str
    standing: Standing
    outcome: Outcome
    reason: Reason
    detail: str
    rule: str
    place: str
    found: tuple[str, ...]
    warnings: tuple[str, ...]
    subject: str | None
    rules: str
    kept: tuple[KeptField, ...] = ()
    form: Form = Form.NOT
    lists: tuple[ListInForce, ...] = ()
    by_default: bool = False

    def as_json(self) -> dict[str, object]:
        """The object `--json` prints, one a payload."""
        return {
            "kind": self.kind,
            "standing": self.standing.value,
            "outcome": self.outcome.value,
            "reason": self.reason.value,
            "detail": self.detail,
            "rule": self.rule,
            "place": self.place,
            "found": list(self.found),
            "warnings": list(self.warnings),
            "subject": self.subject,
            "rules": self.rules,
            "kept": [field.value for field in self.kept],
            "kept_as": self.form.name.lower() if self.kept else "not",
            "lists": [asdict(one) for one in self.lists],
        }

    def as_text(self) -> str:
        """The same for a person, a few lines."""
        standing = _STANDINGS[self.standing]
        lines = [
            f"{self.about} ({self.kind})" + (f"; {standing}" if standing else ""),
            f"  answer: {_OUTCOMES[self.outcome]}, {self.reason}. {_ANSWERS[self.reason]}",
        ]
        if self.detail:
            lines.append(f"  detail: {_spoken(self.detail)}")
        lines.append(f"  decided by: {self._decided_by()}")
        if self.found:
            lines.append(f"  found: {', '.join(self.found)}")
        if self.warnings:
            lines.append(f"  warnings: {', '.join(map(_spoken, self.warnings))}")
        if self.subject:
            lines.append(f"  subject: {self.subject} (as events and list files have it)")
        if self.lists:
            lines.append(f"  lists: {', '.join(_edition(one) for one in self.lists)}")
        kept = f"{', '.join(self.kept)}{_FORMS[self.form]}" if self.kept else "nothing"
        lines.append(f"  kept of who it is: {kept}")
        return "\n".join(lines)

    def _decided_by(self) -> str:
        if not self.rule:
            return "the code itself, at every gate"
        place = self.place or ("not in the file: its default" if self.by_default else "")
        return f"{self.rule} ({place})" if place else self.rule


def explain(
    content: bytes,
    *,
    judge: Judge,
    moment: Moment,
    places: Mapping[str, str] | None = None,
    identities: IdentityKeeper | None = None,
) -> Explanation:
    """What the gate would answer to these bytes at this moment. Pure; never raises for any content.

    Args:
        content: as the decoder finds it.
        judge: of the gate.
        moment: to decide at; `judge.now()` for this one.
        places: where in the configuration file each setting stands, by its path; None without a file.
        identities: knows what the event would keep; None for nothing.
    """
    judgement = judge.examine(content, moment=moment)
    credential, verdict = judgement.credential, judgement.verdict
    return Explanation(
        kind=credential.kind,
        about=about(credential.kind),
        standing=credential.standing,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=verdict.detail,
        rule=verdict.rule,
        place=places.get(verdict.rule, "") if places is not None else "",
        by_default=places is not None and verdict.rule not in places,
        found=fields_of(credential),
        warnings=credential.warnings,
        subject=judgement.subject,
        rules=judgement.rules,
        lists=judgement.lists or (),
        kept=identities.kept_of(credential, verdict.reason) if identities else (),
        form=identities.form if identities else Form.NOT,
    )


def fields_of(credential: Credential) -> tuple[str, ...]:
    """Names of what was found in a code, never what they hold."""
    present = {
        "identifier": bool(credential.identifier),
        "name": bool(credential.name),
        "date of birth": credential.born is not None,
        "beginning of validity": credential.not_before is not None,
        "end of validity": credential.expires is not None,
        "changing code": credential.rotation is not None and credential.rotation.shown is not None,
        "proof of its holder": credential.possession is not None
        and credential.possession.shown_at is not None,
        "gates it is for": bool(credential.audience),
        "issuer": bool(credential.issuer),
    }
    return tuple(name for name, there in present.items() if there)


def _edition(one: ListInForce) -> str:
    age = "of unknown age" if one.age_s is None else f"{one.age_s // 3600} h old"
    return f"{one.name} {one.version or 'without version'}, {age}"


def _spoken(word: str) -> str:
    return word.replace("_", " ")
