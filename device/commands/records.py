"""The gate's own journal as `trace` and `report` read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.service.trace.records import of_journal

if TYPE_CHECKING:
    from contextlib import ExitStack

    from device.config.model import Settings
    from device.service.trace.records import Records


def of_own_journal(settings: Settings, parts: ExitStack) -> Records:
    """Of a configured gate. A gate without an uplink has nothing outstanding.

    Args:
        settings: of the gate.
        parts: closes the file.

    Raises:
        JournalError: there is no journal, or it cannot be read.
    """
    gate = settings.gate
    name = f"{gate.tenant}/{gate.site}/{gate.name}"
    return of_journal(settings.journal.path, gate=name, parts=parts, collected=settings.uplink.enabled)
