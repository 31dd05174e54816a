"""Properties of the agent's lines: any split reads the same, and hostile bytes raise nothing but FrameError."""

from __future__ import annotations

import contextlib
import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from agents.messages import FrameError, Geometry, Keyboard, Op, StartRequest
from agents.protocol import LineReader, decode_answer, decode_request, encode_request
from common.ids import DesktopId, PoolId, UserId

_ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
_texts = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=128)
_sides = st.integers(320, 4320)
_starts = st.builds(
    StartRequest,
    desktop=_ids.map(DesktopId),
    user=_ids.map(UserId),
    pool=_ids.map(PoolId),
    username=_texts,
    display_name=_texts,
    geometry=st.builds(Geometry, _sides, _sides),
    keyboard=st.sampled_from(Keyboard),
    progress=st.booleans(),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_starts)
def test_any_request_of_ours_is_read_back(request: StartRequest) -> None:
    assert decode_request(encode_request(request)[:-1]) == request


@given(
    _starts, st.binary(max_size=50).map(lambda raw: raw.replace(b"\n", b"")), st.lists(st.integers(0, 2000), max_size=8)
)
def test_any_split_reads_the_same(request: StartRequest, behind: bytes, cuts: list[int]) -> None:
    stream = encode_request(request) + behind
    edges = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    reader = LineReader(4096)
    fed = [reader.feed(stream[start:end]) for start, end in itertools.pairwise(edges)]
    (line,) = [line for line in fed if line is not None]
    assert decode_request(line) == request
    assert reader.rest() == behind


@given(st.binary(max_size=300) | _json.map(lambda value: json.dumps(value).encode()))
def test_hostile_lines_raise_frame_errors_only(line: bytes) -> None:
    for op in Op:
        with contextlib.suppress(FrameError):
            decode_answer(op, line)
    with contextlib.suppress(FrameError):
        decode_request(line)


@given(_starts, st.sampled_from(["desktop", "user", "pool", "username", "geometry", "keyboard", "op"]), _json)
def test_one_hostile_field_never_slips_through(request: StartRequest, field: str, value: object) -> None:
    fields = json.loads(encode_request(request))
    fields[field] = value
    try:
        read = decode_request(json.dumps(fields).encode())
    except FrameError:
        return
    assert isinstance(read, StartRequest)
    for checked in (read.desktop, read.user, read.pool):
        assert "/" not in checked
        assert "." not in checked
        assert checked.isascii()
