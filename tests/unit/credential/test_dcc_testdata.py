"""The bench that judges the public certificate cases, run as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_public_certificate_cases_are_answered_as_their_labels_say(dcc_testdata: Path) -> None:
    run = subprocess.run(
        [sys.executable, "bench/dcc.py", str(dcc_testdata.resolve())],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    summary = json.loads(run.stdout.splitlines()[-1])
    assert run.returncode == 0
    assert summary["cases"] > 0
    assert summary["disagree"] == summary["disputed"]
    assert summary["agree"] == summary["stated"] - len(summary["disputed"])
