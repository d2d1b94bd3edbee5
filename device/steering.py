"""What the camera is asked for when a code is seen and not read: another focus, another exposure. Pure.

A code that stays unread for a moment is given a round: one setting after the other, each held for a few
frames, then back to what is configured. A setting that reads is kept for as long as it reads: a code that
is still held up must not blur away and come back as another showing. Rounds are short and there are pauses
between them, because the next person deserves the configured settings; what stays where it is, like a
poster, is tried less and less often.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from device.model import Cause, Controls
from device.scenery import centre_of, side_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    import numpy.typing as npt

    from device.model import Frame, Unread

FOCUS_STEPS_DIOPTRES = (-1.0, 1.5, 3.0)
"""Beside the configured focus. From 5 dioptres: 25, 15 and 12.5 cm; an ID card is read 0.7 either side of
each (derived for Camera Module 3), so that from 11 to 30 cm no gap is left."""

SHORTER = (4, 16)
"""Two and four stops less for a screen or a reflection: the first dims most phones, the second the rest."""

EXPOSURE_US = 5_000
"""1/200 s: what a moving hand allows; taken for configured where the camera chooses by itself."""

DARK_EXPOSURES_US = (EXPOSURE_US, 2 * EXPOSURE_US)
"""Against darkness. The second smears a moving hand, and is for when nothing else reads."""

SETTLE_FRAMES = 6
"""Until a change shows: three buffers are queued before it, and sensors are two to three frames late."""

UNCHANGED_FRAMES = 2
"""No change shows sooner: a frame taken before that is of the setting before."""

HELD_LOOKS = 3
"""Looks at each setting: the first can fall on a movement, and the decoder adds up several."""

HELD_LOOKS_WHEN_BETTER = 10
"""Looks at a setting that took away the cause: the decoder's whole ladder has its turn."""

LONGEST_TRY_S = 1.5
"""A slow decoder's looks are cut short: a round ends within a few seconds on any machine."""

BEGIN_AFTER_S = 0.3
"""Seen and unread for so long: it is not going to be read without help."""

STAYS_S = 1.0
"""A setting that reads is kept for so long after the last reading: the code shakes, or the next is alike."""

SIGHTS_AT_LEAST = 3
"""A texture that looks like a code once is none."""

PAUSE_S = 1.0
"""Between two rounds, at the configured settings."""

LONGEST_PAUSE_S = 600.0
"""Between rounds for what never moves; the pauses double up to here."""

STILL_SHARE = 1 / 8
"""Of its side: what moved less between two rounds is a poster, or a hand that this does not help."""

LOOK_EVERY_S = 0.2
"""How often places are searched for that no engine takes for a code: a search costs a few quick looks."""

REMEMBERED_S = 600.0
"""People of one queue hold similar cards: what read one of them is tried first for the next."""

FORGOTTEN_AFTER_S = 2.0
"""A place not seen for two of the slowest looks is another when it comes back; an old one, later."""

MAX_PLACES = 16
"""Followed at once; the one not seen for longest makes room."""

_CONFIGURED = Controls()


class _Place:
    """Where something unread has been seen, at the configured settings."""

    def __init__(self, sight: Unread, now: float) -> None:
        self.centre, self.side_px = centre_of(sight.corners), side_of(sight.corners)
        self.first_at = self.seen_at = now
        self.tried_from = (math.inf, math.inf)
        self.tried_at = -math.inf
        self.pause_s = PAUSE_S
        self.count_anew(now)

    def count_anew(self, now: float) -> None:
        self.since = now
        self.causes: Counter[Cause] = Counter()

    def take(self, sight: Unread, now: float) -> None:
        if now - self.seen_at > FORGOTTEN_AFTER_S:
            self.count_anew(now)
        self.centre, self.side_px = centre_of(sight.corners), side_of(sight.corners)
        self.seen_at = now
        self.causes[sight.cause] += 1

    def is_of(self, sight: Unread) -> bool:
        reach = max(self.side_px, side_of(sight.corners))
        return math.dist(self.centre, centre_of(sight.corners)) < reach

    def over(self, now: float) -> bool:
        """A wall that people stand in front of is remembered for as long as it has been there."""
        return now - self.seen_at > max(FORGOTTEN_AFTER_S, self.seen_at - self.first_at)

    def due(self, now: float) -> bool:
        ready = now - self.since >= BEGIN_AFTER_S and self.causes.total() >= SIGHTS_AT_LEAST
        return ready and now - self.tried_at >= (self.pause_s if self.still else PAUSE_S)

    @property
    def still(self) -> bool:
        return math.dist(self.centre, self.tried_from) <= self.side_px * STILL_SHARE

    @property
    def cause(self) -> Cause:
        return self.causes.most_common(1)[0][0]

    def begin(self) -> None:
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S) if self.still else PAUSE_S
        self.tried_from = self.centre

    def end(self, now: float) -> None:
        self.tried_at = self.seen_at = now
        self.count_anew(now)


class Steering:
    """Decides what the camera is asked for, one frame after the other. Belongs to one thread; nothing blocks.

    Args:
        focus_dioptres: as configured; None leaves the lens alone.
        exposure_us: as configured; None where the camera chooses by itself.
        frame_s: from frame to frame, seconds.
        suspects: places in a frame that may hold a code too blurred for any engine to see it.
    """

    def __init__(
        self,
        *,
        focus_dioptres: float | None,
        exposure_us: int | None,
        frame_s: float,
        suspects: Callable[[npt.NDArray[np.uint8]], tuple[Unread, ...]],
    ) -> None:
        self._focus_dioptres = focus_dioptres
        self._exposure_us = exposure_us or EXPOSURE_US
        self._settle_s = SETTLE_FRAMES * frame_s
        self._unchanged_s = UNCHANGED_FRAMES * frame_s
        self._suspects = suspects
        self._places: list[_Place] = []
        self._asked = self._before = _CONFIGURED
        self._asked_at = self._searched_at = self._ended_at = self._read_at = -math.inf
        self._round: _Round | None = None
        self._remembered = _CONFIGURED
        self._remembered_at = -math.inf

    def observe(self, frame: Frame, unread: Iterable[Unread], *, read: bool, now: float) -> Controls | None:
        """What to ask the camera for; None to leave it as it is.

        Args:
            frame: that was looked at.
            unread: what was seen in it and not read.
            read: whether a code that somebody shows was read in it.
            now: monotonic seconds, never less than in the call before.
        """
        if read:
            changed = frame.captured_at >= self._asked_at + self._unchanged_s
            return self._keep(self._asked if changed else self._before, now)
        settled = frame.captured_at >= self._asked_at + self._settle_s
        if self._round is not None:
            return self._go_on(self._round, tuple(unread), settled=settled, now=now)
        if self._asked != _CONFIGURED:
            return None if now - self._read_at <= STAYS_S else self._ask(_CONFIGURED, now)
        if settled:
            self._follow(tuple(unread) or self._search(frame, now), now)
            return self._begin(now)
        return None

    def _keep(self, shown: Controls, now: float) -> Controls | None:
        """Something was read, with this setting: the camera stays there, or goes back there."""
        self._read_at = now
        self._round = None
        for place in self._places:
            place.count_anew(now)
        if shown != _CONFIGURED:
            self._remembered, self._remembered_at = shown, now
        if shown == self._asked:
            return None
        self._ask(shown, now)
        self._before = shown  # frames on their way are of this setting as well
        return shown

    def _begin(self, now: float) -> Controls | None:
        """Begins a round for the nearest place that is due, if there is one."""
        if now - self._ended_at < PAUSE_S:
            return None
        for place in sorted(self._places, key=lambda p: -p.side_px):
            if place.seen_at < now or not place.due(now):
                continue
            settings = self._settings(place.cause, now)
            if settings:
                place.begin()
                self._round = _Round(place, place.cause, settings)
                return self._ask(self._round.next(), now)
        return None

    def _go_on(
        self, this: _Round, unread: tuple[Unread, ...], *, settled: bool, now: float
    ) -> Controls | None:
        """Holds the setting, takes the next one, or ends the round."""
        if settled:
            this.take(unread)
        if not this.enough and now - self._asked_at < self._settle_s + LONGEST_TRY_S:
            return None
        if this.left:
            return self._ask(this.next(), now)
        this.place.end(now)
        self._round = None
        self._ended_at = now
        return self._ask(_CONFIGURED, now)

    def _ask(self, controls: Controls, now: float) -> Controls:
        self._before, self._asked, self._asked_at = self._asked, controls, now
        return controls

    def _settings(self, cause: Cause, now: float) -> list[Controls]:
        """What may help against the cause, the likeliest first."""
        settings: list[Controls] = []
        match cause:
            case Cause.BLURRED if self._focus_dioptres is not None:
                usual = self._focus_dioptres
                asked = (max(0.0, usual + step) for step in FOCUS_STEPS_DIOPTRES)
                settings = [Controls(focus_dioptres=focus) for focus in asked if focus != usual]
            case Cause.GLARE:
                settings = [Controls(exposure_us=max(1, self._exposure_us // by)) for by in SHORTER]
            case Cause.DARK:
                longer = (us for us in DARK_EXPOSURES_US if us > self._exposure_us)
                settings = [Controls(exposure_us=us) for us in longer]
            case Cause.BLURRED | Cause.CUT_OFF | Cause.TOO_SMALL | Cause.DAMAGED:
                pass  # the person can help here, the camera cannot
        if now - self._remembered_at <= REMEMBERED_S:
            settings.sort(key=lambda controls: controls != self._remembered)
        return settings

    def _search(self, frame: Frame, now: float) -> tuple[Unread, ...]:
        if now - self._searched_at < LOOK_EVERY_S:
            return ()
        self._searched_at = now
        return self._suspects(frame.luma)

    def _follow(self, unread: tuple[Unread, ...], now: float) -> None:
        self._places = [place for place in self._places if not place.over(now)]
        for sight in unread:
            place = next((p for p in self._places if p.is_of(sight)), None)
            if place is None:
                place = _Place(sight, now)
                self._places.append(place)
            place.take(sight, now)
        self._places.sort(key=lambda p: -p.seen_at)
        del self._places[MAX_PLACES:]


class _Round:
    """Settings tried one after the other for one place."""

    def __init__(self, place: _Place, cause: Cause, settings: list[Controls]) -> None:
        self.place = place
        self.left = settings
        self._cause = cause
        self._looks = 0
        self._better = False

    def next(self) -> Controls:
        self._looks = 0
        self._better = False
        return self.left.pop(0)

    def take(self, unread: tuple[Unread, ...]) -> None:
        """A look at the setting, and what it saw and did not read."""
        self._looks += 1
        self._better |= any(s.cause is not self._cause and self.place.is_of(s) for s in unread)

    @property
    def enough(self) -> bool:
        return self._looks >= (HELD_LOOKS_WHEN_BETTER if self._better else HELD_LOOKS)
