"""What a gateway and a session host's agent say to each other: requests, answers and their bounds as values.

Counterpart: `agents.protocol`, which turns them into lines and back. Pure: no I/O, no clock. Nothing here may carry
a path, a command or an option of a program: the agent runs as root and takes none of these from the wire.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from common.ids import DesktopId, PoolId, UserId

MAX_TEXT_CHARS: Final = 128
"""Longest user name or display name, in characters."""
MIN_SIDE: Final = 320
MAX_SIDE: Final = 8192
"""Bounds of a desktop's width and height in pixels; a desktop has at most `MAX_PIXELS`."""
MAX_PIXELS: Final = 8192 * 4320

_GEOMETRY: Final = re.compile(r"([1-9][0-9]{2,3})x([1-9][0-9]{2,3})")


class FrameError(Exception):
    """The line is not one this protocol knows; the text says why and holds nothing of the line itself."""


class Op(StrEnum):
    """What a request asks for."""

    START = "start"
    STOP = "stop"
    LIST = "list"
    STATS = "stats"
    OPEN = "open"


class Keyboard(StrEnum):
    """Keyboard layout of a new desktop (setxkbmap's names; jp is the 106-key board)."""

    JP = "jp"
    US = "us"


class DesktopState(StrEnum):
    """Where a desktop stands on its host."""

    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    ENDED = "ended"
    """Gone after it had been ready: stopped, logged off from inside, or crashed (see `EndCause`)."""
    FAILED = "failed"
    """Never became ready."""


class Stage(StrEnum):
    """Steps of a start, in order."""

    PREPARING = "preparing"
    DISPLAY = "display"
    """The sandbox stands, the display program is being waited for."""
    SESSION = "session"
    """The display answers, the window manager is being waited for."""
    READY = "ready"


class EndCause(StrEnum):
    """Why a desktop is gone, as far as its host can tell."""

    STOPPED = "stopped"
    LOGGED_OFF = "logged_off"
    CRASHED = "crashed"
    START_FAILED = "start_failed"
    START_TIMED_OUT = "start_timed_out"


class Refusal(StrEnum):
    """The `error` of a negative answer."""

    BAD_REQUEST = "bad_request"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    """The desktop id is taken by another user, or the desktop is just being stopped."""
    FULL = "full"
    """The host's desktops or its user numbers are used up."""
    START_FAILED = "start_failed"
    START_TIMED_OUT = "start_timed_out"
    NOT_READY = "not_ready"
    UNREACHABLE = "unreachable"
    """The desktop runs but its RFB socket did not answer."""
    STOPPING = "stopping"
    """The agent itself is going down."""
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Geometry:
    """Size of a desktop in pixels; on the wire "1280x800"."""

    width: int
    height: int

    def __post_init__(self) -> None:
        """Refuse sizes outside the bounds with FrameError."""
        if not (MIN_SIDE <= self.width <= MAX_SIDE and MIN_SIDE <= self.height <= MAX_SIDE):
            raise FrameError("geometry out of bounds")
        if self.width * self.height > MAX_PIXELS:
            raise FrameError("geometry has too many pixels")

    def __str__(self) -> str:
        """Give the wire form."""
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, text: str) -> Geometry:
        """Read "WIDTHxHEIGHT"; FrameError when it is anything else."""
        found = _GEOMETRY.fullmatch(text)
        if found is None:
            raise FrameError("geometry is not WIDTHxHEIGHT")
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class StartRequest:
    """Start this desktop for this user, or confirm that it already runs (idempotent per desktop id)."""

    desktop: DesktopId
    user: UserId
    pool: PoolId
    username: str
    display_name: str
    geometry: Geometry
    keyboard: Keyboard = Keyboard.JP
    progress: bool = False
    """Send `Progress` answers before the last one."""


@dataclass(frozen=True, slots=True)
class StopRequest:
    """End this desktop and every process of it."""

    desktop: DesktopId


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Name all desktops of the host, the recently ended ones included."""


@dataclass(frozen=True, slots=True)
class StatsRequest:
    """Report the host's load and capacity."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """Turn this channel into the desktop's RFB stream."""

    desktop: DesktopId


Request: TypeAlias = StartRequest | StopRequest | ListRequest | StatsRequest | OpenRequest


@dataclass(frozen=True, slots=True)
class Progress:
    """A start is at this stage; more answers follow."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Started:
    """The desktop is ready. `already` when it had been running before this request."""

    already: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """No process of the desktop is left."""


@dataclass(frozen=True, slots=True)
class Opened:
    """From the byte after this line on, the channel is the RFB stream."""


@dataclass(frozen=True, slots=True)
class DesktopInfo:
    """One desktop as its host sees it."""

    desktop: DesktopId
    user: UserId
    pool: PoolId
    state: DesktopState
    stage: Stage
    pid: int | None
    """Process number of the sandbox on the host while it runs."""
    started_at: datetime
    memory_bytes: int
    """What the desktop uses now (its cgroup's figure, else the sum of resident pages); 0 when gone."""
    processes: int
    viewers: int
    """Open RFB channels."""
    cause: EndCause | None
    """Set once the state is ended or failed."""


@dataclass(frozen=True, slots=True)
class DesktopList:
    """Answer to list, ordered by start time."""

    desktops: tuple[DesktopInfo, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """The host's load: load average over one minute, memory in bytes, desktops running and allowed."""

    load: float
    cpus: int
    memory_total: int
    memory_available: int
    desktops: int
    max_desktops: int
    limits: str
    """How limits are enforced here: "cgroup2", "cgroup1" or "rlimits"."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was not carried out."""

    error: Refusal


Answer: TypeAlias = Progress | Started | Stopped | Opened | DesktopList | Stats | Refused
