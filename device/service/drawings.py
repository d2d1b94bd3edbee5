"""Where `gate-scanner decode --draw` keeps its drawings: under safe names, never over another file."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from device.decode.outline import Mark
from device.decode.sketch import sketch
from device.errors import DecoderDied, GateError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from device.decode.finding import Look

# Far below the 255 bytes a name may have, in whatever script, and short enough to be read in a list.
_MAX_NAME_CHARACTERS = 60
_SAFE = frozenset("-_")
_ENDING = "-seen"
# A folder with so many drawings of one name is not being looked at.
_MAX_OF_ONE_NAME = 1000


class Drawings:
    """A folder of drawings.

    Args:
        folder: made when it is not there.

    Raises:
        GateError: it cannot be made, is no folder, or may not be written to.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise GateError(f"{folder} is no folder") from error
        except OSError as error:
            raise GateError(f"{folder} cannot be made: {error.strerror}") from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise GateError(f"{folder} may not be written to")
        self._folder = folder

    def keep(self, name: str, picture: bytes, look: Look) -> Path:
        """Draws what was seen in a picture file. Blocks some tenths of a second, 30 s at most.

        Args:
            name: of the picture; the drawing gets what of it is safe.
            picture: the file.
            look: what was seen.

        Returns:
            The drawing: `photo-seen.png` of `photo.jpg`, or with a number behind where that is taken.

        Raises:
            GateError: it could not be drawn, or not be written.
        """
        try:
            path, file = self._new(safe_name(name))
            with file:
                _draw(picture, marks_of(look), path, file)
        except OSError as error:
            raise GateError(f"the drawing cannot be written: {error.strerror}") from error
        return path

    def _new(self, name: str) -> tuple[Path, BinaryIO]:
        for number in range(1, _MAX_OF_ONE_NAME):
            path = self._folder / f"{name}{_ENDING}{'' if number == 1 else f'-{number}'}.png"
            with suppress(FileExistsError):
                return path, path.open("xb")
        raise GateError(f"{self._folder} is full of drawings of this name")


def _draw(picture: bytes, marks: Sequence[Mark], path: Path, file: BinaryIO) -> None:
    try:
        sketch(picture, marks, into=file)
    except BaseException as error:  # half a drawing is none, however it ended
        path.unlink(missing_ok=True)
        if isinstance(error, DecoderDied):
            raise GateError(f"no drawing: {error}") from error
        raise


def safe_name(name: str) -> str:
    """Letters and digits of any script, `-` and `_`; never empty, an option, or hidden."""
    stem = name.rpartition(".")[0] or name
    kept = "".join(c if c.isalnum() or c in _SAFE else "_" for c in stem)
    return kept.strip("-_")[:_MAX_NAME_CHARACTERS] or "picture"


def marks_of(look: Look) -> list[Mark]:
    """Numbers for what was read, as the terminal gives them; the cause in words for what was not."""
    read = [Mark(symbol.corners, str(number), was_read=True) for number, symbol in enumerate(look.symbols, 1)]
    unread = [
        Mark(corners, cause.value.replace("_", " "), was_read=False)
        for corners, cause in zip(look.unread, look.causes, strict=True)
    ]
    return [*unread, *read]
