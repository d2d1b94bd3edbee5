"""What root's commands do so that no file of root's is left where the gate must write."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from device.errors import GateError

if TYPE_CHECKING:
    from pathlib import Path


def become_owner(folder: Path) -> None:
    """As root: goes on as the user the gate runs as. What it may not do, this finds out; files stay its own.

    Raises:
        GateError: the owner of the folder has no account any more.
    """
    if os.geteuid() != 0 or not folder.exists() or folder.stat().st_uid == 0:
        return
    try:
        owner = pwd.getpwuid(folder.stat().st_uid)
    except KeyError:
        raise GateError(f"{folder} belongs to a user that does not exist any more") from None
    os.initgroups(owner.pw_name, owner.pw_gid)
    os.setgid(owner.pw_gid)
    os.setuid(owner.pw_uid)
