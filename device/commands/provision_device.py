"""`gate-scanner provision wait` and `export`: what runs on the device that is provisioned."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from device import __version__
from device.commands.arguments import takes_config
from device.commands.owner import become_owner
from device.errors import ExitCode, GateError

if TYPE_CHECKING:
    import argparse

    from device.config.model import Settings


def add_wait(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    wait = kinds.add_parser(
        "wait",
        help="on a device without a configuration: wait for its card",
        description="Runs camera, decoder and panel with a first configuration, blue light blinking, until a "
        "card of the provisioner (credentials.card_key_file) has brought a configuration that can be used; "
        "writes it and ends with exit code 0.",
    )
    wait.add_argument("--config", type=Path, required=True, metavar="FILE", help="the first configuration")
    wait.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="/etc/gate-scanner")
    wait.set_defaults(command=_wait)


def add_export(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    export = kinds.add_parser(
        "export",
        help="the device's public keys, and its rights at the broker",
        description="Prints what the district needs to know of a device: the key its journal is signed with, "
        "the key cards are sealed to, and its topics as mosquitto and EMQX have them. Makes the keys where "
        "there are none yet.",
    )
    takes_config(export)
    export.add_argument("--form", choices=("text", "mosquitto", "emqx", "seal"), default="text")
    export.set_defaults(command=_export)


def _wait(args: argparse.Namespace) -> int:
    import signal
    import threading
    from contextlib import ExitStack
    from functools import partial

    from device.capture.loop import CaptureLoop
    from device.config.loader import load
    from device.fittings import decoder_pool, frame_source, gpio_panel, open_journal
    from device.keyring import card_keys_of, card_memory, card_opener
    from device.logs import set_up
    from device.provision.first import FirstConfiguration
    from device.provision.joining import Joining
    from device.provision.memory import Memory
    from device.provision.waiting import wait
    from device.runtime import SystemClock
    from device.wifi.manager import NetworkManager

    clock, stop = SystemClock(), threading.Event()
    set_up("plain" if sys.stderr.isatty() else "journal", "info", clock)
    settings = load(args.config)
    keys = card_keys_of(settings)
    if not keys:
        raise GateError(f"{args.config}: credentials.card_key_file says whose cards count, and it is missing")
    if not args.into.is_dir():
        raise GateError(f"{args.into}: there is no such folder")
    become_owner(settings.journal.path.parent)
    if not os.access(args.into, os.W_OK):
        # The journal is the gate's, and root must leave no files of its own there.
        raise GateError(f"{args.into}: whom the gate runs as may not write here: see gate-provision.service")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as parts:
        panel = gpio_panel(settings, clock)
        parts.callback(panel.close)
        journal = open_journal(settings, clock)
        parts.callback(journal.close)
        joining = Joining(
            wireless=NetworkManager(clock=clock),
            recorder=journal,
            panel=panel,
            clock=clock,
            version=__version__,
        )
        parts.callback(joining.end)
        first = FirstConfiguration(
            keys=keys,
            opens=card_opener(settings),
            into=args.into,
            memory=Memory(card_memory(settings), next(iter(keys)).hex()),
            joining=joining,
            recorder=journal,
            panel=panel,
            clock=clock,
        )
        pool = decoder_pool(settings, clock)
        pool.start()
        parts.callback(pool.close)
        camera = partial(
            CaptureLoop,
            source=frame_source(settings, clock),
            clock=clock,
            stall_s=settings.camera.stall_s,
            reopen_attempts=settings.camera.reopen_attempts,
            on_first_frame=lambda: print("waiting for a card", file=sys.stderr, flush=True),
        )
        done = wait(
            capture=lambda slot, ended: camera(slot=slot, on_end=ended.set),
            decoder=pool,
            panel=panel,
            answer=first.answer,
            meanwhile=joining.look,
            clock=clock,
            stop=stop,
        )
    if not done:
        print("no card has brought a configuration", file=sys.stderr)
    return ExitCode.OK if done else ExitCode.BROKEN


def _export(args: argparse.Namespace) -> int:
    from device.config.loader import load
    from device.fittings import address_of
    from device.journal.signing import Signer
    from device.keyring import card_opener
    from device.provision.rights import emqx, mosquitto

    settings = load(args.config, check_files=False)
    folder = settings.journal.path.parent
    if not folder.is_dir():
        raise GateError(f"{folder}: there is no such folder; keys are made on the device itself")
    become_owner(folder)
    address, user = address_of(settings), settings.uplink.username or settings.client_id
    sealed_to = card_opener(settings).public_pem.decode()
    match args.form:
        case "mosquitto":
            print(mosquitto(address, user), end="")
        case "emqx":
            print(emqx(address, user), end="")
        case "seal":
            print(sealed_to, end="")
        case _:
            signed_by = Signer.load_or_create(settings.journal.path.with_name("signing.key")).public_key
            print(_told(settings, signed_by, sealed_to))
            print(mosquitto(address, user), end="")
    return ExitCode.OK


def _told(settings: Settings, signed_by: str, sealed_to: str) -> str:
    gate = settings.gate
    return (
        f"# {gate.tenant}/{gate.site}/{gate.name}\n"
        f"# its journal is signed with (gate.checkpoint.v1, `key`):\n#   {signed_by}\n"
        "# cards are sealed to (--form seal puts it into a file):\n"
        + "".join(f"#   {line}\n" for line in sealed_to.splitlines())
        + "# rights at the broker (--form mosquitto, --form emqx):\n"
    )
