"""MQTT 5 by paho: the only file that knows the library.

One `MqttSession` is one connection attempt and what came of it: a client object of its own, so nothing
can be left over from an earlier connection. All of paho runs in one thread of ours, without its loop
thread, its reconnecting and its queue, because (paho 2.2, measured): its thread dies of an exception
while `is_connected` stays true; a publish while offline is refused and sent later all the same; stopping
its loop blocks with one unacknowledged message; its reconnecting has no jitter and resends what a new
session does not know. What other threads do here is leave a message and read reports.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import select
import socket
import ssl
import threading
from collections import deque
from typing import TYPE_CHECKING

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from device.errors import UplinkError
from device.uplink.dial import UnusableFile, describe, dial_failure, read_context, read_password
from device.uplink.ports import Closed, Incoming, Opened, Receipt
from device.uplink.reasons import Loss, loss, words
from device.uplink.tls import certificates

if TYPE_CHECKING:
    from pathlib import Path

    from paho.mqtt.client import MQTTMessage, SocketLike

    from device.runtime import Clock
    from device.uplink.ports import Certificate, Report
    from device.uplink.tls import NamedContext, Tls
    from device.uplink.wire import Message

# How often the network thread looks at its deadlines when nothing moves: a keepalive is in seconds.
_TURN_MS = 1000
# Wishes and commands that wait to be looked at: they are rare, and the forwarder looks ten times a second.
_INCOMING_MAX = 32
# Nobody sends us more than a small command; a broker that does is refused by the protocol itself.
_INBOUND_MAX_BYTES = 65_536
# A broker that states no Receive Maximum means this many (MQTT 5.0, 3.2.2.3.3).
_RECEIVE_MAXIMUM_DEFAULT = 65_535
# And without a Maximum Packet Size, what the remaining length can express.
_PACKET_MAX_BYTES = 268_435_455


class MqttSession:
    """One connection to a broker, used once. Implements `device.uplink.ports.Session`.

    Methods may be called from one thread besides the network thread; none but `close` and `next_report`
    waits, and those no longer than told.

    Args:
        will: what the broker says when it stops hearing from us.
        host: name or address of the broker.
        port: of the broker.
        client_id: unique at the broker: a second client with it throws the first one out.
        clock: for the deadlines.
        username: empty for none.
        password_file: read at every connection; one trailing line end is dropped. None for none.
        tls: None for plain TCP.
        keepalive_s: longest silence before a ping; a silence twice as long ends the connection.
        window: most messages in flight, however many the broker would take.
        connect_within_s: for TCP and TLS each, and then for the broker's word.
    """

    def __init__(
        self,
        will: Message,
        *,
        host: str,
        port: int,
        client_id: str,
        clock: Clock,
        username: str = "",
        password_file: Path | None = None,
        tls: Tls | None = None,
        keepalive_s: int = 30,
        window: int = 20,
        connect_within_s: float = 10.0,
    ) -> None:
        self._will = will
        self._address = (host, port)
        self._client_id = client_id
        self._clock = clock
        self._username = username
        self._password_file = password_file
        self._tls = tls
        self._keepalive_s = keepalive_s
        self._window = window
        self._connect_within_s = connect_within_s
        self._context: NamedContext | None = None
        self._complaint = _Complaint()
        # Guarded by `_changed`: what the network thread tells the other one.
        self._changed = threading.Condition()
        self._reports: deque[Report] = deque()
        self._open = False
        self._end: Closed | None = None
        # What the other thread tells the network thread; a byte on the pair wakes it.
        self._outbox: deque[tuple[int, Message] | str] = deque()
        self._incoming = 0
        self._leave: ReasonCode | None = None
        self._wake_in, self._wake_out = socket.socketpair()
        self._tokens = itertools.count(1)
        self._mids: dict[int, int] = {}
        self._thread = threading.Thread(target=self._run, name="uplink-net", daemon=True)

    # -- the caller's side ------------------------------------------------------------------------

    def open(self) -> None:
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._thread.start()

    def publish(self, message: Message) -> int:
        if not self._open:
            raise UplinkError("not connected")
        if len(self._outbox) >= self._window:
            raise UplinkError("more messages than the window admits")
        token = next(self._tokens)
        self._outbox.append((token, message))
        self._wake()
        return token

    def subscribe(self, topic: str) -> None:
        if not self._open:
            raise UplinkError("not connected")
        self._outbox.append(topic)
        self._wake()

    def next_report(self, timeout_s: float) -> Report | None:
        with self._changed:
            self._changed.wait_for(lambda: self._reports, timeout_s)
            report = self._reports.popleft() if self._reports else None
            if isinstance(report, Incoming):
                self._incoming -= 1
            return report

    def close(self, *, with_will: bool, timeout_s: float) -> bool:
        name = "Disconnect with will message" if with_will else "Normal disconnection"
        self._leave = ReasonCode(PacketTypes.DISCONNECT, name)
        self._wake()
        if self._thread.ident is None:
            self._put_away(None)
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _wake(self) -> None:
        # Full: it is awake already. Closed: it has ended and has said so.
        with contextlib.suppress(OSError):
            self._wake_out.send(b".")

    # -- the network thread -----------------------------------------------------------------------

    def _run(self) -> None:
        client: Client | None = None
        end = Closed(Loss.INTERNAL)
        try:
            client = self._client()
            end = self._live(client)
        except UnusableFile as error:
            end = Closed(Loss.FILES, str(error))
        except OSError as error:
            end = dial_failure(error)
        except Exception as error:  # noqa: BLE001 - paho on hostile input; whatever it is, the link has ended
            end = Closed(Loss.INTERNAL, type(error).__name__)
        finally:
            self._put_away(client)
            self._finish(end)

    def _client(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, self._client_id, protocol=MQTTv5)
        # The window is ours: with a limit of its own paho walks its list at every receipt.
        client.max_inflight_messages_set(0)
        client.connect_timeout = self._connect_within_s
        client.enable_logger(self._complaint.logger)
        will = self._will
        client.will_set(will.topic, will.payload, 1, will.retain, _properties(PacketTypes.WILLMESSAGE, will))
        if self._username:
            client.username_pw_set(self._username, read_password(self._password_file))
        if self._tls is not None:
            self._context = read_context(self._tls)
            client.tls_set_context(self._context)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _live(self, client: Client) -> Closed:
        host, port = self._address
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # not annotated by paho
        properties.MaximumPacketSize = _INBOUND_MAX_BYTES
        client.connect(host, port, self._keepalive_s, clean_start=True, properties=properties)
        answer_by = self._clock.monotonic() + self._connect_within_s
        while self._end is None and (sock := client.socket()) is not None:
            if self._leave is not None:
                client.disconnect(self._leave)
                return Closed(Loss.ASKED)
            if not self._open and self._clock.monotonic() > answer_by:
                return Closed(Loss.NO_ANSWER)
            self._turn(client, sock)
        return self._end or Closed(Loss.CONNECTION_LOST)

    def _turn(self, client: Client, sock: SocketLike) -> None:
        poll = select.poll()
        poll.register(self._wake_in, select.POLLIN)
        poll.register(sock, select.POLLIN | (select.POLLOUT if client.want_write() else 0))
        # TLS may hold decrypted bytes that the kernel knows nothing of.
        pending = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        ready = dict(poll.poll(0 if pending else _TURN_MS))
        if self._wake_in.fileno() in ready:
            self._wake_in.recv(4096)
        if pending or ready.get(sock.fileno(), 0) & ~select.POLLOUT:
            client.loop_read()
        if self._end is None and client.want_write():
            client.loop_write()
        while self._end is None and self._outbox:
            match self._outbox.popleft():
                case str() as topic:
                    client.subscribe(topic, options=SubscribeOptions(qos=1, noLocal=True))
                case (token, message):
                    self._send(client, token, message)
        if self._end is None:
            client.loop_misc()

    def _send(self, client: Client, token: int, message: Message) -> None:
        properties = _properties(PacketTypes.PUBLISH, message)
        info = client.publish(message.topic, message.payload, 1, message.retain, properties)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._note_end(Closed(Loss.CONNECTION_LOST))
        self._mids[info.mid] = token

    # paho calls these from the network thread, out of loop_read, loop_write and loop_misc.

    def _on_connect(
        self, _c: Client, _u: object, _f: object, reason: ReasonCode, grants: Properties | None
    ) -> None:
        if reason.is_failure:
            self._note_end(Closed(loss(reason.value), words(reason.value)))
        elif getattr(grants, "MaximumQoS", 1) < 1:
            self._note_end(Closed(Loss.UNSUPPORTED))
        else:
            window = min(self._window, getattr(grants, "ReceiveMaximum", _RECEIVE_MAXIMUM_DEFAULT))
            self._open = True
            packet_max_bytes = getattr(grants, "MaximumPacketSize", _PACKET_MAX_BYTES)
            self._report(Opened(window, packet_max_bytes, self._certificates()))

    def _certificates(self) -> tuple[Certificate, ...]:
        if self._tls is None or self._context is None or self._context.wrapped is None:
            return ()
        return certificates(self._tls, self._context.wrapped)

    def _on_publish(self, _c: Client, _u: object, mid: int, reason: ReasonCode, _p: object) -> None:
        token = self._mids.pop(mid, None)
        if token is not None:
            self._report(Receipt(token, reason.value))

    def _on_message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        with self._changed:
            if self._incoming < _INCOMING_MAX:
                self._incoming += 1
                self._reports.append(Incoming(message.topic, bytes(message.payload), message.retain))
                self._changed.notify_all()

    def _on_disconnect(self, _c: Client, _u: object, flags: object, reason: ReasonCode, _p: object) -> None:
        if getattr(flags, "is_disconnect_packet_from_server", False):
            self._note_end(Closed(loss(reason.value), words(reason.value)))
        elif self._open or self._tls is None:
            self._note_end(Closed(Loss.CONNECTION_LOST, self._complaint.text))
        else:
            self._note_end(Closed(Loss.TLS_FAILED, self._after_handshake(self._tls)))

    def _after_handshake(self, tls: Tls) -> str:
        # TLS 1.3: a broker that wants a certificate says so only after our side of the handshake, and
        # its words may be lost when we happen to be writing.
        text = self._complaint.text
        if tls.cert_file is None and "CERTIFICATE" not in text:
            return f"{text or 'closed after the handshake'}; does the broker require a client certificate?"
        return text

    def _note_end(self, end: Closed) -> None:
        # The first cause is the true one; paho reports what follows from it as well.
        self._end = self._end or end

    def _report(self, report: Report) -> None:
        # Bounded: one receipt for each message that counts as in flight, one acceptance, one end, and
        # incoming messages up to their own bound.
        with self._changed:
            self._reports.append(report)
            self._changed.notify_all()

    def _finish(self, end: Closed) -> None:
        with self._changed:
            self._open = False
            self._reports.append(end)
            self._changed.notify_all()

    def _put_away(self, client: Client | None) -> None:
        sock = client.socket() if client is not None else None
        wrapped = self._context.wrapped if self._context is not None else None
        for thing in (sock, wrapped, self._wake_in, self._wake_out):
            if thing is not None:
                with contextlib.suppress(OSError):
                    thing.close()


# -- helpers --------------------------------------------------------------------------------------


class _Complaint(logging.Handler):
    """Keeps the last operating system error that paho logs and else swallows."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        # One from the registry would outlive the session.
        self.logger = logging.Logger("paho", logging.ERROR)  # noqa: LOG001 - see above
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args if isinstance(record.args, tuple) else ():
            if isinstance(argument, OSError):
                self.text = describe(argument)


@functools.lru_cache(maxsize=8)
def _packed(packet: int, content_type: str, user: tuple[tuple[str, str], ...]) -> Properties | None:
    if not content_type and not user:
        return None
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # not annotated by paho
    if content_type:
        properties.ContentType = content_type
    if user:
        properties.UserProperty = list(user)
    return properties


def _properties(packet: int, message: Message) -> Properties | None:
    # A handful of kinds of message, and building them anew costs as much as sending one.
    return _packed(packet, message.content_type, message.user)
