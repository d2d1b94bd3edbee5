"""The receiving end by paho: a subscription that acknowledges what its owner has stored, and nothing else.

One `Subscription` is one connection, used once. The broker keeps a queue under the client id, so what was
not acknowledged comes again on the next one. Everything happens in the thread that calls: paho is turned
inside `take`, never has a thread of its own, and sends no receipt by itself. What waits here is bounded by
the Receive Maximum we tell the broker.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

from device.errors import UplinkError
from device.uplink.client import admitted, connect, made, move, properties
from device.uplink.dial import UnusableFile, dial_failure
from device.uplink.ports import Closed
from device.uplink.reasons import Loss, loss, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from device.runtime import Clock
    from device.uplink.client import Access
    from device.uplink.wire import Message

# Messages the broker may have under way to us: what one commit to the disk takes together.
_RECEIVE_MAXIMUM = 100
# A batch is 64 KiB of JSON at most; anything much larger is not ours.
_INBOUND_MAX_BYTES = 1 << 20
# Our own messages without a receipt; more wait with whoever has them.
_WINDOW = 20
# How long the broker keeps the queue of a consumer that is away; the gates keep everything for longer.
_QUEUE_KEPT_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that waits for its acknowledgement.

    Attributes:
        topic: where it was published; empty when that was no UTF-8.
        payload: its bytes, from outside; not in the repr.
        number: by which it is acknowledged, on the same connection.
    """

    topic: str
    payload: bytes
    number: int

    def __repr__(self) -> str:
        return f"Delivery(topic={self.topic!r}, {len(self.payload)} bytes)"


class Subscription:
    """One connection of a consumer. Used by one thread.

    Args:
        topics: filters, subscribed with QoS 1.
        access: where the broker is; its queue is kept under the client id.
        clock: for the deadline.
    """

    def __init__(self, topics: Sequence[str], *, access: Access, clock: Clock) -> None:
        self._topics = tuple(topics)
        self._access = access
        self._clock = clock
        self._client = self._made()
        self._accepted = False
        self._end: Closed | None = None
        self._waiting: deque[Delivery] = deque()
        self._window = _WINDOW
        self._in_flight: set[int] = set()
        self._refused = ""

    def open(self) -> None:
        """Connects and subscribes. Blocks for the name look-up, and then as long as `connect_within_s` says.

        Raises:
            UplinkError: it did not come about; in fixed words.
        """
        try:
            self._dial()
        except UnusableFile as error:
            raise UplinkError(str(Closed(Loss.FILES, str(error)))) from None
        except OSError as error:
            raise UplinkError(str(dial_failure(error))) from None
        answer_by = self._clock.monotonic() + self._access.connect_within_s
        while not self._accepted:
            if (left := answer_by - self._clock.monotonic()) <= 0:
                raise UplinkError(str(Closed(Loss.NO_ANSWER)))
            self._turn(left)
        options = SubscribeOptions(qos=1, noLocal=True)
        self._client.subscribe([(topic, options) for topic in self._topics])

    def take(self, timeout_s: float) -> tuple[Delivery, ...]:
        """What has arrived and was not taken yet. Blocks up to `timeout_s` while there is nothing.

        Raises:
            UplinkError: the connection has ended. What was not acknowledged comes again on another one.
        """
        until = self._clock.monotonic() + timeout_s
        while not self._waiting and (left := until - self._clock.monotonic()) > 0:
            self._turn(left)
        known = -1
        while known < len(self._waiting) < _RECEIVE_MAXIMUM:  # what is here already shares a commit
            known = len(self._waiting)
            self._turn(0)
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken

    def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """The broker may forget these: they are stored. Sent with one of the next turns."""
        for delivery in deliveries:
            self._client.ack(delivery.number, 1)

    def publish(self, message: Message) -> bool:
        """Hands over a message with QoS 1; False while too many await their receipt. Does not wait."""
        if len(self._in_flight) >= self._window:
            return False
        more = properties(PacketTypes.PUBLISH, message)
        info = self._client.publish(message.topic, message.payload, 1, message.retain, more)
        if info.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._in_flight.add(info.mid)
        return True

    @property
    def outstanding(self) -> int:
        """Messages of ours without a receipt."""
        return len(self._in_flight)

    @property
    def refused(self) -> str:
        """Why the broker last refused a message of ours, in the standard's words; empty for never."""
        return self._refused

    def close(self) -> None:
        """Leaves; the broker keeps the queue. May be called again, and whatever came before."""
        with contextlib.suppress(OSError, ValueError):
            self._client.disconnect()
        sock = self._client.socket()
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.close()

    # -- the connection ---------------------------------------------------------------------------

    def _made(self) -> Client:
        client = made(self._access, manual_ack=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        return client

    def _dial(self) -> None:
        admitted(self._client, self._access)
        connect(
            self._client,
            self._access,
            clean_start=False,
            SessionExpiryInterval=_QUEUE_KEPT_S,
            ReceiveMaximum=_RECEIVE_MAXIMUM,
            MaximumPacketSize=_INBOUND_MAX_BYTES,
        )

    def _turn(self, timeout_s: float) -> None:
        """Moves bytes once, waiting for them up to `timeout_s`."""
        try:
            if self._end is None and (sock := self._client.socket()) is not None:
                move(self._client, sock, int(timeout_s * 1000))
                if not self._ended:
                    self._client.loop_misc()
        except OSError as error:
            self._note_end(dial_failure(error))
        except Exception as error:  # noqa: BLE001 - paho on hostile input; whatever it is, the link has ended
            self._note_end(Closed(Loss.INTERNAL, type(error).__name__))
        if self._ended:
            raise UplinkError(str(self._end or Closed(Loss.CONNECTION_LOST)))

    @property
    def _ended(self) -> bool:
        return self._end is not None or self._client.socket() is None

    # -- paho calls these inside `_turn` ----------------------------------------------------------

    def _on_connect(
        self, _c: Client, _u: object, _f: object, reason: ReasonCode, grants: Properties | None
    ) -> None:
        if reason.is_failure:
            self._note_end(Closed(loss(reason.value), words(reason.value)))
        else:
            self._accepted = True
            self._window = min(_WINDOW, getattr(grants, "ReceiveMaximum", _WINDOW))

    def _on_subscribe(self, _c: Client, _u: object, _m: int, reasons: list[ReasonCode], _p: object) -> None:
        for reason in reasons:
            if reason.is_failure:
                self._note_end(Closed(Loss.NOT_AUTHORIZED, f"to subscribe: {words(reason.value)}"))

    def _on_message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._waiting.append(Delivery(topic, bytes(message.payload), message.mid))

    def _on_publish(self, _c: Client, _u: object, mid: int, reason: ReasonCode, _p: object) -> None:
        self._in_flight.discard(mid)
        if reason.is_failure:
            self._refused = words(reason.value)

    def _on_disconnect(self, _c: Client, _u: object, flags: object, reason: ReasonCode, _p: object) -> None:
        if getattr(flags, "is_disconnect_packet_from_server", False):
            self._note_end(Closed(loss(reason.value), words(reason.value)))
        else:
            self._note_end(Closed(Loss.CONNECTION_LOST))

    def _note_end(self, end: Closed) -> None:
        # The first cause is the true one; paho reports what follows from it as well.
        self._end = self._end or end
