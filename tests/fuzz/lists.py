"""Coverage-guided fuzzing of list files, signed and written by people.

    python tests/fuzz/lists.py [-max_total_time=SECONDS] [CORPUS_FOLDER]

Needs atheris. A finding is an exception other than the room's own, or a list that is taken and was not
signed: byte for byte one of the two in the first corpus.
"""

from __future__ import annotations

import base64
import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import atheris

with atheris.instrument_imports(include=["device"]):
    from device.credential.signature import Algorithm, PublicKey
    from device.credential.signing import SigningKey
    from device.errors import ListError
    from device.policy.listfile import Header, make_list, read_list
    from device.policy.lists import ListKind
    from device.policy.listtext import parse_list
    from device.policy.subjects import Roster, Subjects, window

KEY = SigningKey(
    b"-----BEGIN PRIVATE KEY-----\n"
    + base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + b"z" * 32)
    + b"\n-----END PRIVATE KEY-----\n"
)
PUBLIC = PublicKey(KEY.spki)
KEYS = {PUBLIC.kid.hex(): lambda signature, message: PUBLIC.verifies(Algorithm.EDDSA, message, signature)}
MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CONTENTS: dict[ListKind, Subjects | Roster] = {
    ListKind.DENY: Subjects(["00" * 16, "ff" * 16]),
    ListKind.ROSTER: Roster([window("0f" * 16, MADE_AT, None)]),
}
GENUINE = tuple(
    make_list(Header(kind, 1, MADE_AT, MADE_AT, "00000000", key=KEY.kid.hex()), content, KEY.sign).raw
    for kind, content in CONTENTS.items()
)
LINES = b"# staff\nsubject:00112233445566778899aabbccddeeff\noffice/1042, 2026-12-01, 2026-12-05T07:30\n"


def one_input(data: bytes) -> None:
    """Tries one input as a signed list, as an unsigned one, and as lines; raises for a finding."""
    for keys in (KEYS, None):
        try:
            found = read_list(io.BytesIO(data), keys)
        except ListError:
            continue
        assert found.raw == data
        assert keys is None or data in GENUINE
    text = data.decode("utf-8", "replace")
    for kind in ListKind:
        parsed = parse_list(text.split("\n"), kind, key=b"k" * 32, timezone=ZONE)
        assert len(parsed.content) + parsed.unusable <= text.count("\n") + 1


def main() -> None:
    """Runs until stopped or until the time given is over."""
    for argument in sys.argv[1:]:
        if not argument.startswith("-"):
            folder = Path(argument)
            folder.mkdir(parents=True, exist_ok=True)
            for number, seed in enumerate((*GENUINE, LINES)):
                (folder / f"seed-{number}").write_bytes(seed)
            break
    atheris.Setup([*sys.argv, "-max_len=2048", "-timeout=5"], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
