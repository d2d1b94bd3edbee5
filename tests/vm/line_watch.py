"""Reads simulated GPIO lines from the kernel's side, in a process of its own, with times."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from multiprocessing.connection import Connection

# Between two looks at all lines. The machine has one processor: looking without a pause would take it.
_PAUSE_S: Final = 0.001
# A tone swings at 500 Hz or more, a busy host holds it up, and two tones are 80 ms apart at least.
_TONE_GAP_S: Final = 0.05

# Monotonic seconds, then the level of each line in the order of the names.
Change = tuple[float, tuple[int, ...]]
# Begin and end in milliseconds.
Span = tuple[int, int]


@dataclass(frozen=True)
class Line:
    """A line as wired: where the kernel tells its level, and which level is active."""

    value_file: str
    active_high: bool

    def active(self, level: int) -> bool:
        return bool(level) == self.active_high


def _watch(files: list[str], pipe: Connection) -> None:
    descriptors = [os.open(file, os.O_RDONLY) for file in files]
    changes: list[Change] = []
    pipe.send("watching")
    longest_s = 0.0
    looked_at = time.monotonic()
    while not pipe.poll(_PAUSE_S):
        now = time.monotonic()
        longest_s, looked_at = max(longest_s, now - looked_at), now
        levels = tuple(int(os.pread(fd, 1, 0)) for fd in descriptors)
        if not changes or changes[-1][1] != levels:
            changes.append((time.monotonic(), levels))
    pipe.send((changes, longest_s))


class Watch:
    """Watches the lines while the `with` block runs; `spans` then tells what it saw.

    Attributes:
        blind_ms: the longest time between two looks: how long the whole machine stood still.
    """

    def __init__(self, lines: Mapping[str, Line]) -> None:
        self._lines = lines
        self._changes: list[Change] = []
        self._end = 0.0
        self.blind_ms = 0

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        files = [line.value_file for line in self._lines.values()]
        self._process = context.Process(target=_watch, args=(files, theirs), daemon=True)
        self._process.start()
        self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send("enough")
        self._changes, longest_s = self._pipe.recv()
        self.blind_ms = round(longest_s * 1000)
        self._end = time.monotonic()
        self._process.join()

    def spans(self, name: str, since: float) -> list[Span]:
        """When the line was active, in ms after `since`; while it swings it counts as active."""
        gap_s = _TONE_GAP_S if name == "buzzer" else 0.0
        merged: list[tuple[float, float]] = []
        for begin, end in self._active(name):
            if merged and begin - merged[-1][1] < gap_s:
                merged[-1] = (merged[-1][0], end)
            else:
                merged.append((begin, end))
        return [(round((begin - since) * 1000), round((end - since) * 1000)) for begin, end in merged]

    def first_active(self, names: tuple[str, ...]) -> float:
        """The moment at which one of these lines first became active."""
        return min(begin for name in names for begin, _ in self._active(name))

    def _active(self, name: str) -> Iterator[tuple[float, float]]:
        position = list(self._lines).index(name)
        line = self._lines[name]
        began: float | None = None
        for at, levels in self._changes:
            active = line.active(levels[position])
            if active and began is None:
                began = at
            elif not active and began is not None:
                yield began, at
                began = None
        if began is not None:
            yield began, self._end


def tone_hz(value_file: str, seconds: float) -> float:
    """The frequency at which a line swings, by looking at it as often as possible for so long.

    Works only in the process that drives it: on the machine's one processor another process that looks
    all the time sees the edges in bursts.
    """
    rises: list[float] = []
    fd = os.open(value_file, os.O_RDONLY)
    end = time.monotonic() + seconds
    last = b""
    while (now := time.monotonic()) < end:
        level = os.pread(fd, 1, 0)
        if level == b"1" and last == b"0":
            rises.append(now)
        last = level
    os.close(fd)
    return (len(rises) - 1) / (rises[-1] - rises[0]) if len(rises) > 1 else 0.0
