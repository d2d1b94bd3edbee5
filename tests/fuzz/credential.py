"""Coverage-guided fuzzing of everything that reads a code.

    python tests/fuzz/credential.py [-max_total_time=SECONDS] [CORPUS_FOLDER]

Needs atheris. Each input is tried as it is and wrapped as the signed kinds wrap theirs, so that the fuzzer
need not find base45, zlib and base64 by itself. A finding is an exception, more than one claim, content in
a fixed word, or something verified that nobody signed: neither the keys whose private halves were thrown
away, nor the one that signed the passes of the first corpus, which may only be read as they were written.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["device"]):
    from device.credential import base45
    from device.credential.kinds import Context
    from device.credential.payload import read
    from device.credential.registry import KINDS, PERSONAL_KINDS, about, parse
    from device.credential.signature import PublicKey
    from device.credential.signing import (
        Grant,
        SigningKey,
        cwt_pass,
        jws_pass,
        with_proof,
        with_rotating_code,
    )
    from device.credential.trust import Trust, TrustedKey, Use
    from device.model import Credential, Standing

KID = b"fuzz"
# Public keys whose private halves were thrown away: nothing they are said to have signed is genuine.
SPKIS = (
    "MCowBQYDK2VwAyEAxdYUi+XIB6negTyGr0cHXdhcw9Ms7R8OqwOtEFzQLS4=",
    (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEveuOsJZ345uLUU5ErWebrTrtYj0mh+3+4pfBxCius0zf"
        "TTidHc0bKuJF3mg+mW2eWNDr1Y6xw0vZ7Q3LB6mHUQ=="
    ),
)
# The same at every run, so that a corpus kept from the last one is still signed.
KEY = SigningKey(
    b"-----BEGIN PRIVATE KEY-----\n"
    + base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + b"z" * 32)
    + b"\n-----END PRIVATE KEY-----\n"
)
ENDS = datetime(2099, 1, 1, tzinfo=UTC)
HOLDER = PublicKey(KEY.spki)
PASSES = (
    cwt_pass(Grant("mau", ENDS, audience=("gate-a", "gate-b"), issuer="office"), KEY),
    cwt_pass(Grant("", ENDS, number=b"once", once=True), KEY),
    with_rotating_code(cwt_pass(Grant("mau", ENDS, number=b"turns", rotates=True), KEY), 12345678),
    with_proof(cwt_pass(Grant("mau", ENDS, holder=HOLDER), KEY), KEY, datetime(2026, 1, 1, tzinfo=UTC)),
    jws_pass(Grant("mau", ENDS, audience=("gate-a",)), KEY),
)
TRUST = Trust(
    [
        *(TrustedKey(KID, "fuzz", PublicKey(base64.b64decode(spki)), frozenset(Use)) for spki in SPKIS),
        TrustedKey(KEY.kid, "office", HOLDER, frozenset({Use.PASS}), rotation_secret=b"s" * 32),
        TrustedKey(KEY.kid.hex().encode(), "office", HOLDER, frozenset({Use.PASS})),
    ]
)
HOSTS = frozenset({"poster.example"})
FIXED_WORD = re.compile(r"[a-z0-9_]*")
SAMPLES = Path(__file__).parents[1] / "unit" / "credential" / "samples.jsonl"


def as_written(credential: Credential) -> Credential:
    """A credential without what its holder adds, and without how the text was written."""
    return replace(credential, rotation=None, possession=None, warnings=())


GENUINE = {as_written(parse(text.encode(), trust=TRUST)) for text in PASSES}


def _certificate(inner: bytes) -> bytes:
    return b"HC1:" + base45.encode(inner).encode()


def _jws(rest: bytes) -> bytes:
    return base64.urlsafe_b64encode(rest).rstrip(b"=")


WRAPPINGS: tuple[Callable[[bytes], bytes], ...] = (
    lambda rest: rest,
    _certificate,
    lambda rest: _certificate(zlib.compress(rest, 1)),
    lambda rest: base45.encode(rest).encode(),
    lambda rest: base45.encode(zlib.compress(rest, 1)).encode(),
    lambda rest: base45.encode(b"\xd2\x84\x49\xa2\x01\x27\x04\x44fuzz\xa0" + rest).encode(),
    lambda rest: b"eyJhbGciOiJFZERTQSIsImtpZCI6ImZ1enoifQ." + _jws(rest) + b"." + _jws(rest)[:86],
    lambda rest: b"ey" + _jws(rest) + b"." + _jws(rest) + b"." + _jws(rest),
    lambda rest: b"shc:/" + b"".join(b"%02d" % (byte - 45) for byte in b"eyJ" + _jws(rest) if byte >= 45),
    lambda rest: b"048095000111||" + rest.replace(b"\0", b"|"),
)


def wrapped(data: bytes) -> bytes:
    """The input as each kind might carry it; the first byte says how, a zero as it is."""
    return WRAPPINGS[data[0] % len(WRAPPINGS) if data else 0](data[1:])


def one_input(data: bytes) -> None:
    """Tries one input; raises AssertionError for a finding."""
    content = wrapped(data)
    credential = parse(content, poster_hosts=HOSTS, trust=TRUST)
    assert about(credential.kind)
    assert FIXED_WORD.fullmatch(credential.detail)
    assert all(FIXED_WORD.fullmatch(word) for word in credential.warnings)
    assert credential.standing is not Standing.VERIFIED or as_written(credential) in GENUINE
    assert (credential.standing is Standing.WRONG_KIND) == (credential.kind not in PERSONAL_KINDS)
    context = Context(poster_hosts=HOSTS, trust=TRUST)
    payload = read(content)
    assert sum(kind.recognise(payload, context) is not None for kind in KINDS) <= 1


def seeds(folder: Path) -> None:
    """Writes the samples and genuine passes as a first corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = [text.encode() for text in PASSES]
    for line in SAMPLES.read_text(encoding="utf-8").splitlines():
        sample = json.loads(line)
        contents.append(base64.b64decode(sample["b64"]) if "b64" in sample else sample["text"].encode())
    for number, content in enumerate(contents):
        (folder / f"seed-{number:03}").write_bytes(b"\0" + content)
    for number, text in enumerate(PASSES[:4]):
        (folder / f"inner-{number}").write_bytes(b"\3" + base45.decode(text))


def main() -> None:
    """Runs until stopped or until the time given is over."""
    for argument in sys.argv[1:]:
        if not argument.startswith("-"):
            seeds(Path(argument))
            break
    atheris.Setup([*sys.argv, "-max_len=7089", "-timeout=5"], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
