"""Options for data that does not ship with the project, and the profile of the property tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gate scanner")
    group.addoption("--examples", type=int, default=100, help="examples of each property test (default 100)")
    group.addoption("--qr-corpus", type=Path, help="folder of QR photographs with manifest.csv and images/")
    group.addoption(
        "--dcc-testdata", type=Path, help="folder of certificate cases with manifest.json and raw/"
    )


def pytest_configure(config: pytest.Config) -> None:
    # Shared machines stall for seconds: a deadline for one example would fail tests that are right.
    settings.register_profile(
        "gate",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        max_examples=config.getoption("--examples"),
    )
    settings.load_profile("gate")


def _folder(request: pytest.FixtureRequest, option: str) -> Path:
    folder: Path | None = request.config.getoption(option)
    if folder is None:
        pytest.skip(f"{option} DIR was not given")
    if not folder.is_dir():
        pytest.fail(f"{option} {folder}: no such folder")
    return folder


@pytest.fixture
def qr_corpus(request: pytest.FixtureRequest) -> Path:
    return _folder(request, "--qr-corpus")


@pytest.fixture
def dcc_testdata(request: pytest.FixtureRequest) -> Path:
    return _folder(request, "--dcc-testdata")
