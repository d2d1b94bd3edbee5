"""A consumer at the far end: subscribes with QoS 1 and keeps what arrives, in the order of arrival."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Self

# The broker keeps what it could not deliver for a subscriber that is away this long.
_SESSION_EXPIRY_S = 3600
# Loopback; a loaded machine has needed 2 s for a TLS handshake.
_CONNECT_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it came.

    Attributes:
        topic: where it was published.
        payload: its bytes.
        retain: whether it is the retained one, sent because of the subscription.
        content_type: MQTT 5 property; empty when absent.
        user: MQTT 5 user properties.
        correlation: MQTT 5 correlation data; empty when absent.
    """

    topic: str
    payload: bytes
    retain: bool
    content_type: str = ""
    user: tuple[tuple[str, str], ...] = ()
    correlation: bytes = b""


class Subscriber:
    """Collects messages. `messages` and `wait_for` may be used from any thread.

    Args:
        host: of the broker.
        port: of the broker.
        topic: filter to subscribe to.
        client_id: keeps the broker's queue over reconnections.
        username: with `password`, where the broker asks for them.
        password: see `username`.
        tls: context for an encrypted connection.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        topic: str = "#",
        client_id: str = "test-subscriber",
        username: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._changed = threading.Condition()
        self._messages: list[Received] = []
        self._subscribed = 0
        self._address = (host, port)
        self._topic = topic
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5)
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        if username is not None:
            self._client.username_pw_set(username, password)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic, qos=1)
        self._client.on_subscribe = lambda *_: self._note_subscribed()
        self._client.on_message = lambda _client, _userdata, message: self._keep(message)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def messages(self) -> tuple[Received, ...]:
        """Everything so far."""
        with self._changed:
            return tuple(self._messages)

    def start(self) -> None:
        """Connects and subscribes; returns when the broker has confirmed the subscription."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # not annotated by paho
        properties.SessionExpiryInterval = _SESSION_EXPIRY_S
        host, port = self._address
        self._client.connect(host, port, keepalive=10, clean_start=False, properties=properties)
        self._client.loop_start()
        if not self.wait_for_subscription(1, _CONNECT_WITHIN_S):
            self.stop()
            raise TimeoutError("the broker did not confirm the subscription")

    def stop(self) -> None:
        """Leaves. What was received stays readable."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, *, reply_to: str = "", correlation: bytes = b"") -> None:
        """Says something itself, with QoS 1; does not wait. It may ask for an answer."""
        asks = None
        if reply_to:
            asks = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # not annotated by paho
            asks.ResponseTopic, asks.CorrelationData = reply_to, correlation
        self._client.publish(topic, payload, qos=1, properties=asks)

    def wait_for_subscription(self, times: int, timeout_s: float) -> bool:
        """Waits until the broker has confirmed the subscription so often; it is renewed on reconnection."""
        with self._changed:
            return self._changed.wait_for(lambda: self._subscribed >= times, timeout_s)

    def wait_for(self, until: int | Callable[[tuple[Received, ...]], bool], timeout_s: float = 20.0) -> bool:
        """Waits for so many messages, or until the function is content with them; whether it came true."""

        def reached() -> bool:
            have = tuple(self._messages)
            return len(have) >= until if isinstance(until, int) else until(have)

        with self._changed:
            return self._changed.wait_for(reached, timeout_s)

    def _note_subscribed(self) -> None:
        with self._changed:
            self._subscribed += 1
            self._changed.notify_all()

    def _keep(self, message: MQTTMessage) -> None:
        properties = message.properties
        received = Received(
            topic=message.topic,
            payload=bytes(message.payload),
            retain=message.retain,
            content_type=getattr(properties, "ContentType", ""),
            user=tuple(getattr(properties, "UserProperty", ())),
            correlation=getattr(properties, "CorrelationData", b""),
        )
        with self._changed:
            self._messages.append(received)
            self._changed.notify_all()
