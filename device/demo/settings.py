"""The demonstration's configuration: the shipped sample, with the broker's port put in.

The sample names its files relative to itself, so a copy in an empty folder finds scene, lists, key and
journal there. What the daemon needs to find (the deny list, the key) is written where the copy says.
"""

from __future__ import annotations

import re
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from device.config.loader import load
from device.demo.story import DENIED_IDENTIFIER
from device.errors import ConfigError, Problem

SAMPLE = "demo.yaml"

KEY = bytes(range(32))
"""Of the pseudonyms: the people are invented, and the same scene gives the same subjects every time."""

_PORT = re.compile(r"^(\s+port:\s*)\d+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` has written.

    Attributes:
        file: the configuration for the daemon.
        scene: the folder the camera replays; exists and is empty.
        frames_per_second: at which it does.
    """

    file: Path
    scene: Path
    frames_per_second: float


def sample() -> Path:
    """The shipped sample: beside the code in a checkout, under `share` in an installation.

    Raises:
        ConfigError: it is in neither place.
    """
    places = _places()
    for place in places:
        if place.is_file():
            return place
    raise ConfigError(
        (Problem(str(places[-1]), 0, 0, "", "the sample configuration of the demo is missing"),)
    )


def prepare(folder: Path, *, broker_port: int) -> Prepared:
    """Copies the sample into the folder and lays out what it names.

    Raises:
        ConfigError: the sample is missing or has mistakes.
    """
    shipped = sample()
    text, found = _PORT.subn(rf"\g<1>{broker_port}", shipped.read_text(encoding="utf-8"))
    if found != 1:
        raise ConfigError((Problem(str(shipped), 0, 0, "uplink.port", f"one port expected, {found} found"),))
    file = folder / SAMPLE
    file.write_text(text, encoding="utf-8")
    settings = load(file, check_files=False)
    scene, deny_list = settings.camera.replay.path, settings.policy.deny_list
    key = settings.privacy.pseudonym_key_file
    if scene is None or deny_list is None or key is None:
        needed = "camera.replay.path, policy.deny_list and privacy.pseudonym_key_file are needed"
        raise ConfigError((Problem(str(shipped), 0, 0, "", needed),))
    scene.mkdir()
    deny_list.write_text(f"{DENIED_IDENTIFIER}  # invented, like everybody here\n", encoding="utf-8")
    key.write_bytes(KEY)
    key.chmod(0o600)
    return Prepared(file, scene, settings.camera.frames_per_second)


def _places() -> tuple[Path, ...]:
    checkout = Path(__file__).parents[2] / "config" / SAMPLE
    return checkout, Path(sysconfig.get_path("data"), "share", "gate-scanner", "config", SAMPLE)
