"""Build script: metadata is in pyproject.toml; what a wheel carries beside the code is here."""

from glob import glob

from setuptools import setup

# Found again by technicians under <environment>/share/gate-scanner.
setup(
    data_files=[
        ("share/gate-scanner/config", sorted([*glob("config/*.yaml"), *glob("config/*.json")])),
        ("share/gate-scanner/systemd", sorted(glob("systemd/*.service"))),
    ]
)
