"""Encoding numbers, the allow-list, and how long each rectangle is, decided without decompressing anything.

Counterpart: gateway.rfb.target_filter, which walks the stream with these rules. Each rule takes the buffer, the offset
right after the 12-byte rectangle header, the end of the buffer, and the rectangle's width and height. It returns the
payload's length in bytes, or NEED_MORE while the bytes that decide are not there. Nothing here holds bytes.
The pixel format is always ours: 4 bytes a pixel (BPP), 3 in Tight (TPIXEL). See RFC 6143 7.7 and the Tight extension.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Final, TypeAlias

from gateway.rfb.errors import LimitExceeded, TargetProtocolError

Chunk: TypeAlias = bytes | bytearray | memoryview
Rule: TypeAlias = Callable[[Chunk, int, int, int, int], int]

NEED_MORE: Final = -1
BPP: Final = 4

RAW: Final = 0
COPY_RECT: Final = 1
RRE: Final = 2
CORRE: Final = 4
HEXTILE: Final = 5
ZLIB: Final = 6
TIGHT: Final = 7
ZRLE: Final = 16
DESKTOP_SIZE: Final = -223
LAST_RECT: Final = -224
CURSOR: Final = -239
X_CURSOR: Final = -240
QEMU_EXTENDED_KEY: Final = -258
TIGHT_PNG: Final = -260
LED_STATE: Final = -261
EXTENDED_DESKTOP_SIZE: Final = -308
FENCE: Final = -312
CONTINUOUS_UPDATES: Final = -313
CURSOR_WITH_ALPHA: Final = -314
EXTENDED_MOUSE_BUTTONS: Final = -316
VMWARE_CURSOR: Final = 0x574D5664
EXTENDED_CLIPBOARD: Final = 0xC0A1E5CE - (1 << 32)

JPEG_QUALITY: Final = range(-32, -22)
"""Pseudo-encodings of the Tight extension: level 0 (worst) to 9."""

BROWSER_ENCODINGS: Final = frozenset(
    {
        *(TIGHT, COPY_RECT, ZRLE, RAW),
        *(LAST_RECT, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, CURSOR, VMWARE_CURSOR),
        *(QEMU_EXTENDED_KEY, LED_STATE, FENCE, CONTINUOUS_UPDATES, EXTENDED_MOUSE_BUTTONS),
        *JPEG_QUALITY,
        *range(-256, -246),  # compression level
    }
)
"""What a browser may ask for. EXTENDED_CLIPBOARD is added only while a clipboard direction is open."""

FRAMED_ENCODINGS: Final = BROWSER_ENCODINGS | {RRE, CORRE, HEXTILE, ZLIB, TIGHT_PNG, X_CURSOR, CURSOR_WITH_ALPHA}
"""Everything whose length this module can tell. For tests and special targets; the browser has no use for the rest."""

MAX_CURSOR: Final = 256
MAX_SCREENS: Final = 64
_U32: Final = Struct(">I")
_I32: Final = Struct(">i")


def _raw(_buffer: Chunk, _at: int, _end: int, width: int, height: int) -> int:
    return width * height * BPP


def _copy_rect(_buffer: Chunk, _at: int, _end: int, _width: int, _height: int) -> int:
    return 4


def _subrectangles(bytes_each: int) -> Rule:
    def rule(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
        if end - at < 4:
            return NEED_MORE
        (count,) = _U32.unpack_from(buffer, at)
        if count > width * height:
            raise LimitExceeded("more subrectangles than pixels")
        return int(4 + BPP + count * bytes_each)

    return rule


def _compressed(bytes_per_pixel: int) -> Rule:
    """Encodings that state their length. An honest coder needs the pixels plus a little."""

    def rule(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
        if end - at < 4:
            return NEED_MORE
        (length,) = _U32.unpack_from(buffer, at)
        if length > bytes_per_pixel * width * height + (width * height >> 3) + 4096:
            raise LimitExceeded("compressed rectangle larger than its pixels")
        return int(4 + length)

    return rule


def tight_bound(width: int, height: int) -> int:
    """The most a Tight payload may state: a plain area bound is wrong, JPEG works in blocks of 16 (seen: 15,645 bytes
    for 1472x2 pixels)."""
    area = width * height
    blocks = ((width + 15) & ~15) * ((height + 15) & ~15)
    return max(3 * area + (area >> 3) + 2048, 3 * blocks + 4096)


def _compact(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
    """Bytes of a compact length (1 to 3) plus what it announces; at most 4,194,303 by construction."""
    if at >= end:
        return NEED_MORE
    first = buffer[at]
    if first < 128:
        return 1 + first
    if at + 1 >= end:
        return NEED_MORE
    second = buffer[at + 1]
    length = (first & 127) | (second & 127) << 7
    used = 2
    if second > 127:
        if at + 2 >= end:
            return NEED_MORE
        length |= buffer[at + 2] << 14
        used = 3
    if length > 4096 and length > 3 * width * height and length > tight_bound(width, height):
        raise LimitExceeded("compressed rectangle larger than its pixels")
    return used + length


def _tight(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
    if at >= end:
        return NEED_MORE
    control = buffer[at]
    if control & 0x80:
        if control >= 0xA0:
            raise TargetProtocolError("tight compression type unknown")
        if control < 0x90:
            return 4  # fill
        rest = _compact(buffer, at + 1, end, width, height)  # JPEG
        return NEED_MORE if rest < 0 else 1 + rest
    return _tight_basic(buffer, at, end, width, height)


def _tight_basic(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
    head = 1
    size = width * height * 3
    if buffer[at] & 0x40:
        if at + 1 >= end:
            return NEED_MORE
        head = 2
        filter_id = buffer[at + 1]
        if filter_id == 1:
            if at + 2 >= end:
                return NEED_MORE
            colours = buffer[at + 2] + 1
            head = 3 + colours * 3
            size = (width + 7 >> 3) * height if colours <= 2 else width * height
        elif filter_id > 2:
            raise TargetProtocolError("tight filter unknown")
    if size < 12:
        return head + size
    rest = _compact(buffer, at + head, end, width, height)
    return NEED_MORE if rest < 0 else head + rest


def _tight_png(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
    if at >= end:
        return NEED_MORE
    kind = buffer[at] >> 4
    if kind == 8:
        return 4
    if kind not in (9, 10):
        raise TargetProtocolError("tight compression type unknown")
    rest = _compact(buffer, at + 1, end, width, height)
    return NEED_MORE if rest < 0 else 1 + rest


def _cursor(_buffer: Chunk, _at: int, _end: int, width: int, height: int) -> int:
    return width * height * BPP + (width + 7 >> 3) * height


def _x_cursor(_buffer: Chunk, _at: int, _end: int, width: int, height: int) -> int:
    return 6 + 2 * (width + 7 >> 3) * height if width and height else 0


def _cursor_with_alpha(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
    if end - at < 4:
        return NEED_MORE
    if _I32.unpack_from(buffer, at)[0] != RAW:
        raise TargetProtocolError("cursor in an encoding that was not asked for")
    return 4 + width * height * BPP


def _vmware_cursor(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
    if at >= end:
        return NEED_MORE
    kind = buffer[at]
    if kind > 1:
        raise TargetProtocolError("vmware cursor type unknown")
    return 2 + width * height * BPP * (2 if kind == 0 else 1)


def _screens(buffer: Chunk, at: int, end: int, _width: int, _height: int) -> int:
    if at >= end:
        return NEED_MORE
    if buffer[at] > MAX_SCREENS:
        raise LimitExceeded("too many screens")
    return 4 + 16 * buffer[at]


def _nothing(_buffer: Chunk, _at: int, _end: int, _width: int, _height: int) -> int:
    return 0


def _one_byte(_buffer: Chunk, _at: int, _end: int, _width: int, _height: int) -> int:
    return 1


PIXEL_RULES: Final[Mapping[int, Rule]] = {
    RAW: _raw,
    COPY_RECT: _copy_rect,
    RRE: _subrectangles(BPP + 8),
    CORRE: _subrectangles(BPP + 4),
    ZLIB: _compressed(BPP),
    TIGHT: _tight,
    TIGHT_PNG: _tight_png,
    ZRLE: _compressed(BPP + 1),
}
"""Rectangles that paint: they must lie inside the framebuffer. Hextile is walked tile by tile, see `hextile_tile`."""

CURSOR_RULES: Final[Mapping[int, Rule]] = {
    CURSOR: _cursor,
    X_CURSOR: _x_cursor,
    CURSOR_WITH_ALPHA: _cursor_with_alpha,
    VMWARE_CURSOR: _vmware_cursor,
}
"""Pointer shapes: width and height are the shape's (at most MAX_CURSOR), x and y its hot spot."""

STATE_RULES: Final[Mapping[int, Rule]] = {
    DESKTOP_SIZE: _nothing,
    EXTENDED_DESKTOP_SIZE: _screens,
    LED_STATE: _one_byte,
    QEMU_EXTENDED_KEY: _nothing,
    EXTENDED_MOUSE_BUTTONS: _nothing,
}
"""Rectangles that tell something about the session; the filter acts on them."""


def hextile_tile(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
    """Length of one Hextile tile (RFC 6143 7.7.4) of that size, its subencoding byte included, or NEED_MORE."""
    if at >= end:
        return NEED_MORE
    flags = buffer[at]
    if flags > 31:
        raise TargetProtocolError("hextile subencoding unknown")
    if flags & 1:
        return 1 + width * height * BPP
    length = 1 + (BPP if flags & 2 else 0) + (BPP if flags & 4 else 0)
    if flags & 8:
        if at + length >= end:
            return NEED_MORE
        length += 1 + buffer[at + length] * (BPP + 2 if flags & 16 else 2)
    return length
