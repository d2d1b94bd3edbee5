"""Around the attempt to connect: the secret files it needs, and names for what went wrong."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from device.uplink.ports import Closed
from device.uplink.reasons import Loss
from device.uplink.tls import client_context

if TYPE_CHECKING:
    from pathlib import Path

    from device.uplink.tls import NamedContext, Tls


class UnusableFile(Exception):
    """A certificate, key or password file. The text names the file and never quotes it."""


def read_password(path: Path | None) -> str | None:
    """The file's text without one trailing line end; None for no file.

    Raises:
        UnusableFile: it cannot be read, or is not UTF-8.
    """
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise UnusableFile(f"{path}: {describe(error)}") from None
    except UnicodeDecodeError:
        # From None: the decoder's own exception quotes what it read.
        raise UnusableFile(f"{path}: not UTF-8") from None


def read_context(tls: Tls) -> NamedContext:
    """The TLS context with its certificates and key read in.

    Raises:
        UnusableFile: one of them cannot be read, or does not fit the others.
    """
    try:
        return client_context(tls)
    except OSError as error:
        files = ", ".join(
            str(file) for file in (tls.ca_file, tls.cert_file, tls.key_file) if file is not None
        )
        raise UnusableFile(f"{files}: {describe(error)}") from None


def dial_failure(error: OSError) -> Closed:
    """What an error of the name look-up, TCP or TLS means."""
    match error:
        case ssl.SSLCertVerificationError():
            return Closed(Loss.CERTIFICATE, describe(error))
        case ssl.SSLError():
            return Closed(Loss.TLS_FAILED, describe(error))
        case socket.gaierror():
            return Closed(Loss.NAME_UNKNOWN, describe(error))
        case TimeoutError():
            return Closed(Loss.NO_ANSWER)
        case _:
            return Closed(Loss.UNREACHABLE, describe(error))


def describe(error: OSError) -> str:
    """The error in the words of the kernel or of OpenSSL, without paths and addresses."""
    match error:
        case ssl.SSLCertVerificationError():
            return error.verify_message
        case ssl.SSLError():
            return error.reason or error.strerror or type(error).__name__
        case _:
            return error.strerror or type(error).__name__
