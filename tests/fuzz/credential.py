"""Coverage-guided fuzzing of everything that reads a code.

    python tests/fuzz/credential.py [-max_total_time=SECONDS] [CORPUS_FOLDER]

Needs atheris (`pip install atheris`). Each input is tried as it is and wrapped as the signed kinds wrap
theirs, so that the fuzzer need not find base45, zlib and base64 by itself. A finding is an exception, more
than one claim, content in a fixed word, or a signature that was verified although nobody made it.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import zlib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["device"]):
    from device.credential import base45
    from device.credential.kinds import Context
    from device.credential.payload import read
    from device.credential.registry import KINDS, PERSONAL_KINDS, about, parse
    from device.credential.signature import PublicKey
    from device.credential.trust import Trust, TrustedKey, Use
    from device.model import Standing

KID = b"fuzz"
# Public keys whose private halves were thrown away: nothing they are said to have signed is genuine.
SPKIS = (
    "MCowBQYDK2VwAyEAxdYUi+XIB6negTyGr0cHXdhcw9Ms7R8OqwOtEFzQLS4=",
    (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEveuOsJZ345uLUU5ErWebrTrtYj0mh+3+4pfBxCius0zf"
        "TTidHc0bKuJF3mg+mW2eWNDr1Y6xw0vZ7Q3LB6mHUQ=="
    ),
)
TRUST = Trust(TrustedKey(KID, "fuzz", PublicKey(base64.b64decode(spki)), frozenset(Use)) for spki in SPKIS)
HOSTS = frozenset({"poster.example"})
FIXED_WORD = re.compile(r"[a-z0-9_]*")
SAMPLES = Path(__file__).parents[1] / "unit" / "credential" / "samples.jsonl"


def wrapped(data: bytes) -> tuple[bytes, ...]:
    """The input as each kind might carry it."""
    if not data:
        return (b"",)
    rest = data[1:]
    b64 = base64.urlsafe_b64encode(rest).rstrip(b"=")
    text = base45.encode(rest).encode()
    packed = base45.encode(zlib.compress(rest, 1)).encode()
    sign1 = base45.encode(b"\xd2\x84\x49\xa2\x01\x27\x04\x44fuzz\xa0" + rest).encode()
    forms = (
        (data,),
        (b"HC1:" + text, b"HC1:" + packed),
        (text.ljust(120, b"0"), packed.ljust(120, b"0")),
        (sign1,),
        (b"eyJhbGciOiJFZERTQSIsImtpZCI6ImZ1enoifQ." + b64 + b"." + b64[:86],),
        (b"ey" + b64 + b"." + b64 + b"." + b64,),
        (b"shc:/" + b"".join(b"%02d" % (byte - 45) for byte in b"eyJ" + b64 if byte >= 45),),
        (b"048095000111||" + rest, rest + b"|||17031995|Nam||"),
        (rest.replace(b"\0", b"|"),),
    )
    return forms[data[0] % len(forms)]


def one_input(data: bytes) -> None:
    """Tries one input; raises AssertionError for a finding."""
    for content in wrapped(data):
        credential = parse(content, poster_hosts=HOSTS, trust=TRUST)
        assert about(credential.kind)
        assert FIXED_WORD.fullmatch(credential.detail)
        assert all(FIXED_WORD.fullmatch(word) for word in credential.warnings)
        assert credential.standing is not Standing.VERIFIED
        assert (credential.standing is Standing.WRONG_KIND) == (credential.kind not in PERSONAL_KINDS)
        context = Context(poster_hosts=HOSTS, trust=TRUST)
        payload = read(content)
        assert sum(kind.recognise(payload, context) is not None for kind in KINDS) <= 1


def seeds(folder: Path) -> None:
    """Writes the samples as a first corpus, where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(SAMPLES.read_text(encoding="utf-8").splitlines()):
        sample = json.loads(line)
        content = base64.b64decode(sample["b64"]) if "b64" in sample else sample["text"].encode()
        (folder / f"sample-{number:03}").write_bytes(b"\0" + content)
        (folder / f"plain-{number:03}").write_bytes(content)


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
