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
import json
import secrets
import sys
import time
import tracemalloc
import zlib
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from device.credential import base45
from device.credential.pseudonym import SUBJECT_BYTES, Pseudonyms
from device.credential.registry import PERSONAL_KINDS, parse
from device.credential.signing import Grant, SigningKey, cwt_pass, jws_pass
from device.credential.trust import parse_trust
from device.policy.judge import Judge, never
from device.policy.lists import Lists
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
    """Median and 99th percentile of one call, microseconds."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter_ns()
        work()
        took.append((time.perf_counter_ns() - began) / 1000)
    return median(took), quantiles(took, n=100)[98]


def kinds(path: Path, unit: float) -> dict[str, dict[str, float]]:
    """Each kind's samples through the judge that the daemon uses, and our own signed passes."""
    key = SigningKey(SigningKey.generate())
    entries = [trust_entry(key, issuer="bench", form=form) for form in ("cwt", "jws")]
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
    contents["cwt.pass, verified"] = [cwt_pass(grant, key).encode()]
    contents["jws.pass, verified"] = [jws_pass(grant, key).encode()]
    figures = {}
    print(f"{'kind':24} {'p50 us':>9} {'p99 us':>9} {'p50/SHA-256':>12}")
    for kind, several in sorted(contents.items()):
        all_times = [timed(partial(judge.judge, content, never), ROUNDS) for content in several]
        p50, p99 = median(t[0] for t in all_times), max(t[1] for t in all_times)
        figures[kind] = {"p50_us": round(p50, 1), "p99_us": round(p99, 1)}
        print(f"{kind:24} {p50:9.1f} {p99:9.1f} {p50 / unit:12.0f}")
    return figures


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
    """Reading a list file of that many identifiers, its memory, and a look-up."""
    lines = [f"{number:012}" for number in range(entries)]
    key = secrets.token_bytes(32)
    began = time.perf_counter()
    parsed = parse_list(lines, key=key, timezone=ZoneInfo("UTC"))
    read_s = time.perf_counter() - began
    tracemalloc.start()
    kept = Subjects(secrets.token_hex(SUBJECT_BYTES) for _ in range(entries))
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    absent = secrets.token_hex(SUBJECT_BYTES)
    began = time.perf_counter()
    for _ in range(LOOK_UPS):
        _ = absent in kept
    look_up_us = (time.perf_counter() - began) / LOOK_UPS * 1e6
    figures = {
        "entries": len(parsed.content),
        "read_s": round(read_s, 2),
        "held_mb": round(held / 1e6, 1),
        "peak_mb": round(peak / 1e6, 1),
        "look_up_us": round(look_up_us, 2),
    }
    print(f"\nlist of {entries}: {figures}")
    return figures


if __name__ == "__main__":
    sys.exit(main())
