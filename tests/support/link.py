"""A TCP link that tests may cut, stall and limit: between a client and a server on loopback."""

from __future__ import annotations

import selectors
import socket
import threading
from bisect import insort
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

_CHUNK = 4096
# What a router keeps before its narrow side, as time: more, and every delay would be its queue's.
_QUEUE_S = 0.2
# How soon the pump notices that it shall stop.
_TURN_S = 0.05


@dataclass(eq=False)
class _Pair:
    """One connection through the link: bytes left up and down until it is cut, or None for no limit."""

    client: socket.socket
    server: socket.socket
    left: list[int | None]
    sockets: tuple[socket.socket, socket.socket] = field(init=False)

    def __post_init__(self) -> None:
        self.sockets = (self.client, self.server)


_Piece: TypeAlias = tuple[float, _Pair, socket.socket, bytes]


def _due_at(piece: _Piece) -> float:
    return piece[0]


class Link:
    """Relays connections to `port` on loopback; connect to `host`, `port` of this object instead.

    Args:
        port: of the server.
        upstream_limits: the n-th connection is cut as soon as so many bytes went to the server.
        downstream_limits: likewise for what came from the server.
        delay_s: how long each byte is under way, in either direction; half of the round trip's time.
        bits_per_s: of all connections together, each way; 0 for no limit.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        port: int,
        *,
        upstream_limits: Iterable[int] = (),
        downstream_limits: Iterable[int] = (),
        delay_s: float = 0.0,
        bits_per_s: float = 0.0,
    ) -> None:
        self._server_port = port
        self._delay_s = delay_s
        self._byte_s = 8 / bits_per_s if bits_per_s else 0.0
        # Up to when each direction is busy with what it has taken in.
        self._busy_until = [0.0, 0.0]
        self._clock = SystemClock()
        self._under_way: deque[_Piece] = deque()
        self._resting: list[tuple[_Pair, socket.socket]] = []
        self._limits = deque(upstream_limits), deque(downstream_limits)
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.upstream_bytes = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._pump, name="test-link", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for pair in list(self._pairs):
            self._drop(pair)
        self._selector.close()
        self._listener.close()

    def cut(self) -> None:
        """Ends every present connection at both ends."""
        with self._lock:
            for pair in list(self._pairs):
                self._drop(pair)

    def stall(self) -> None:
        """Nothing moves any more on the present connections, and nobody is told. New ones work."""
        with self._lock:
            self._resting.clear()
            for pair in self._pairs:
                self._unwatch(pair)

    def _pump(self) -> None:
        while not self._stop.is_set():
            ready = self._selector.select(self._next_turn_s())
            with self._lock:
                self._arrive()
                self._take_up()
                for key, _ in ready:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif isinstance(key.data, _Pair) and key.data in self._pairs:
                        self._move(key.data, key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection((self.host, self._server_port))
        except OSError:
            client.close()
            return
        pair = _Pair(client, server, [limits.popleft() if limits else None for limits in self._limits])
        self.connections += 1
        self._pairs.append(pair)
        for sock in pair.sockets:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(sock, selectors.EVENT_READ, pair)

    def _move(self, pair: _Pair, source: object) -> None:
        upstream = source is pair.client
        way = 0 if upstream else 1
        reader, writer = pair.sockets if upstream else pair.sockets[::-1]
        try:
            data = reader.recv(_CHUNK)
            if (left := pair.left[way]) is not None:
                data = data[:left]
                pair.left[way] = left - len(data)
            self._send(pair, writer, data, way)
        except OSError:
            data = b""
        if upstream:
            self.upstream_bytes += len(data)
        if not data or pair.left[way] == 0:
            self._drop(pair)

    def _send(self, pair: _Pair, writer: socket.socket, data: bytes, way: int) -> None:
        if not self._delay_s and not self._byte_s:
            writer.sendall(data)
            return
        now = self._clock.monotonic()
        self._busy_until[way] = max(self._busy_until[way], now) + len(data) * self._byte_s
        insort(self._under_way, (self._busy_until[way] + self._delay_s, pair, writer, data), key=_due_at)
        if self._busy_until[way] - now > _QUEUE_S:
            self._rest(pair, writer)

    def _rest(self, pair: _Pair, writer: socket.socket) -> None:
        """The queue before the narrow place is full: nothing more is taken in until some of it has gone."""
        source = next(sock for sock in pair.sockets if sock is not writer)
        with suppress(KeyError, ValueError):
            self._selector.unregister(source)
            self._resting.append((pair, source))

    def _take_up(self) -> None:
        for pair, source in [*self._resting]:
            way = 0 if source is pair.client else 1
            if pair not in self._pairs:
                self._resting.remove((pair, source))
            elif self._busy_until[way] - self._clock.monotonic() < _QUEUE_S / 2:
                self._resting.remove((pair, source))
                self._selector.register(source, selectors.EVENT_READ, pair)

    def _arrive(self) -> None:
        while self._under_way and self._under_way[0][0] <= self._clock.monotonic():
            _, pair, writer, data = self._under_way.popleft()
            if pair in self._pairs:
                with suppress(OSError):
                    writer.sendall(data)

    def _next_turn_s(self) -> float:
        due = self._under_way[0][0] - self._clock.monotonic() if self._under_way else _TURN_S
        return min(max(due, 0.0), _TURN_S)

    def _drop(self, pair: _Pair) -> None:
        self._pairs.remove(pair)
        self._unwatch(pair)
        for sock in pair.sockets:
            sock.close()

    def _unwatch(self, pair: _Pair) -> None:
        for sock in pair.sockets:
            with suppress(KeyError, ValueError):
                self._selector.unregister(sock)
