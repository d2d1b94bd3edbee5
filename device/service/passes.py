"""Keys and passes for an organisation that has no software of its own.

`make_key` writes an issuer's private key, `trust_entry` is what gates need to know of it, `issue` makes the
text of a pass, `draw` its QR code. The private key stays with the issuer: no gate needs it.
"""

from __future__ import annotations

import base64
import io
import os
from typing import TYPE_CHECKING

from device.credential.flaw import Flawed
from device.credential.signature import Algorithm
from device.credential.signing import SigningKey, cwt_pass, jws_pass
from device.credential.trust import Use
from device.errors import GateError

if TYPE_CHECKING:
    from pathlib import Path

    from device.credential.signing import Grant

ALGORITHMS = {"ed25519": Algorithm.EDDSA, "es256": Algorithm.ES256}
FORMS = {"cwt": cwt_pass, "jws": jws_pass}

_QUIET_ZONE_MODULES = 4  # ISO/IEC 18004, section 5.3.8
_PICTURE_MODULE_PIXELS = 8  # a version 8 code becomes 456 pixels: 5 cm at 230 dots an inch


def make_key(path: Path, algorithm: str = "ed25519") -> SigningKey:
    """A new private key in a new file that only its owner can read. Blocks until it is on the disk.

    Raises:
        GateError: the file exists or cannot be written; a key is never replaced.
    """
    pem = SigningKey.generate(ALGORITHMS[algorithm])
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise GateError(f"{path}: exists; a key is never replaced") from None
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    return SigningKey(pem)


def read_key(path: Path) -> SigningKey:
    """The private key in a file.

    Raises:
        GateError: the file cannot be read, or holds none.
    """
    try:
        return SigningKey(path.read_bytes())
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    except Flawed:
        raise GateError(f"{path}: no unencrypted Ed25519 or P-256 private key") from None


def trust_entry(key: SigningKey, *, issuer: str, form: str = "cwt") -> dict[str, object]:
    """The entry for a gate's trust list: the public half, and that it signs passes and nothing else."""
    kid = {"kid_text": key.kid.hex()} if form == "jws" else {"kid": base64.b64encode(key.kid).decode()}
    return {**kid, "issuer": issuer, "spki": base64.b64encode(key.spki).decode(), "uses": [Use.PASS.value]}


def issue(grant: Grant, key: SigningKey, *, form: str = "cwt") -> str:
    """The text of a pass. Pure."""
    return FORMS[form](grant, key)


def draw(text: str, path: Path | None = None) -> str:
    """The QR code of a text: into a PNG or SVG file, or, without one, as lines for a terminal.

    Level M: a tenth of a printed code may be damaged, and the code stays small.

    Raises:
        GateError: segno is not installed, or the file cannot be written.
    """
    try:
        import segno  # noqa: PLC0415 - only who draws passes needs it
    except ModuleNotFoundError:
        raise GateError("drawing codes needs segno: pip install 'gate-scanner[demo]'") from None
    code = segno.make_qr(text, error="m", boost_error=False)
    if path is None:
        lines = io.StringIO()
        code.terminal(lines, border=_QUIET_ZONE_MODULES, compact=True)
        return lines.getvalue()
    try:
        code.save(str(path), scale=_PICTURE_MODULE_PIXELS, border=_QUIET_ZONE_MODULES)
    except (OSError, ValueError) as error:
        raise GateError(f"{path}: {error}") from error
    return f"{path}: version {code.version}, {17 + 4 * int(code.version)} modules a side"
