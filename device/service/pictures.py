"""`gate-scanner decode`: what the gate would read in picture files.

The same ladder as at the gate, in the same kind of child process: a hostile picture costs its own
answer, never the command.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from device.capture.pictures import SUFFIXES
from device.decode.pool import DecoderPool
from device.decode.process import Child
from device.decode.wire import MAX_BYTES
from device.errors import DecoderDied, GateError
from device.model import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from device.model import Symbol
    from device.runtime import Clock
    from device.service.drawings import Drawings

# Kana or kanji, or a word of half-width kana: two of these alone are as likely one Chinese character.
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]|[\uff66-\uff9f]{3}")
# What is looked at in a folder: what a gate can replay, and what else OpenCV's wheel reads.
_SUFFIXES = SUFFIXES | {".avif", ".gif", ".jp2"}
_MEGA = MAX_BYTES // 1_000_000
# Nobody waits at a gate here: a large picture on a slow machine may take its time.
PICTURE_DEADLINE_MS = 10_000.0


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What was read in one file.

    Attributes:
        file: as it was named.
        symbols: the codes, corners in pixels of the picture.
        unread: what is a code and was not read, and why.
        milliseconds: the ladder took, reading and unpacking the file not counted.
        drawing: where the outlines are; None when none were asked for, or none could be kept.
        error: what went wrong; empty when nothing did.
    """

    file: str
    symbols: tuple[Symbol, ...] = ()
    unread: tuple[Unread, ...] = ()
    milliseconds: float = 0.0
    drawing: Path | None = None
    error: str = ""

    def to_json(self) -> str:
        """One JSON object on one line, which any terminal or file takes.

        Always `file`, `symbols`, `unread`, `ms`; `drawing` and `error` where there is one.
        """
        out: dict[str, object] = {
            "file": self.file,
            "symbols": [_as_dict(symbol) for symbol in self.symbols],
            "unread": [{"cause": u.cause.value, "corners": u.corners} for u in self.unread],
            "ms": round(self.milliseconds, 1),
        }
        if self.drawing is not None:
            out["drawing"] = str(self.drawing)
        if self.error:
            out["error"] = self.error
        # A file's name may hold bytes that are no text: they stay escaped.
        return json.dumps(out, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")


def readable(content: bytes) -> str:
    """The content as text, for people: UTF-8, else the likeliest of the old character sets. Never fails.

    A guess, for looking at pictures from anywhere; at the gate bytes count, and there only UTF-8 is text.
    """
    for encoding in ("utf-8", "shift_jis", "gb2312"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "shift_jis" or _JAPANESE.search(text):
            return text
    return content.decode("latin-1")


def _as_dict(symbol: Symbol) -> dict[str, object]:
    return {
        "text": readable(symbol.content),
        "bytes_b64": base64.b64encode(symbol.content).decode("ascii"),
        "symbology": symbol.symbology,
        "engine": symbol.engine,
        "corners": symbol.corners,
    }


def decode_pictures(
    named: Iterable[str],
    *,
    engines: Sequence[str],
    frames: int,
    clock: Clock,
    drawings: Drawings | None = None,
) -> Iterator[PictureResult]:
    """Looks at each file as if it were held up for `frames` frames, and yields what was read, in order.

    Of a folder, the pictures in it. A file that cannot be read, is no picture, or cost the decoder its life
    yields a result with `error`; so does one whose drawing could not be kept.

    Raises:
        DecoderDied: decoding does not start at all: a library is missing, say.
    """
    child = partial(Child, engines=engines, capacity=MAX_BYTES, clock=clock)
    pool = DecoderPool(child=child, deadline_ms=PICTURE_DEADLINE_MS, clock=clock, cores=1)
    pool.start()
    try:
        for file in _files(named):
            yield _decode(pool, file, frames, drawings)
    finally:
        pool.close()


def _files(named: Iterable[str]) -> Iterator[str]:
    """Files as named; of a folder its pictures, in the order of their names, or itself if it has none."""
    for name in named:
        path = Path(name)
        try:
            inside = sorted(path.iterdir()) if path.is_dir() else []
        except OSError:
            inside = []  # told when the folder itself is tried
        pictures = [str(f) for f in inside if f.suffix.lower() in _SUFFIXES and f.is_file()]
        yield from pictures or [name]


def _decode(pool: DecoderPool, file: str, frames: int, drawings: Drawings | None) -> PictureResult:
    path = Path(file)
    result = PictureResult(file)
    try:
        content = _content(path)
        look = pool.look_at_file(content, frames=frames)
        if look is None:
            return replace(result, error=f"no picture, or one of more than {_MEGA} megapixels")
        unread = tuple(Unread(*sight) for sight in zip(look.unread, look.causes, strict=True))
        result = PictureResult(file, look.symbols, unread, look.spent_ms)
        if drawings is not None:
            result = replace(result, drawing=drawings.keep(path.name, content, look))
    except DecoderDied:
        return replace(result, error="the decoder died of this picture")
    except OSError as error:
        return replace(result, error=error.strerror or type(error).__name__)
    except GateError as error:
        return replace(result, error=str(error))
    return result


def _content(file: Path) -> bytes:
    """The file, if it is of a size that is looked at.

    Raises:
        GateError: it is not.
        OSError: it cannot be read.
    """
    if file.is_dir():
        next(file.iterdir(), None)  # says so where it may not be read
        raise GateError("a folder without pictures")
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if not content:
        raise GateError("an empty file")
    if len(content) > MAX_BYTES:
        raise GateError(f"a file of more than {_MEGA} megabytes")
    return content
