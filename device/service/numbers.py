"""Which of a journal's numbers are here and which are missing. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `first` to `last`, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


class Numbers:
    """Keeps the holes, not the numbers: a journal without loss costs two integers.

    Args:
        through: everything up to here counts as settled from the beginning.
        newest: the highest number that is here; as a rule the same.
    """

    def __init__(self, through: int = 0, newest: int | None = None) -> None:
        self._top = through
        self._newest = through if newest is None else newest
        self._missing: list[Span] = []

    @property
    def top(self) -> int:
        """The highest number known of, here or not."""
        return self._top

    @property
    def through(self) -> int:
        """Up to here nothing is missing."""
        return self._missing[0].first - 1 if self._missing else self._top

    @property
    def stored_through(self) -> int:
        """As `through`, but never beyond what is really here: others may claim what they like."""
        return min(self.through, self._newest)

    @property
    def missing(self) -> tuple[Span, ...]:
        """The holes, lowest first; two never touch."""
        return tuple(self._missing)

    def take(self, number: int) -> bool:
        """The number is here now; whether it was missing until now."""
        self._newest = max(self._newest, number)
        if number > self._top:
            self.expect(number - 1)
            self._top = number
            return True
        at = self._at(number)
        if at < 0 or number > (span := self._missing[at]).last:
            return False
        left = [Span(span.first, number - 1)] if span.first < number else []
        right = [Span(number + 1, span.last)] if number < span.last else []
        self._missing[at : at + 1] = left + right
        return True

    def expect(self, top: int) -> None:
        """The sender has gone as far as `top`: what is not here of it is missing."""
        if top <= self._top:
            return
        first = self._top + 1
        if self._missing and self._missing[-1].last == self._top:
            first = self._missing.pop().first
        self._missing.append(Span(first, top))
        self._top = top

    def write_off(self, through: int) -> tuple[Span, ...]:
        """Nothing up to `through` will come any more; the holes that are closed by this."""
        gone = [Span(s.first, min(s.last, through)) for s in self._missing if s.first <= through]
        rest = [Span(max(s.first, through + 1), s.last) for s in self._missing if s.last > through]
        if through > self._top:
            gone.append(Span(self._top + 1, through))
            self._top = through
        self._missing = rest
        return tuple(gone)

    def excuse(self, span: Span) -> tuple[Span, ...]:
        """What is missing of a span need not be waited for, though it may come; the holes closed by this."""
        found = [
            Span(max(s.first, span.first), min(s.last, span.last))
            for s in self._missing
            if s.first <= span.last and span.first <= s.last
        ]
        for hole in found:
            at = self._at(hole.first)
            whole = self._missing[at]
            left = [Span(whole.first, hole.first - 1)] if whole.first < hole.first else []
            right = [Span(hole.last + 1, whole.last)] if hole.last < whole.last else []
            self._missing[at : at + 1] = left + right
        return tuple(found)

    def _at(self, number: int) -> int:
        """Index of the last hole that begins at or below the number; -1 for none."""
        return bisect_right(self._missing, number, key=lambda span: span.first) - 1
