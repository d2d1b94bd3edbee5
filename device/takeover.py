"""A changed configuration file while the gate works: checked completely, then taken over, or refused.

Who may pass and how much is logged change between two codes, and no frame is lost. Everything else (camera,
pins, journal, broker, key) means other parts: those are not exchanged one by one, the process winds down in
order and begins anew in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from device.config.effective import digest
from device.config.loader import load
from device.config.model import Credentials, Policy, Service
from device.daemon import Change
from device.keyring import card_keys_of, identity_keeper_of, pseudonyms_of
from device.logs import set_level
from device.rulebook import asks_the_past, judge_of, library_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from device.config.model import Settings
    from device.credential.pseudonym import Pseudonyms
    from device.credential.trust import Trust
    from device.lists.library import Library
    from device.policy.judge import Judge, Whereabouts
    from device.policy.lists import Lists
    from device.runtime import Clock


class Ruled(Protocol):
    """The scan loop, as far as its rules go."""

    def rule_by(self, judge: Judge) -> None:
        """Decides by other rules from the next code on; never blocks."""
        ...


class LooksAfter(Protocol):
    """The librarian, as far as a change goes."""

    def look_after(self, library: Library, go_by: Callable[[Lists, Trust], None]) -> None:
        """Looks after other lists from now on; never blocks."""
        ...


class Takeover:
    """Looks at the configuration file again. Used from the main thread.

    Args:
        config: the file.
        settings: in force.
        clock: for the judge.
        pseudonyms: what persons are called now.
        sealed_to: id of the key identities are sealed to now; empty for none.
        presence: who is inside; goes on under other rules.
        suspended: whether a card has suspended the gate; likewise.
        card_keys: names of the keys whose cards count now.
        scan: whose rules change.
        librarian: who looks after their lists.
    """

    def __init__(
        self,
        *,
        config: Path,
        settings: Settings,
        clock: Clock,
        pseudonyms: Pseudonyms,
        sealed_to: str,
        presence: Whereabouts,
        suspended: Callable[[], bool],
        card_keys: frozenset[bytes],
        scan: Ruled,
        librarian: LooksAfter,
    ) -> None:
        self._config = config
        self._settings = settings
        self._clock = clock
        self._pseudonyms = pseudonyms
        self._sealed_to = sealed_to
        self._presence = presence
        self._suspended = suspended
        self._card_keys = card_keys
        self._scan = scan
        self._librarian = librarian

    @property
    def digest(self) -> str:
        """Names the settings in force."""
        return digest(self._settings)

    def look(self) -> Change:
        """What a change of the file, or of the lists and keys it names, comes to. Nothing moves yet.

        Blocks while they are read.

        Raises:
            ConfigError: the file cannot be used; says everything that is wrong.
            GateError: a list or key cannot be used.
        """
        settings = load(self._config)
        pseudonyms = pseudonyms_of(settings)
        library = library_of(settings, self._clock, pseudonyms=pseudonyms)
        judge = judge_of(
            settings,
            self._clock,
            pseudonyms=pseudonyms,
            library=library,
            presence=self._presence,
            suspended=self._suspended,
        )
        keys = pseudonyms, identity_keeper_of(settings).sealed_to, frozenset(card_keys_of(settings))
        before = self._pseudonyms, self._sealed_to, self._card_keys
        if keys != before or needs_other_parts(self._settings, settings):
            return Change(digest(settings), apply=None)

        def apply() -> None:
            self._settings = settings
            self._scan.rule_by(judge)
            self._librarian.look_after(library, judge.go_by)
            set_level(settings.service.log_level)

        return Change(digest(settings), apply)


def needs_other_parts(before: Settings, after: Settings) -> bool:
    """Whether a change asks for more than other rules. Pure."""
    # Who is inside is known from the start on; what was before is read from the journal when a gate starts.
    forgets = before.policy.passback.forget_after_s != after.policy.passback.forget_after_s
    looks_back = asks_the_past(after) and not asks_the_past(before)
    return forgets or looks_back or _parts(before) != _parts(after)


def _parts(settings: Settings) -> Settings:
    """The settings parts are built from: those of the rules and the public notice are made the same."""
    notice = {"controller": "", "contact": "", "purpose": "", "purpose_english": ""}
    gate = settings.gate.model_copy(update={"place": "", "timezone": "UTC"})
    rules = {"credentials": Credentials(), "policy": Policy(), "service": Service()}
    privacy = settings.privacy.model_copy(update=notice)
    return settings.model_copy(update={"gate": gate, "privacy": privacy, **rules})
