"""What is particular to MQTT, on a real mosquitto: rights, passwords, TLS, windows, takeovers, silence."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from device.runtime import SystemClock
from device.uplink.ports import Closed, Opened, Receipt
from device.uplink.reasons import Loss
from device.uplink.tls import Tls
from device.uplink.wire import Message
from tests.support.broker import Broker, ServerTls
from tests.support.certificates import Authority
from tests.support.subscriber import Subscriber
from tests.support.uplinks import ADDRESS, WILL, sessions

if TYPE_CHECKING:
    from pathlib import Path

    from device.uplink.mqtt import MqttSession
    from device.uplink.ports import Report

pytestmark = pytest.mark.slow

# Real sockets on a loaded machine.
PATIENCE_S = 15.0
EVENT = Message(ADDRESS.event, b"{}")
# Success, no properties; and success with Maximum QoS (property 0x24) 0.
CONNACK = bytes((0x20, 3, 0, 0, 0))
CONNACK_QOS_0 = bytes((0x20, 5, 0, 0, 2, 0x24, 0))


def first_report(broker: Broker, **changes: Any) -> tuple[MqttSession, Report | None]:  # noqa: ANN401 - passed on
    session = sessions(broker, **changes)(WILL)
    session.open()
    return session, session.next_report(PATIENCE_S)


def refusal(broker: Broker, **changes: Any) -> Closed:  # noqa: ANN401 - passed on
    session, report = first_report(broker, **changes)
    assert session.close(with_will=False, timeout_s=PATIENCE_S)
    assert isinstance(report, Closed)
    return report


def accepted(broker: Broker, **changes: Any) -> MqttSession:  # noqa: ANN401 - passed on
    session, report = first_report(broker, **changes)
    assert isinstance(report, Opened), report
    return session


# -- rights ---------------------------------------------------------------------------------------


def test_a_publish_the_acl_forbids_comes_back_as_not_authorized(tmp_path: Path) -> None:
    with Broker(tmp_path, acl=f"topic write {ADDRESS.state}\n") as broker:
        session = accepted(broker)
        refused, taken = session.publish(EVENT), session.publish(replace(EVENT, topic=ADDRESS.state))
        assert {session.next_report(PATIENCE_S), session.next_report(PATIENCE_S)} == {
            Receipt(refused, 0x87),
            Receipt(taken, 0x10),
        }
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_the_right_password_opens_and_a_line_end_after_it_does_no_harm(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("geheim\n", encoding="utf-8")
    with Broker(tmp_path, users={"gate": "geheim"}) as broker:
        session = accepted(broker, username="gate", password_file=password)
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_a_wrong_password_is_named_as_such(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("falsch", encoding="utf-8")
    with Broker(tmp_path, users={"gate": "geheim"}) as broker:
        closed = refusal(broker, username="gate", password_file=password)
    assert closed.loss in {Loss.CREDENTIALS, Loss.NOT_AUTHORIZED}


def test_a_password_file_that_is_missing_or_binary_is_named_but_not_quoted(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        closed = refusal(broker, username="gate", password_file=tmp_path / "nowhere")
        assert closed.loss is Loss.FILES
        assert "nowhere" in closed.detail
        binary = tmp_path / "binary"
        binary.write_bytes(b"secret\xff")
        closed = refusal(broker, username="gate", password_file=binary)
        assert closed == Closed(Loss.FILES, f"{binary}: not UTF-8")


# -- windows --------------------------------------------------------------------------------------


def test_the_brokers_receive_maximum_narrows_the_window(tmp_path: Path) -> None:
    with Broker(tmp_path, options={"max_inflight_messages": 1}) as broker:
        session, report = first_report(broker, window=20)
        assert isinstance(report, Opened)
        assert report.window == 1
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_the_setting_narrows_the_window(tmp_path: Path) -> None:
    with Broker(tmp_path, options={"max_inflight_messages": 10}) as broker:
        session, report = first_report(broker, window=3)
        assert isinstance(report, Opened)
        assert report.window == 3
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_the_brokers_packet_size_is_passed_on(tmp_path: Path) -> None:
    with Broker(tmp_path, options={"max_packet_size": 2000}) as broker:
        session, report = first_report(broker)
        assert isinstance(report, Opened)
        assert report.packet_max_bytes == 2000
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


# -- ends -----------------------------------------------------------------------------------------


def test_a_second_client_with_our_id_ends_the_first_session(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        first, second = accepted(broker), accepted(broker)
        # mosquitto 2.0 hangs up without the DISCONNECT the standard asks for.
        assert isinstance(first.next_report(PATIENCE_S), Closed)
        for session in (first, second):
            assert session.close(with_will=False, timeout_s=PATIENCE_S)


@pytest.mark.parametrize(
    ("code", "loss"), [(0x8E, Loss.TAKEN_OVER), (0x8B, Loss.BROKER_CLOSED), (0x95, Loss.CONTENT)]
)
def test_the_reason_a_broker_gives_for_hanging_up_is_reported(tmp_path: Path, code: int, loss: Loss) -> None:
    broker = Broker(tmp_path)
    with socket.create_server((broker.host, 0)) as server:
        broker.port = server.getsockname()[1]
        session = sessions(broker)(WILL)
        session.open()
        connection, _ = server.accept()
        with connection:
            connection.sendall(CONNACK + bytes((0xE0, 2, code, 0)))
            assert isinstance(session.next_report(PATIENCE_S), Opened)
            closed = session.next_report(PATIENCE_S)
        assert isinstance(closed, Closed)
        assert closed.loss is loss
        assert f"0x{code:02x}" in closed.detail
    assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_a_broker_without_quality_of_service_1_is_of_no_use(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    with socket.create_server((broker.host, 0)) as server:
        broker.port = server.getsockname()[1]
        session = sessions(broker)(WILL)
        session.open()
        connection, _ = server.accept()
        with connection:
            connection.sendall(CONNACK_QOS_0)
            assert session.next_report(PATIENCE_S) == Closed(Loss.UNSUPPORTED)
    assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_nobody_listening_is_unreachable_and_an_unknown_name_says_so(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.start()
    broker.kill()
    assert refusal(broker).loss is Loss.UNREACHABLE
    assert refusal(broker, host="broker.invalid").loss is Loss.NAME_UNKNOWN


def test_a_broker_that_accepts_and_says_nothing_is_given_up(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        broker.freeze()
        assert refusal(broker, connect_within_s=0.5).loss is Loss.NO_ANSWER
        broker.thaw()


def test_an_idle_link_that_went_dead_is_noticed_by_the_keepalive(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        session = accepted(broker, keepalive_s=1)
        broker.freeze()
        closed = session.next_report(PATIENCE_S)
        assert isinstance(closed, Closed)
        assert closed.loss is Loss.CONNECTION_LOST
        broker.thaw()
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_a_server_that_speaks_something_else_ends_the_session_and_nothing_more(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    with socket.create_server((broker.host, 0)) as server:
        broker.port = server.getsockname()[1]
        session = sessions(broker, connect_within_s=5)(WILL)
        session.open()
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(64))
            report = session.next_report(PATIENCE_S)
    assert isinstance(report, Closed)
    assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_closing_a_session_whose_broker_is_frozen_does_not_wait_for_it(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        session = accepted(broker)
        broker.freeze()
        session.publish(replace(EVENT, payload=bytes(1 << 22)))
        assert session.close(with_will=False, timeout_s=PATIENCE_S)
        broker.thaw()


# -- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def secure(
    folder: Path, authority: Authority, *, clients: bool = False, names: str = "IP:127.0.0.1"
) -> Broker:
    server = authority.issue("server", names=names)
    tls = ServerTls(authority.ca_file, server.cert_file, server.key_file, client_certificates=clients)
    return Broker(folder, tls=tls)


def test_a_certificate_by_the_configured_authority_is_accepted(tmp_path: Path, authority: Authority) -> None:
    with secure(tmp_path, authority) as broker:
        session = accepted(broker, tls=Tls(ca_file=authority.ca_file))
        token = session.publish(EVENT)
        assert session.next_report(PATIENCE_S) == Receipt(token, 0x10)
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_a_certificate_by_somebody_else_is_refused(
    tmp_path: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"), name="somebody else")
    with secure(tmp_path, authority) as broker:
        assert refusal(broker, tls=Tls(ca_file=other.ca_file)).loss is Loss.CERTIFICATE


def test_a_certificate_for_another_name_is_refused_unless_that_name_is_expected(
    tmp_path: Path, authority: Authority
) -> None:
    with secure(tmp_path, authority, names="DNS:broker.example") as broker:
        closed = refusal(broker, tls=Tls(ca_file=authority.ca_file))
        assert closed.loss is Loss.CERTIFICATE
        assert "not valid for '127.0.0.1'" in closed.detail
        session = accepted(broker, tls=Tls(ca_file=authority.ca_file, server_name="broker.example"))
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_a_client_certificate_opens_where_one_is_required(tmp_path: Path, authority: Authority) -> None:
    mine = authority.issue("gate")
    with secure(tmp_path, authority, clients=True) as broker:
        tls = Tls(ca_file=authority.ca_file, cert_file=mine.cert_file, key_file=mine.key_file)
        session = accepted(broker, tls=tls)
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_the_ends_of_the_certificates_in_use_are_reported(tmp_path: Path, authority: Authority) -> None:
    mine = authority.issue("gate", days=11)
    tls = Tls(ca_file=authority.ca_file, cert_file=mine.cert_file, key_file=mine.key_file, alpn=("mqtt",))
    with secure(tmp_path, authority, clients=True) as broker:
        session, report = first_report(broker, tls=tls)
        assert isinstance(report, Opened)
        days = {
            c.whose: round((c.ends - SystemClock().utc()).total_seconds() / 86400)
            for c in report.certificates
        }
        assert days == {"the broker's": 2, "ours": 11}
        assert session.close(with_will=False, timeout_s=PATIENCE_S)


def test_a_missing_client_certificate_is_told_in_the_words_of_tls(
    tmp_path: Path, authority: Authority
) -> None:
    with secure(tmp_path, authority, clients=True) as broker:
        closed = refusal(broker, tls=Tls(ca_file=authority.ca_file))
    assert closed.loss is Loss.TLS_FAILED
    assert "certificate" in closed.detail.lower()


def test_a_key_that_does_not_fit_its_certificate_is_named(tmp_path: Path, authority: Authority) -> None:
    mine, other = authority.issue("gate"), authority.issue("other")
    tls = Tls(ca_file=authority.ca_file, cert_file=mine.cert_file, key_file=other.key_file)
    with Broker(tmp_path) as broker:
        closed = refusal(broker, tls=tls)
    assert closed.loss is Loss.FILES
    assert other.key_file.name in closed.detail


def test_plain_text_at_a_tls_port_and_tls_at_a_plain_port_end_in_time(
    tmp_path: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with secure(tmp_path, authority) as broker:
        assert isinstance(refusal(broker, connect_within_s=2), Closed)
    with Broker(tmp_path_factory.mktemp("plain")) as broker:
        assert isinstance(refusal(broker, tls=Tls(ca_file=authority.ca_file), connect_within_s=2), Closed)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.ca_file)


def test_a_window_of_large_messages_gets_through_tls(tmp_path: Path, authority: Authority) -> None:
    with (
        secure(tmp_path, authority) as broker,
        Subscriber(broker.host, broker.port, topic=ADDRESS.event, tls=trusting(authority)) as subscriber,
    ):
        session = accepted(broker, tls=Tls(ca_file=authority.ca_file))
        tokens = {session.publish(replace(EVENT, payload=bytes(50_000))) for _ in range(20)}
        receipts = [session.next_report(PATIENCE_S) for _ in range(20)]
        assert {r.token for r in receipts if isinstance(r, Receipt)} == tokens
        assert subscriber.wait_for(20)
        assert session.close(with_will=False, timeout_s=PATIENCE_S)
