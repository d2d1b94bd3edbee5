"""A report for people, in Vietnamese or English; for a spreadsheet; for programs."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from device.logs import printable
from device.runtime import rfc3339
from device.service.news import short
from device.service.trace.stretches import Doing
from device.service.trace.words import DOING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import timedelta, tzinfo

    from device.service.report.figures import Figures

Language: TypeAlias = Literal["vi", "en"]

_BAR: Final = 30
"""Columns of the longest bar."""


@dataclass(frozen=True, slots=True)
class _Words:
    """One language."""

    of_time: str
    scans: str
    persons: str
    none: str
    unread: str
    passed: str
    without_grant: str
    scanned: str
    latency: str
    hours: str
    there: str
    missing: str
    outstanding: str
    undated: str
    outcomes: Mapping[str, str]
    doing: Mapping[Doing, str]


_ENGLISH: Final = _Words(
    of_time="{begin} to {end}",
    scans="codes answered",
    persons="of {count} persons known by a pseudonym",
    none="no code was shown",
    unread="codes seen and not read",
    passed="persons went through",
    without_grant="of them without having been let through",
    scanned="of those who passed had been let through",
    latency="from picture to answer: {median} ms, {late} ms for the slowest twentieth",
    hours="by the hour",
    there="what the gate was doing",
    missing="events are known to be and are not here: the counts above are too low",
    outstanding="scans the district does not have for certain yet",
    undated="scans whose time is not certain: the clock was not set",
    outcomes={"granted": "granted", "denied": "denied", "attention": "asked for another code"},
    doing=DOING,
)
_VIETNAMESE: Final = _Words(
    of_time="từ {begin} đến {end}",
    scans="lượt mã được trả lời",
    persons="của {count} người (theo mã giả danh)",
    none="không có mã nào được đưa ra",
    unread="mã nhìn thấy nhưng không đọc được",
    passed="người đi qua",
    without_grant="trong đó chưa được cho qua",
    scanned="số người đi qua đã được cho qua",
    latency="từ lúc chụp đến lúc trả lời: {median} ms; 1/20 chậm nhất: {late} ms",
    hours="theo giờ",
    there="cổng đã làm gì",
    missing="sự kiện có mà chưa về đến đây: các số trên còn thiếu",
    outstanding="lượt mà quận chưa chắc đã nhận",
    undated="lượt chưa chắc giờ: đồng hồ chưa được chỉnh",
    outcomes={"granted": "cho qua", "denied": "từ chối", "attention": "mời đưa mã khác"},
    doing={
        Doing.SCANNING: "đang quét",
        Doing.WAVERING: "chập chờn",
        Doing.BLIND: "không thấy hình",
        Doing.UNRECORDED: "không ghi được",
        Doing.DOWN: "ngừng",
        Doing.UNTOLD: "chưa báo",
        Doing.UNDELIVERED: "chưa gửi về",
    },
)
_LANGUAGES: Final[Mapping[Language, _Words]] = {"en": _ENGLISH, "vi": _VIETNAMESE}


def as_text(found: Figures, zone: tzinfo | None, language: Language) -> str:
    """For a person. Times in this zone; None for the machine's own."""
    words = _LANGUAGES[language]
    begin, end = found.begin.astimezone(zone), found.end.astimezone(zone)
    span = words.of_time.format(begin=f"{begin:%Y-%m-%d %H:%M}", end=f"{end:%Y-%m-%d %H:%M}")
    lines = [f"{short(found.gate)}, {span}", ""]
    lines += _scans(found, words)
    lines += _passages(found, words)
    lines += _hours(found, words)
    lines += ["", f"  {words.there}:"]
    lines += [f"  {_lasted(time):>8}  {words.doing[doing]}" for doing, time in found.doing.items()]
    troubles = (
        (found.missing, words.missing),
        (found.outstanding, words.outstanding),
        (found.undated, words.undated),
    )
    told = [f"  {count:>8}  {text}" for count, text in troubles if count]
    return "\n".join([*lines, *(["", *told] if told else [])])


def as_csv(all_found: Iterable[Figures]) -> str:
    """One line a gate, with a head: for a spreadsheet."""
    text = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for found in all_found:
        row = _flat(found)
        if writer is None:
            writer = csv.DictWriter(text, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return text.getvalue()


def as_json(found: Figures) -> dict[str, Any]:
    """One object."""
    return {
        **_flat(found),
        "reasons": dict(found.reasons),
        "kinds": dict(found.kinds),
        "causes": dict(found.unread),
        "hours": {hour.isoformat(): count for hour, count in found.hours.items()},
    }


def _scans(found: Figures, words: _Words) -> Iterator[str]:
    if not found.scans:
        yield f"  {0:>8}  {words.none}"
    else:
        yield f"  {found.scans:>8}  {words.scans}, {words.persons.format(count=found.persons)}"
    for outcome, text in words.outcomes.items():
        if count := found.outcomes.get(outcome, 0):
            yield f"  {count:>8}    {text}"
    for reason, count in _most(found.reasons):
        if reason != "ok":
            yield f"  {count:>8}      {printable(reason)}"
    for kind, count in _most(found.kinds):
        yield f"  {count:>8}    {printable(kind)}"
    if total := sum(found.unread.values()):
        causes = ", ".join(f"{printable(cause)} {count}" for cause, count in _most(found.unread))
        yield f"  {total:>8}  {words.unread}: {causes}"
    if found.latency_ms is not None:
        median, late = found.latency_ms
        yield f"  {'':>8}  {words.latency.format(median=median, late=late)}"


def _passages(found: Figures, words: _Words) -> Iterator[str]:
    if found.passed is None:
        return
    yield ""
    yield f"  {found.passed.persons:>8}  {words.passed}"
    yield f"  {found.passed.without_grant:>8}    {words.without_grant}"
    if (share := found.passed.scanned_percent) is not None:
        yield f"  {share:>6} %  {words.scanned}"


def _hours(found: Figures, words: _Words) -> Iterator[str]:
    if not found.hours:
        return
    yield ""
    yield f"  {words.hours}:"
    most = max(found.hours.values())
    for hour, count in found.hours.items():
        bar = "#" * max(round(_BAR * count / most), 1)
        yield f"     {hour:%H:%M}  {bar} {count}"


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _lasted(time: timedelta) -> str:
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _flat(found: Figures) -> dict[str, str | int]:
    passed = found.passed
    share = passed.scanned_percent if passed else None
    return {
        "gate": found.gate,
        "begin": rfc3339(found.begin),
        "end": rfc3339(found.end),
        "scans": found.scans,
        "persons": found.persons,
        **{word: found.outcomes.get(word, 0) for word in ("granted", "denied", "attention")},
        "unread": sum(found.unread.values()),
        "passed": passed.persons if passed else "",
        "without_grant": passed.without_grant if passed else "",
        "scanned_percent": "" if share is None else share,
        **{
            f"{doing}_s": round(found.doing[doing].total_seconds()) if doing in found.doing else 0
            for doing in Doing
        },
        "missing": found.missing,
        "outstanding": found.outstanding,
        "undated": found.undated,
    }
