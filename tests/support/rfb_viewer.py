"""An independent RFB viewer for tests: own parser, decodes every encoding to pixels, and misbehaves on request.

It shares no line with gateway.rfb, so that a mistake there cannot hide in both. It speaks over a unix socket, TCP, or a
WebSocket. Counterparts: real RFB servers, directly or through the relay. See tests/support/rfb_decoders.py for pixels.
"""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from PIL import Image
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.rfb_decoders import Decoders, Read

PIXEL_FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
NOVNC_ENCODINGS = (
    *(
        1,
        7,
        16,
        0,
        -26,
        -254,
        -223,
        -224,
        -258,
        -261,
        -308,
        -309,
        -312,
        -313,
        -316,
        -307,
        -1063131698,
        0x574D5664,
        -239,
    ),
)
"""What noVNC asks for, parts that the gateway must cut out included."""


class Stream(Protocol):
    """A byte stream to a server."""

    async def read(self, count: int) -> bytes:
        """Exactly that many bytes. Raises EOFError."""
        ...

    async def write(self, payload: bytes) -> None:
        """Send."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class SocketStream:
    """TCP or unix."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self, count: int) -> bytes:
        """See Stream."""
        try:
            return await self.reader.readexactly(count)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EOFError("server closed") from error

    async def write(self, payload: bytes) -> None:
        """See Stream."""
        self.writer.write(payload)
        await self.writer.drain()

    async def close(self) -> None:
        """See Stream."""
        self.writer.close()


class WebSocketStream:
    """Binary messages as one stream."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._buffer = bytearray()

    async def read(self, count: int) -> bytes:
        """See Stream. After EOFError `socket.close_code` and `close_reason` tell why."""
        while len(self._buffer) < count:
            try:
                message = await self.socket.recv()
            except ConnectionClosed as error:
                raise EOFError(f"closed {self.socket.close_code} {self.socket.close_reason}") from error
            assert isinstance(message, bytes), "the gateway sends binary frames only"
            self._buffer += message
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def write(self, payload: bytes) -> None:
        """See Stream."""
        await self.socket.send(payload)

    async def close(self) -> None:
        """See Stream."""
        await self.socket.close()


@dataclass
class Seen:
    """What came in besides pixels."""

    bells: int = 0
    cut_texts: list[bytes] = field(default_factory=list)
    extended_texts: list[bytes] = field(default_factory=list)
    fences: list[tuple[int, bytes]] = field(default_factory=list)
    continuous: int = 0
    rectangles: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    """x, y, width, height, encoding of every rectangle."""


class RfbViewer:
    """One connection. `screen` holds the picture, `seen` the rest."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.version = b""
        self.security: list[int] = []
        self.name = b""
        self.screen = Image.new("RGB", (1, 1))
        self.seen = Seen()
        self.painted_pixels = 0
        self._decoders = Decoders(stream.read)

    def use(self, read: Read) -> None:
        """Decode from another reader, for a stream that was wrapped."""
        self._decoders = Decoders(read)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.screen.size

    async def handshake(self, *, version: bytes = b"RFB 003.008\n") -> None:
        """Open with security type None."""
        self.version = await self.stream.read(12)
        await self.stream.write(version)
        self.security = list(await self.stream.read((await self.stream.read(1))[0]))
        await self.stream.write(b"\1")
        assert await self.stream.read(4) == b"\0\0\0\0"
        await self.stream.write(b"\1")
        width, height = struct.unpack(">HH", await self.stream.read(4))
        await self.stream.read(16)  # the server's own pixel format: `start` sets ours
        (length,) = struct.unpack(">I", await self.stream.read(4))
        self.name = await self.stream.read(length)
        self.screen = Image.new("RGB", (width, height))

    async def start(self, encodings: Sequence[int] = NOVNC_ENCODINGS) -> None:
        """Handshake, our pixel format, these encodings."""
        await self.handshake()
        await self.set_pixel_format()
        await self.set_encodings(encodings)

    # what a viewer sends

    async def set_pixel_format(self) -> None:
        """32 bits, little-endian, red lowest."""
        await self.stream.write(b"\0\0\0\0" + PIXEL_FORMAT)

    async def set_encodings(self, encodings: Iterable[int]) -> None:
        """In order of preference."""
        numbers = list(encodings)
        await self.stream.write(struct.pack(f">BxH{len(numbers)}i", 2, len(numbers), *numbers))

    async def request(self, *, incremental: bool = False, area: tuple[int, int, int, int] | None = None) -> None:
        """Ask for an update, of the whole screen unless told."""
        x, y, width, height = area or (0, 0, *self.size)
        await self.stream.write(struct.pack(">BBHHHH", 3, incremental, x, y, width, height))

    async def key(self, keysym: int, *, down: bool | None = None) -> None:
        """Press, release, or both when `down` is None."""
        states = (True, False) if down is None else (down,)
        for state in states:
            await self.stream.write(struct.pack(">BBxxI", 4, state, keysym))

    async def type(self, text: str) -> None:
        """Type Latin-1 text, newline as Return."""
        for letter in text:
            await self.key(0xFF0D if letter == "\n" else ord(letter))

    async def pointer(self, x: int, y: int, mask: int = 0) -> None:
        """Move, with these buttons down."""
        await self.stream.write(struct.pack(">BBHH", 5, mask, x, y))

    async def cut_text(self, text: bytes) -> None:
        """Offer a legacy clipboard text."""
        await self.stream.write(struct.pack(">BxxxI", 6, len(text)) + text)

    async def extended_text(self, body: bytes) -> None:
        """Send an Extended Clipboard message body."""
        await self.stream.write(struct.pack(">Bxxxi", 6, -len(body)) + body)

    async def resize(self, width: int, height: int) -> None:
        """SetDesktopSize with one screen."""
        screen = struct.pack(">IHHHHI", 0, 0, 0, width, height, 0)
        await self.stream.write(struct.pack(">BxHHBx", 251, width, height, 1) + screen)

    async def raw(self, payload: bytes) -> None:
        """Anything at all."""
        await self.stream.write(payload)

    # what comes back

    async def message(self) -> int:
        """Read one message, act on it, return its type. Raises EOFError at the end, ValueError for anything unknown."""
        kind = (await self.stream.read(1))[0]
        if kind == 0:
            await self._update()
        elif kind == 2:
            self.seen.bells += 1
        elif kind == 3:
            await self._cut_text()
        elif kind == 150:
            self.seen.continuous += 1
        elif kind == 248:
            _, flags, length = struct.unpack(">3sIB", await self.stream.read(8))
            payload = await self.stream.read(length)
            self.seen.fences.append((flags, payload))
            if flags & 1 << 31:
                await self.stream.write(struct.pack(">BxxxIB", 248, flags & 7, length) + payload)
        else:
            raise ValueError(f"message type {kind}")
        return kind

    async def update(self, *, incremental: bool = False) -> None:
        """Ask for an update and read until one is there."""
        await self.request(incremental=incremental)
        while await self.message() != 0:
            pass

    async def full(self) -> None:
        """Read until as much was painted as the screen has pixels: some servers answer a request with states only."""
        self.painted_pixels = 0
        await self.update()
        while self.painted_pixels < self.size[0] * self.size[1]:
            await self.update(incremental=True)

    async def until_quiet(self, *, seconds: float = 0.4) -> Image.Image:
        """Full picture first, then incremental updates until nothing changes for `seconds`. The picture is returned."""
        await self.full()
        while True:
            await self.request(incremental=True)
            try:
                async with asyncio.timeout(seconds):
                    # Cancelled only while it waits for a message's first byte: a started one comes at once.
                    while await self.message() != 0:
                        pass
            except TimeoutError:
                return self.screen.copy()

    async def _cut_text(self) -> None:
        (length,) = struct.unpack(">3xi", await self.stream.read(7))
        body = await self.stream.read(abs(length))
        (self.seen.cut_texts if length >= 0 else self.seen.extended_texts).append(body)

    async def _update(self) -> None:
        _, count = struct.unpack(">BH", await self.stream.read(3))
        done = 0
        while done < count or count == 65535:
            x, y, width, height, encoding = struct.unpack(">HHHHi", await self.stream.read(12))
            self.seen.rectangles.append((x, y, width, height, encoding))
            done += 1
            if encoding == -224:
                return
            await self._rectangle(x, y, width, height, encoding)

    async def _rectangle(self, x: int, y: int, width: int, height: int, encoding: int) -> None:
        if encoding == 1:
            source = struct.unpack(">HH", await self.stream.read(4))
            piece = self.screen.crop((*source, source[0] + width, source[1] + height))
            self.screen.paste(piece, (x, y))
        elif encoding in (-223, -308):
            if encoding == -308:
                screens = (await self.stream.read(4))[0]
                await self.stream.read(16 * screens)
            if (encoding == -223 or y == 0) and (width, height) != self.size:
                old = self.screen
                self.screen = Image.new("RGB", (width, height))
                self.screen.paste(old, (0, 0))
        elif await self._decoders.skip_pseudo(encoding, width, height):
            return
        else:
            self.screen.paste(await self._decoders.decode(encoding, width, height), (x, y))
            self.painted_pixels += width * height


@asynccontextmanager
async def unix_viewer(path: Path) -> AsyncIterator[RfbViewer]:
    """Straight to a server's unix socket."""
    async with asyncio.timeout(5):
        stream = SocketStream(*await asyncio.open_unix_connection(str(path)))
    try:
        yield RfbViewer(stream)
    finally:
        await stream.close()


@asynccontextmanager
async def websocket_viewer(
    url: str,
    *,
    protocols: Sequence[str] = ("binary",),
    headers: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[RfbViewer]:
    """Through a gateway. Close code and reason: `viewer.stream.socket.close_code` and `.close_reason`."""
    async with connect(
        url,
        subprotocols=[Subprotocol(name) for name in protocols],
        additional_headers=headers,
        ssl=tls,
        compression=None,
        max_size=None,
        open_timeout=10,
        close_timeout=2,
        proxy=None,
    ) as socket:
        yield RfbViewer(WebSocketStream(socket))
