"""Web addresses, and among them the posters that name a place, told by their host.

Of the location posters only hosts are known (qr.tokhaiyte.vn, qr.pccovid.gov.vn), not what follows:
the hosts are the configuration's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from device.credential.kinds import Context, Kind, wrong
from device.credential.wrong import schemes

if TYPE_CHECKING:
    from device.credential.payload import Payload
    from device.model import Credential

_ADDRESS = re.compile(r"\s{0,32}(?:urlto:\s{0,32})?([a-z][a-z0-9+.-]{0,31})://([^/?#\\\s]*)", re.IGNORECASE)
_BARE = re.compile(r"\s{0,32}(?:urlto:|www\.[^\s])", re.IGNORECASE)
_OTHERS = re.compile("|".join([*(re.escape(head[:-1]) for head in schemes.HEADS), "shc", "hc[0-9a-z]"]))
"""Words before `://` that begin a kind of their own, and would be an address by form."""


def host_of(text: str) -> str | None:
    """The host a web address names, lower case, without user and port; None when it is no address.

    Written out because `urllib.parse` raises on hostile brackets and forgives control characters.
    """
    found = _ADDRESS.match(text)
    if found is None or _OTHERS.fullmatch(found[1].lower()):
        return None
    return found[2].rpartition("@")[2].partition(":")[0].rstrip(".").lower()


def _is_poster(host: str, hosts: frozenset[str]) -> bool:
    return any(host == known or host.endswith(f".{known}") for known in hosts)


def _poster(payload: Payload, context: Context) -> Credential | None:
    host = host_of(payload.text)
    return wrong("wrong.poster") if host and _is_poster(host, context.poster_hosts) else None


def _url(payload: Payload, context: Context) -> Credential | None:
    host = host_of(payload.text)
    if host is None:
        return wrong("wrong.url") if _BARE.match(payload.text) else None
    return None if _is_poster(host, context.poster_hosts) else wrong("wrong.url")


POSTER = Kind("wrong.poster", "location poster", _poster)
URL = Kind("wrong.url", "web address", _url)
