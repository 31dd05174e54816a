"""The line codec: what goes in comes out, everything else is a FrameError."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from agents.messages import (
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
from agents.protocol import (
    MAX_REQUEST_BYTES,
    LineReader,
    check_id,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from common.ids import DesktopId, PoolId, UserId

START = StartRequest(
    desktop=DesktopId("dsk_1"),
    user=UserId("usr_1"),
    pool=PoolId("pol_1"),
    username="sato.hanako",
    display_name="佐藤 花子",
    geometry=Geometry(1280, 800),
    keyboard=Keyboard.US,
    progress=True,
)
INFO = DesktopInfo(
    desktop=DesktopId("dsk_1"),
    user=UserId("usr_1"),
    pool=PoolId("pol_1"),
    state=DesktopState.ENDED,
    stage=Stage.READY,
    pid=None,
    started_at=datetime(2026, 4, 1, 8, 30, tzinfo=UTC),
    memory_bytes=70_000_000,
    processes=0,
    viewers=0,
    cause=EndCause.CRASHED,
)
STATS = Stats(0.5, 4, 1 << 34, 1 << 33, 3, 50, "cgroup2")


@pytest.mark.parametrize(
    "request_",
    [START, StopRequest(DesktopId("d")), OpenRequest(DesktopId("d")), ListRequest(), StatsRequest()],
    ids=lambda value: type(value).__name__,
)
def test_requests_survive_the_wire(request_: Request) -> None:
    line = encode_request(request_)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_request(line[:-1]) == request_


@pytest.mark.parametrize(
    ("op", "answer"),
    [
        (Op.START, Progress(Stage.SESSION)),
        (Op.START, Started(already=True)),
        (Op.STOP, Stopped()),
        (Op.OPEN, Opened()),
        (Op.LIST, DesktopList((INFO,))),
        (Op.STATS, STATS),
        (Op.STATS, Refused(Refusal.FULL)),
    ],
)
def test_answers_survive_the_wire(op: Op, answer: Answer) -> None:
    assert decode_answer(op, encode_answer(answer)[:-1]) == answer


def test_the_contracts_lines() -> None:
    line = (
        '{"op":"start","desktop":"dsk_1","user":"usr_1","username":"sato","display_name":"佐藤","pool":"p",'
        '"geometry":"1280x800","keyboard":"jp"}'
    )
    assert decode_request(line.encode()) == StartRequest(
        DesktopId("dsk_1"), UserId("usr_1"), PoolId("p"), "sato", "佐藤", Geometry(1280, 800)
    )
    assert json.loads(encode_answer(Refused(Refusal.FULL))) == {"ok": False, "error": "full"}
    assert json.loads(encode_answer(Started(already=False)))["state"] == "ready"


@pytest.mark.parametrize(
    "change",
    [
        {"desktop": ""},
        {"desktop": "a" * 65},
        {"desktop": "A"},
        {"desktop": "a/b"},
        {"desktop": "../x"},
        {"desktop": "_a"},
        {"desktop": "é"},
        {"desktop": 1},
        {"desktop": None},
        {"user": "-r"},
        {"pool": "a\n"},
        {"username": ""},
        {"username": "a\tb"},
        {"display_name": "abc\u202e"},
        {"display_name": "\ud800"},
        {"display_name": "x" * 129},
        {"geometry": "1280"},
        {"geometry": "1280x800x24"},
        {"geometry": "319x800"},
        {"geometry": "8193x800"},
        {"geometry": "8192x8192"},
        {"geometry": "0x0"},
        {"geometry": "１２８０x800"},
        {"keyboard": "de"},
        {"keyboard": ["jp"]},
        {"progress": 1},
        {"op": "START"},
        {"op": None},
        {"command": "id"},
    ],
    ids=str,
)
def test_requests_out_of_bounds_are_refused(change: dict[str, object]) -> None:
    fields = {**json.loads(encode_request(START)), **change}
    with pytest.raises(FrameError):
        decode_request(json.dumps(fields).encode())


@pytest.mark.parametrize("missing", ["desktop", "user", "pool", "username", "display_name", "geometry"])
def test_missing_fields_are_refused(missing: str) -> None:
    fields = json.loads(encode_request(START))
    del fields[missing]
    with pytest.raises(FrameError):
        decode_request(json.dumps(fields).encode())


@pytest.mark.parametrize(
    "line", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 4000, b'{"op":NaN}', b'{"op":"list","op":"list"}', b"1e999"]
)
def test_lines_that_are_no_objects_are_refused(line: bytes) -> None:
    with pytest.raises(FrameError):
        decode_request(line)


@pytest.mark.parametrize(
    ("op", "line"),
    [
        (Op.STOP, b'{"ok":true,"state":"ready"}'),
        (Op.START, b'{"ok":true,"state":"ended"}'),
        (Op.START, b'{"ok":true,"state":"ready","already":1}'),
        (Op.START, b'{"ok":true}'),
        (Op.OPEN, b'{"ok":true,"stream":"ssh"}'),
        (Op.OPEN, b'{"ok":1,"stream":"rfb"}'),
        (Op.LIST, b'{"ok":true,"desktops":{}}'),
        (Op.LIST, b'{"ok":true,"desktops":[1]}'),
        (Op.STATS, b'{"ok":true,"load":1}'),
        (Op.STOP, b'{"ok":false,"error":"surprise"}'),
        (Op.STOP, b'{"ok":false}'),
    ],
)
def test_answers_that_do_not_fit_are_refused(op: Op, line: bytes) -> None:
    with pytest.raises(FrameError):
        decode_answer(op, line)


@pytest.mark.parametrize(
    "change",
    [
        {"pid": -1},
        {"pid": True},
        {"memory_bytes": 1.5},
        {"memory_bytes": 2**63},
        {"started_at": "today"},
        {"started_at": "2026-04-01T08:30:00"},
        {"started_at": 1},
        {"cause": "boredom"},
        {"extra": 1},
    ],
    ids=str,
)
def test_list_entries_are_checked(change: dict[str, object]) -> None:
    entry = {**json.loads(encode_answer(DesktopList((INFO,))))["desktops"][0], **change}
    with pytest.raises(FrameError):
        decode_answer(Op.LIST, json.dumps({"ok": True, "desktops": [entry]}).encode())


@pytest.mark.parametrize("change", [{"load": -1}, {"load": True}, {"load": "1"}, {"limits": "a b"}], ids=str)
def test_stats_are_checked(change: dict[str, object]) -> None:
    fields = {**json.loads(encode_answer(STATS)), **change}
    with pytest.raises(FrameError):
        decode_answer(Op.STATS, json.dumps(fields).encode())


def test_encoding_refuses_what_the_other_side_would_refuse() -> None:
    with pytest.raises(FrameError):
        encode_request(StopRequest(DesktopId("a b")))
    with pytest.raises(FrameError):
        check_id("x" * 65)
    # Bounds of characters, not bytes: the longest legal request fits its line.
    widest = StartRequest(
        DesktopId("d" * 64), UserId("u" * 64), PoolId("p" * 64), "𠮷" * 128, "𠮷" * 128, Geometry(8192, 4320)
    )
    assert len(encode_request(widest)) < MAX_REQUEST_BYTES


def test_line_reader_keeps_what_follows() -> None:
    reader = LineReader(100)
    assert reader.feed(b'{"a"') is None
    assert reader.feed(b":1}\nRFB 003.008\n") == b'{"a":1}'
    assert reader.rest() == b"RFB 003.008\n"
    assert reader.rest() == b""


def test_line_reader_gives_lines_in_turn() -> None:
    reader = LineReader(10)
    assert reader.feed(b"one\ntwo\nthr") == b"one"
    assert reader.next_line() == b"two"
    assert reader.next_line() is None
    assert reader.feed(b"ee\n") == b"three"


def test_line_reader_refuses_long_lines() -> None:
    assert LineReader(10).feed(b"123456789\n") == b"123456789"
    assert LineReader(10).feed(b"123456789") is None
    with pytest.raises(FrameError):
        LineReader(10).feed(b"1234567890")
    with pytest.raises(FrameError):
        LineReader(10).feed(b"1234567890\n")
