"""A trace in words: for a person who has to tell another what happened; and as one JSON object."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from device.logs import printable
from device.model import EventType
from device.runtime import rfc3339
from device.service.news import short
from device.service.trace.answer import Answer
from device.service.trace.dating import LONG_AGO
from device.service.trace.history import subject_of
from device.service.trace.stretches import Doing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from device.service.trace.answer import Trace
    from device.service.trace.dating import When
    from device.service.trace.history import Dated
    from device.service.trace.stretches import Stretch

# Of many events that say the same, the first and the last are named.
_IDS_NAMED: Final = 2
# Nameless codes beside the person's time; a crowd of them is a count.
_NAMELESS_NAMED: Final = 10
_DAY: Final = timedelta(days=1)

_HEADS: Final = {
    Answer.GRANTED: "GRANTED",
    Answer.REFUSED: "REFUSED",
    Answer.NOT_PRESENTED: "NOT PRESENTED",
    Answer.UNREADABLE: "UNREADABLE",
    Answer.DOWN: "DOWN",
    Answer.UNDELIVERED: "NOT DELIVERED YET",
    Answer.UNTOLD: "NOT TOLD YET",
    Answer.SCANNING: "SCANNING",
}

_TOLD: Final = {
    Answer.GRANTED: "This person's code was shown, and the gate let them in.",
    Answer.REFUSED: "This person's code was shown, and the gate refused it.",
    Answer.NOT_PRESENTED: "The gate was scanning, and nobody showed this person's code.",
    Answer.UNREADABLE: "A code was held up and could not be read; whose it was, nobody can say.",
    Answer.DOWN: "The gate could not have taken the code then, whoever showed it.",
    Answer.UNDELIVERED: "It may be recorded at the gate; what is here is not complete.",
    Answer.UNTOLD: "The gate itself has nothing on that time, at least not yet.",
    Answer.SCANNING: "The gate was scanning.",
}

DOING: Final = {
    Doing.SCANNING: "scanning",
    Doing.WAVERING: "on and off",
    Doing.BLIND: "blind",
    Doing.UNRECORDED: "not recording",
    Doing.DOWN: "down",
    Doing.UNTOLD: "not told",
    Doing.UNDELIVERED: "not delivered yet",
}

_CAUSES: Final = {
    "cut_off": "it was only partly in the picture",
    "dark": "it was too dark",
    "too_small": "it was too far away",
    "glare": "there was glare on it",
    "blurred": "it was blurred",
    "damaged": "it was dirty, scratched or bent",
}


def as_text(trace: Trace, zone: tzinfo | None) -> str:
    """The answer first, then what it rests on. Times in this zone; None for the machine's own."""
    clock = _Clock(trace, zone)
    asked = f"{clock.time(trace.begin)} to {clock.time(trace.end)} ({clock.zone})"
    lines = [
        f"{short(trace.gate)}, {clock.day}, {asked}",
        "",
        f"{_HEADS[trace.answer]}{'' if trace.sure else ' (not certain)'}",
        f"  {_headline(trace)}",
        *(f"  {line}" for line in _doubts(trace, clock)),
        "",
        "What the gate was doing:",
        *(f"  {_stretch(stretch, trace, clock)}" for stretch in trace.history.stretches),
        *(f"  {_hole(trace, clock)}" for _ in trace.history.holes[:1]),
        *_nameless(trace, clock),
        *_person(trace, clock),
    ]
    return "\n".join(printable(line) for line in lines)


def as_json(trace: Trace) -> dict[str, object]:
    """The object `--json` prints. Times are UTC."""
    return {
        "gate": trace.gate,
        "at": rfc3339(trace.at),
        "begin": rfc3339(trace.begin),
        "end": rfc3339(trace.end),
        "answer": trace.answer.value,
        "why": trace.why,
        "sure": trace.sure,
        "doing": [doing.value for doing in trace.doing],
        "found": _event(trace.found),
        "stretches": [
            {
                "doing": stretch.doing.value,
                "since": _moment(stretch.since),
                "until": _moment(stretch.until),
                "why": stretch.why,
                "presented": stretch.presented,
                "unread": stretch.unread,
                "events": list(stretch.ids),
            }
            for stretch in trace.history.stretches
        ],
        "holes": [
            {
                "first": hole.absent.span.first,
                "last": hole.absent.span.last,
                "why": hole.absent.why,
                "since": rfc3339(hole.since),
                "until": rfc3339(hole.until),
            }
            for hole in trace.history.holes
        ],
        "nameless": [_event(dated) for dated in _without_name(trace)],
        "before": _event(trace.before),
        "after": _event(trace.after),
    }


class _Clock:
    """Times as people of one place write them."""

    def __init__(self, trace: Trace, zone: tzinfo | None) -> None:
        self._zone = zone
        self._day = trace.at.astimezone(zone).date()
        here = trace.at.astimezone(zone)
        self.day = here.strftime("%a %d %b %Y")
        self.zone = here.strftime("%z")[:3] + ":" + here.strftime("%z")[3:]

    def time(self, moment: datetime) -> str:
        """`10:32:14`, on another day with the date."""
        if moment <= LONG_AGO + _DAY:
            return "ever"
        here = moment.astimezone(self._zone)
        return here.strftime("%H:%M:%S" if here.date() == self._day else "%d %b %Y %H:%M:%S")

    def when(self, when: When) -> str:
        """The same for a moment that is perhaps not known."""
        if when.sure:
            return self.time(when.earliest)
        return f"{self.time(when.earliest)}~{self.time(when.latest)}"


def _headline(trace: Trace) -> str:
    if trace.answer is Answer.UNDELIVERED and trace.found is not None:
        return f"The code was shown and {_outcome(trace.found)}; the district may not have it: {trace.why}."
    if trace.answer is Answer.UNREADABLE and trace.why in _CAUSES:
        return f"{_TOLD[trace.answer][:-1]}: {_CAUSES[trace.why]}."
    if trace.answer is Answer.NOT_PRESENTED and trace.sure:
        return "The gate was scanning all this time, and nobody showed this person's code."
    told = _TOLD[trace.answer]
    if trace.answer is Answer.DOWN and Doing.WAVERING in trace.doing:
        told = "The gate was there by moments only, and may well have missed the code."
    return f"{told[:-1]}: {trace.why}." if trace.why else told


def _doubts(trace: Trace, clock: _Clock) -> Iterator[str]:
    if trace.found is not None:
        yield _sighting(trace.found, clock)
        if not trace.found.when.sure:
            yield "A~B: the gate's clock was not set then; it was not before A, and not after B."
    elif trace.answer is Answer.NOT_PRESENTED and not trace.sure:
        yield "It cannot be certain for all of the time; see below."


def _stretch(stretch: Stretch, trace: Trace, clock: _Clock) -> str:
    since = "" if stretch.since.latest < trace.begin else clock.when(stretch.since)
    until = "" if stretch.until.earliest > trace.end else clock.when(stretch.until)
    told = [DOING[stretch.doing]]
    if stretch.why:
        told.append(stretch.why)
    if stretch.presented:
        told.append(f"{_count(stretch.presented, 'code')} answered")
    if stretch.unread:
        told.append(f"{stretch.unread} seen and not read")
    named = stretch.ids if len(stretch.ids) <= _IDS_NAMED else (stretch.ids[0], "...", stretch.ids[-1])
    return f"{since or '...':>8} - {until or '...':<8}  {'; '.join(told)}  [{' '.join(named)}]".replace(
        "  []", ""
    )


def _hole(trace: Trace, clock: _Clock) -> str:
    holes = trace.history.holes
    count = sum(hole.absent.span.last - hole.absent.span.first + 1 for hole in holes)
    since, until = min(hole.since for hole in holes), max(hole.until for hole in holes)
    spans = ", ".join(str(hole.absent.span) for hole in holes[:_IDS_NAMED])
    more = " ..." if len(holes) > _IDS_NAMED else ""
    told = f"{_count(count, 'event')} not here ({spans}{more}): {holes[0].absent.why}"
    return f"{clock.time(since):>8} - {clock.time(until):<8}  {told}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _without_name(trace: Trace) -> list[Dated]:
    """What was shown and could have been anybody's."""
    return [dated for dated in trace.history.shown if not subject_of(dated.entry)]


def _nameless(trace: Trace, clock: _Clock) -> Iterator[str]:
    found = _without_name(trace)
    if not found or trace.found is not None:
        return
    yield ""
    yield "Shown in that time without a name; it could have been anybody:"
    for dated in found[:_NAMELESS_NAMED]:
        yield f"  {_sighting(dated, clock)}"
    if len(found) > _NAMELESS_NAMED:
        yield f"  ... and {len(found) - _NAMELESS_NAMED} more"


def _person(trace: Trace, clock: _Clock) -> Iterator[str]:
    if trace.before is None and trace.after is None:
        return
    yield ""
    yield "The same person at this gate:"
    for label, dated in (("before", trace.before), ("after", trace.after)):
        if dated is not None:
            yield f"  {label:<7}{_sighting(dated, clock)}"


def _sighting(dated: Dated, clock: _Clock) -> str:
    return f"{clock.when(dated.when)}  {_outcome(dated)}  [{dated.entry.event.id}]"


def _outcome(dated: Dated) -> str:
    data = dated.entry.data
    if dated.entry.event.type == EventType.UNREAD:
        return f"seen, not read: {_CAUSES.get(str(data.get('cause')), 'for a reason not known here')}"
    credential = data.get("credential")
    kind = credential.get("kind") if isinstance(credential, dict) else ""
    return f"{data.get('outcome')} ({data.get('reason')}), {kind}"


def _event(dated: Dated | None) -> dict[str, object] | None:
    if dated is None:
        return None
    data = dated.entry.data
    credential = data.get("credential")
    return {
        "id": dated.entry.event.id,
        "type": dated.entry.event.type,
        "when": _moment(dated.when),
        "outcome": data.get("outcome"),
        "reason": data.get("reason", data.get("cause")),
        "kind": credential.get("kind") if isinstance(credential, dict) else None,
        "outstanding": dated.outstanding,
    }


def _moment(when: When) -> dict[str, str]:
    return {"earliest": rfc3339(when.earliest), "latest": rfc3339(when.latest)}
