"""The far end: a subscriber at the broker that takes every gate's events, as a district's server would."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from device.errors import UplinkError
from device.uplink.wire import parse_events

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from paho.mqtt.client import MQTTMessage

    from device.uplink.wire import WireEvent

TOPIC: Final = "gate/v1/+/+/+/event"

SUBSCRIBED_WITHIN_S: Final = 10.0
"""Over loopback it takes milliseconds."""

WAITING_MAX: Final = 1024
"""Messages not yet taken; a scene makes a dozen."""


class District:
    """Subscribes with QoS 1. A context manager; only paho's own thread is behind it.

    Args:
        host: of the broker.
        port: of the broker.

    Attributes:
        lost: messages that found no room, because nobody took them.
    """

    def __init__(self, *, host: str, port: int) -> None:
        self.lost = 0
        self._address = (host, port)
        self._waiting: queue.Queue[bytes] = queue.Queue(WAITING_MAX)
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="district-demo", protocol=MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(TOPIC, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _userdata, message: self._put(message)

    def __enter__(self) -> Self:
        """Connects and subscribes; returns when the broker has confirmed it.

        Raises:
            UplinkError: it has not, within `SUBSCRIBED_WITHIN_S`.
        """
        try:
            self._client.connect(*self._address)
        except OSError as error:
            raise UplinkError(f"the subscriber cannot reach the broker: {error}") from error
        self._client.loop_start()
        if not self._subscribed.wait(SUBSCRIBED_WITHIN_S):
            self._leave()
            raise UplinkError("the broker does not confirm the subscription")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def take(self, timeout_s: float = 0.0) -> tuple[WireEvent, ...] | None:
        """The events of the next message, or None when none came within `timeout_s`. Blocks that long.

        Raises:
            ValueError: the message is no event; it is gone.
        """
        try:
            payload = self._waiting.get(timeout=timeout_s) if timeout_s > 0 else self._waiting.get_nowait()
        except queue.Empty:
            return None
        return parse_events(payload)

    def _put(self, message: MQTTMessage) -> None:
        try:
            self._waiting.put_nowait(bytes(message.payload))
        except queue.Full:
            self.lost += 1

    def _leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
