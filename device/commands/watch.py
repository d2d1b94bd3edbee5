"""`gate-scanner watch`: the far end of the wire, as a consumer shows it."""

from __future__ import annotations

import argparse
import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from device.uplink.client import Access


def add_watch(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    watch = commands.add_parser(
        "watch",
        help="the far end: stores every event, names what is missing",
        description="Subscribes to a tenant's gates and keeps their events in an SQLite file, each once. "
        "With --confirm it tells the gates what is stored and asks them for what is missing. "
        "Exit code 1 when at the end something is missing or broken.",
        epilog="Example: gate-scanner watch --host mqtt.example.vn --tls-ca ca.pem --tenant phu-vang "
        "--store events.db --confirm --key district.pem",
    )
    _takes_broker(watch)
    watch.add_argument("--tenant", type=_name, help="whose gates")
    watch.add_argument("--site", type=_name, help="only this one's (default: all)")
    watch.add_argument("--gate", type=_name, help="only this one (default: all)")
    watch.add_argument(
        "--store", type=Path, default=Path("gate-events.db"), metavar="FILE", help="default: gate-events.db"
    )
    watch.add_argument("--confirm", action="store_true", help="tell the gates; they forget what is confirmed")
    watch.add_argument(
        "--key", type=Path, metavar="FILE", help="the district's private Ed25519 key, PEM (see keys district)"
    )
    watch.add_argument("--json", action="store_true", help="one JSON object a line")
    watch.add_argument(
        "--until-quiet", type=float, metavar="S", help="end when nothing has arrived for S seconds"
    )
    watch.set_defaults(command=functools.partial(_watch, watch))


def _takes_broker(watch: argparse.ArgumentParser) -> None:
    watch.add_argument("--host", help="the broker (default: localhost)")
    watch.add_argument("--port", type=int, help="default: 1883, with --tls-ca 8883")
    watch.add_argument(
        "--tls-ca", type=Path, metavar="FILE", help="encrypt; who signs the broker's certificate"
    )
    watch.add_argument("--username", default="", help="where the broker asks for one")
    watch.add_argument("--password-file", type=Path, metavar="FILE", help="with the password, nothing else")
    watch.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a gate's configuration; what is not told here is taken from it",
    )
    watch.add_argument(
        "--client-id", help="the broker keeps a queue under it; one for each consumer (default: watch-TENANT)"
    )


def _watch(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    from device.logs import set_up
    from device.runtime import SystemClock
    from device.service.consume import consume
    from device.service.passes import read_key

    if args.confirm and args.key is None:
        parser.error("--confirm needs --key FILE: gates believe what is signed")
    if args.tenant is None and args.config is None:
        parser.error("whose gates? --tenant T, or --config FILE")
    key = read_key(args.key) if args.confirm else None
    broker, tenant = _broker(args)
    set_up("plain", "info", SystemClock())
    return consume(
        broker,
        tenant=tenant,
        site=args.site or "+",
        gate=args.gate or "+",
        store=args.store,
        key=key,
        json=args.json,
        until_quiet_s=args.until_quiet,
    )


def _broker(args: argparse.Namespace) -> tuple[Access, str]:
    """The broker and the tenant: as told, the rest from a gate's configuration where one is named."""
    from device.uplink.client import Access
    from device.uplink.tls import Tls

    tls = Tls(ca_file=args.tls_ca) if args.tls_ca else None
    if args.config is None:
        told = Access(
            host=args.host or "localhost",
            port=args.port or (8883 if tls else 1883),
            client_id=args.client_id or f"watch-{args.tenant}",
            username=args.username,
            password_file=args.password_file,
            tls=tls,
        )
        return told, args.tenant

    from device.config.loader import load

    settings = load(args.config, check_files=False)
    uplink, tenant = settings.uplink, args.tenant or settings.gate.tenant
    if tls is None and (files := uplink.tls) is not None:
        tls = Tls(
            ca_file=files.ca_file,
            cert_file=files.cert_file,
            key_file=files.key_file,
            server_name=files.server_name or "",
            alpn=("mqtt",) if files.alpn else (),
        )
    broker = Access(
        host=args.host or uplink.host or "localhost",
        port=args.port or uplink.port,
        client_id=args.client_id or f"watch-{tenant}",
        username=args.username or uplink.username or "",
        password_file=args.password_file or uplink.password_file,
        tls=tls,
    )
    return broker, tenant


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]{1,48}", text, re.ASCII):
        raise argparse.ArgumentTypeError("1 to 48 of a-z, 0-9 and '-'")
    return text
