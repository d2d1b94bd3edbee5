"""The way to the broker, step by step: name, TCP, TLS, login, publish and acknowledgement."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Final

from device.doctor.finding import Finding, Level, failed, ok, warned
from device.errors import UplinkError
from device.uplink.dial import UnusableFile, describe, read_context
from device.uplink.expiry import end_of_peer
from device.uplink.ports import Closed, Opened, Receipt
from device.uplink.reasons import FAILURE, UNHEARD, Loss, words
from device.uplink.wire import BATCH_TYPE, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from device.runtime import Clock
    from device.uplink.ports import Session
    from device.uplink.tls import Tls
    from device.uplink.wire import GateAddress

STEP_S: Final = 10.0
"""A mobile link answers within a few seconds, or not at all."""

RENEW_WITHIN_DAYS: Final = 30
"""Somebody has to be found who renews it."""


class Road:
    """The way to one broker.

    Args:
        host: name or address.
        port: of the broker.
        tls: None for plain TCP.
        session: makes one attempt to connect, with what the broker says when it stops hearing from us.
        address: of the gate: where it publishes.
        clock: for deadlines and certificates.
        step_s: how long each step may take.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        tls: Tls | None,
        session: Callable[[Message], Session],
        address: GateAddress,
        clock: Clock,
        step_s: float = STEP_S,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._session = session
        self._clock = clock
        self._step_s = step_s
        # A batch of no events takes the way that events take, and no consumer keeps anything of it.
        self._nothing = Message(address.event, b"[]", content_type=BATCH_TYPE)

    def walk(self) -> Iterator[Finding]:
        """Goes as far as it can; the first step that fails is the last finding. Blocks for the answers."""
        for step in (self._name, self._tcp, self._encryption, self._mqtt):
            for finding in step():
                yield finding
                if finding.level is Level.FAILED:
                    return

    def _name(self) -> Iterator[Finding]:
        check, host = "broker_name", self._host
        try:
            found = {info[4][0] for info in socket.getaddrinfo(host, self._port, type=socket.SOCK_STREAM)}
        except OSError as error:
            remedy = "check uplink.host for a typo, then the network: `ping` an address, then a name"
            yield failed(check, f"{host} is not known to the name service: {describe(error)}", remedy)
        else:
            yield ok(check, f"{host} is {', '.join(sorted(map(str, found)))}")

    def _tcp(self) -> Iterator[Finding]:
        check, port = "broker_tcp", self._port
        try:
            with self._connection():
                yield ok(check, f"port {port} answers")
        except TimeoutError:
            remedy = (
                "a firewall drops it: ask the network's keeper to let it out, or the district for port 443"
            )
            yield failed(check, f"port {port} does not answer within {self._step_s:g} s", remedy)
        except OSError as error:
            remedy = "check uplink.port (usually 8883 with TLS, 1883 without), and that the broker runs"
            yield failed(check, f"port {port}: {describe(error)}", remedy)

    def _encryption(self) -> Iterator[Finding]:
        if self._tls is None:
            return
        check, name = "broker_tls", self._tls.server_name or self._host
        try:
            context = read_context(self._tls)
            with contextlib.ExitStack() as sockets:
                plain = sockets.enter_context(self._connection())
                # The library lets go of a socket whose handshake fails without closing it.
                sockets.callback(context.close_wrapped)
                connection = context.wrap_socket(plain, server_hostname=name)
                told = f"{connection.version()}, {(connection.cipher() or ('?',))[0]}"
                end = end_of_peer(connection.getpeercert())
        except UnusableFile as error:
            yield failed(check, str(error), "uplink.tls: the files must be PEM, key and certificate a pair")
        except ssl.SSLCertVerificationError as error:
            yield failed(check, f"the broker's certificate: {describe(error)}", self._why_not_trusted())
        except OSError as error:
            remedy = (
                "is this port one with TLS? Without a certificate of ours (cert_file) some brokers hang up"
            )
            yield failed(check, describe(error), remedy)
        else:
            yield ok(check, told)
            left = (end - self._clock.utc()).days if end else RENEW_WITHIN_DAYS
            if left < RENEW_WITHIN_DAYS:
                yield warned(
                    "broker_certificate", f"the broker's certificate ends in {left} days", "tell the district"
                )

    def _connection(self) -> socket.socket:
        return socket.create_connection((self._host, self._port), self._step_s)

    def _why_not_trusted(self) -> str:
        if not self._clock.trusted():
            return "the clock is not set, and certificates go by it: set it first"
        return "uplink.tls.ca_file must be the authority that signed it, and server_name the name in it"

    def _mqtt(self) -> Iterator[Finding]:
        attempt = self._session(self._nothing)
        attempt.open()
        try:
            yield from self._login(attempt)
        finally:
            attempt.close(with_will=False, timeout_s=self._step_s)

    def _login(self, attempt: Session) -> Iterator[Finding]:
        check = "broker_login"
        match attempt.next_report(self._step_s * 2):
            case Opened(window):
                yield ok(check, f"accepted, {window} messages at once")
                yield from self._publish(attempt)
            case Closed() as closed:
                yield failed(check, str(closed), self._login_remedy(closed))
            case _:
                yield self._silent(check)

    def _publish(self, attempt: Session) -> Iterator[Finding]:
        check, topic = "broker_publish", self._nothing.topic
        with contextlib.suppress(UplinkError):  # it has hung up again: its last report says why
            attempt.publish(self._nothing)
        match attempt.next_report(self._step_s):
            case Receipt(_, code) if code >= FAILURE:
                remedy = f"the broker's access rules must let this gate publish to {topic}"
                yield failed(check, f"refused: {words(code)}", remedy)
            case Receipt(_, code) if code == UNHEARD:
                told = f"acknowledged on {topic}, and nobody is there to receive it"
                yield warned(check, told, "the district must subscribe first; until then events wait here")
            case Receipt():
                yield ok(check, f"acknowledged on {topic}")
            case Closed() as closed:
                yield failed(check, str(closed), "the broker's own log says more")
            case _:
                yield self._silent(check)

    def _silent(self, check: str) -> Finding:
        remedy = "another service listens on this port, or the broker is under load"
        return failed(check, f"no answer within {self._step_s:g} s", remedy)

    def _login_remedy(self, closed: Closed) -> str:
        match closed.loss:
            case Loss.CREDENTIALS | Loss.NOT_AUTHORIZED:  # mosquitto says the second for both
                return "check uplink.username and the password file; are they right, ask for the access rules"
            case Loss.FILES:
                return "check the files named below uplink:"
            case _ if self._tls is None:
                return "is this a port with TLS? Then write tls: {} below uplink:"
            case _:
                return "the broker's own log says more"
