"""What a gate may do at the broker: its own topics and no others, as two brokers write it. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from device.uplink.wishes import cursor_topic

if TYPE_CHECKING:
    from device.uplink.wire import GateAddress


def topics(address: GateAddress) -> tuple[tuple[str, str], ...]:
    """Right, `write`, `read` or `readwrite`, and topic filter; the fewest a gate needs."""
    return (
        ("write", address.event),
        # Its own state it hears as well: another device that says it is this gate is noticed by it.
        ("readwrite", address.state),
        ("write", address.health),
        ("write", f"{address.answer}/#"),
        ("read", address.cmd("x").removesuffix("x") + "#"),
        ("read", cursor_topic(address)),
    )


def mosquitto(address: GateAddress, user: str) -> str:
    """Lines for an `acl_file`."""
    return f"user {user}\n" + "".join(f"topic {right} {topic}\n" for right, topic in topics(address))


def emqx(address: GateAddress, user: str) -> str:
    """Lines for EMQX's `acl.conf`, before its last one, `{deny, all}.`: Erlang terms."""
    actions = {"write": "publish", "read": "subscribe", "readwrite": "all"}
    who = f"{{user, {json.dumps(user)}}}"
    lines = [
        f"{{allow, {who}, {actions[right]}, [{json.dumps(topic)}]}}.\n" for right, topic in topics(address)
    ]
    return "".join(lines) + f"{{deny, {who}, all, [{json.dumps('#')}]}}.\n"
