"""A throw-away certificate authority, made with the openssl command."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, as files."""

    cert_file: Path
    key_file: Path


class Authority:
    """Signs certificates for tests.

    Args:
        folder: where the files go; must exist. Two authorities need two folders.
        name: common name of the authority.
    """

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self._folder = folder
        self._key = folder / "ca.key"
        self.ca_file = folder / "ca.crt"
        _openssl(
            "req", "-x509", *_NEW_KEY, "-keyout", self._key, "-out", self.ca_file,
            "-days", "2", "-subj", f"/CN={name}",
        )  # fmt: skip

    def issue(self, name: str, *, days: int = 2, names: str = "DNS:localhost,IP:127.0.0.1") -> Issued:
        """A certificate for `name`, for servers and clients alike.

        Args:
            name: common name, also the stem of the files.
            days: how long it is valid from now.
            names: subject alternative names, as openssl writes them.
        """
        key, request = self._folder / f"{name}.key", self._folder / f"{name}.csr"
        cert, extensions = self._folder / f"{name}.crt", self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n", encoding="ascii")
        _openssl("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self._key, "-CAcreateserial",
            "-out", cert, "-days", str(days), "-extfile", extensions,
        )  # fmt: skip
        return Issued(cert_file=cert, key_file=key)


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]} failed:\n{done.stderr}")
