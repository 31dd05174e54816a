"""Our one hand-written piece of WebSocket: the header of an outgoing binary frame."""

import pytest
from websockets.frames import Frame, Opcode

from gateway.websocket import MAX_HEADER, frame_header


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 600_000])
def test_the_header_is_what_the_library_writes(size: int) -> None:
    payload = bytes(size)
    header = frame_header(size)
    assert header + payload == Frame(Opcode.BINARY, payload).serialize(mask=False)
    assert len(header) <= MAX_HEADER
