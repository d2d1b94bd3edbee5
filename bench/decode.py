"""How much is read, what it costs, and whether anything is read wrongly: our ladder beside its peers.

    python -m bench.decode --corpus DIR --frames DIR [--every N] [--shown N] [--noise N] [--sheet PNG] [...]

A folder holds `manifest.csv` (columns file, source, category, expected_text: empty for pictures without a
code, a JSON list for several) and the pictures. All pictures are fitted to 1280x720 grey first. Every
reader gets the same picture in the same run, one thread, timed by processor time; costs are given as
multiples of plain `pyzbar.decode`. "Still" is the mean cost of a frame while pictures without a code
stand still before the camera for ten seconds: there the motion gate counts. `--shown N` holds every
picture up for N frames, moved by a shaking hand: what one exposure has lost stays lost in all of them, so
this is the worst case. A manifest may also name folders, each with the frames of one showing, rendered or
filmed one by one, which is what a gate sees (`gate_flow.py --sequence` makes such showings itself).
`--noise N` looks at noise, textures, print and spoilt codes, in which nothing may be read but what is there;
`--sheet PNG` draws what was not read of the sets: what was seen of it, and the measured cause.
"""

from __future__ import annotations

import os

# Before numpy is loaded: one thread for everybody, or processor time would not compare.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import zxingcpp
from pyzbar import pyzbar

from bench.sets.clutter import clutter
from bench.sets.sheet import Missed, write_sheet
from device.decode.cause import cause_of
from device.decode.ladder import Ladder
from device.decode.motion import Effort, MotionGate
from device.decode.picture import apart, fitted
from device.decode.steps import first_step, further_steps
from device.decode.zxing import Zxing
from device.runtime import WorkClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from device.decode.climb import Stopwatch
    from device.decode.finding import Luma

# Texts in the manifests are text; codes may carry them in any of these.
ENCODINGS = ("utf-8", "gb2312", "shift_jis", "latin-1", "cp1252")


# Ten seconds at 30 frames a second.
STILL_FRAMES = 300
# Enough of them to tell the mean; more only take time.
STILL_PICTURES = 12
# 150 ms, the ladder's limit, on a Pi 4 about a quarter as fast as where this was written, less what one step
# may take beyond it.
BUDGET_MS = 36.0


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture of a set, fitted; or a sequence of them, frame by frame, and then `luma` is the first."""

    name: str
    group: str
    expected: frozenset[str]
    luma: Luma
    further: tuple[Path, ...] = ()

    def frames(self) -> Iterator[Luma]:
        """What the camera sees, one after the other."""
        yield self.luma
        yield from map(_read, self.further)


class Reader(Protocol):
    """Anything that reads codes in a frame."""

    def begin(self) -> None:
        """A new picture comes, nothing to do with the one before."""

    def read(self, luma: Luma) -> list[bytes]:
        """What is in the frame."""
        ...


def _ladder(engines: list[str], clock: Stopwatch) -> Ladder:
    return Ladder(
        first=first_step(engines),
        further=further_steps(engines),
        reader=Zxing(thorough=False, unread=False),
        clock=clock,
    )


class Ours:
    """The ladder behind its motion gate, in this process."""

    def __init__(self, engines: list[str], budget_ms: float, clock: Stopwatch) -> None:
        self._budget_ms = budget_ms
        self._gate = MotionGate()
        self.steps: Counter[str] = Counter()
        self._ladder = _ladder(engines, clock)

    def begin(self) -> None:
        self._ladder.forget()
        self._gate.forget()

    def read(self, luma: Luma) -> list[bytes]:
        effort = self._gate.effort(luma)
        if effort is Effort.NONE:
            return []
        look = self._ladder.look(luma, budget_ms=self._budget_ms if effort is Effort.CLIMB else 0.0)
        self.steps.update(symbol.engine for symbol in look.symbols)
        return [symbol.content for symbol in look.symbols]


class Pyzbar:
    """What most projects do."""

    def begin(self) -> None:
        pass

    def read(self, luma: Luma) -> list[bytes]:
        try:
            return [d.data for d in pyzbar.decode(luma) if d.type == "QRCODE"]
        except ValueError:  # symbols of a text spread over several
            return []


class PlainZxing:
    """zxing-cpp with its defaults."""

    def begin(self) -> None:
        pass

    def read(self, luma: Luma) -> list[bytes]:
        return [b.bytes for b in zxingcpp.read_barcodes(luma, formats=zxingcpp.BarcodeFormat.QRCode)]


class OpenCv:
    """OpenCV's own detector."""

    def __init__(self) -> None:
        self._detector = cv2.QRCodeDetector()

    def begin(self) -> None:
        pass

    def read(self, luma: Luma) -> list[bytes]:
        try:
            found, texts, _, _ = self._detector.detectAndDecodeMulti(luma)
        except (cv2.error, UnicodeDecodeError):
            return []
        return [text.encode() for text in texts if text] if found else []


@dataclass(slots=True)
class Tally:
    """What one reader did with one set."""

    read: int = 0
    of: int = 0
    wrong: int = 0
    on_negatives: int = 0
    frames_needed: list[int] = field(default_factory=list)
    code_ms: list[float] = field(default_factory=list)
    empty_ms: list[float] = field(default_factory=list)
    still_ms: list[float] = field(default_factory=list)
    missed: list[Picture] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    groups: Counter[str] = field(default_factory=Counter)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip("\n")


def _expected(cell: str) -> frozenset[str]:
    texts = json.loads(cell) if cell.startswith('["') else [cell] if cell else []
    return frozenset(_plain(text) for text in texts)


def _is_right(content: bytes, expected: frozenset[str]) -> bool:
    for encoding in ENCODINGS:
        try:
            if _plain(content.decode(encoding)) in expected:
                return True
        except UnicodeDecodeError:
            continue
    return False


def load(folder: Path, *, source: str | None, every: int, limit: int | None) -> Iterator[Picture]:
    """The pictures of a folder, one by one."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if source in (None, row["source"])]
    for row in rows[::every][:limit]:
        named = folder / row["file"]
        first, *further = sorted(named.iterdir()) if named.is_dir() else [named]
        group, expected = f"{row['source']}/{row['category']}", _expected(row["expected_text"])
        yield Picture(row["file"], group, expected, _read(first), tuple(further))


def _read(file: Path) -> Luma:
    luma = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if luma is None:
        sys.exit(f"{file}: not a picture")
    return fitted(np.asarray(luma, np.uint8))


def shaken(luma: Luma, frames: int) -> Iterator[Luma]:
    """The picture as a shaking hand shows it: moved by pixels, turned and scaled by percents, new noise."""
    rng = np.random.default_rng(1)
    height, width = luma.shape
    for _ in range(frames):
        warp = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 1), rng.normal(1, 0.01))
        warp[:, 2] += rng.normal(0, 3, 2)
        moved = cv2.warpAffine(luma, warp, (width, height), borderMode=cv2.BORDER_REPLICATE)
        noisy = moved + rng.normal(0, 2, luma.shape)
        yield np.clip(noisy, 0, 255).astype(np.uint8)


def judge(reader: Reader, picture: Picture, frames: Iterable[Luma], tally: Tally) -> None:
    """Shows the frames until something is read."""
    reader.begin()
    right = wrong = False
    shown = 0
    for luma in frames:
        shown += 1
        began = time.process_time()
        contents = reader.read(luma)
        spent = (time.process_time() - began) * 1000
        (tally.code_ms if picture.expected else tally.empty_ms).append(spent)
        right = any(_is_right(content, picture.expected) for content in contents)
        mistakes = [content for content in contents if not _is_right(content, picture.expected)]
        tally.mistakes += [f"{picture.name}: {content!r}" for content in mistakes]
        wrong = wrong or bool(mistakes)
        if contents:
            break
    if not picture.expected:
        tally.on_negatives += wrong
        return
    tally.of += 1
    tally.read += right
    tally.wrong += wrong
    if right:
        tally.frames_needed.append(shown)
    else:
        tally.missed.append(picture)
        tally.groups[picture.group] += 1


def stand_still(reader: Reader, picture: Picture, tally: Tally) -> None:
    """Shows a picture without a code for ten seconds; one look tells the cost of the others."""
    rng = np.random.default_rng(1)
    plane = picture.luma.astype(np.float32)
    noisy = [
        np.clip(plane + rng.standard_normal(plane.shape, np.float32) * 2, 0, 255).astype(np.uint8)
        for _ in range(4)
    ]
    reader.begin()
    for number in range(STILL_FRAMES if isinstance(reader, Ours) else 1):
        began = time.process_time()
        reader.read(noisy[number % len(noisy)])
        tally.still_ms.append((time.process_time() - began) * 1000)


def noisy(first: int, count: int) -> Iterator[Picture]:
    """So many pictures in which nothing may be read but what is there."""
    for number in range(first, first + count):
        kind, text, luma = clutter(number)
        yield Picture(f"{kind} {number}", kind, frozenset([_plain(text)] if text else []), luma)


def _readers(budget_ms: float, *, alone: bool) -> dict[str, Reader]:
    clock = WorkClock(least_share=0.0)
    ours: dict[str, Reader] = {"gate-scanner": Ours(["zxing", "zbar"], budget_ms, clock)}
    peers: dict[str, Reader] = {"pyzbar": Pyzbar(), "zxing-cpp": PlainZxing(), "OpenCV": OpenCv()}
    return ours if alone else ours | peers


def run(
    pictures: Iterable[Picture], readers: dict[str, Reader], *, shown: int, still: int
) -> dict[str, Tally]:
    """Every reader on every picture, and so many of those without a code standing still."""
    tallies = {name: Tally() for name in readers}
    for picture in pictures:
        frames = list(picture.frames()) if shown == 1 else list(shaken(picture.luma, shown))
        for name, reader in readers.items():
            judge(reader, picture, frames, tallies[name])
            if not picture.expected and still > 0:
                stand_still(reader, picture, tallies[name])
        still -= not picture.expected
    return tallies


def seen_in(picture: Picture, budget_ms: float) -> Missed:
    """What is seen in a picture that is not read, and why it is not."""
    ladder = _ladder(["zxing", "zbar"], WorkClock(least_share=0.0))
    look = ladder.look(picture.luma, budget_ms=budget_ms)
    sights = tuple((corners, cause_of(picture.luma, corners)) for corners in apart(look.unread))
    return Missed(picture.name, picture.group, picture.luma, sights)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def report(title: str, tallies: dict[str, Tally], readers: dict[str, Reader]) -> dict[str, object]:
    """Prints a table; the same as an object."""
    peer = tallies.get("pyzbar", next(iter(tallies.values())))
    unit_code, unit_empty = _mean(peer.code_ms), _mean(peer.empty_ms)
    print(f"\n{title}: costs in multiples of {'pyzbar' if 'pyzbar' in tallies else 'itself'}")
    print(
        f"{'reader':14}{'read':>14}{'wrong':>7}{'negatives':>11}{'code':>8}{'worst':>8}{'empty':>8}{'still':>8}"
    )
    out: dict[str, object] = {}
    for name, t in tallies.items():
        share = 100 * t.read / t.of if t.of else 0.0
        code, worst = _mean(t.code_ms) / unit_code, max(t.code_ms, default=0.0) / unit_code
        empty = _mean(t.empty_ms) / unit_empty
        still = _mean(t.still_ms) / _mean(peer.still_ms)
        print(
            f"{name:14}{t.read:5}/{t.of:<4}{share:5.1f}%{t.wrong:6}{t.on_negatives:10}"
            f"{code:9.2f}{worst:8.2f}{empty:8.2f}{still:8.2f}"
        )
        out[name] = {
            "read": t.read,
            "of": t.of,
            "wrong": t.wrong,
            "on_negatives": t.on_negatives,
            "cost_code": code,
            "cost_worst": worst,
            "cost_empty": empty,
            "cost_still": still,
            "frames_needed_mean": _mean([float(n) for n in t.frames_needed]),
            "missed": [picture.name for picture in t.missed],
            "mistakes": t.mistakes,
        }
    ours = readers["gate-scanner"]
    if isinstance(ours, Ours):
        print("read by:", ", ".join(f"{step} {n}" for step, n in ours.steps.most_common()))
        print("missed:", ", ".join(f"{g} {n}" for g, n in tallies["gate-scanner"].groups.most_common()))
        for mistake in tallies["gate-scanner"].mistakes:
            print("WRONG:", mistake)
    return out


def main() -> int:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, help="folder of photographs")
    parser.add_argument("--frames", type=Path, help="folder of rendered frames")
    parser.add_argument("--source", help="only this source")
    parser.add_argument("--every", type=int, default=1, help="every Nth picture only")
    parser.add_argument("--limit", type=int, help="so many pictures at most")
    parser.add_argument("--shown", type=int, default=1, help="frames each picture is held up for")
    parser.add_argument("--noise", type=int, default=0, help="noisy pictures to look at as well")
    parser.add_argument("--noise-from", type=int, default=0, help="number of the first: a long run in parts")
    parser.add_argument("--budget-ms", type=float, default=BUDGET_MS, help="of the ladder, a frame")
    parser.add_argument("--alone", action="store_true", help="without the peers")
    parser.add_argument("--sheet", type=Path, help="draw what was not read there, as one PNG")
    parser.add_argument("--json", type=Path, help="write the figures there")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    results: dict[str, object] = {}
    missed: list[Missed] = []
    for title, folder in (("photographs", args.corpus), ("rendered frames", args.frames)):
        if folder:
            readers = _readers(args.budget_ms, alone=args.alone)
            pictures = load(folder, source=args.source, every=args.every, limit=args.limit)
            tallies = run(pictures, readers, shown=args.shown, still=STILL_PICTURES)
            results[title] = report(title, tallies, readers)
            missed += [seen_in(picture, args.budget_ms) for picture in tallies["gate-scanner"].missed]
    if args.sheet:
        write_sheet(missed, args.sheet)
    if args.noise:
        readers = _readers(args.budget_ms, alone=True)
        pictures = noisy(args.noise_from, args.noise)
        results["noise"] = report("noise", run(pictures, readers, shown=args.shown, still=0), readers)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
