from __future__ import annotations

import re
from pathlib import Path

from device.provision.rights import emqx, mosquitto
from device.uplink.wire import GateAddress

HERE = GateAddress("phu-vang", "an-bang-market", "north-door")
USER = "gate-phu-vang-an-bang-market-north-door"


def test_the_rights_are_those_of_the_document() -> None:
    page = Path(__file__).parents[3] / "docs/how-to/set-up-a-broker.md"
    written = re.search(r"^user gate-.*?\n\n", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert written is not None
    assert mosquitto(HERE, USER) == written[0].removesuffix("\n")


def test_emqx_gets_the_same_rights_and_nothing_else_is_allowed() -> None:
    lines = emqx(HERE, USER).splitlines()
    assert lines[0] == f'{{allow, {{user, "{USER}"}}, publish, ["{HERE.event}"]}}.'
    assert lines[-1] == f'{{deny, {{user, "{USER}"}}, all, ["#"]}}.'
    topics = [re.findall(r'\["(.*)"\]', line)[0] for line in lines[:-1]]
    assert topics == re.findall(r"^topic \w+ (.*)$", mosquitto(HERE, USER), re.MULTILINE)
