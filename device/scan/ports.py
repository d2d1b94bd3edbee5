"""What the scan loop asks of its neighbours: each Protocol is kept by a room that does not know this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.model import (
        ClockReading,
        Corners,
        Credential,
        CredentialRef,
        Cue,
        Event,
        Frame,
        StoredEvent,
        Symbol,
        Verdict,
    )
    from device.policy.judge import Answer


class Look(Protocol):
    """What the decoder found in a frame."""

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Codes that were read."""
        ...

    @property
    def unread(self) -> tuple[Corners, ...]:
        """Where something is a code and was not read."""
        ...

    @property
    def behind_s(self) -> float:
        """How much older than the frame the one is that some of the symbols were read in."""
        ...


@dataclass(frozen=True, slots=True)
class Remaining:
    """A `Look` from which somebody has taken codes that are no visitor's."""

    symbols: tuple[Symbol, ...]
    unread: tuple[Corners, ...]
    behind_s: float


class Decoder(Protocol):
    """Finds codes in a frame."""

    def look(self, frame: Frame) -> Look:
        """Blocks up to the decoder's deadline.

        Raises:
            DecoderDied: this frame is lost; the next call works again.
        """
        ...


class Recorder(Protocol):
    """Makes events durable."""

    def append(self, event: Event) -> StoredEvent:
        """Blocks until the event is on the card.

        Raises:
            JournalError: the event must be treated as not recorded.
        """
        ...


class Panel(Protocol):
    """Lights, buzzer and relay."""

    def show(self, cue: Cue) -> None:
        """Starts a temporary cue, replacing the one before. Never blocks."""
        ...


class IdentityKeeper(Protocol):
    """Knows what an event keeps of who somebody is."""

    def keep(
        self, credential: Credential, ref: CredentialRef, verdict: Verdict, clock: ClockReading
    ) -> CredentialRef:
        """What the event with this clock reading keeps of the credential. Never blocks; raises nothing."""
        ...


class Judge(Protocol):
    """Decides about one code; the same object answers `gate-scanner explain`."""

    def judge(self, content: bytes, granted_at: Callable[[str], float | None]) -> Answer:
        """Never raises: hostile content is an answer. `granted_at` knows identities, on `Clock.monotonic`."""
        ...
