"""A broker in memory and sessions with it: answers as told, breaks off as told, keeps what it was given."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from device.errors import UplinkError
from device.uplink.ports import Closed, Incoming, Opened, Receipt
from device.uplink.reasons import Loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from device.uplink.ports import Report
    from device.uplink.wire import Message

# What a broker answers to a message: a reason code, silence, or the end of the connection.
Answer = int | Closed | None

# How often a condition is looked at that nobody announces.
_LOOK_EVERY_S = 0.02


def accept(_: Message) -> Answer:
    """Every message is taken."""
    return 0


class MemoryBroker:
    """Makes sessions and answers them. Safe from any thread.

    Attributes:
        received: messages taken, that is, answered with a code below 0x80, in order; wills included.
        offered: every message published, whatever the answer.
        opened: what a session is granted; a `Closed` refuses it.
        answer: what a published message gets.
        attempts: sessions opened so far.
        retained: messages by other clients that a subscription brings at once.
        subscribed: topics asked for, in order.
    """

    def __init__(self, *, window: int = 20, answer: Callable[[Message], Answer] = accept) -> None:
        self.changed = threading.Condition()
        self.received: list[Message] = []
        self.offered: list[Message] = []
        self.opened: Opened | Closed = Opened(window, 1 << 20)
        self.answer = answer
        self.attempts = 0
        self.retained: list[Message] = []
        self.subscribed: list[str] = []
        self._session: MemorySession | None = None

    def session(self, will: Message) -> MemorySession:
        """A session that has not been opened yet."""
        return MemorySession(self, will)

    def hang_up(self, why: Closed) -> None:
        """Ends the present session."""
        with self.changed:
            assert self._session is not None
            self._session.end(why)

    def receipt(self, token: int, code: int = 0) -> None:
        """Answers a message that was met with silence."""
        with self.changed:
            assert self._session is not None
            self._session.report(Receipt(token, code))

    def bring(self, message: Message) -> None:
        """Another client publishes a message the gate has subscribed to."""
        with self.changed:
            assert self._session is not None
            assert message.topic in self.subscribed
            asks = message.reply_to, message.correlation
            self._session.report(
                Incoming(message.topic, message.payload, reply_to=asks[0], correlation=asks[1])
            )

    def wait_for(self, until: Callable[[MemoryBroker], bool], timeout_s: float = 10.0) -> bool:
        """Waits until the function is content; whether it came true.

        It may ask about more than the broker, whose changes nobody tells: so it is asked now and then.
        """
        give_up_at = time.monotonic() + timeout_s
        with self.changed:
            while not until(self):
                if time.monotonic() >= give_up_at:
                    return False
                self.changed.wait(_LOOK_EVERY_S)
        return True

    def joined(self, session: MemorySession) -> Opened | Closed:
        """A session knocks."""
        self.attempts += 1
        self._session = session
        self.changed.notify_all()
        return self.opened

    def take(self, message: Message) -> Answer:
        """A session publishes."""
        self.offered.append(message)
        answer = self.answer(message)
        if isinstance(answer, int) and answer < 0x80:
            self.received.append(message)
        self.changed.notify_all()
        return answer


class MemorySession:
    """Implements `device.uplink.ports.Session` without a network."""

    def __init__(self, broker: MemoryBroker, will: Message) -> None:
        self._broker = broker
        self._will = will
        self._tokens = itertools.count(1)
        self._reports: deque[Report] = deque()
        self._window = 0

    def open(self) -> None:
        with self._broker.changed:
            granted = self._broker.joined(self)
            if isinstance(granted, Opened):
                self._window = granted.window
                self.report(replace(granted))
            else:
                self.report(granted)

    def publish(self, message: Message) -> int:
        with self._broker.changed:
            if not self._window:
                raise UplinkError("not connected")
            token = next(self._tokens)
            match self._broker.take(message):
                case int() as code:
                    self.report(Receipt(token, code))
                case Closed() as why:
                    self.end(why)
                case None:
                    pass
            return token

    def subscribe(self, topic: str) -> None:
        with self._broker.changed:
            if not self._window:
                raise UplinkError("not connected")
            self._broker.subscribed.append(topic)
            for message in self._broker.retained:
                if message.topic == topic:
                    self.report(Incoming(topic, message.payload, retained=True))
            self._broker.changed.notify_all()

    def next_report(self, timeout_s: float) -> Report | None:
        with self._broker.changed:
            self._broker.changed.wait_for(lambda: self._reports, timeout_s)
            return self._reports.popleft() if self._reports else None

    def close(self, *, with_will: bool, timeout_s: float) -> bool:
        del timeout_s
        with self._broker.changed:
            if self._window:
                if with_will:
                    self._broker.received.append(self._will)
                self.end(Closed(Loss.ASKED))
            return True

    def end(self, why: Closed) -> None:
        """The connection ends; nothing is reported after it."""
        self._window = 0
        self.report(why)

    def report(self, report: Report) -> None:
        """Leaves a report for the other side."""
        self._reports.append(report)
        self._broker.changed.notify_all()
