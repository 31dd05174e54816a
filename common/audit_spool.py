"""The node's audit events on its own disk while the database is away: append-only, in the order of the chain, bounded.

Counterpart: `common/audit_log.py` writes here and carries the events over to the database. One line of JSON an event,
with its place and hash in the chain, so that nothing can be altered or slipped in on the way unseen. Mode 0600, locked
against a second gateway, synced to the disk before anybody believes in an event. All calls block: use threads.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from common.audit import AuditEvent, ChainedEvent, chain, details_json
from common.errors import ConfigError
from common.ids import TenantId

_MIN_FREE_BYTES: Final = 4 * 1024 * 1024
_MAX_LINE: Final = 256 * 1024
_ROOM_BYTES: Final = 16 * 1024
"""What a handful of events need."""


class SpoolFull(Exception):
    """The spool has its greatest size."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in a spool: `fault` says what is wrong with what comes after the sound part, which ends at `sound`."""

    events: int
    first: ChainedEvent | None
    last: ChainedEvent | None
    sound: int
    fault: str | None


class Spool:
    """One file. `open` before use; only one gateway at a time."""

    def __init__(self, path: Path, *, limit_bytes: int) -> None:
        self.path: Final = path
        self.limit_bytes: Final = limit_bytes
        self.size = 0
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Create or open it. Raises ConfigError when it cannot be had, or others can read it."""
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.fdopen(os.open(self.path, flags, 0o600), "r+b", buffering=0)
        except OSError as error:
            raise ConfigError(f"audit spool {self.path} cannot be opened: {error.strerror}") from error
        try:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ConfigError(f"audit spool {self.path} can be read by others: chmod 600 it")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise ConfigError(f"audit spool {self.path} is used by another gateway") from error
        except ConfigError:
            file.close()
            raise
        self._file, self.size = file, os.fstat(file.fileno()).st_size

    def close(self) -> None:
        """Let go of the file; what is in it stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def recover(self, node_id: str) -> Found:
        """Look through it after a restart. What a crash left half-written was promised to nobody and is cut off."""
        found = examine(self.path, node_id)
        if found.fault is None and found.sound < self.size:
            self._cut(found.sound)
        return found

    def set_aside(self, sound: int, name: str) -> Path:
        """Keep the whole file under another name, as evidence, and go on with its sound part alone."""
        kept = self.path.with_name(f"{self.path.name}.{name}")
        with self.path.open("rb") as source, os.fdopen(_created(kept), "wb") as copy:
            while piece := source.read(1 << 20):
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        self._cut(sound)
        return kept

    def append(self, events: Sequence[ChainedEvent]) -> None:
        """Return once they (one at least) are on the disk. Raises SpoolFull or OSError: then none of them is in."""
        spelled = [_line(event) for event in events]
        if max(map(len, spelled)) >= _MAX_LINE:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        lines = b"".join(spelled)
        if self.size + len(lines) > self.limit_bytes:
            raise SpoolFull(f"{self.size} of {self.limit_bytes} bytes")
        file, before = self._opened(), self.size
        try:
            if file.write(lines) != len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                os.ftruncate(file.fileno(), before)
            raise
        self.size = before + len(lines)

    def page(self, offset: int, count: int) -> tuple[list[ChainedEvent], int]:
        """Up to `count` events from `offset` on, and where the next ones begin."""
        events: list[ChainedEvent] = []
        for event, end in _events(self.path, offset):
            events.append(event)
            offset = end
            if len(events) == count:
                break
        return events, offset

    def hash_of(self, seq: int) -> str | None:
        """The hash of one event."""
        return next((event.hash for event, _ in _events(self.path, 0) if event.seq == seq), None)

    def clear(self) -> None:
        """All is in the database."""
        self._cut(0)

    def has_room(self) -> bool:
        """Whether events could still be written: by our own limit and by the disk."""
        if self.limit_bytes - self.size < _ROOM_BYTES:
            return False
        try:
            disk = os.statvfs(self.path.parent)
        except OSError:
            return False
        return disk.f_bavail * disk.f_frsize >= _MIN_FREE_BYTES and not disk.f_flag & os.ST_RDONLY

    def _cut(self, size: int) -> None:
        file = self._opened()
        os.ftruncate(file.fileno(), size)
        os.fsync(file.fileno())
        self.size = size

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise OSError(errno.EBADF, "the audit spool is closed")
        return self._file


def examine(path: Path, node_id: str) -> Found:
    """Check every event and how they follow each other; also while a gateway writes. An absent file is empty."""
    first: ChainedEvent | None = None
    last: ChainedEvent | None = None
    events, sound = 0, 0
    try:
        for event, end in _events(path, 0):
            if fault := _fault(event, last, node_id):
                return Found(events, first, last, sound, fault)
            first, last, events, sound = first or event, event, events + 1, end
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError) as error:
        return Found(events, first, last, sound, f"what follows event {events} is damaged: {type(error).__name__}")
    return Found(events, first, last, sound, None)


def _fault(event: ChainedEvent, before: ChainedEvent | None, node_id: str) -> str | None:
    if event.node_id != node_id:
        return f"it holds events of {event.node_id}"
    if before is not None and (event.seq, event.previous_hash) != (before.seq + 1, before.hash):
        return f"event {event.seq} does not follow event {before.seq}"
    if chain(node_id, event.seq, event.at, event.event, event.previous_hash).hash != event.hash:
        return f"event {event.seq} was altered"
    return None


def _events(path: Path, offset: int) -> Iterator[tuple[ChainedEvent, int]]:
    """Each whole line from `offset` on, and where it ends. The last one may be half-written: it is left out."""
    with path.open("rb") as file:
        file.seek(offset)
        while (line := file.readline(_MAX_LINE)).endswith(b"\n"):
            offset += len(line)
            yield _event(json.loads(line)), offset
        if len(line) == _MAX_LINE:
            raise ValueError("a line without an end")


def _line(chained: ChainedEvent) -> bytes:
    event = chained.event
    content: dict[str, Any] = {
        "node_id": chained.node_id,
        "seq": chained.seq,
        "at": chained.at.isoformat(),
        "name": event.name,
        "tenant_id": event.tenant_id,
        "actor": event.actor,
        "subject": event.subject,
        "session_id": event.session_id,
        "source": event.source,
        "outcome": event.outcome,
        "details": details_json(event.details),
        "previous_hash": chained.previous_hash,
        "hash": chained.hash,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _event(content: Any) -> ChainedEvent:
    event = AuditEvent(
        name=content["name"],
        tenant_id=TenantId(content["tenant_id"]),
        actor=content["actor"],
        subject=content["subject"],
        session_id=content["session_id"],
        source=content["source"],
        outcome=content["outcome"],
        details=json.loads(content["details"]),
    )
    at = datetime.fromisoformat(content["at"])
    return ChainedEvent(content["node_id"], content["seq"], at, event, content["previous_hash"], content["hash"])


def _created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
