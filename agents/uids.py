"""User numbers of desktop users: who has which, for good. Counterpart: `agents.host`, which asks before every start.

One JSON file in the agent's state folder; no account is made on the machine. INVARIANT: a number once given to a user
is never given to another one, not even when the file is lost: the owners of the home folders are a second record, read
at every start.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Final

from agents.messages import FrameError
from agents.protocol import check_id
from common.errors import ConfigError
from common.ids import UserId
from common.log import get_logger

_VERSION: Final = 1
_log = get_logger(__name__)


class UidsUsedUp(Exception):
    """Every number of the range has been given."""


class UidBook:
    """The numbers given so far. One instance per state folder (the agent holds a lock on it)."""

    def __init__(self, path: Path, homes: Path, *, base: int, count: int) -> None:
        """Read the book, and the homes for numbers it has forgotten. ConfigError when the two contradict."""
        self._path = path
        self._base = base
        self._end = base + count
        self._uids: dict[UserId, int] = {}
        self._next = base
        self._read()
        self._adopt(homes)

    def number_of(self, user: UserId) -> int:
        """Give the user's number, a new one the first time (durable before it is returned). Raises UidsUsedUp."""
        known = self._uids.get(user)
        if known is not None:
            return known
        if self._next >= self._end:
            raise UidsUsedUp
        number = self._next
        self._uids[user] = number
        self._next += 1
        self._write()
        _log.info("user number given", user_id=user, uid=number)
        return number

    def _read(self) -> None:
        try:
            book = json.loads(self._path.read_text())
            if book["version"] != _VERSION:
                raise ConfigError(f"{self._path}: written by another version")
            self._uids = {UserId(check_id(user)): int(number) for user, number in book["users"].items()}
            self._next = max(self._base, int(book["next"]), *(n + 1 for n in self._uids.values()))
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError, AttributeError, FrameError) as error:
            raise ConfigError(f"{self._path}: damaged; restore it or remove it (homes tell the numbers)") from error
        if len(set(self._uids.values())) != len(self._uids):
            raise ConfigError(f"{self._path}: gives one number to two users")

    def _adopt(self, homes: Path) -> None:
        """Take the numbers of existing homes into the book. Numbers outside the range stay reserved by their owner."""
        owners = {uid: user for user, uid in self._uids.items()}
        found = False
        for entry in sorted(os.scandir(homes), key=lambda item: item.name):
            try:
                user = UserId(check_id(entry.name))
            except FrameError:
                continue
            facts = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(facts.st_mode) or facts.st_uid == 0:
                continue  # half-made: `homes.prepare` finishes it
            known = self._uids.get(user)
            other = owners.get(facts.st_uid)
            if (known is not None and known != facts.st_uid) or (other is not None and other != user):
                raise ConfigError(f"{entry.path}: belongs to number {facts.st_uid}, but {self._path} says otherwise")
            if known is None:
                self._uids[user] = facts.st_uid
                owners[facts.st_uid] = user
                found = True
                _log.warning("user number adopted from home", user_id=user, uid=facts.st_uid)
            if self._base <= facts.st_uid < self._end:
                self._next = max(self._next, facts.st_uid + 1)
        if found:
            self._write()

    def _write(self) -> None:
        book = {"version": _VERSION, "next": self._next, "users": self._uids}
        write_durably(self._path, json.dumps(book, indent=1, sort_keys=True) + "\n")


def write_durably(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a file's content so that a power cut leaves either the old or the new one."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
