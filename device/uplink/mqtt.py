"""The gate's connection, MQTT 5 by paho.

One `MqttSession` is one connection attempt and what came of it: a client object of its own, so nothing
can be left over from an earlier connection. All of paho runs in one thread of ours, without its loop
thread, its reconnecting and its queue, because (paho 2.2, measured): its thread dies of an exception
while `is_connected` stays true; a publish while offline is refused and sent later all the same; stopping
its loop blocks with one unacknowledged message; its reconnecting has no jitter and resends what a new
session does not know. What other threads do here is leave a message and read reports.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING

from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from device.errors import UplinkError
from device.uplink.client import admitted, connect, made, move, properties
from device.uplink.dial import UnusableFile, describe, dial_failure
from device.uplink.ports import Closed, Incoming, Opened, Receipt
from device.uplink.reasons import Loss, loss, words
from device.uplink.tls import certificates

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage, SocketLike
    from paho.mqtt.properties import Properties

    from device.runtime import Clock
    from device.uplink.client import Access
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
# How paho names what it could not understand.
_PROTOCOL_ERROR = 0x82
# And without a Maximum Packet Size, what the remaining length can express.
_PACKET_MAX_BYTES = 268_435_455


class MqttSession:
    """One connection to a broker, used once. Implements `device.uplink.ports.Session`.

    Methods may be called from one thread besides the network thread; none but `close` and `next_report`
    waits, and those no longer than told.

    Args:
        will: what the broker says when it stops hearing from us.
        access: where the broker is, and as whom to come.
        clock: for the deadlines.
        window: most messages in flight, however many the broker would take.
    """

    def __init__(self, will: Message, *, access: Access, clock: Clock, window: int = 20) -> None:
        self._will = will
        self._access = access
        self._clock = clock
        self._window = window
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
        client = made(self._access, logger=self._complaint.logger)
        will = self._will
        client.will_set(will.topic, will.payload, 1, will.retain, properties(PacketTypes.WILLMESSAGE, will))
        self._context = admitted(client, self._access)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _live(self, client: Client) -> Closed:
        connect(client, self._access, clean_start=True, MaximumPacketSize=_INBOUND_MAX_BYTES)
        answer_by = self._clock.monotonic() + self._access.connect_within_s
        while self._end is None and (sock := client.socket()) is not None:
            if self._leave is not None:
                client.disconnect(self._leave)
                return Closed(Loss.ASKED)
            if not self._open and self._clock.monotonic() > answer_by:
                return Closed(Loss.NO_ANSWER)
            self._turn(client, sock)
        return self._end or Closed(Loss.CONNECTION_LOST)

    def _turn(self, client: Client, sock: SocketLike) -> None:
        move(client, sock, _TURN_MS, wake=self._wake_in)
        while self._end is None and self._outbox:
            match self._outbox.popleft():
                case str() as topic:
                    client.subscribe(topic, options=SubscribeOptions(qos=1, noLocal=True))
                case (token, message):
                    self._send(client, token, message)
        if self._end is None:
            client.loop_misc()

    def _send(self, client: Client, token: int, message: Message) -> None:
        more = properties(PacketTypes.PUBLISH, message)
        info = client.publish(message.topic, message.payload, 1, message.retain, more)
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
        if self._access.tls is None or self._context is None or self._context.wrapped is None:
            return ()
        return certificates(self._access.tls, self._context.wrapped)

    def _on_publish(self, _c: Client, _u: object, mid: int, reason: ReasonCode, _p: object) -> None:
        token = self._mids.pop(mid, None)
        if token is not None:
            self._report(Receipt(token, reason.value))

    def _on_message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        asks = message.properties
        incoming = Incoming(
            message.topic,
            bytes(message.payload),
            message.retain,
            reply_to=getattr(asks, "ResponseTopic", ""),
            correlation=getattr(asks, "CorrelationData", b""),
        )
        with self._changed:
            if self._incoming < _INCOMING_MAX:
                self._incoming += 1
                self._reports.append(incoming)
                self._changed.notify_all()

    def _on_disconnect(self, _c: Client, _u: object, flags: object, reason: ReasonCode, _p: object) -> None:
        if getattr(flags, "is_disconnect_packet_from_server", False):
            self._note_end(Closed(loss(reason.value), words(reason.value)))
        elif reason.value == _PROTOCOL_ERROR:
            # Debian's mosquitto 2.0.11 answers "packet too large" in a PUBACK, which has no such word.
            self._note_end(Closed(Loss.CONTENT, "an answer that is no MQTT 5"))
        elif self._open or self._access.tls is None:
            self._note_end(Closed(Loss.CONNECTION_LOST, self._complaint.text))
        else:
            self._note_end(Closed(Loss.TLS_FAILED, self._after_handshake(self._access.tls)))

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
