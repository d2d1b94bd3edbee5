"""Keys and passes for an organisation that has no software of its own.

`make_key` writes an issuer's private key, `trust_entry` is what gates need to know of it, `issue` makes the
text of a pass, `draw` its QR code. The private key stays with the issuer: no gate needs it.
"""

from __future__ import annotations

import base64
import io
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from device.credential.flaw import Flawed
from device.credential.possession import as_confirmation
from device.credential.registry import parse
from device.credential.rotation import STEP_S, code_at
from device.credential.signature import Algorithm, PublicKey
from device.credential.signing import SigningKey, cwt_pass, jws_pass, with_proof, with_rotating_code
from device.credential.trust import Trust, TrustedKey, Use
from device.durable import write_new, write_over
from device.errors import GateError
from device.model import Standing
from device.service.moving import moving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from device.credential.signing import Grant

ALGORITHMS = {"ed25519": Algorithm.EDDSA, "es256": Algorithm.ES256}
FORMS = {"cwt": cwt_pass, "jws": jws_pass}

NUMBER_BYTES = 8
"""By chance alone, two passes share a number once in four thousand million passes."""

ROTATION_SECRET_BYTES = 32
"""As long as the hash the changing codes are reckoned with."""

EACH_CODE_MS = 400
"""Read by a camera of ten pictures a second, with one of them lost."""

_QUIET_ZONE_MODULES = 4  # ISO/IEC 18004, section 5.3.8
_PICTURE_MODULE_PIXELS = 8  # a version 8 code becomes 456 pixels: 5 cm at 230 dots an inch


# -- keys -----------------------------------------------------------------------------------------


def make_key(path: Path, algorithm: str = "ed25519", *, force: bool = False) -> SigningKey:
    """A new private key in a new file that only its owner can read. Blocks until it is on the disk.

    Args:
        path: of the file.
        algorithm: one of `ALGORITHMS`.
        force: replaces a file that is there.

    Raises:
        GateError: the file cannot be written; or exists, and `force` is not given.
    """
    pem = SigningKey.generate(ALGORITHMS[algorithm])
    try:
        if force:
            write_over(path, pem, mode=0o600)
        else:
            write_new(path, pem, mode=0o600)
    except FileExistsError:
        raise GateError(
            f"{path}: exists and is kept; choose another name, or replace it with --force"
        ) from None
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
        raise GateError(f"{path}: {_instead(path)}") from None


def _instead(path: Path) -> str:
    """What a file without a private key of ours holds, and what to do."""
    content = path.read_bytes()
    if b"PUBLIC KEY-----" in content:
        return "this is the public half, and the private key is needed: the other file of the pair"
    if b"ENCRYPTED PRIVATE KEY-----" in content:
        return "this key is locked with a passphrase; openssl pkey unlocks it"
    return "no Ed25519 or P-256 private key in PEM; `gate-scanner keys` and `provision keys` make one"


def read_public_key(path: Path) -> PublicKey:
    """The public key in a file.

    Raises:
        GateError: the file cannot be read, or holds none.
    """
    try:
        key = PublicKey.from_pem(path.read_bytes())
        as_confirmation(key)  # RSA keys cannot be put into a pass
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    except Flawed:
        raise GateError(
            f"{path}: no Ed25519 or P-256 public key; `gate-scanner keys holder` makes one"
        ) from None
    return key


def trust_entry(
    key: SigningKey,
    *,
    issuer: str,
    form: str = "cwt",
    gates: Sequence[str] = (),
    rotating: bool = False,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> dict[str, object]:
    """The entry for a gate's trust list: the public half, and that it signs passes and nothing else.

    Args:
        key: of the issuer.
        issuer: its name, as events carry it.
        form: of its passes, one of `FORMS`.
        gates: where alone it counts; empty for every gate.
        rotating: puts a new secret for changing codes in, which makes the list a secret.
        not_before: nothing it signs is valid earlier.
        not_after: nothing it signed is valid from then on.
    """
    kid = {"kid_text": key.kid.hex()} if form == "jws" else {"kid": base64.b64encode(key.kid).decode()}
    entry: dict[str, object] = {
        **kid,
        "issuer": issuer,
        "spki": base64.b64encode(key.spki).decode(),
        "uses": [Use.PASS.value],
    }
    if gates:
        entry["gates"] = list(gates)
    for name, limit in (("not_before", not_before), ("not_after", not_after)):
        if limit is not None:
            entry[name] = limit.isoformat()
    if rotating:
        entry["rotation_secret"] = base64.b64encode(secrets.token_bytes(ROTATION_SECRET_BYTES)).decode()
    return entry


# -- passes ---------------------------------------------------------------------------------------


def numbered(grant: Grant) -> Grant:
    """The grant with a number where it needs one: changing code, one passage, or when it names nobody."""
    if grant.number or (grant.subject and not grant.rotates and not grant.once):
        return grant
    return replace(grant, number=secrets.token_bytes(NUMBER_BYTES))


def issue(grant: Grant, key: SigningKey, *, form: str = "cwt") -> str:
    """The text of a pass, read back as a gate would. Pure.

    Raises:
        GateError: no gate would take such a pass.
    """
    text = FORMS[form](grant, key)
    kid = key.kid.hex().encode() if form == "jws" else key.kid
    secret = bytes(ROTATION_SECRET_BYTES) if grant.rotates else b""
    own = TrustedKey(kid, "issuer", PublicKey(key.spki), frozenset({Use.PASS}), rotation_secret=secret)
    read = parse(text.encode(), trust=Trust([own]))
    if read.standing is not Standing.VERIFIED:
        raise GateError(
            f"no gate would take this pass: its {read.detail or 'form'} is not as it must be "
            "(holder, issuer and gates are at most 256 visible characters each, gates at most 64)"
        )
    return text


def of_now(text: str, trust: Trust, moment: datetime) -> tuple[str, int]:
    """A pass with the changing code of this moment, and how many seconds the code is the one.

    Raises:
        GateError: the trust list does not verify it, or it has no changing code.
    """
    credential = parse(text.encode(), trust=trust)
    if credential.standing is not Standing.VERIFIED:
        raise GateError("the trust list does not verify this pass: see `gate-scanner pass inspect`")
    if credential.rotation is None:
        raise GateError("this pass has no changing code; show it without --trust")
    return with_rotating_code(text, code_at(credential.rotation.key, moment)), _left_s(moment)


def proven(text: str, key: SigningKey, moment: datetime) -> tuple[str, int]:
    """A pass with its holder's proof of this moment, and for how many seconds it is the one to show.

    Raises:
        GateError: the text is no CWT pass.
    """
    try:
        return with_proof(text, key, moment), _left_s(moment)
    except Flawed:
        raise GateError("this is no CWT pass: only such a one can be shown with a proof") from None


def _left_s(moment: datetime) -> int:
    return STEP_S - int(moment.timestamp()) % STEP_S


def draw(text: str, path: Path | None = None) -> str:
    """The QR code of a text: into a PNG or SVG file, or, without one, as lines for a terminal.

    Level M: a tenth of a printed code may be damaged, and the code stays small.

    Raises:
        GateError: segno is not installed, the text is too long, or the file cannot be written.
    """
    try:
        import segno  # noqa: PLC0415 - only who draws passes needs it
    except ModuleNotFoundError:
        raise GateError(
            "drawing codes needs segno: pip install 'gate-scanner[demo]'; --text needs nothing"
        ) from None
    try:
        code = segno.make_qr(text, error="m", boost_error=False)
    except ValueError as error:  # segno's DataOverflowError
        raise GateError(f"{len(text)} characters do not fit into a QR code") from error
    if path is None:
        lines = io.StringIO()
        code.terminal(lines, border=_QUIET_ZONE_MODULES, compact=True)
        return lines.getvalue()
    if path.suffix.lower() not in {".png", ".svg"}:
        raise GateError(f"{path}: the picture's name ends in .png or .svg")
    try:
        code.save(str(path), scale=_PICTURE_MODULE_PIXELS, border=_QUIET_ZONE_MODULES)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    return f"{path}: version {code.version}, {17 + 4 * int(code.version)} modules a side"


def draw_moving(texts: Sequence[str], path: Path) -> str:
    """The QR codes of several texts as one picture that shows them one after another, for ever.

    Raises:
        GateError: as `draw`; or the picture's name does not end in .png.
    """
    try:
        import segno  # noqa: PLC0415 - only who draws passes needs it
    except ModuleNotFoundError:
        raise GateError("drawing codes needs segno: pip install 'gate-scanner[demo]'") from None
    if path.suffix.lower() != ".png":
        raise GateError(f"{path}: a picture of several codes moves, and its name ends in .png")
    version = max(int(segno.make_qr(text, error="m", boost_error=False).version) for text in texts)
    pictures = []
    for text in texts:
        out = io.BytesIO()
        code = segno.make_qr(text, error="m", boost_error=False, version=version)
        code.save(out, kind="png", scale=_PICTURE_MODULE_PIXELS, border=_QUIET_ZONE_MODULES)
        pictures.append(out.getvalue())
    try:
        write_over(path, moving(pictures, each_ms=EACH_CODE_MS), mode=0o644)
    except OSError as error:
        raise GateError(f"{path}: {error.strerror}") from error
    side = 17 + 4 * version
    return f"{path}: {len(texts)} codes in turn, version {version}, {side} modules a side"
