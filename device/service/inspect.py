"""What a pass is, says and proves, for whoever issues passes: the body of `gate-scanner pass inspect`.

Names of claims, times and gates are shown, never who holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.credential.contents import contents_of
from device.credential.registry import about, parse
from device.credential.rotation import is_current, is_of_now
from device.credential.trust import NOBODY
from device.model import Possession, Rotation, Standing
from device.service.explain import fields_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from device.credential.contents import Contents
    from device.credential.trust import Trust
    from device.model import Credential

_PASSES = frozenset({"cwt.pass", "jws.pass"})

_PROOF: Mapping[Standing, str] = {
    Standing.CLAIMED: "none: whoever printed it could claim this",
    Standing.VERIFIED: "good",
    Standing.UNKNOWN_ISSUER: "of nobody on the trust list",
    Standing.BAD_SIGNATURE: "NOT that of the key it names: altered or forged",
    Standing.WRONG_KIND: "none: a code for something else",
    Standing.MALFORMED: "none that counts: the code breaks the rules of its kind",
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in one code.

    Attributes:
        kind: the registry's word.
        about: the kind in words.
        standing: by the trust list; None when none was given and the code is signed.
        detail: why it is malformed or not trusted, fixed words.
        issuer: who signed, as the trust list has it; empty when not verified.
        contents: what a pass says; None for other kinds.
        found: names of the fields of other kinds.
        validity: `valid`, `not_yet_valid`, `expired`, or empty when the code tells none.
        rotating: `current`, `old`, `missing`, or empty when it has no changing code or is not verified.
        possession: the same of the proof of its holder's key.
    """

    kind: str
    about: str
    standing: Standing | None
    detail: str
    issuer: str
    contents: Contents | None
    found: tuple[str, ...]
    validity: str
    rotating: str
    possession: str

    @property
    def good(self) -> bool:
        """Whether nothing speaks against its signature: it holds, or there was no list to check it with."""
        return self.standing in {None, Standing.VERIFIED}

    def as_json(self) -> dict[str, object]:
        """The object `--json` prints, one a code."""
        said = self.contents
        return {
            "kind": self.kind,
            "standing": self.standing.value if self.standing else None,
            "detail": self.detail,
            "issuer": self.issuer,
            "claims": list(said.claims if said else self.found),
            "not_before": said.not_before.isoformat() if said and said.not_before else None,
            "expires": said.expires.isoformat() if said and said.expires else None,
            "audience": list(said.audience) if said else [],
            "algorithm": said.algorithm.name if said and said.algorithm else None,
            "kid": said.kid if said else None,
            "validity": self.validity,
            "rotating": self.rotating,
            "possession": self.possession,
        }

    def as_text(self) -> str:
        """The same for a person, a few lines."""
        lines = [f"{self.about} ({self.kind})"]
        said = self.contents
        if said is not None:
            algorithm = said.algorithm.name if said.algorithm else "an unknown algorithm"
            lines.append(f"  says: {', '.join(said.claims)}")
            lines.append(f"  gates: {', '.join(said.audience) or 'every gate that trusts its issuer'}")
            lines.append(f"  valid: {_period(said)}: {_spoken(self.validity) or 'no end is told'}")
            lines.append(f"  signed with {algorithm} by the key {said.kid or '(none named)'}")
        elif self.found:
            lines.append(f"  says: {', '.join(self.found)}")
        lines.append(f"  signature: {self._proof()}")
        if self.rotating:
            lines.append(f"  changing code: {self.rotating}")
        if self.possession:
            lines.append(f"  proof of its holder: {self.possession}")
        return "\n".join(lines)

    def _proof(self) -> str:
        if self.standing is None:
            return "not checked: give the trust list with --trust"
        by = f", of {self.issuer}" if self.issuer else ""
        detail = f" ({_spoken(self.detail)})" if self.detail else ""
        return f"{_PROOF[self.standing]}{by}{detail}"


def inspect(content: bytes, *, trust: Trust | None, now: datetime) -> Inspection:
    """What the bytes of a code are, say and prove. Pure; raises nothing for any content.

    Args:
        content: as the decoder finds it.
        trust: whose signatures count; None leaves signatures unchecked.
        now: to tell validity and changing code by.
    """
    credential = parse(content, trust=trust or NOBODY)
    said = None
    if credential.kind in _PASSES and credential.standing is not Standing.MALFORMED:
        said = contents_of(content.decode("utf-8", "replace"))
    unchecked = trust is None and credential.standing is Standing.UNKNOWN_ISSUER
    return Inspection(
        kind=credential.kind,
        about=about(credential.kind),
        standing=None if unchecked else credential.standing,
        detail="" if unchecked else credential.detail,
        issuer=credential.issuer,
        contents=said,
        found=fields_of(credential),
        validity=_validity(credential, said, now),
        rotating=_rotating(credential.rotation, now),
        possession=_possession(credential.possession, now),
    )


def _validity(credential: Credential, said: Contents | None, now: datetime) -> str:
    # What was verified comes first: the trust list may narrow what the pass says.
    begins = credential.not_before or (said.not_before if said else None)
    ends = credential.expires or (said.expires if said else None)
    if begins is not None and now < begins:
        return "not_yet_valid"
    if ends is None:
        return ""
    return "expired" if now >= ends else "valid"


def _rotating(rotation: Rotation | None, now: datetime) -> str:
    if rotation is None:
        return ""
    if rotation.shown is None:
        return "missing"
    return "current" if is_current(rotation.key, rotation.shown, now) else "old"


def _possession(possession: Possession | None, now: datetime) -> str:
    if possession is None:
        return ""
    if possession.shown_at is None:
        return "missing"
    return "current" if is_of_now(possession.shown_at, now) else "old"


def _period(said: Contents) -> str:
    begins = f"from {_local(said.not_before)} " if said.not_before else ""
    return f"{begins}until {_local(said.expires) if said.expires else 'nobody knows when'}"


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M %z")


def _spoken(word: str) -> str:
    return word.replace("_", " ")
