"""What a gate says besides new events: how it fares, replays, refused events once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.uplink.ports import Opened
    from device.uplink.wire import Message


class Extra(Protocol):
    """One kind of it, one message at a time. Every method may raise JournalError."""

    @property
    def vital(self) -> bool:
        """Whether it is said before events, and also while they are held back."""
        ...

    def next_message(self, opened: Opened) -> Message | None:
        """What to say now; None while there is nothing, or something is under way."""
        ...

    def sent(self, token: int) -> None:
        """It is under way."""
        ...

    def receipt(self, token: int, code: int) -> bool:
        """Whether this receipt is for something of it."""
        ...

    def hung_up(self) -> bool:
        """The broker hung up because of a packet; whether it may have been something of it."""
        ...

    def forget(self) -> None:
        """What is under way is said again."""
        ...


class Extras:
    """All kinds together, the more urgent first. Used from one thread."""

    def __init__(self, *kinds: Extra) -> None:
        self._kinds: Sequence[Extra] = kinds

    def next_message(self, opened: Opened, *, vital: bool) -> tuple[Extra, Message] | None:
        """What to say now, and whose it is; None for nothing."""
        for kind in self._kinds:
            if kind.vital is vital and (message := kind.next_message(opened)) is not None:
                return kind, message
        return None

    def receipt(self, token: int, code: int) -> bool:
        """Whether this receipt is for something said here."""
        return any(kind.receipt(token, code) for kind in self._kinds)

    def hung_up(self) -> bool:
        """The broker hung up because of a packet; whether it may have been something said here."""
        # All are asked: each puts away what it had under way.
        return sum(kind.hung_up() for kind in self._kinds) > 0

    def forget(self) -> None:
        """What is under way is said again."""
        for kind in self._kinds:
            kind.forget()
