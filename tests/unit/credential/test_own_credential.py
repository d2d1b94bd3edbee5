"""The how-to is followed word by word: its file, its line, its samples."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType

from device.credential.kinds import Context, Kind
from device.credential.payload import read

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "own-credential.md"


def test_the_kind_of_the_how_to_answers_its_own_samples() -> None:
    text = HOW_TO.read_text(encoding="utf-8")
    code, samples = re.findall(r"```python\n(\"\"\".*?)```|```json\n(.*?)```", text, re.DOTALL)
    school = ModuleType("school")
    exec(compile(code[0], str(HOW_TO), "exec"), school.__dict__)  # noqa: S102 - our own documentation
    kind: Kind = school.__dict__["KIND"]
    for line in samples[1].splitlines():
        sample = json.loads(line)
        credential = kind.recognise(read(sample["text"].encode()), Context())
        assert credential is not None
        assert (credential.kind, credential.standing.value) == (sample["kind"], sample["standing"])
        assert credential.detail == sample.get("detail", "")
    assert kind.recognise(read(b"xin"), Context()) is None
