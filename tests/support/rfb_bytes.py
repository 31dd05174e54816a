"""RFB messages as bytes, for tests that speak to the filters directly."""

import struct
import zlib

from gateway.rfb.link import RfbLink
from gateway.rfb.rules import RfbRules


def link(width: int = 640, height: int = 480, rules: RfbRules | None = None) -> RfbLink:
    """A session's shared state with a framebuffer of that size."""
    return RfbLink(width, height, rules or RfbRules())


def pointer(x: int = 1, y: int = 2, mask: int = 0, high: int | None = None) -> bytes:
    """PointerEvent; with `high` in the 7-byte form."""
    return struct.pack(">BBHH", 5, mask, x, y) + (b"" if high is None else bytes((high,)))


def key(keysym: int = 0x61, *, down: bool = True) -> bytes:
    """KeyEvent."""
    return struct.pack(">BBxxI", 4, down, keysym)


def qemu_key(keysym: int = 0x61, code: int = 30) -> bytes:
    """QEMU extended key event."""
    return struct.pack(">BBHII", 255, 0, 1, keysym, code)


def request(x: int = 0, y: int = 0, width: int = 640, height: int = 480, incremental: int = 1) -> bytes:
    """FramebufferUpdateRequest."""
    return struct.pack(">BBHHHH", 3, incremental, x, y, width, height)


def encodings(*numbers: int) -> bytes:
    """SetEncodings."""
    return struct.pack(f">BxH{len(numbers)}i", 2, len(numbers), *numbers)


def fence(payload: bytes, flags: int, kind: int = 248) -> bytes:
    """Fence of either side."""
    return struct.pack(">BxxxIB", kind, flags, len(payload)) + payload


def cut_text(text: bytes, kind: int) -> bytes:
    """Legacy ClientCutText (6) or ServerCutText (3)."""
    return struct.pack(">BxxxI", kind, len(text)) + text


def extended(flags: int, body: bytes, kind: int) -> bytes:
    """An Extended Clipboard message."""
    return struct.pack(">BxxxiI", kind, -4 - len(body), flags) + body


def provide(text: bytes, kind: int, *, flags: int = 1 << 28 | 1, size: int | None = None) -> bytes:
    """Extended Clipboard "provide" of one text; `size` forges the size inside."""
    plain = struct.pack(">I", len(text) if size is None else size) + text
    return extended(flags, zlib.compress(plain), kind)


def resize(width: int, height: int, screens: int = 1) -> bytes:
    """SetDesktopSize."""
    each = struct.pack(">IHHHHI", 7, 0, 0, width, height, 0)
    return struct.pack(">BxHHBx", 251, width, height, screens) + each * screens


def update(*rectangles: bytes, count: int | None = None) -> bytes:
    """FramebufferUpdate."""
    return struct.pack(">BxH", 0, len(rectangles) if count is None else count) + b"".join(rectangles)


def rectangle(encoding: int, payload: bytes = b"", *, x: int = 0, y: int = 0, width: int = 0, height: int = 0) -> bytes:
    """One rectangle with its header."""
    return struct.pack(">HHHHi", x, y, width, height, encoding) + payload


def compact(length: int) -> bytes:
    """Tight's compact length."""
    if length < 128:
        return bytes((length,))
    if length < 16384:
        return bytes((length & 127 | 128, length >> 7))
    return bytes((length & 127 | 128, length >> 7 & 127 | 128, length >> 14))
