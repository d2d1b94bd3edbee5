"""`gate-scanner watch` from end to end: connection, store and screen around `watch`."""

from __future__ import annotations

import logging
import secrets
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from device.credential.signature import Algorithm
from device.errors import ExitCode, GateError
from device.runtime import SystemClock
from device.service.news import as_json, as_text, short
from device.service.store import Store
from device.service.watch import Watch
from device.service.wishing import Wishing
from device.uplink.backoff import Backoff
from device.uplink.consumer import Subscription

if TYPE_CHECKING:
    from pathlib import Path

    from device.credential.signing import SigningKey
    from device.service.news import News
    from device.uplink.client import Access

log = logging.getLogger(__name__)

# A district's consumer is one client, not a fleet: it may come back quickly.
_BACKOFF_MIN_S: Final = 1.0
_BACKOFF_MAX_S: Final = 15.0
# Of a journal's holes, so many are written out in the summary.
_SPANS_SHOWN: Final = 5


def consume(
    broker: Access,
    *,
    tenant: str,
    site: str = "+",
    gate: str = "+",
    store: Path,
    key: SigningKey | None = None,
    json: bool = False,
    until_quiet_s: float | None = None,
) -> ExitCode:
    """Runs until SIGINT or SIGTERM, or until it has been quiet for so long; then prints a summary.

    Args:
        broker: where the events are, and as whom to ask for them: each consumer has its own client id.
        tenant: whose gates.
        site: only this one's; `+` for all.
        gate: only this one; `+` for all.
        store: file of the events; made when absent.
        key: confirms to the gates and asks for replays with it; None for neither.
        json: one JSON object a line on standard output, and the summary on standard error.
        until_quiet_s: ends when nothing has arrived for so long; None for never.

    Returns:
        OK when every journal is complete and unbroken, BROKEN otherwise.

    Raises:
        JournalError: the store cannot be used.
        GateError: the key is of the wrong kind.
    """
    if key is not None and key.algorithm is not Algorithm.EDDSA:
        raise GateError("wishes are signed with an Ed25519 key")
    clock = SystemClock()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    topics = [f"gate/v1/{tenant}/{site}/{gate}/{kind}" for kind in ("event", "state", "health")]

    def feed() -> Subscription:
        return Subscription(topics, access=broker, clock=clock)

    def tell(news: News) -> None:
        sys.stdout.write(f"{as_json(news) if json else as_text(news)}\n")
        sys.stdout.flush()

    wishing = Wishing(key.sign) if key is not None else None
    random = secrets.SystemRandom().random
    with Store(store, clock=clock) as books:
        watch = Watch(
            store=books,
            feed=feed,
            clock=clock,
            backoff=Backoff(min_s=_BACKOFF_MIN_S, max_s=_BACKOFF_MAX_S, random=random),
            tell=tell,
            wishing=wishing,
        )
        watch.run(stop, until_quiet_s=until_quiet_s)
        whole, lines = summary(books, watch, wishing)
    print("\n".join(lines), file=sys.stderr if json else sys.stdout)
    return ExitCode.OK if whole else ExitCode.BROKEN


def summary(store: Store, watch: Watch, wishing: Wishing | None) -> tuple[bool, list[str]]:
    """Whether everything is here and unbroken; the same in words, one line a journal and one for the run."""
    whole, lines = True, []
    for book in store.books:
        counts, missing = store.counts(book), book.numbers.missing
        status = book.status.value if book.current and book.status else "earlier journal"
        told = [f"{counts.stored} events, up to {book.numbers.top}"]
        if missing:
            spans = ", ".join(str(span) for span in missing[:_SPANS_SHOWN])
            more = f" and {len(missing) - _SPANS_SHOWN} more holes" if len(missing) > _SPANS_SHOWN else ""
            told.append(f"MISSING {spans}{more}")
        if counts.gone:
            told.append(f"{counts.gone} gone for good")
        if counts.refused:
            told.append(f"{counts.refused} refused by the broker")
        if counts.broken:
            told.append(f"BROKEN in {counts.broken} places")
        whole = whole and len(told) == 1
        lines.append(f"{short(book.gate)}  journal {book.journal} ({status}): {'; '.join(told)}")
    tally = watch.tally
    run = [f"{tally.messages} messages", f"{tally.events} events", f"{tally.new} of them new"]
    if tally.unreadable:
        run.append(f"{tally.unreadable} messages unreadable")
    if wishing is not None:
        run.append(f"{wishing.cursors} cursors said, {wishing.replays} replays asked for")
    return whole, [*lines, "this run: " + ", ".join(run)]
