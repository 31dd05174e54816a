"""Pixels of every RFB encoding that tests meet, for tests/support/rfb_viewer.py. Independent of gateway.rfb.

Pixel format: 4 bytes, red first. Zlib streams live as long as the connection. Strict: surplus or missing bytes raise.
"""

import io
import struct
import zlib
from collections.abc import Awaitable, Callable

from PIL import Image

Read = Callable[[int], Awaitable[bytes]]


class Bytes:
    """A cursor over inflated bytes."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        piece = self.content[self.at : self.at + count]
        assert len(piece) == count, "rectangle content too short"
        self.at += count
        return piece

    def byte(self) -> int:
        """The next one."""
        return self.take(1)[0]

    def run_length(self) -> int:
        """ZRLE: sum of bytes plus one, 255 continues."""
        length = 1
        while (value := self.byte()) == 255:
            length += 255
        return length + value


class Decoders:
    """Stateful: one per connection."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._zlib = zlib.decompressobj()
        self._zrle = zlib.decompressobj()
        self._tight = [zlib.decompressobj() for _ in range(4)]

    async def skip_pseudo(self, encoding: int, width: int, height: int) -> bool:
        """Read over pointer shapes and states; False for anything that paints."""
        mask = (width + 7) // 8 * height
        if encoding == -239:
            await self._read(width * height * 4 + mask)
        elif encoding == -240:
            await self._read(6 + 2 * mask if width * height else 0)
        elif encoding == -314:
            (inner,) = struct.unpack(">i", await self._read(4))
            assert inner == 0, inner
            await self._read(width * height * 4)
        elif encoding == 0x574D5664:
            kind = (await self._read(2))[0]
            await self._read(width * height * (8 if kind == 0 else 4))
        elif encoding == -261:
            await self._read(1)
        elif encoding in (-258, -316, -257, -259):
            pass
        elif encoding == -307:
            await self._read(struct.unpack(">I", await self._read(4))[0])
        else:
            return False
        return True

    async def decode(self, encoding: int, width: int, height: int) -> Image.Image:
        """The picture of one rectangle."""
        if width == 0 or height == 0:
            return Image.new("RGB", (width, height))
        if encoding == 0:
            return _image(await self._read(width * height * 4), width, height)
        if encoding in (2, 4):
            return await self._rre(width, height, small=encoding == 4)
        if encoding == 5:
            return await self._hextile(width, height)
        if encoding == 6:
            (length,) = struct.unpack(">I", await self._read(4))
            return _image(self._zlib.decompress(await self._read(length)), width, height)
        if encoding in (7, -260):
            return await self._tight_rectangle(width, height)
        if encoding == 16:
            (length,) = struct.unpack(">I", await self._read(4))
            return _zrle(Bytes(self._zrle.decompress(await self._read(length))), width, height)
        raise ValueError(f"encoding {encoding}")

    async def _rre(self, width: int, height: int, *, small: bool) -> Image.Image:
        (count,) = struct.unpack(">I", await self._read(4))
        image = Image.new("RGB", (width, height), _colour(await self._read(4)))
        for _ in range(count):
            colour = _colour(await self._read(4))
            x, y, w, h = struct.unpack(">BBBB" if small else ">HHHH", await self._read(4 if small else 8))
            image.paste(colour, (x, y, x + w, y + h))
        return image

    async def _hextile(self, width: int, height: int) -> Image.Image:
        image = Image.new("RGB", (width, height))
        background = foreground = (0, 0, 0)
        for y in range(0, height, 16):
            for x in range(0, width, 16):
                w, h = min(16, width - x), min(16, height - y)
                flags = (await self._read(1))[0]
                if flags & 1:
                    image.paste(_image(await self._read(w * h * 4), w, h), (x, y))
                    continue
                background = _colour(await self._read(4)) if flags & 2 else background
                foreground = _colour(await self._read(4)) if flags & 4 else foreground
                image.paste(background, (x, y, x + w, y + h))
                for _ in range((await self._read(1))[0] if flags & 8 else 0):
                    colour = _colour(await self._read(4)) if flags & 16 else foreground
                    place, size = await self._read(2)
                    left, top = x + (place >> 4), y + (place & 15)
                    image.paste(colour, (left, top, left + (size >> 4) + 1, top + (size & 15) + 1))
        return image

    async def _tight_rectangle(self, width: int, height: int) -> Image.Image:
        control = (await self._read(1))[0]
        for stream in range(4):
            if control & 1 << stream:
                self._tight[stream] = zlib.decompressobj()
        kind = control >> 4
        if kind == 8:
            return Image.new("RGB", (width, height), _colour(await self._read(3)))
        if kind in (9, 10):
            picture = Image.open(io.BytesIO(await self._read(await self._compact())))
            assert picture.size == (width, height)
            return picture.convert("RGB")
        assert kind < 8, f"tight control {control:#x}"
        filter_id = (await self._read(1))[0] if kind & 4 else 0
        palette = b""
        if filter_id == 1:
            palette = await self._read(((await self._read(1))[0] + 1) * 3)
        colours = len(palette) // 3
        size = width * height * 3 if not colours else (width + 7) // 8 * height if colours <= 2 else width * height
        if size < 12:
            plain = await self._read(size)
        else:
            plain = self._tight[kind & 3].decompress(await self._read(await self._compact()))
        assert len(plain) == size, (len(plain), size)
        if colours:
            return _indexed(plain, palette, width, height)
        return Image.frombytes("RGB", (width, height), _gradient(plain, width) if filter_id == 2 else plain)

    async def _compact(self) -> int:
        length = 0
        for shift in (0, 7, 14):
            byte = (await self._read(1))[0]
            length |= (byte & (0xFF if shift == 14 else 0x7F)) << shift
            if byte < 128:
                break
        return length


def _image(pixels: bytes, width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), pixels, "raw", "RGBX")


def _colour(pixel: bytes) -> tuple[int, int, int]:
    return pixel[0], pixel[1], pixel[2]


def _indexed(plain: bytes, palette: bytes, width: int, height: int) -> Image.Image:
    if len(palette) <= 6:
        row = (width + 7) // 8
        bits = [plain[y * row + x // 8] >> 7 - x % 8 & 1 for y in range(height) for x in range(width)]
        plain = bytes(bits)
    image = Image.frombytes("P", (width, height), plain)
    image.putpalette(palette + b"\0" * (768 - len(palette)))
    return image.convert("RGB")


def _gradient(plain: bytes, width: int) -> bytes:
    row = width * 3
    out = bytearray(len(plain))
    for at, delta in enumerate(plain):
        left = out[at - 3] if at % row >= 3 else 0
        above = out[at - row] if at >= row else 0
        corner = out[at - row - 3] if at >= row and at % row >= 3 else 0
        out[at] = (max(0, min(255, left + above - corner)) + delta) & 255
    return bytes(out)


def _zrle(content: Bytes, width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height))
    for y in range(0, height, 64):
        for x in range(0, width, 64):
            w, h = min(64, width - x), min(64, height - y)
            image.paste(_zrle_tile(content, w, h), (x, y))
    assert content.at == len(content.content), "surplus bytes in a ZRLE rectangle"
    return image


def _zrle_tile(content: Bytes, width: int, height: int) -> Image.Image:
    kind = content.byte()
    if kind == 0:
        return Image.frombytes("RGB", (width, height), content.take(width * height * 3))
    if kind == 1:
        return Image.new("RGB", (width, height), _colour(content.take(3)))
    if kind < 128:
        return _zrle_packed(content, width, height, kind)
    palette = [content.take(3) for _ in range(kind - 128)]
    out = bytearray()
    while len(out) < width * height * 3:
        if kind == 128:
            out += content.take(3) * content.run_length()
        else:
            index = content.byte()
            out += palette[index & 127] * (content.run_length() if index & 128 else 1)
    return Image.frombytes("RGB", (width, height), bytes(out))


def _zrle_packed(content: Bytes, width: int, height: int, colours: int) -> Image.Image:
    palette = [content.take(3) for _ in range(colours)]
    bits = 1 if colours == 2 else 2 if colours <= 4 else 4
    out = bytearray()
    for _ in range(height):
        row = content.take((width * bits + 7) // 8)
        for x in range(width):
            out += palette[row[x * bits // 8] >> (8 - bits - x * bits % 8) & (1 << bits) - 1]
    return Image.frombytes("RGB", (width, height), bytes(out))
