"""What keeping an identity costs: time for each scan, room in the journal and on the wire.

Run: python bench/privacy.py
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from statistics import median, quantiles
from typing import TYPE_CHECKING

from device.credential.pseudonym import Pseudonyms
from device.journal.record import as_data, canonical
from device.model import ClockReading, Direction, KeptField, Outcome, ScanEvent
from device.policy.judge import Judge, never
from device.policy.lists import Lists
from device.policy.rules import Rules
from device.privacy.keeping import IdentityKeeper
from device.privacy.sealing import OpeningKey, SealingKey
from device.runtime import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 3000
CARD = "079088000111|191234567|Trần Văn Bình|29021988|Nam|Thôn 1, Xã Giả Định, Tỉnh Mẫu|30042022||||".encode()
CLOCK = ClockReading("2026-03-02T08:00:00.000Z", True, "00000000-0000-4000-8000-000000000001", 123_456_789)
FIELDS = (KeptField.IDENTIFIER, KeptField.NAME)


def timed(step: Callable[[], object]) -> tuple[float, float]:
    """Median and 99th percentile, microseconds."""
    took = []
    for _ in range(RUNS):
        began = time.perf_counter_ns()
        step()
        took.append((time.perf_counter_ns() - began) / 1000)
    return median(took), quantiles(took, n=100)[98]


def main() -> None:
    """Measures and prints a table and a line of JSON."""
    district = OpeningKey(OpeningKey.generate())
    judge = Judge(
        rules=Rules(accept=frozenset({"vn.cccd"})),
        lists=Lists(),
        pseudonyms=Pseudonyms(b"k" * 32, previous=b"o" * 32),
        poster_hosts=frozenset(),
        clock=SystemClock(),
    )
    answer = judge.judge(CARD, never)
    plain = ScanEvent(
        Direction.IN, Outcome.GRANTED, answer.verdict.reason, answer.ref, CLOCK, "0" * 16, "zxing", 123
    )
    keepers = {
        "nothing": IdentityKeeper(source="gate/v1/t/s/g", fields=FIELDS),
        "clear": IdentityKeeper(source="gate/v1/t/s/g", clear=True, fields=FIELDS),
        "sealed": IdentityKeeper(source="gate/v1/t/s/g", seal=SealingKey(district.public_pem), fields=FIELDS),
    }
    print(f"{'':24} {'p50 us':>9} {'p99 us':>9} {'event bytes':>12}")
    figures: dict[str, object] = {}
    p50, p99 = timed(lambda: judge.judge(CARD, never))
    print(f"{'decision, in an overlap':24} {p50:9.1f} {p99:9.1f}")
    figures["decision"] = {"p50_us": round(p50, 1), "p99_us": round(p99, 1)}
    for name, keeper in keepers.items():

        def keep(keeper: IdentityKeeper = keeper) -> object:
            return keeper.keep(answer.credential, answer.ref, answer.verdict, CLOCK)

        p50, p99 = timed(keep)
        ref = keeper.keep(answer.credential, answer.ref, answer.verdict, CLOCK)
        size = len(canonical(as_data(replace(plain, credential=ref)), seq=12_345, prev="0" * 64))
        print(f"{name:24} {p50:9.1f} {p99:9.1f} {size:12}")
        figures[name] = {"p50_us": round(p50, 1), "p99_us": round(p99, 1), "event_bytes": size}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
