"""Calls into a library that may never return, kept away from the thread that must go on.

A camera driver can block for ever, and not even a signal ends that. The call is made in a thread of its
own, which does not keep the process alive; the caller waits as long as it can afford. These threads are
no workers: they hold nothing, and one that hangs is abandoned and named in the log.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def aside(name: str, work: Callable[[], T]) -> Future[T]:
    """Starts `work` in a daemon thread called `name`. Does not wait.

    Returns:
        What becomes of it: its result or whatever it raised.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is handed to whoever asks for the result
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def finished(future: Future[Any], timeout_s: float) -> bool:
    """Whether the call came back, well or not. Blocks up to `timeout_s`."""
    return bool(wait([future], timeout_s).done)
