"""TLS towards the broker: who is trusted, who we are, which name we expect. Standard library only."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device.uplink.expiry import end_of_file, end_of_peer
from device.uplink.ports import Certificate

if TYPE_CHECKING:
    import socket
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Tls:
    """Files are read anew for every connection, so that renewed certificates need no restart.

    Attributes:
        ca_file: the only authorities trusted; None for the system's.
        cert_file: our certificate, with its chain; None when the broker asks for none.
        key_file: its key; None when it stands in `cert_file`.
        server_name: name the broker's certificate must carry, also sent as SNI; empty for the host's.
        alpn: protocols offered; `("mqtt",)` for brokers that serve MQTT on port 443.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""
    alpn: tuple[str, ...] = ()


class NamedContext(ssl.SSLContext):
    """A client's context that knows the name it expects and keeps hold of what it opened.

    The library above passes the host's name and loses a socket whose handshake fails; this one passes
    the configured name, and `wrapped` lets the owner close the socket.
    """

    server_name: str = ""
    wrapped: ssl.SSLSocket | None = None

    def wrap_socket(  # noqa: PLR0917 - the standard library's signature
        self,
        sock: socket.socket,
        server_side: bool = False,  # noqa: FBT001, FBT002 - the standard library's signature
        do_handshake_on_connect: bool = True,  # noqa: FBT001, FBT002 - the same
        suppress_ragged_eofs: bool = True,  # noqa: FBT001, FBT002 - the same
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        self.wrapped = super().wrap_socket(
            sock,
            server_side,
            do_handshake_on_connect,
            suppress_ragged_eofs,
            self.server_name or server_hostname,
            session,
        )
        return self.wrapped

    def close_wrapped(self) -> None:
        """Closes what it wrapped last. Harmless twice, and when there is nothing."""
        if self.wrapped is not None:
            self.wrapped.close()


def client_context(tls: Tls) -> NamedContext:
    """A context that checks the broker's certificate and name, TLS 1.2 or newer. Reads the files.

    Raises:
        OSError: a file cannot be read or used; `ssl.SSLError` is one.
    """
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.server_name = tls.server_name
    if tls.ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(tls.ca_file)
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file, password=_no_password)
    if tls.alpn:
        context.set_alpn_protocols(list(tls.alpn))
    return context


def certificates(tls: Tls, connection: ssl.SSLSocket) -> tuple[Certificate, ...]:
    """The certificates in use on a connection, with their ends."""
    ends = {"the broker's": end_of_peer(connection.getpeercert())}
    if tls.cert_file is not None:
        # Being replaced at this moment: the next connection tells.
        with contextlib.suppress(OSError):
            ends["ours"] = end_of_file(tls.cert_file.read_text(encoding="ascii", errors="replace"))
    return tuple(Certificate(whose, end) for whose, end in ends.items() if end is not None)


def _no_password() -> str:
    # Without this OpenSSL asks at the terminal and a service hangs.
    raise OSError("the key is locked with a password")
