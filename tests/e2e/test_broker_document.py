"""The broker of docs/how-to/set-up-a-broker.md, as it stands there: it starts, and keeps gates apart."""

from __future__ import annotations

import re
import secrets
import ssl
import subprocess
from pathlib import Path

import pytest

from device.doctor.broker import Road
from device.doctor.finding import Level
from device.runtime import SystemClock
from device.uplink.tls import Tls
from device.uplink.wire import GateAddress
from tests.support.broker import Broker
from tests.support.certificates import Authority
from tests.support.subscriber import Subscriber
from tests.support.uplinks import sessions

pytestmark = pytest.mark.slow

PAGE = Path("docs/how-to/set-up-a-broker.md")
OURS = GateAddress("phu-vang", "an-bang-market", "north-door")
THEIRS = GateAddress("phu-vang", "an-bang-market", "south-door")
USER = "gate-phu-vang-an-bang-market-north-door"
PASSWORD = secrets.token_hex()


class DocumentedBroker(Broker):
    """A mosquitto with the page's configuration, its paths led into a folder."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder)
        issued = authority.issue("broker")
        self.config, access = re.findall(r"```conf\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        self._lead("/etc/mosquitto/certs/district-ca.pem", authority.ca_file)
        self._lead("/etc/mosquitto/certs/broker.pem", issued.cert_file)
        self._lead("/etc/mosquitto/certs/broker.key", issued.key_file)
        self._lead("/etc/mosquitto/gates.passwd", folder / "gates.passwd")
        self._lead("/etc/mosquitto/gates.acl", folder / "gates.acl")
        self._lead("/var/lib/mosquitto/", f"{folder}/")
        (folder / "gates.acl").write_text(access, encoding="ascii")
        for number, user in enumerate((USER, "district")):
            create = [] if number else ["-c"]
            command = ["mosquitto_passwd", *create, "-b", str(folder / "gates.passwd"), user, PASSWORD]
            subprocess.run(command, check=True)

    def _lead(self, named: str, here: Path | str) -> None:
        assert named in self.config, named
        self.config = self.config.replace(named, str(here))

    def _lines(self, port: int) -> list[str]:
        # Started as root it would give up its rights and then not read a test's private folder.
        return [
            "user root",
            *self.config.replace("listener 8883", f"listener {port} {self.host}").splitlines(),
        ]


def test_the_documented_broker_starts_and_lets_each_gate_speak_for_itself_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    password = tmp_path / "password"
    password.write_text(PASSWORD, encoding="ascii")
    tls = Tls(ca_file=authority.ca_file)

    def walk(broker: Broker, address: GateAddress) -> list[tuple[str, Level]]:
        make = sessions(broker, client_id=USER, username=USER, password_file=password, tls=tls)
        road = Road(
            host=broker.host, port=broker.port, tls=tls, session=make, address=address, clock=SystemClock()
        )
        return [(f.check, f.level) for f in road.walk() if f.check == "broker_publish"]

    context = ssl.create_default_context(cafile=authority.ca_file)
    with (
        DocumentedBroker(tmp_path, authority) as broker,
        Subscriber(
            broker.host,
            broker.port,
            topic="gate/v1/phu-vang/#",
            tls=context,
            username="district",
            password=PASSWORD,
        ) as district,
    ):
        assert walk(broker, OURS) == [("broker_publish", Level.OK)]
        assert district.wait_for(lambda got: any(m.topic == OURS.event for m in got))
        assert walk(broker, THEIRS) == [("broker_publish", Level.FAILED)]
