"""How a list stands, and what happened to one."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """How a list stands, for the status.

    Attributes:
        name: of the list.
        version: in force; None for a file without, and when none is in force.
        age_s: of the one in force, seconds; None when none is, or while the clock is not trusted.
        waiting: version of one that takes effect later.
        refused: why the file that is there now is not taken; empty when it is.
    """

    name: str
    version: int | None
    age_s: int | None
    waiting: int | None
    refused: str

    def as_json(self) -> dict[str, object]:
        """For the status of a program."""
        return asdict(self)

    def __str__(self) -> str:
        words = [self.name]
        if self.version is not None:
            words.append(str(self.version))
        if self.age_s is not None:
            words.append(_spoken(self.age_s))
        if self.waiting is not None:
            words.append(f"({self.waiting} waits for its day)")
        if self.refused:
            words.append(f"(its file is refused: {self.refused})")
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to a list.

    Attributes:
        name: of the list.
        version: of the one that was taken; 0 for a file without.
        refused: why a file was not taken, a fixed word; empty when one was.
    """

    name: str
    version: int = 0
    refused: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.refused or self.version or ''}".rstrip()


def _spoken(age_s: int) -> str:
    for unit, seconds in (("days", 86_400), ("h", 3600), ("min", 60)):
        if age_s >= 2 * seconds:
            return f"{age_s // seconds} {unit} old"
    return "new"
