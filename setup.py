"""Build script: metadata is in pyproject.toml; what a wheel carries beside the code is here."""

from pathlib import Path

from setuptools import setup

SHIPPED = {"config": ("*.yaml", "*.json"), "systemd": ("*",)}
"""Folder -> what technicians find again under <environment>/share/gate-scanner/FOLDER."""


def data_files() -> list[tuple[str, list[str]]]:
    """Each folder of the share with its files, as setuptools wants them."""
    return [
        (f"share/gate-scanner/{folder}", sorted(str(f) for p in patterns for f in Path(folder).glob(p)))
        for folder, patterns in SHIPPED.items()
    ]


setup(data_files=data_files())
