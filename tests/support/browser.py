"""A real Chromium, driven through its own debugging pipe: opens pages, asks them, clicks, takes pictures."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

# A loaded machine has needed 20 s to start one.
_WITHIN_S = 90.0


class Browser:
    """One window as large as a phone's, in a profile of its own.

    Args:
        width: of the window, CSS pixels.
        height: of the window.
        language: what the browser says it prefers.
    """

    def __init__(self, *, width: int = 360, height: int = 800, language: str = "en") -> None:
        self._size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        self._language = language
        self._number = 0
        self._buffer = b""

    def __enter__(self) -> Self:
        path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        assert path, "chromium is missing: apt install chromium"
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        options = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--remote-debugging-pipe", f"--user-data-dir={self._profile.name}", f"--lang={self._language}",
        ]  # fmt: skip
        # The browser talks on descriptors 3 and 4: a shell puts ours there.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', path, *options],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        target = self._tell("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._page("Emulation.setDeviceMetricsOverride", **self._size)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._profile.cleanup()

    def open(self, url: str) -> None:
        """Goes to a page; returns when it has begun to load."""
        self._page("Page.navigate", url=url)

    def ask(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page answers
        """What a JavaScript expression is in the page."""
        answer = self._page("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Blocks until the expression is true in the page."""
        until = time.monotonic() + _WITHIN_S
        while not self.ask(f"document.body !== null && ({expression})"):
            assert time.monotonic() < until, (
                f"never true: {expression}\n{self.ask('document.body.innerText')}"
            )
            pause = "new Promise(done => setTimeout(done, 50))"
            self._page("Runtime.evaluate", expression=pause, awaitPromise=True)

    def picture(self, path: Path) -> None:
        """Saves the whole page as a PNG."""
        data = self._page("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def overflows(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(self.ask("document.documentElement.scrollWidth > window.innerWidth"))

    def _page(self, method: str, **parameters: object) -> dict[str, Any]:
        return self._tell(method, session=self._session, **parameters)

    def _tell(self, method: str, *, session: str = "", **parameters: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._next())
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> bytes:
        while b"\0" not in self._buffer:
            part = os.read(self._in, 1 << 16)
            assert part, "the browser has ended"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return message
