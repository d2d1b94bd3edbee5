"""Has a confined process draw what was found in a picture file."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from device.decode.outline import pack_marks
from device.decode.process import child_command, child_environment
from device.errors import DecoderDied

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from device.decode.outline import Mark

# Starting takes 0.3 s on a desktop, some 3 s on a Pi with a cold card; 24 megapixels a second or two more.
DRAWING_S = 30.0


def sketch(picture: bytes, marks: Sequence[Mark], *, into: BinaryIO) -> None:
    """Writes a PNG of the picture file with its marks. Blocks some tenths of a second, 30 s at most.

    Args:
        picture: a file that was found to be one.
        marks: what to outline.
        into: an empty file; it holds nothing of use when this raises.

    Raises:
        DecoderDied: drawing cost the process its life, took too long, or there was no room for the drawing.
    """
    command = [*child_command("device.decode.outline"), "--parent", str(os.getpid())]
    command += ["--marks", pack_marks(marks)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module; numbers and words of ours
            command,
            input=picture,
            stdout=into,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            check=False,
            timeout=DRAWING_S,
        )
    except subprocess.TimeoutExpired as error:
        raise DecoderDied("drawing took too long") from error
    if done.returncode:
        raise DecoderDied("it cannot be drawn")
