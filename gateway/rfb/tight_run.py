"""Runs of Tight rectangles, the bulk of what a desktop sends: thousands a second, each decided in one step.

Counterpart: gateway.rfb.target_filter, which walks everything and calls this after a Tight rectangle that it decided
itself. Nothing is refused here: whatever is not plainly a Tight rectangle inside the framebuffer, within an update, is
left to the general walk, which knows the rules and their errors. So this must accept only what the walk would accept.
"""

from struct import Struct
from typing import Final

from gateway.rfb.encodings import LAST_RECT, NEED_MORE, PIXEL_RULES, TIGHT, Chunk
from gateway.rfb.errors import ProtocolError

_RECT: Final = Struct(">HHHHiBBB")  # the rectangle's header, Tight's control byte, two bytes of its length
_NEXT: Final = Struct(">8xQHHHHiBBB")  # the same behind a LastRect and the header of an update of unknown count
_OPEN_UPDATE: Final = LAST_RECT << 32 & 0xFFFF_FFFF_0000_0000 | 0xFFFF
"""How that begins: the encoding of the LastRect, type 0, a byte of padding, and "until LastRect" as the count."""
_tight: Final = PIXEL_RULES[TIGHT]
_HEADER: Final = 12
_UPDATE: Final = 4
_JPEG: Final = 0x90
_JPEG_UPDATE: Final = _HEADER + _UPDATE + _HEADER + 3 - 128
"""All before the picture, less the 128 that its length's first byte has too much (its top bit says "more")."""
_AHEAD: Final = _HEADER + _UPDATE + _RECT.size
"""Bytes that one step may look at."""


def tight_run(buffer: Chunk, at: int, end: int, rects: int, width: int, height: int) -> tuple[int, int]:
    """Walk on from `at`, with `rects` rectangles left in the update, in a framebuffer of that size.

    Returns the same two after the last rectangle or header that was decided; the offset may lie behind `end` by what is
    missing of the last payload.
    """
    rectangle, following, last = _RECT.unpack_from, _NEXT.unpack_from, end - _AHEAD
    while at <= last:
        opening, x, y, w, h, encoding, control, first, second = following(buffer, at)
        if opening == _OPEN_UPDATE and rects:
            # Nine of ten: one JPEG of 128 bytes to 4 KiB to an update. The rest of the loop decides it alike, slower.
            if (
                control == _JPEG
                and encoding == TIGHT
                and second < 32
                and first >= 128
                and x + w <= width
                and y + h <= height
            ):
                at += first + second * 128 + _JPEG_UPDATE
                rects = 0xFFFE
                continue
            at += _HEADER + _UPDATE
            rects = 0xFFFF
        else:
            if not rects:
                if buffer[at]:
                    break
                rects = buffer[at + 2] << 8 | buffer[at + 3]
                at += _UPDATE
                if not rects:
                    continue
            x, y, w, h, encoding, control, first, second = rectangle(buffer, at)
        if encoding != TIGHT or x + w > width or y + h > height:
            break
        if control & 0xF0 == 0x90 and first < 128:
            at += _HEADER + 2 + first
        elif control & 0xF0 == 0x90 and second < 32:  # less than 4 KiB: no rectangle is too small for that
            at += _HEADER + 3 + (first & 127 | second << 7)
        elif (length := _length(buffer, at + _HEADER, end, w, h)) < 0:
            break
        else:
            at += _HEADER + length
        rects -= 1
    return at, rects


def _length(buffer: Chunk, at: int, end: int, width: int, height: int) -> int:
    """By the general rule, but an error is left to whoever walks there next."""
    try:
        return _tight(buffer, at, end, width, height)
    except ProtocolError:
        return NEED_MORE
