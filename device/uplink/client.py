"""What both ends have in common of paho: how a client is made, connected and turned.

A client here has no thread, no queue and no reconnecting of its own: whoever made it turns it.
"""

from __future__ import annotations

import functools
import select
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from device.uplink.dial import read_context, read_password

if TYPE_CHECKING:
    import logging
    import socket
    from collections.abc import Mapping
    from pathlib import Path

    from paho.mqtt.client import SocketLike

    from device.uplink.tls import NamedContext, Tls
    from device.uplink.wire import Message


@dataclass(frozen=True, slots=True)
class Access:
    """Where a broker is, and as whom to come.

    Attributes:
        host: name or address.
        port: of the broker.
        client_id: unique at the broker: a second client with it throws the first one out.
        username: empty for none.
        password_file: read at every connection; one trailing line end is dropped. None for none.
        tls: None for plain TCP.
        keepalive_s: longest silence before a ping; a silence twice as long ends the connection.
        connect_within_s: for TCP and TLS each, and then for the broker's word.
    """

    host: str
    port: int
    client_id: str
    username: str = ""
    password_file: Path | None = None
    tls: Tls | None = None
    keepalive_s: int = 30
    connect_within_s: float = 10.0


def made(access: Access, *, manual_ack: bool = False, logger: logging.Logger | None = None) -> Client:
    """A client that has not connected.

    Args:
        access: for the client id and the patience.
        manual_ack: whether receipts are sent by us.
        logger: for what paho says.
    """
    client = Client(CallbackAPIVersion.VERSION2, access.client_id, protocol=MQTTv5, manual_ack=manual_ack)
    # The window is ours: with a limit of its own paho walks its list at every receipt.
    client.max_inflight_messages_set(0)
    client.connect_timeout = access.connect_within_s
    if logger is not None:
        client.enable_logger(logger)
    return client


def admitted(client: Client, access: Access) -> NamedContext | None:
    """Reads password, certificates and key into the client; the TLS context, where there is one.

    Raises:
        UnusableFile: one of them cannot be used.
    """
    if access.username:
        client.username_pw_set(access.username, read_password(access.password_file))
    if access.tls is None:
        return None
    context = read_context(access.tls)
    client.tls_set_context(context)
    return context


def connect(client: Client, access: Access, *, clean_start: bool, **wanted: int) -> None:
    """Name look-up, TCP, TLS, and sends CONNECT. Blocks as long as these take.

    Args:
        client: see `made`, `admitted`.
        access: where to.
        clean_start: whether the broker forgets what it kept for us.
        wanted: CONNECT properties, by paho's names for them.

    Raises:
        OSError: it did not come about.
    """
    properties = _properties_of(PacketTypes.CONNECT, wanted)
    client.connect(
        access.host, access.port, access.keepalive_s, clean_start=clean_start, properties=properties
    )


def move(client: Client, sock: SocketLike, timeout_ms: int, *, wake: socket.socket | None = None) -> None:
    """Waits for bytes, or for `wake` to be readable, and moves them once, both ways.

    Raises:
        OSError: the connection has broken.
    """
    poll = select.poll()
    if wake is not None:
        poll.register(wake, select.POLLIN)
    poll.register(sock, select.POLLIN | (select.POLLOUT if client.want_write() else 0))
    # TLS may hold decrypted bytes that the kernel knows nothing of.
    pending = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
    ready = dict(poll.poll(0 if pending else max(0, timeout_ms)))
    if wake is not None and wake.fileno() in ready:
        wake.recv(4096)
    if pending or ready.get(sock.fileno(), 0) & ~select.POLLOUT:
        client.loop_read()
    if client.socket() is not None and client.want_write():
        client.loop_write()


def properties(packet: int, message: Message) -> Properties | None:
    """The MQTT 5 properties of a message to be sent; None for none."""
    if message.correlation or message.reply_to:
        wanted: dict[str, object] = {}
        if message.content_type:
            wanted["ContentType"] = message.content_type
        if message.correlation:
            wanted["CorrelationData"] = message.correlation
        if message.reply_to:
            wanted["ResponseTopic"] = message.reply_to
        return _properties_of(packet, wanted)
    # A handful of kinds of message, and building them anew costs as much as sending one.
    return _packed(packet, message.content_type, message.user)


@functools.lru_cache(maxsize=8)
def _packed(packet: int, content_type: str, user: tuple[tuple[str, str], ...]) -> Properties | None:
    wanted: dict[str, object] = {}
    if content_type:
        wanted["ContentType"] = content_type
    if user:
        wanted["UserProperty"] = list(user)
    return _properties_of(packet, wanted) if wanted else None


def _properties_of(packet: int, wanted: Mapping[str, object]) -> Properties:
    made_here = Properties(packet)  # type: ignore[no-untyped-call]  # not annotated by paho
    for name, value in wanted.items():
        setattr(made_here, name, value)
    return made_here
