"""The page and its answers over HTTP, for one technician and a few minutes.

On loopback whoever is on the machine may look. On the network only who has the link from the console: its
token is good once, for the browser that uses it first. Nothing is stored, nothing leaves but pictures.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
import sys
from dataclasses import asdict
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from device.aim.sweep import Setting
from device.decode.quality import jpeg_of

if TYPE_CHECKING:
    from device.aim.watcher import Shown, Watcher

log = logging.getLogger(__name__)

SIGHT_WITHIN_S: Final = 2.0
"""How long a browser waits for a newer picture before it asks again."""

PICTURE_WIDTH_PX: Final = 960
"""More than a phone shows, and a third of the bytes of the whole picture."""

SILENT_S: Final = 20.0
"""A browser that says nothing for so long has gone."""

MAX_BODY_BYTES: Final = 200
"""A sweep's name."""

_COOKIE: Final = "aim"
_PAGE: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/aim.css": ("aim.css", "text/css; charset=utf-8"),
    "/aim.js": ("aim.js", "text/javascript; charset=utf-8"),
}
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class AimSite(ThreadingHTTPServer):
    """Serves the page until `shutdown`.

    Args:
        address: to listen on.
        port: 0 for any free one.
        watcher: what is shown.
        guarded: whether a token is needed.

    Raises:
        OSError: the address is not ours, or the port is taken.
    """

    daemon_threads = True

    def __init__(self, address: str, port: int, *, watcher: Watcher, guarded: bool) -> None:
        super().__init__((address, port), _Visit)
        self.watcher = watcher
        self._token = secrets.token_urlsafe(12) if guarded else ""
        self._session = secrets.token_urlsafe(24)
        self._guarded = guarded
        self.hosts = {
            f"{name}:{self.server_port}" for name in (address, *(() if guarded else ("localhost",)))
        }

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that goes away in the middle of an answer is no news; all else is a mistake of ours."""
        del request, client_address
        error = sys.exception()
        if not isinstance(error, OSError):
            log.error("the page failed: %s", type(error).__name__, exc_info=error)

    @property
    def link(self) -> str:
        """What to open."""
        host, port = str(self.server_address[0]), self.server_port
        return f"http://{host}:{port}/" + (f"?token={self._token}" if self._token else "")

    def admit(self, token: str) -> str | None:
        """The cookie for who comes with the token, once; None for everybody else."""
        if not self._token or not secrets.compare_digest(token.encode(), self._token.encode()):
            return None
        self._token = ""
        return f"{_COOKIE}={self._session}; HttpOnly; SameSite=Strict; Path=/"

    def knows(self, cookies: str) -> bool:
        """Whether whoever has these cookies may look."""
        if not self._guarded:
            return True
        try:
            found = SimpleCookie(cookies).get(_COOKIE)
        except CookieError:
            return False
        return found is not None and secrets.compare_digest(found.value.encode(), self._session.encode())


class _Visit(BaseHTTPRequestHandler):
    """One request."""

    server: AimSite
    timeout = SILENT_S
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if not self._is_for_us():
            return
        if "token" in query:
            self._welcome(query["token"][0])
        elif not self.server.knows(self.headers.get("Cookie", "")):
            self._refuse("This link was used already, or is incomplete. Start `gate-scanner aim` again.")
        elif url.path == "/sight":
            self._sight(query.get("after", ["0"])[0])
        elif url.path in _PAGE:
            name, kind = _PAGE[url.path]
            self._answer(HTTPStatus.OK, (files("device.aim") / "page" / name).read_bytes(), kind)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"no such page", "text/plain")

    def do_POST(self) -> None:
        if not self._is_for_us():
            return
        origin = self.headers.get("Origin", "")
        if urlsplit(origin).netloc not in self.server.hosts or not self.server.knows(
            self.headers.get("Cookie", "")
        ):
            self._refuse("Not from this page.")
            return
        length = self.headers.get("Content-Length", "")
        body = self.rfile.read(min(int(length), MAX_BODY_BYTES)) if length.isdecimal() else b""
        word = body.decode("ascii", "replace")
        if urlsplit(self.path).path != "/sweep" or word not in set(Setting):
            self._answer(HTTPStatus.BAD_REQUEST, b"no such sweep", "text/plain")
            return
        self.server.watcher.ask(Setting(word))
        self._answer(HTTPStatus.ACCEPTED, b"{}", "application/json")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing: the console is for the technician."""

    def _is_for_us(self) -> bool:
        """A page elsewhere whose name was pointed at this machine must not get in (DNS rebinding)."""
        if self.headers.get("Host", "") in self.server.hosts:
            return True
        self._refuse("This page is only served under its own address.")
        return False

    def _welcome(self, token: str) -> None:
        cookie = self.server.admit(token)
        if cookie is None:
            self._refuse("This link was used already, or is incomplete. Start `gate-scanner aim` again.")
            return
        self._answer(HTTPStatus.SEE_OTHER, b"", "text/plain", {"Location": "/", "Set-Cookie": cookie})

    def _sight(self, after: str) -> None:
        than = int(after) if after.isdecimal() and len(after) < 12 else 0  # noqa: PLR2004 - some years of frames
        shown = self.server.watcher.newer(than, SIGHT_WITHIN_S)
        told: dict[str, Any] = {"trouble": self.server.watcher.trouble}
        if shown is not None:
            told |= as_json(shown)
        self._answer(HTTPStatus.OK, json.dumps(told).encode(), "application/json")

    def _refuse(self, why: str) -> None:
        self._answer(HTTPStatus.FORBIDDEN, why.encode(), "text/plain; charset=utf-8")

    def _answer(
        self, status: HTTPStatus, body: bytes, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.command == "POST":
            self.send_header("Connection", "close")  # whatever was not read of the body
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)


def as_json(shown: Shown) -> dict[str, Any]:
    """What the page gets: the picture and figures, nothing of what a code holds."""
    sight = shown.sight
    height, width = sight.luma.shape
    picture = base64.b64encode(jpeg_of(sight.luma, PICTURE_WIDTH_PX)).decode("ascii")
    return {
        "number": shown.number,
        "width": width,
        "height": height,
        "picture": f"data:image/jpeg;base64,{picture}",
        "codes": [asdict(code) for code in sight.codes],
        "measures": asdict(shown.measures),
        "frames_per_second": round(shown.frames_per_second, 1),
        "steerable": sight.steerable,
        "sweeping": shown.sweeping,
        "progress": round(shown.progress, 2),
        "best": asdict(shown.best) if shown.best else None,
    }
