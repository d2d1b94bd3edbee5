"""Settings that are fine each by itself and cannot be meant together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Final

from device.config.model import Camera, Gate, Hours, Policy, Privacy, Uplink
from device.config.nodes import path_of
from device.config.scalars import Wire, written
from device.config.shape import leaves
from device.model import Direction
from device.policy.rules import PassbackMode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from device.config.model import Section
    from device.config.nodes import Document, Loc
    from device.config.shape import Leaf
    from device.errors import Problem

_MIDNIGHT: Final = time(0)
"""From here to here is the whole day, and no mistake."""

_SMALL_PICTURE: Final = ("camera", "picamera2", "lores_width")


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration as far as it can be used.

    Attributes:
        document: it was read from.
        sections: by place, without what is wrong in them; sections in lists each by its own.
        meant: settings that are written under a wrong name.
        doubtful: settings with something wrong: they have their defaults in `sections`.
    """

    document: Document
    sections: Mapping[Loc, Section]
    meant: frozenset[Loc] = frozenset()
    doubtful: frozenset[Loc] = frozenset()

    def leaves(self) -> Iterator[Leaf]:
        """Every usable value."""
        for loc, section in self.sections.items():
            yield from leaves(section, loc)

    def lacks(self, loc: Loc) -> bool:
        """Whether nothing is written for a setting, not even something wrong."""
        around = {loc[:depth] for depth in range(1, len(loc) + 1)}
        return loc not in self.document.spots and self.meant.isdisjoint(around)

    def is_sure(self, *locs: Loc) -> bool:
        """Whether these values are what was meant."""
        return self.doubtful.isdisjoint(locs)


def contradictions(draft: Draft) -> Iterator[Problem]:
    """What contradicts what."""
    yield from _shared_pins(draft)
    yield from _repeated(draft)
    for loc, section in draft.sections.items():
        match section:
            case Camera():
                yield from _camera(section, draft)
            case Hours():
                yield from _hours(section, loc, draft)
            case Policy():
                yield from _policy(section, draft)
            case Privacy():
                yield from _privacy(section, draft)
            case Uplink():
                yield from _uplink(section, draft)
            case _:
                pass


def _shared_pins(draft: Draft) -> Iterator[Problem]:
    place = draft.document.of_value
    owners: dict[object, Loc] = {}
    wires = (leaf for leaf in draft.leaves() if leaf.shape.mark(Wire))
    for leaf in sorted(wires, key=lambda leaf: place(leaf.loc)):
        owner = owners.setdefault(leaf.value, leaf.loc)
        if owner is not leaf.loc:
            message = f"pin {leaf.value} is already used by {path_of(owner[:-1])} (line {place(owner).line})"
            yield draft.document.problem(leaf.loc, message, "each line needs a pin of its own")


def _repeated(draft: Draft) -> Iterator[Problem]:
    for leaf in draft.leaves():
        entries = leaf.value if isinstance(leaf.value, tuple) else ()
        for number, entry in enumerate(entries):
            if entry in entries[:number]:
                message = f"{entry} stands in this list already"
                yield draft.document.problem((*leaf.loc, number), message, "delete one of the two")


def _camera(camera: Camera, draft: Draft) -> Iterator[Problem]:
    path = ("camera", "replay", "path")
    if camera.source == "replay" and camera.replay.path is None and draft.lacks(path):
        place = draft.document.of_value(("camera", "source"))
        hint = "add replay: {path: FOLDER} below camera:"
        yield draft.document.problem(path, "there is nothing to replay", hint, at=place)
    if camera.picamera2.lores_width > camera.width and draft.is_sure(_SMALL_PICTURE, ("camera", "width")):
        message = f"the small picture is wider than the picture itself, {camera.width} pixels"
        yield draft.document.problem(_SMALL_PICTURE, message, "320 is usual")


def _hours(hours: Hours, loc: Loc, draft: Draft) -> Iterator[Problem]:
    first, last = hours.effective_from, hours.effective_until
    if first is not None and last is not None and last < first:
        message = f"effective_until is before effective_from, {first}"
        yield draft.document.problem((*loc, "effective_until"), message, "is it the other way round?")
    if hours.opens == hours.closes != _MIDNIGHT:
        message = f"from and to are both {written(hours.opens)}: is it open or not?"
        hint = "for the whole day write from: 00:00 and to: 24:00"
        yield draft.document.problem((*loc, "to"), message, hint)


def _policy(policy: Policy, draft: Draft) -> Iterator[Problem]:
    yield from _one_list_twice(policy, draft)
    mode, direction = ("policy", "passback", "mode"), ("gate", "direction")
    gate = draft.sections.get(("gate",))
    both = isinstance(gate, Gate) and gate.direction is Direction.BOTH
    if policy.passback.mode is not PassbackMode.OFF and both and draft.is_sure(mode, direction):
        message = "at a gate for both directions nobody passes the same way twice"
        yield draft.document.problem(mode, message, "write direction: in or out below gate:")


def _one_list_twice(policy: Policy, draft: Draft) -> Iterator[Problem]:
    owners: dict[Path, str] = {}
    for name, path in (
        ("deny_list", policy.deny_list),
        ("allow_list", policy.allow_list),
        ("roster", policy.roster),
    ):
        owner = owners.setdefault(path, name) if path is not None else name
        if owner != name:
            line = draft.document.of_value(("policy", owner)).line
            outcome = ": nobody could pass" if owner == "deny_list" else ""
            message = f"this file is {owner} too (line {line}){outcome}"
            yield draft.document.problem(("policy", name), message, "each list needs a file of its own")


def _privacy(privacy: Privacy, draft: Draft) -> Iterator[Problem]:
    previous, until = "previous_pseudonym_key_file", "previous_pseudonym_until"
    yield from _alone(("privacy",), previous, until, privacy, draft)
    yield from _alone(("privacy",), until, previous, privacy, draft)
    if privacy.pseudonym_key_file is not None and privacy.pseudonym_key_file == getattr(privacy, previous):
        message = "this is the key in force, not the one before it"
        yield draft.document.problem(("privacy", previous), message, "each key has a file of its own")
    yield from _identities(privacy, draft)


def _identities(privacy: Privacy, draft: Draft) -> Iterator[Problem]:
    """What is kept of who somebody is, and how, belong together."""
    seal, clear = ("privacy", "seal_to"), ("privacy", "keep_clear")
    kept = {("privacy", "keep"): privacy.keep, ("privacy", "keep_of_passes"): privacy.keep_of_passes}
    if privacy.keep_clear and not draft.lacks(seal):
        line = draft.document.of_value(seal).line
        message = f"identities cannot be sealed (line {line}) and readable at the same time"
        yield draft.document.problem(clear, message, "to seal them, delete keep_clear")
        return
    if not draft.is_sure(seal, clear, *kept):
        return
    if privacy.seal_to is not None and not (privacy.kept or privacy.keep_of_passes):
        message = "there is nothing to seal: keep and keep_of_passes are empty"
        yield draft.document.problem(seal, message, "name what is to be kept, or delete seal_to")
    for loc, fields in kept.items():
        if fields and not draft.lacks(loc) and draft.lacks(seal) and not privacy.keep_clear:
            message = "nothing is kept without a key to seal to"
            hint = "add seal_to; keep_clear: true keeps it readable, for thieves of the box as well"
            yield draft.document.problem(loc, message, hint)


def _uplink(uplink: Uplink, draft: Draft) -> Iterator[Problem]:
    host, shortest, longest = (("uplink", name) for name in ("host", "backoff_min_s", "backoff_max_s"))
    if uplink.enabled and uplink.host is None and draft.lacks(host) and draft.is_sure(("uplink", "enabled")):
        place = draft.document.of_key(host)
        hint = "write host: and its name below uplink:, or enabled: false"
        yield draft.document.problem(host, "the broker is missing", hint, at=place)
    if uplink.backoff_min_s > uplink.backoff_max_s and draft.is_sure(shortest, longest):
        low, high = written(uplink.backoff_min_s), written(uplink.backoff_max_s)
        loc = longest if draft.lacks(shortest) else shortest
        message = f"backoff_min_s is {low} and backoff_max_s is {high}"
        yield draft.document.problem(loc, message, "is it the other way round?")
    yield from _alone(("uplink",), "password_file", "username", uplink, draft)
    if uplink.tls is not None:
        yield from _alone(("uplink", "tls"), "cert_file", "key_file", uplink.tls, draft)
        yield from _alone(("uplink", "tls"), "key_file", "cert_file", uplink.tls, draft)


def _alone(loc: Loc, one: str, other: str, section: Section, draft: Draft) -> Iterator[Problem]:
    """A setting that is of no use without another one."""
    if getattr(section, one) is not None and getattr(section, other) is None and draft.lacks((*loc, other)):
        yield draft.document.problem((*loc, one), f"{one} is of no use without {other}", f"add {other}")
