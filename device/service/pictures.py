"""`gate-scanner decode`: what the gate would read in picture files.

The same ladder as at the gate, in the same kind of child process: a hostile picture costs its own
answer, never the command.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from device.decode.pool import DecoderPool
from device.decode.wire import MAX_BYTES
from device.errors import DecoderDied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from device.decode.finding import Look
    from device.model import Symbol
    from device.runtime import Clock

# Kana or kanji, or a word of half-width kana: two of these alone are as likely one Chinese character.
_JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]|[\uff66-\uff9f]{3}")
# Nobody waits at a gate here: a large picture on a slow machine may take its time.
PICTURE_DEADLINE_MS = 10_000.0


@dataclass(frozen=True, slots=True)
class PictureResult:
    """What was read in one file.

    Attributes:
        file: as it was named.
        symbols: the codes, corners in pixels of the picture.
        milliseconds: the ladder took, reading and unpacking the file not counted.
        error: why there is no answer; empty when there is one.
    """

    file: str
    symbols: tuple[Symbol, ...]
    milliseconds: float
    error: str = ""

    def to_json(self) -> str:
        """One JSON object on one line, the shape DESIGN.md fixes: `file`, `symbols`, `ms`, or `error`."""
        symbols = [_as_dict(symbol) for symbol in self.symbols]
        out = {"file": self.file, "symbols": symbols, "ms": round(self.milliseconds, 1)}
        if self.error:
            out["error"] = self.error
        return json.dumps(out, ensure_ascii=False)


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
    files: Iterable[str], *, engines: Sequence[str], frames: int, clock: Clock
) -> Iterator[PictureResult]:
    """Looks at each file as if it were held up for `frames` frames, and yields what was read, in order.

    A file that cannot be read, is no picture, or cost the decoder its life yields a result with `error`.

    Raises:
        DecoderDied: decoding does not start at all: a library is missing, say.
    """
    pool = DecoderPool(engines=engines, deadline_ms=PICTURE_DEADLINE_MS, capacity=MAX_BYTES, clock=clock)
    pool.start()
    try:
        for file in files:
            yield _decode(pool, file, frames)
    finally:
        pool.close()


def _decode(pool: DecoderPool, file: str, frames: int) -> PictureResult:
    try:
        look = _look_at(pool, Path(file), frames)
    except DecoderDied:
        return PictureResult(file, (), 0.0, "the decoder died of this picture")
    except OSError as error:
        return PictureResult(file, (), 0.0, error.strerror or type(error).__name__)
    if look is None:
        return PictureResult(
            file, (), 0.0, f"no picture, or one of more than {MAX_BYTES // 1_000_000} megapixels"
        )
    return PictureResult(file, look.symbols, look.spent_ms)


def _look_at(pool: DecoderPool, file: Path, frames: int) -> Look | None:
    if not 0 < file.stat().st_size <= MAX_BYTES:
        return None
    return pool.look_at_file(file.read_bytes(), frames=frames)
