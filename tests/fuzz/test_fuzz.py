"""The fuzz targets, run for some seconds each; a person runs them all night."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = 15


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="atheris is made for x86-64 only")
@pytest.mark.parametrize("target", ["credential", "lists"])
def test_no_input_is_found_that_breaks_a_promise(target: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / f"{target}.py"), f"-max_total_time={SECONDS}", str(tmp_path / "corpus")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    runs = re.search(r"Done (\d+) runs", done.stderr)
    assert runs is not None
    assert int(runs[1]) > 1000
    assert not list(tmp_path.glob("crash-*"))
