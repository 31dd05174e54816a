"""Home folders: one per user id, 0700, owned by the user's number, kept for good. Counterpart: `agents.desktop`.

The agent makes the folder and looks at it from outside only: what is inside belongs to the user and may be a trap
(links, devices), so it is never opened as root. First contents are written by the session itself, as the user.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from common.ids import UserId


class HomeConflict(Exception):
    """The folder exists and is not this user's."""


def prepare(homes: Path, user: UserId, uid: int) -> Path:
    """Give the user's home folder, made when missing. Raises HomeConflict rather than take another's."""
    home = homes / user
    with contextlib.suppress(FileExistsError):
        home.mkdir(mode=0o700)
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        facts = os.fstat(folder)
        if facts.st_uid == 0 and not os.listdir(folder):
            os.fchown(folder, uid, uid)
        elif facts.st_uid != uid:
            raise HomeConflict(f"home of {user} belongs to number {facts.st_uid}")
        if stat.S_IMODE(facts.st_mode) != 0o700:
            os.fchmod(folder, 0o700)
    finally:
        os.close(folder)
    return home
