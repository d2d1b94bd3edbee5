"""`gate-scanner run`: the daemon as a process; its signals, its exit code, beginning anew."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

from device.commands.arguments import takes_config
from device.errors import ExitCode, GateError, JournalUnusable

if TYPE_CHECKING:
    import argparse

log = logging.getLogger(__name__)


def add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    run = commands.add_parser("run", help="the daemon", description="Runs until SIGTERM.")
    takes_config(run)
    run.add_argument(
        "--log",
        choices=("journal", "plain", "json"),
        default="plain" if sys.stderr.isatty() else "journal",
        help="form of the log on standard error (default: plain on a terminal, else for journald)",
    )
    run.set_defaults(command=_run)


def _run(args: argparse.Namespace) -> int:
    """Blocks until the process is asked to stop or a part dies. Raises ConfigError."""
    from device.app import assemble
    from device.config.loader import load
    from device.logs import set_level, set_up
    from device.notify import Notifier
    from device.runtime import SystemClock

    clock = SystemClock()
    set_up(args.log, "info", clock)
    stop, changed = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # Before the file is read, so that a change of it meanwhile is not missed.
    signal.signal(signal.SIGHUP, lambda *_: changed.set())
    settings = load(args.config)
    set_level(settings.service.log_level)
    code, anew = ExitCode.OK, False
    stuck: list[str] = []
    try:
        with ExitStack() as parts:
            daemon = assemble(
                settings,
                config=args.config,
                clock=clock,
                notifier=Notifier(os.environ),
                stop=stop,
                changed=changed,
                parts=parts,
            )
            stuck = daemon.stuck
            anew = daemon.run()
    except JournalUnusable as error:
        log.critical("the journal cannot be used: %s", error)
        code = ExitCode.JOURNAL
    except GateError as error:
        log.critical("%s", error)
        unusable = isinstance(error.__cause__, JournalUnusable)
        code = ExitCode.JOURNAL if unusable else ExitCode.WORKER_DIED
    if anew and not stuck:
        _begin_anew()
    if stuck:
        # A driver that never returns would hold up the interpreter's own end as well.
        logging.shutdown()
        os._exit(code)
    return code


def _begin_anew() -> NoReturn:
    """The same command in the same process, by its number: nothing is left of drivers and libraries."""
    # Asked once more, a process that has not set its handler yet would end; and it reads the file anyway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logging.shutdown()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own words, no shell
