"""`gate-scanner decode`: what the gate would read in picture files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.service.pictures import PictureResult

# Half a minute before a camera: nobody holds a code up for longer.
_MAX_FRAMES = 1000


def add_decode(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    decode = commands.add_parser(
        "decode",
        help="what the reader finds in pictures",
        description="Reads each picture as the gate would, and says which step read it, or why a code that "
        "is there was not read. Exit code 1 when a picture could not be opened or drawn.",
        epilog="Example: gate-scanner decode --draw seen photos/",
    )
    decode.add_argument(
        "images", nargs="+", metavar="IMAGE", help="a picture, or a folder of them; of an animation the first"
    )
    decode.add_argument("--json", action="store_true", help="one JSON object a picture")
    decode.add_argument(
        "--frames", type=_frames, default=1, metavar="N", help="as if held up for N frames (default 1)"
    )
    decode.add_argument(
        "--draw",
        type=Path,
        metavar="DIR",
        help="save each picture there as NAME-seen.png: green and numbered where a code was read, amber "
        "with the cause where one was not; no text of a code is drawn, no file overwritten",
    )
    decode.set_defaults(command=_decode)


def _frames(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= _MAX_FRAMES:
        raise argparse.ArgumentTypeError(f"a number from 1 to {_MAX_FRAMES}")
    return number


def _decode(args: argparse.Namespace) -> int:
    from device.runtime import SystemClock
    from device.service.drawings import Drawings
    from device.service.pictures import decode_pictures

    code = ExitCode.OK
    results = decode_pictures(
        args.images,
        engines=("zxing", "zbar"),
        frames=args.frames,
        clock=SystemClock(),
        drawings=Drawings(args.draw) if args.draw else None,
    )
    for result in results:
        if result.error:
            code = ExitCode.BROKEN
        if args.json:
            print(result.to_json(), flush=True)
            continue
        for line in _lines(result):
            print(line, flush=True)
        if result.error:
            print(_line(result, result.error), file=sys.stderr)
    return code


def _lines(result: PictureResult) -> Iterator[str]:
    """What was found, for a person."""
    from device.service.pictures import readable

    took = f"{result.milliseconds:.0f} ms"
    for number, symbol in enumerate(result.symbols, 1):
        head = f"{number}: " if result.drawing else ""
        yield _line(result, f"{head}{readable(symbol.content)}", f"  ({symbol.engine}, {took})")
    for unread in result.unread:
        why = unread.cause.value.replace("_", " ")
        yield _line(result, "a code is there, but was not read: ", f"{why}  ({took})")
    if not (result.symbols or result.unread or result.error):
        yield _line(result, "no code found", f"  ({took})")
    if result.drawing:
        yield _line(result, f"drawn in {result.drawing}")


def _line(result: PictureResult, said: str, more: str = "") -> str:
    from device.logs import printable

    return printable(f"{result.file}: {said}{more}")
