"""Time and memory of recognising, deciding and looking up.

    python bench/credentials.py [--samples FILE] [--entries N]

Prints a table: per kind the time of classification and decision together (median and 99th percentile, in
microseconds, and as multiples of one SHA-256 over 1 KiB measured beside it, which is what to compare across
machines); the slowest hostile inputs known; look-up and memory of a list. The last line is JSON.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import secrets
import sys
import time
import tracemalloc
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device.credential import base45, cbor
from device.credential.cose import to_be_signed
from device.credential.pseudonym import SUBJECT_BYTES, Pseudonyms
from device.credential.registry import PERSONAL_KINDS, parse
from device.credential.signature import Algorithm, PublicKey
from device.credential.signing import Grant, SigningKey, cwt_pass, jws_pass, with_proof
from device.credential.trust import parse_trust
from device.policy.judge import Judge, never
from device.policy.listfile import Header, make_list, read_list
from device.policy.lists import ListKind, Lists
from device.policy.listtext import parse_list
from device.policy.rules import Rules
from device.policy.subjects import Subjects
from device.runtime import SystemClock
from device.service.passes import trust_entry

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = Path(__file__).parents[1] / "tests" / "unit" / "credential" / "samples.jsonl"
ROUNDS = 400
LOOK_UPS = 20_000

_SIGNED = b"\xd2\x84\x40\xa0\x59\x10\x00"
HOSTILE = {
    "combining marks in the worst order": "\u0301\u0323".encode() * 1700,
    "nothing but spaces": b" " * 7089,
    "nothing but bars": b"|" * 7089,
    "a name of 2,300 accents": ("048095000111||" + "Ǻ" * 2300 + "|17031995|Nam|x|").encode(),
    "a web address of 7,000 characters": b"https://" + b"@" * 7000,
    "a zlib bomb": b"HC1:" + base45.encode(zlib.compress(bytes(2_900_000), 9)).encode(),
    "4,296 characters of base45": base45.encode(_SIGNED + bytes(2850))[:4296].encode(),
    "5,000 digits in a JWS": b"eyJhbGciOiJFZERTQSJ9." + base64.urlsafe_b64encode(b'{"exp":' + b"9" * 4990),
    "1,000 brackets in a JWS header": base64.urlsafe_b64encode(b'{"' + b"[" * 4999) + b"..",
    "health card of 7,000 digits": b"shc:/" + b"56" * 3500,
}


def main() -> int:
    """Measures everything; prints a table and a line of JSON."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--samples", type=Path, default=SAMPLES, metavar="FILE")
    options.add_argument("--entries", type=int, default=200_000, metavar="N")
    args = options.parse_args()
    unit = timed(lambda: hashlib.sha256(bytes(1024)).digest(), ROUNDS)[0]
    summary = {
        "sha256_us": round(unit, 2),
        "kinds": kinds(args.samples, unit),
        "slowest": hostile(unit),
        "lists": lists(args.entries),
    }
    print(json.dumps(summary))
    return 0


def timed(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median and 99th percentile of one call, microseconds of this thread's own time on the processor."""
    took = []
    for _ in range(rounds):
        began = time.thread_time_ns()
        work()
        took.append((time.thread_time_ns() - began) / 1000)
    return median(took), quantiles(took, n=100)[98]


def kinds(path: Path, unit: float) -> dict[str, dict[str, float]]:
    """Each kind's samples through the judge that the daemon uses, and our own signed passes."""
    key = SigningKey(SigningKey.generate())
    country = SigningKey(SigningKey.generate(Algorithm.ES256))
    entries = [trust_entry(key, issuer="bench", form=form) for form in ("cwt", "jws")]
    entries.append(trust_entry(country, issuer="country") | {"uses": ["dcc_vaccination"]})
    judge = Judge(
        rules=Rules(accept=PERSONAL_KINDS),
        lists=Lists(deny=Subjects(secrets.token_hex(SUBJECT_BYTES) for _ in range(1000))),
        pseudonyms=Pseudonyms(secrets.token_bytes(32)),
        poster_hosts=frozenset({"poster.example"}),
        clock=SystemClock(),
        trust=parse_trust(json.dumps({"keys": entries})).trust,
    )
    contents: dict[str, list[bytes]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        sample = json.loads(line)
        content = base64.b64decode(sample["b64"]) if "b64" in sample else sample.get("text", "").encode()
        contents.setdefault(sample["kind"], []).append(content)
    grant = Grant(subject="mau", expires=datetime(2099, 1, 1, tzinfo=UTC), audience=())
    bound = cwt_pass(replace(grant, holder=PublicKey(key.spki)), key)
    now = datetime.now(UTC)  # noqa: TID251 - of the proof
    contents["cwt.pass, verified"] = [cwt_pass(grant, key).encode()]
    contents["cwt.pass, with its proof"] = [with_proof(bound, key, now).encode()]
    contents["jws.pass, verified"] = [jws_pass(grant, key).encode()]
    contents["eu.dcc, verified"] = [certificate(country)]
    figures = {}
    print(f"{'kind':24} {'p50 us':>9} {'p99 us':>9} {'p50/SHA-256':>12}")
    for kind, several in sorted(contents.items()):
        all_times = [timed(partial(judge.judge, content, never), ROUNDS) for content in several]
        p50, p99 = median(t[0] for t in all_times), max(t[1] for t in all_times)
        figures[kind] = {"p50_us": round(p50, 1), "p99_us": round(p99, 1)}
        print(f"{kind:24} {p50:9.1f} {p99:9.1f} {p50 / unit:12.0f}")
    return figures


def certificate(key: SigningKey) -> bytes:
    """A vaccination certificate of a usual size."""
    person: dict[int | str, cbor.Plain] = {"fn": "Hoàng", "gn": "Thử Mẫu", "fnt": "HOANG", "gnt": "THU<MAU"}
    entry: dict[int | str, cbor.Plain] = {
        "tg": "840539006",
        "vp": "1119349007",
        "mp": "EU/1/20/1528",
        "ma": "ORG-100030215",
        "dn": 2,
    }
    entry |= {
        "sd": 2,
        "dt": "2021-11-01",
        "co": "VN",
        "is": "Bộ Y tế",
        "ci": "URN:UVCI:01:VN:0123456789ABCDEF#X",
    }
    body: dict[int | str, cbor.Plain] = {
        1: "VN",
        4: 4_000_000_000,
        6: 1_600_000_000,
        -260: {1: {"ver": "1.3.0", "nam": person, "dob": "1995-03-17", "v": [entry]}},
    }
    protected, payload = cbor.encode({1: -7, 4: key.kid}), cbor.encode(body)
    signature = key.sign(to_be_signed(protected, payload))
    message = b"\xd2" + cbor.encode([protected, {}, payload, signature])
    return b"HC1:" + base45.encode(zlib.compress(message, 9)).encode()


def hostile(unit: float) -> dict[str, float]:
    """The slowest inputs known, milliseconds each."""
    figures = {}
    print(f"\n{'hostile input':40} {'ms':>7} {'answer':>14} {'ms/SHA-256':>12}")
    for name, content in HOSTILE.items():
        took, _ = timed(lambda c=content: parse(c), 20)  # type: ignore[misc]
        figures[name] = round(took / 1000, 2)
        print(f"{name:40} {took / 1000:7.2f} {parse(content).kind:>14} {took / unit:12.0f}")
    return figures


def lists(entries: int) -> dict[str, float]:
    """A list of that many people: reading it as lines and as the district signs it, memory, a look-up."""
    key, pseudonyms = SigningKey(SigningKey.generate()), Pseudonyms.for_once()
    lines = [f"{number:012}" for number in range(entries)]
    began = time.thread_time()
    parsed = parse_list(lines, key=pseudonyms.key, timezone=ZoneInfo("UTC"))
    lines_s = time.thread_time() - began
    now = datetime.now(UTC)  # noqa: TID251 - the date of a list
    header = Header(ListKind.DENY, 1, now, now, pseudonyms.key_id, key=key.kid.hex())
    raw = make_list(header, parsed.content, key.sign).raw
    public = PublicKey(key.spki)
    keys = {key.kid.hex(): partial(_signed_by, public)}
    signed_us, _ = timed(lambda: read_list(io.BytesIO(raw), keys), 10)
    tracemalloc.start()
    kept = read_list(io.BytesIO(raw), keys).content
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    present, absent = pseudonyms.subject(lines[entries // 3]) or "", secrets.token_hex(SUBJECT_BYTES)
    began = time.thread_time()
    for _ in range(LOOK_UPS):
        _ = present in kept
        _ = absent in kept
    figures = {
        "entries": len(parsed.content),
        "lines_read_s": round(lines_s, 2),
        "signed_read_s": round(signed_us / 1e6, 3),
        "file_mb": round(len(raw) / 1e6, 1),
        "held_mb": round(held / 1e6, 1),
        "peak_mb": round(peak / 1e6, 1),
        "look_up_us": round((time.thread_time() - began) / LOOK_UPS / 2 * 1e6, 2),
    }
    print(f"\nlist of {entries}: {figures}")
    return figures


def _signed_by(key: PublicKey, signature: bytes, message: bytes) -> bool:
    return key.verifies(Algorithm.EDDSA, message, signature)


if __name__ == "__main__":
    sys.exit(main())
