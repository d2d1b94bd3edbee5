"""`gate-scanner explain`: what a gate would answer, and which line of its configuration made it so."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from device.commands.arguments import moment
from device.commands.codes import codes_of
from device.errors import ExitCode, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from device.policy.judge import Judge
    from device.privacy.keeping import IdentityKeeper
    from device.runtime import Clock


def add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    explain = commands.add_parser(
        "explain",
        help="what the gate would answer to a code, and why",
        description="Shows kind, verdict, reason and the line of the configuration that decided; never what "
        "the code holds. Who is inside and what was used is not asked.",
        epilog="Examples: gate-scanner explain --config gate.yaml card.jpg; "
        "gate-scanner explain --config gate.yaml --at 2026-12-24T22:00 - < codes.txt",
    )
    explain.add_argument(
        "codes",
        nargs="+",
        metavar="TEXT|IMAGE",
        help="a text or a picture; - for one a line from stdin",
    )
    explain.add_argument("--config", type=Path, metavar="FILE", help="the gate's configuration")
    explain.add_argument(
        "--at", type=moment, metavar="TIME", help="decide as if it were this time (ISO 8601)"
    )
    explain.add_argument("--b64", action="store_true", help="the texts are base64")
    explain.add_argument("--json", action="store_true", help="one JSON object a code")
    explain.set_defaults(command=_explain)


def _explain(args: argparse.Namespace) -> int:
    from device.rulebook import judge_of_any_gate
    from device.runtime import SystemClock
    from device.service.explain import explain

    clock = SystemClock()
    judge, places, identities = (
        _gate(args.config, clock) if args.config else (judge_of_any_gate(clock), None, None)
    )
    moment = judge.now()
    if args.at is not None:
        moment = replace(moment, utc=args.at, trusted=True)
    for content in codes_of(args.codes):
        explanation = explain(
            _plain(content) if args.b64 else content,
            judge=judge,
            moment=moment,
            places=places,
            identities=identities,
        )
        if args.json:
            print(json.dumps(explanation.as_json(), ensure_ascii=False), flush=True)
        else:
            print(explanation.as_text(), flush=True)
    return ExitCode.OK


def _gate(config: Path, clock: Clock) -> tuple[Judge, Mapping[str, str], IdentityKeeper]:
    """What a gate with this configuration decides by, where its settings stand, what it keeps of people."""
    from device.config.loader import load_all
    from device.keyring import card_keys_of, card_memory, identity_keeper_of, pseudonyms_for_a_look
    from device.policy.judge import in_service
    from device.provision.memory import Memory
    from device.rulebook import judge_of

    # Lists and keys are read; whether the rest of the machine is there does not matter here.
    loaded = load_all(config, check_files=False)
    keys = card_keys_of(loaded.settings)
    memory = Memory(card_memory(loaded.settings), next(iter(keys)).hex()) if keys else None
    judge = judge_of(
        loaded.settings,
        clock,
        pseudonyms=pseudonyms_for_a_look(loaded.settings),
        suspended=memory.suspended if memory else in_service,
    )
    return judge, loaded.places, identity_keeper_of(loaded.settings)


def _plain(raw: bytes) -> bytes:
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error as error:
        raise UsageError(f"not base64: {error}") from error
