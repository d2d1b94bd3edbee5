"""What a configuration card carries: the file, and those it names that lie in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.config.files import named
from device.config.loader import load
from device.errors import GateError
from device.provision.bundle import CONFIGURATION, MAX_FILES, NAME

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 64 * 1024
"""More than all of a card's files together; what is larger is not read to its end."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was found.

    Attributes:
        files: by name, the configuration first.
        secret: names of those that are not for everybody's eyes.
        left: files that lie elsewhere: the device must have them.
    """

    files: dict[str, bytes]
    secret: tuple[str, ...]
    left: tuple[str, ...]


def gather(config: Path) -> Gathered:
    """The files of a card. Blocks while they are read.

    Raises:
        ConfigError: the configuration has mistakes.
        GateError: a file it names cannot be read, is too large, or has a name no card takes.
    """
    settings = load(config, check_files=False)
    folder = config.parent.absolute()
    files = {CONFIGURATION: _read(config)}
    secret: list[str] = []
    left: list[str] = []
    for one in named(settings):
        if one.path.parent != folder:
            left.append(f"{one.setting}: {one.path}")
            continue
        name = one.path.name
        if not NAME.fullmatch(name) or name == CONFIGURATION:
            raise GateError(f"{one.setting}: rename the file: only letters, digits, . - and _")
        files[name] = _read(one.path, f"{one.setting} of {config.name} names it: lay it beside that file")
        if not one.public and name not in secret:
            secret.append(name)
    if len(files) > MAX_FILES:
        raise GateError(f"these are {len(files)} files, and a card takes {MAX_FILES}")
    return Gathered(files, tuple(secret), tuple(left))


def _read(path: Path, hint: str = "") -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        why = f"{path}: {error.strerror}"
        raise GateError(f"{why} ({hint})" if hint else why) from error
    if len(content) > MAX_FILE_BYTES:
        raise GateError(f"{path}: larger than {MAX_FILE_BYTES // 1024} KiB, which is more than a card takes")
    return content
