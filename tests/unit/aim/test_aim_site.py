from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pytest

from device.aim.sight import SeenCode, Sight
from device.aim.site import AimSite
from device.aim.sweep import Setting
from device.aim.watcher import Watcher
from device.errors import CameraError
from device.model import Controls
from tests.support.codes import empty


@dataclass
class Pictures:
    """Sights without a camera; ends after so many."""

    last: int = 10**9
    number: int = 0
    asked: list[Controls] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def next(self, controls: Controls | None = None) -> Sight:
        threading.Event().wait(0.005)
        if controls is not None:
            self.asked.append(controls)
        self.number += 1
        if self.number > self.last:
            raise CameraError("the camera was unplugged")
        corners = ((400, 200), (600, 200), (600, 400), (400, 400))
        seen = SeenCode(corners, "vn.cccd", "granted", "ok")
        return Sight(empty(), self.number, self.number / 30, (seen,), steerable=True)


class Site:
    """A site that runs, and a browser without manners."""

    def __init__(self, *, guarded: bool, last: int = 10**9) -> None:
        self.pictures = Pictures(last)
        self.watcher = Watcher(self.pictures)
        self.site = AimSite("127.0.0.1", 0, watcher=self.watcher, guarded=guarded)
        self.host = f"127.0.0.1:{self.site.server_port}"
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self.watcher.run, args=(self._stop,)),
            threading.Thread(target=self.site.serve_forever),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.site.shutdown()
        self.site.server_close()
        for thread in self._threads:
            thread.join()

    def ask(
        self, path: str, *, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.request(method, path, body, {"Host": self.host, "Connection": "close", **headers})
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def token(self) -> str:
        return self.site.link.partition("?")[2]


@pytest.fixture
def loopback() -> Iterator[Site]:
    with Site(guarded=False) as site:
        yield site


@pytest.fixture
def lan() -> Iterator[Site]:
    with Site(guarded=True) as site:
        yield site


@pytest.mark.parametrize("path", ["/", "/aim.css", "/aim.js"])
def test_the_page_is_whole_and_takes_nothing_from_elsewhere(loopback: Site, path: str) -> None:
    status, headers, body = loopback.ask(path)
    assert status == 200
    assert body
    assert b"https://" not in body
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_a_sight_has_the_picture_and_figures_and_nothing_a_code_holds(loopback: Site) -> None:
    told: dict[str, Any] = json.loads(loopback.ask("/sight?after=0")[2])
    assert told["picture"].startswith("data:image/jpeg;base64,")
    assert set(told["codes"][0]) == {"corners", "kind", "outcome", "reason"}
    assert (told["width"], told["height"]) == (1280, 720)


def test_a_browser_waits_for_a_newer_picture(loopback: Site) -> None:
    first = json.loads(loopback.ask("/sight?after=0")[2])["number"]
    assert json.loads(loopback.ask(f"/sight?after={first}")[2])["number"] > first


@pytest.mark.parametrize("after", ["", "-1", "x" * 50, "9" * 40, "٣"])
def test_a_strange_number_is_taken_for_none(loopback: Site, after: str) -> None:
    from urllib.parse import quote  # noqa: PLC0415 - this test's business only

    assert "number" in json.loads(loopback.ask(f"/sight?after={quote(after)}")[2])


@pytest.mark.parametrize("path", ["/etc/passwd", "/../site.py", "/%2e%2e/site.py", "/aim.js/../../site.py"])
def test_there_is_nothing_but_the_page(loopback: Site, path: str) -> None:
    assert loopback.ask(path)[0] == 404


def test_a_name_pointed_at_this_machine_is_refused(loopback: Site) -> None:
    assert loopback.ask("/sight", Host="evil.example:80")[0] == 403


def test_another_page_cannot_begin_a_sweep(loopback: Site) -> None:
    status, _, _ = loopback.ask("/sweep", method="POST", body="focus", Origin="http://evil.example")
    assert status == 403
    assert loopback.ask("/sweep", method="POST", body="focus")[0] == 403


@pytest.mark.parametrize("setting", sorted(Setting))
def test_a_sweep_is_begun_and_told(loopback: Site, setting: Setting) -> None:
    origin = f"http://{loopback.host}"
    assert loopback.ask("/sweep", method="POST", body=setting, Origin=origin)[0] == 202
    begun = (json.loads(loopback.ask("/sight?after=0")[2]) for _ in range(200))
    assert any(told["sweeping"] == setting and loopback.pictures.asked for told in begun)


@pytest.mark.parametrize("body", ["", "zoom", "focus" * 100])
def test_another_sweep_is_refused(loopback: Site, body: str) -> None:
    assert loopback.ask("/sweep", method="POST", body=body, Origin=f"http://{loopback.host}")[0] == 400


def test_on_the_network_nobody_looks_without_the_link(lan: Site) -> None:
    for path in ("/", "/sight", "/aim.js", "/?token=guess", "/?token="):
        assert lan.ask(path)[0] == 403
    assert lan.ask("/sight", Cookie="aim=guess")[0] == 403
    assert lan.ask("/sight", Cookie='aim="; ;;=')[0] == 403


def test_the_link_is_good_once_and_for_the_browser_that_used_it(lan: Site) -> None:
    token = lan.token()
    status, headers, _ = lan.ask(f"/?{token}")
    assert (status, headers["Location"]) == (303, "/")
    assert "HttpOnly" in headers["Set-Cookie"]
    assert "SameSite=Strict" in headers["Set-Cookie"]
    cookie = headers["Set-Cookie"].split(";")[0]
    assert lan.ask("/sight", Cookie=cookie)[0] == 200
    assert lan.ask(f"/?{token}")[0] == 403
    assert token.partition("=")[2] not in lan.site.link


def test_a_camera_that_goes_is_told_on_the_page() -> None:
    with Site(guarded=False, last=3) as site:
        assert site.watcher.ended.wait(20)
        told = json.loads(site.ask("/sight?after=99")[2])
    assert told == {"trouble": "the camera was unplugged"}


def test_frames_lost_by_the_camera_do_not_change_its_pace() -> None:
    watcher = Watcher(Pictures())
    for number in (1, 2, 5, 9):
        watcher._take(Sight(np.zeros((48, 64), np.uint8), number, number / 25, (), steerable=False))
    shown = watcher.newer(0, 0)
    assert shown is not None
    assert shown.frames_per_second == pytest.approx(25)
