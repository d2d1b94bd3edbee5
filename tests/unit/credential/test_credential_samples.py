from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from device.credential.kinds import Context
from device.credential.payload import read
from device.credential.registry import KINDS, LEFTOVERS, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

HOSTS = frozenset({"poster.example"})
SAMPLES: list[Mapping[str, str]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "samples.jsonl").read_text(encoding="utf-8").splitlines()
]


def content(sample: Mapping[str, str]) -> bytes:
    return base64.b64decode(sample["b64"]) if "b64" in sample else sample["text"].encode()


@pytest.mark.parametrize("sample", SAMPLES, ids=[s["label"] for s in SAMPLES])
def test_each_sample_is_classified_as_its_label_says(sample: Mapping[str, str]) -> None:
    credential = parse(content(sample), poster_hosts=HOSTS)
    assert credential.kind == sample["kind"]
    assert credential.standing.value == sample["standing"]
    assert credential.detail == sample.get("detail", "")
    assert " ".join(credential.warnings) == sample.get("warnings", "")


@pytest.mark.parametrize("sample", SAMPLES, ids=[s["label"] for s in SAMPLES])
def test_no_sample_is_claimed_by_two_kinds(sample: Mapping[str, str]) -> None:
    payload = read(content(sample))
    claims = [k.word for k in KINDS if k.recognise(payload, Context(poster_hosts=HOSTS)) is not None]
    assert claims == ([] if sample["kind"] in LEFTOVERS else [sample["kind"]])


def test_every_kind_has_a_sample() -> None:
    assert {s["kind"] for s in SAMPLES} == {k.word for k in KINDS} | set(LEFTOVERS)
