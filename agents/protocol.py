"""The lines a gateway and a session host's agent exchange: pure codec, no I/O.

One channel (a connection to the agent's unix socket, later one SSH channel) carries one request: the gateway sends one
JSON line, the agent answers with one JSON line. After a positive answer to "open" the same channel is the desktop's raw
RFB stream, so both sides must keep the bytes behind the line (`LineReader.rest`). "start" may ask for progress: then
`Progress` lines precede the last one.

    -> {"op":"start","desktop":"dsk_..","user":"usr_..","pool":"pol_..","username":"sato","display_name":"佐藤 花子",
        "geometry":"1280x800","keyboard":"jp"}
    <- {"ok":true,"state":"ready","already":false}      or      {"ok":false,"error":"full"}

Counterparts: `agents.control` (agent side) and `broker.agent_link` (gateway side). Each side treats the other as
hostile: unknown fields, wrong types, long lines and ids outside `[a-z0-9_-]` are a `FrameError`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias, TypeVar, assert_never

from agents.messages import (
    MAX_TEXT_CHARS,
    Answer,
    DesktopInfo,
    DesktopList,
    DesktopState,
    EndCause,
    FrameError,
    Geometry,
    Keyboard,
    ListRequest,
    Op,
    Opened,
    OpenRequest,
    Progress,
    Refusal,
    Refused,
    Request,
    Stage,
    Started,
    StartRequest,
    Stats,
    StatsRequest,
    Stopped,
    StopRequest,
)
from common.ids import DesktopId, PoolId, UserId

MAX_REQUEST_BYTES: Final = 4096
"""Longest request line, newline included."""
MAX_ANSWER_BYTES: Final = 512 * 1024
"""Longest answer line, newline included (a list of a thousand desktops fits)."""

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_Object: TypeAlias = Mapping[str, object]
_E = TypeVar("_E", bound=StrEnum)


class LineReader:
    """Collects one line of at most `limit` bytes (newline included); keeps whatever follows it."""

    def __init__(self, limit: int) -> None:
        """Start empty."""
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> bytes | None:
        """Add bytes; give the line without its newline once it is whole. FrameError when it grows past the limit.

        After a line was given, call `next_line` for a further one or take `rest`.
        """
        self._buffer += chunk
        return self.next_line()

    def next_line(self) -> bytes | None:
        """Give the next whole line already received, or None."""
        end = self._buffer.find(b"\n", 0, self._limit)
        if end < 0:
            if len(self._buffer) >= self._limit:
                raise FrameError("line too long")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def rest(self) -> bytes:
        """Hand out and forget the bytes behind the last line (the start of the RFB stream after open)."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest


def encode_request(request: Request) -> bytes:
    """Give the line of a request, newline included. FrameError when a value would be refused by the other side."""
    fields: dict[str, object]
    match request:
        case StartRequest():
            fields = {
                "op": Op.START,
                "desktop": check_id(request.desktop),
                "user": check_id(request.user),
                "pool": check_id(request.pool),
                "username": _text(request.username),
                "display_name": _text(request.display_name),
                "geometry": str(request.geometry),
                "keyboard": request.keyboard,
                "progress": request.progress,
            }
        case StopRequest():
            fields = {"op": Op.STOP, "desktop": check_id(request.desktop)}
        case OpenRequest():
            fields = {"op": Op.OPEN, "desktop": check_id(request.desktop)}
        case ListRequest():
            fields = {"op": Op.LIST}
        case StatsRequest():
            fields = {"op": Op.STATS}
        case _ as unreachable:
            assert_never(unreachable)
    return _line(fields, MAX_REQUEST_BYTES)


def decode_request(line: bytes) -> Request:
    """Read a request line (without newline). FrameError on anything not exactly as specified."""
    fields = _object(line)
    match _choice(Op, fields.get("op")):
        case Op.START:
            return _start_request(fields)
        case Op.STOP:
            _only(fields, {"op", "desktop"})
            return StopRequest(DesktopId(check_id(fields["desktop"])))
        case Op.OPEN:
            _only(fields, {"op", "desktop"})
            return OpenRequest(DesktopId(check_id(fields["desktop"])))
        case Op.LIST:
            _only(fields, {"op"})
            return ListRequest()
        case Op.STATS:
            _only(fields, {"op"})
            return StatsRequest()
        case _ as unreachable:
            assert_never(unreachable)


def encode_answer(answer: Answer) -> bytes:
    """Give the line of an answer, newline included."""
    fields: dict[str, object]
    match answer:
        case Refused():
            fields = {"ok": False, "error": answer.error}
        case Progress():
            fields = {"ok": True, "state": DesktopState.STARTING, "stage": answer.stage}
        case Started():
            fields = {"ok": True, "state": DesktopState.READY, "already": answer.already}
        case Stopped():
            fields = {"ok": True, "state": DesktopState.ENDED}
        case Opened():
            fields = {"ok": True, "stream": "rfb"}
        case DesktopList():
            fields = {"ok": True, "desktops": [_info_fields(info) for info in answer.desktops]}
        case Stats():
            fields = {"ok": True, **{name: getattr(answer, name) for name in _STATS_FIELDS}}
        case _ as unreachable:
            assert_never(unreachable)
    return _line(fields, MAX_ANSWER_BYTES)


def decode_answer(op: Op, line: bytes) -> Answer:
    """Read the answer line (without newline) to a request of kind op. FrameError on anything not as specified."""
    fields = _object(line)
    if not _flag(fields.get("ok")):
        _only(fields, {"ok", "error"})
        return Refused(_choice(Refusal, fields["error"]))
    match op:
        case Op.START:
            return _start_answer(fields)
        case Op.STOP:
            _only(fields, {"ok", "state"})
            if fields["state"] != DesktopState.ENDED:
                raise FrameError("stop answered with another state")
            return Stopped()
        case Op.OPEN:
            _only(fields, {"ok", "stream"})
            if fields["stream"] != "rfb":
                raise FrameError("not an rfb stream")
            return Opened()
        case Op.LIST:
            _only(fields, {"ok", "desktops"})
            listed = fields["desktops"]
            if not isinstance(listed, list):
                raise FrameError("desktops is not a list")
            return DesktopList(tuple(_info(entry) for entry in listed))
        case Op.STATS:
            return _stats(fields)
        case _ as unreachable:
            assert_never(unreachable)


def _start_request(fields: _Object) -> StartRequest:
    required = {"op", "desktop", "user", "pool", "username", "display_name", "geometry"}
    _only(fields, required, optional={"keyboard", "progress"})
    return StartRequest(
        desktop=DesktopId(check_id(fields["desktop"])),
        user=UserId(check_id(fields["user"])),
        pool=PoolId(check_id(fields["pool"])),
        username=_text(fields["username"]),
        display_name=_text(fields["display_name"]),
        geometry=Geometry.parse(_text(fields["geometry"])),
        keyboard=_choice(Keyboard, fields.get("keyboard", Keyboard.JP)),
        progress=_flag(fields.get("progress", False)),
    )


def _start_answer(fields: _Object) -> Answer:
    match fields.get("state"):
        case DesktopState.STARTING:
            _only(fields, {"ok", "state", "stage"})
            return Progress(_choice(Stage, fields["stage"]))
        case DesktopState.READY:
            _only(fields, {"ok", "state", "already"})
            return Started(_flag(fields["already"]))
        case _:
            raise FrameError("start answered with another state")


_INFO_FIELDS: Final = tuple(DesktopInfo.__slots__)
_STATS_FIELDS: Final = tuple(Stats.__slots__)


def _info_fields(info: DesktopInfo) -> dict[str, object]:
    fields = {name: getattr(info, name) for name in _INFO_FIELDS}
    fields["started_at"] = info.started_at.astimezone(UTC).isoformat()
    return fields


def _info(value: object) -> DesktopInfo:
    if not isinstance(value, dict):
        raise FrameError("desktop is not an object")
    _only(value, set(_INFO_FIELDS))
    return DesktopInfo(
        desktop=DesktopId(check_id(value["desktop"])),
        user=UserId(check_id(value["user"])),
        pool=PoolId(check_id(value["pool"])),
        state=_choice(DesktopState, value["state"]),
        stage=_choice(Stage, value["stage"]),
        pid=None if value["pid"] is None else _count(value["pid"]),
        started_at=_instant(value["started_at"]),
        memory_bytes=_count(value["memory_bytes"]),
        processes=_count(value["processes"]),
        viewers=_count(value["viewers"]),
        cause=None if value["cause"] is None else _choice(EndCause, value["cause"]),
    )


def _stats(fields: _Object) -> Stats:
    _only(fields, {"ok", *_STATS_FIELDS})
    return Stats(
        load=_measure(fields["load"]),
        cpus=_count(fields["cpus"]),
        memory_total=_count(fields["memory_total"]),
        memory_available=_count(fields["memory_available"]),
        desktops=_count(fields["desktops"]),
        max_desktops=_count(fields["max_desktops"]),
        limits=check_id(fields["limits"]),
    )


def _line(fields: _Object, limit: int) -> bytes:
    line = json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    if len(line) > limit:
        raise FrameError("line too long")
    return line


def _object(line: bytes) -> dict[str, object]:
    try:
        value = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise FrameError("not a JSON object") from None
    if not isinstance(value, dict):
        raise FrameError("not a JSON object")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        # Two readers may pick different ones of a doubled field: refuse it.
        raise FrameError("field given twice")
    return fields


def _no_constant(_name: str) -> object:
    raise FrameError("not a JSON number")


def _only(fields: _Object, required: set[str], optional: set[str] | None = None) -> None:
    missing = required - fields.keys()
    unknown = fields.keys() - required - (optional or set())
    if missing or unknown:
        raise FrameError("fields missing" if missing else "unknown fields")


def check_id(value: object) -> str:
    """Give value when it is an id of ours (`[a-z0-9][a-z0-9_-]*`, at most 64); FrameError otherwise."""
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise FrameError("bad id")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARS:
        raise FrameError("text missing or too long")
    # Cc, Cf, Cs, Co, Cn: controls, invisible marks (bidi overrides) and lone surrogates have no place in a name.
    if any(unicodedata.category(char).startswith("C") for char in value):
        raise FrameError("text with control characters")
    return value


def _choice(kind: type[_E], value: object) -> _E:
    if not isinstance(value, str):
        raise FrameError("not a word")
    try:
        return kind(value)
    except ValueError:
        raise FrameError("unknown word") from None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise FrameError("not true or false")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise FrameError("not a count")
    return value


def _measure(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise FrameError("not a measure")
    return float(value)


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        raise FrameError("not a time")
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise FrameError("not a time") from None
    if instant.tzinfo is None:
        raise FrameError("time without zone")
    return instant
