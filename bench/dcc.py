"""Runs labelled EU Digital COVID Certificate cases through the gate's own parser and rules.

    python bench/dcc.py FOLDER

FOLDER/raw/**/*.json are cases in the form of eu-digital-green-certificates/dgc-testdata, and
FOLDER/trustlist.json the issuers' keys. Each case is judged at its own VALIDATIONCLOCK and compared with its
EXPECTEDRESULTS: a case that expects any of structure, signature, time or key usage to fail must not be
granted, any other must. A case that says nothing about time or key usage, and is refused for just that,
states nothing. Without FOLDER nothing is run: the cases do not ship with this project.

The last line is JSON: cases, stated, agree, disagree (names), disputed (names among them). Exit code 0 when
at most disputed cases disagree: one label that independent verifiers contradict, and P-384 keys under
ES256, which upstream lists as a known issue and we refuse.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from device.credential.flaw import Flawed
from device.credential.pseudonym import subject_of
from device.credential.registry import parse
from device.credential.signature import PublicKey
from device.credential.trust import Trust, TrustedKey, Use
from device.model import Outcome, Reason, Verdict
from device.policy.decide import Moment, decide
from device.policy.lists import Lists
from device.policy.rules import Rules

DISPUTED_LABEL = "raw/IS/2DCode/raw/3.json"
"""Says that the key usage must fail, while its certificate restricts nothing."""

_ARCS = (bytes.fromhex("060b2b060104018e378f6501"), bytes.fromhex("060c2b06010401008e378f6501"))
"""DER of 1.3.6.1.4.1.1847.2021.1.x and, as some issuers wrote it, 1.3.6.1.4.1.0.1847.2021.1.x, less x."""
_USES = {
    arc + bytes([last]): use
    for arc in _ARCS
    for last, use in ((1, Use.DCC_TEST), (2, Use.DCC_VACCINATION), (3, Use.DCC_RECOVERY))
}

_P384 = bytes.fromhex("06052b81040022")
"""DER of the curve secp384r1."""

_MUST_HOLD = {
    "EXPECTEDUNPREFIX",
    "EXPECTEDB45DECODE",
    "EXPECTEDCOMPRESSION",
    "EXPECTEDDECODE",
    "EXPECTEDVERIFY",
    "EXPECTEDEXPIRATIONCHECK",
    "EXPECTEDKEYUSAGE",
}
"""Labels a gate answers for; schema and picture labels are not its concern."""

_RULES = Rules(accept=frozenset({"eu.dcc"}))


@dataclass(frozen=True, slots=True)
class Answer:
    """One case: what was expected and what the gate said. None expects nothing."""

    name: str
    expected: bool | None
    verdict: Verdict
    certificate: bytes

    @property
    def agrees(self) -> bool:
        return self.expected is None or self.expected == (self.verdict.outcome is Outcome.GRANTED)


def main() -> int:
    """Runs all cases; prints what disagrees and the summary."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("folder", type=Path, nargs="?", metavar="FOLDER")
    options.add_argument("-v", "--verbose", action="store_true", help="print every case")
    args = options.parse_args()
    if args.folder is None:
        print("no FOLDER of cases given: nothing was run")
        return 0
    trust, p384 = read_trust(args.folder / "trustlist.json")
    paths = sorted((args.folder / "raw").rglob("*.json"))
    answers = [answer(path, args.folder, trust) for path in paths]
    for one in answers:
        if args.verbose or not one.agrees:
            print(f"{_word(one.expected):8} {one.verdict.outcome:9} {one.verdict.reason:16} {one.name}")
    print("reasons:", dict(Counter(one.verdict.reason.value for one in answers)))
    disagree = [one for one in answers if not one.agrees]
    disputed = [one for one in disagree if one.name == DISPUTED_LABEL or one.certificate in p384]
    summary = {
        "cases": len(answers),
        "stated": sum(one.expected is not None for one in answers),
        "agree": sum(one.agrees and one.expected is not None for one in answers),
        "disagree": [one.name for one in disagree],
        "disputed": [one.name for one in disputed],
    }
    print(json.dumps(summary))
    return 0 if answers and len(disagree) == len(disputed) else 1


def answer(path: Path, folder: Path, trust: Trust) -> Answer:
    """Judges one case at its own clock, with the functions the daemon uses."""
    case = json.loads(path.read_text(encoding="utf-8"))
    context = case.get("TESTCTX", {})
    stated: dict[str, object] = case.get("EXPECTEDRESULTS", {})
    credential = parse(str(case.get("PREFIX", "")).encode(), trust=trust)
    verdict = decide(
        credential,
        subject=subject_of(credential.identifier, key=bytes(32)),
        rules=_RULES,
        lists=Lists(),
        moment=Moment(utc=_clock(context.get("VALIDATIONCLOCK")), trusted=True, monotonic=0.0),
    )
    return Answer(
        path.relative_to(folder).as_posix(),
        _expected(stated, verdict),
        verdict,
        base64.b64decode(context.get("CERTIFICATE") or ""),
    )


def _expected(stated: dict[str, object], verdict: Verdict) -> bool | None:
    if any(stated.get(label) is False for label in _MUST_HOLD):
        return False
    if stated.get("EXPTECTEDEXPIRED") is False:  # upstream's spelling
        return False
    by_time = verdict.reason in {Reason.NOT_YET_VALID, Reason.EXPIRED}
    by_use = verdict.reason is Reason.UNKNOWN_ISSUER and verdict.detail == "key_not_for_this_use"
    if (by_time and "EXPECTEDEXPIRATIONCHECK" not in stated) or (by_use and "EXPECTEDKEYUSAGE" not in stated):
        return None
    return True


def _clock(text: str | None) -> datetime:
    """The case's clock; UTC when it names no offset, now when there is none."""
    if not text:
        return datetime.now(UTC)  # noqa: TID251 - a case without clock is meant to hold today
    head, dot, rest = text.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    # Upstream has up to nine digits of a second; fromisoformat takes six.
    moment = datetime.fromisoformat(f"{head}{dot}{rest[:digits][:6]:0<6}{rest[digits:]}" if dot else text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_trust(path: Path) -> tuple[Trust, frozenset[bytes]]:
    """The trust list, and the certificates (DER) whose keys are on P-384: no ES256 key to us."""
    keys, p384 = [], set()
    for kid, entry in json.loads(path.read_text(encoding="utf-8"))["keys"].items():
        for one in entry if isinstance(entry, list) else [entry]:
            try:
                keys.append(_key(kid, one))
            except Flawed:
                if _P384 in base64.b64decode(one["spki_der_b64"]):
                    p384.add(base64.b64decode(one["certificate_der_b64"]))
    return Trust(keys), frozenset(p384)


def _key(kid: str, entry: dict[str, str]) -> TrustedKey:
    certificate = base64.b64decode(entry["certificate_der_b64"])
    begins, ends = _validity(certificate)
    return TrustedKey(
        kid=base64.b64decode(kid),
        issuer=entry.get("country", "?"),
        key=PublicKey(base64.b64decode(entry["spki_der_b64"])),
        uses=_uses(certificate),
        not_before=begins,
        not_after=ends,
    )


def _uses(certificate: bytes) -> frozenset[Use]:
    """What the certificate lets its key sign; everything when it names none of the three uses.

    Looked for in the DER itself: some certificates of this set break X.509, and their keys still count.
    """
    named = frozenset(use for oid, use in _USES.items() if oid in certificate)
    return named or frozenset(_USES.values())


def _validity(certificate: bytes) -> tuple[datetime | None, datetime | None]:
    """Beginning and end, the latter exclusive; nothing when the certificate breaks X.509."""
    try:
        parsed = x509.load_der_x509_certificate(certificate)
    except ValueError:
        return None, None
    return parsed.not_valid_before_utc, parsed.not_valid_after_utc + timedelta(seconds=1)


def _word(expected: bool | None) -> str:  # noqa: FBT001 - a value to show, no switch
    return {True: "accept", False: "reject", None: "unstated"}[expected]


if __name__ == "__main__":
    sys.exit(main())
