"""`gate-scanner aim`: a page with what the camera sees, for whoever turns it and moves the lamp."""

from __future__ import annotations

import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from device.commands.arguments import takes_config
from device.commands.owner import become_owner
from device.errors import ExitCode, GateError

if TYPE_CHECKING:
    import argparse

    from device.aim.watching import Watching
    from device.config.model import Settings
    from device.runtime import Clock

# TEST-NET-1 (RFC 5737): nothing is sent there; asking tells which of our addresses faces the network.
_AWAY = ("192.0.2.1", 9)


def add_aim(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    aim = commands.add_parser(
        "aim",
        help="a page with what the camera sees, and what to do about it",
        description="Serves a page: live picture, codes outlined, how large and sharp they are, advice in "
        "words, the best focus and exposure. Works beside the running gate; stores nothing; ends by itself.",
    )
    takes_config(aim)
    aim.add_argument(
        "--lan", action="store_true", help="for a phone or laptop in the network, by a link that is good once"
    )
    aim.add_argument("--port", type=int, default=8321, metavar="N", help="default: 8321; 0 for any")
    aim.add_argument(
        "--minutes", type=float, default=20.0, metavar="N", help="ends by itself after so long (default: 20)"
    )
    aim.set_defaults(command=_aim)


def _aim(args: argparse.Namespace) -> int:
    from device.aim.site import AimSite
    from device.aim.watcher import Watcher
    from device.config.loader import load
    from device.runtime import SystemClock

    settings, clock = load(args.config), SystemClock()
    become_owner(settings.journal.path.parent)
    watcher, stop = Watcher(_watching(settings, clock)), threading.Event()
    address = _facing_the_network() if args.lan else "127.0.0.1"
    try:
        site = AimSite(address, args.port, watcher=watcher, guarded=args.lan)
    except OSError as error:
        raise GateError(
            f"port {args.port} of {address}: {error.strerror}; --port takes another one"
        ) from error
    threads = [
        threading.Thread(target=watcher.run, args=(stop,), name="watcher"),
        threading.Thread(target=site.serve_forever, name="site"),
    ]
    for thread in threads:
        thread.start()
    try:
        _announce(settings, site.link, args)
        watcher.ended.wait(args.minutes * 60)
    finally:
        stop.set()
        site.shutdown()
        site.server_close()
        for thread in threads:
            thread.join()
    if watcher.trouble:
        raise GateError(watcher.trouble)
    print("aiming has ended")
    return ExitCode.OK


def _watching(settings: Settings, clock: Clock) -> Watching:
    """The running gate's sights, or the camera's own while no gate runs."""
    from device.aim.watching import CameraWatching, GateWatching
    from device.decode.cause import cause_of
    from device.fittings import aim_socket, decoder_pool, frame_source, steerable
    from device.journal.opening import is_written
    from device.keyring import pseudonyms_for_a_look
    from device.rulebook import judge_of

    if is_written(settings.journal.path):
        return GateWatching(aim_socket(settings))
    judge = judge_of(settings, clock, pseudonyms=pseudonyms_for_a_look(settings))

    def answer(content: bytes) -> tuple[str, str, str]:
        judged = judge.examine(content, moment=judge.now())
        return judged.credential.kind, judged.verdict.outcome.value, judged.verdict.reason.value

    return CameraWatching(
        source=frame_source(settings, clock),
        decoder=decoder_pool(settings, clock),
        answer=answer,
        diagnose=cause_of,
        steerable=steerable(settings),
    )


def _facing_the_network() -> str:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.connect(_AWAY)
            found: Any = asking.getsockname()[0]
    except OSError as error:
        raise GateError(
            "this machine is in no network; without --lan the page is on the machine itself"
        ) from error
    return str(found)


def _announce(settings: Settings, link: str, args: argparse.Namespace) -> None:
    gate = settings.gate
    print(f"{gate.tenant}/{gate.site}/{gate.name}: open {link}")
    if args.lan:
        from device.service.passes import draw

        print("The link is good once, for the browser that opens it first.")
        if sys.stdout.isatty():
            print(draw(link))
    print(f"It ends by itself in {args.minutes:g} minutes; Ctrl-C ends it now.", flush=True)
