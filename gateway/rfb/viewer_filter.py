"""Viewer -> target: the only things that may travel toward a desktop. Counterpart: target_filter, both driven by relay.

Sans-I/O. Every message is framed by its length and forwarded whole, dropped, or rebuilt; anything unknown ends the
session, because after an unknown type the framing is lost. Nothing is forwarded of a message that has not fully
arrived, so the target's stream always stands between two messages and `set_rules` may speak at any time.
"""

from collections.abc import Callable
from struct import Struct
from typing import Final, TypeAlias

from gateway.rfb.clipboard import extended_message, longest_body, screen_extended
from gateway.rfb.encodings import EXTENDED_CLIPBOARD, EXTENDED_MOUSE_BUTTONS, JPEG_QUALITY, RAW, TIGHT
from gateway.rfb.errors import LimitExceeded, ProtocolError, ViewerProtocolError
from gateway.rfb.link import RfbLink
from gateway.rfb.rules import RfbRules

MAX_ENCODINGS: Final = 256
MAX_CUT_TEXT: Final = 16 * 1024 * 1024
MAX_FENCE: Final = 64

PIXEL_FORMAT: Final = bytes((32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0))
"""The one pixel format: 32 bits, depth 24, little-endian, true colour, red in the low byte (RFC 6143 7.4)."""
SET_PIXEL_FORMAT: Final = b"\0\0\0\0" + PIXEL_FORMAT
"""Sent once by the gateway, before anything of the viewer."""

_REQUEST: Final = Struct(">BBHHHH")
_RESIZE: Final = Struct(">BxHHBx")
_SCREEN: Final = Struct(">IHHHHI")
_FENCE_FLAGS: Final = 7  # BlockBefore, BlockAfter, SyncNext; never the Request bit
_NEED_MORE: Final = -1
_AS_IS: Final = b""

Verdict: TypeAlias = tuple[int, bytes | None]
"""Length of a message (_NEED_MORE: not all there) and what goes out instead of it: None nothing, _AS_IS itself."""


class ViewerFilter:
    """Feed it what the viewer sent; forward what it returns.

    `error` is set once, by the first violation; from then on everything is discarded. `inputs` counts key and pointer
    events, dropped ones too, so that a person who may only watch is not taken for idle.
    """

    def __init__(self, link: RfbLink) -> None:
        self.error: ProtocolError | None = None
        self.inputs = 0
        self._link = link
        self._tail = b""
        self._text = bytearray()
        self._text_missing = 0
        self._text_extended = False
        self._swallow = 0
        self._asked: tuple[int, ...] = ()
        self._forwarded: tuple[int, ...] = ()
        self._kinds: dict[int, Callable[[bytes, int, int], Verdict]] = {
            0: self._drop_fixed(20),
            2: self._set_encodings,
            3: self._update_request,
            4: self._key,
            5: self._pointer,
            6: self._cut_text,
            150: self._continuous_updates,
            248: self._fence,
            250: self._drop_fixed(4),
            251: self._set_desktop_size,
            255: self._qemu,
        }

    @property
    def held_bytes(self) -> int:
        """Bytes kept for a message that is not complete."""
        return len(self._tail) + len(self._text)

    def set_rules(self, rules: RfbRules) -> list[bytes]:
        """Act by these rules from the next message on. Returns what the target must be told now (its encodings)."""
        self._link.rules = rules
        if not self._asked or self.error is not None:
            return []
        before = self._forwarded
        message = self._encodings_message()
        return [message] if self._forwarded != before else []

    def feed(self, chunk: bytes) -> list[bytes]:
        """One piece of the viewer's stream, split anywhere. Returns messages to forward, `chunk` itself if all pass."""
        out: list[bytes] = []
        if self.error is not None:
            return out
        buffer = self._tail + chunk if self._tail else chunk
        self._tail = b""
        try:
            self._walk(buffer, out)
        except ProtocolError as error:
            self.error = error
            self._tail = b""
            self._text.clear()
        return out

    def _walk(self, buffer: bytes, out: list[bytes]) -> None:
        """INVARIANT: buffer[run:at] is approved and not yet in `out`; on an error it still goes out."""
        at = run = 0
        end = len(buffer)
        known = self._kinds
        try:
            while at < end:
                if self._swallow or self._text_missing:
                    at = run = self._take_body(buffer, at, end, out)
                    continue
                rule = known.get(buffer[at])
                if rule is None:
                    raise ViewerProtocolError(f"viewer message {buffer[at]} not allowed")
                length, instead = rule(buffer, at, end)
                if length < 0:
                    break
                if instead == _AS_IS:
                    at += length
                    continue
                if run < at:
                    out.append(buffer[run:at])
                if instead is not None:
                    out.append(instead)
                at += length
                run = at
        finally:
            if run < at:
                out.append(buffer if run == 0 and at == end else buffer[run:at])
        self._tail = buffer[at:]

    def _key(self, _buffer: bytes, at: int, end: int) -> Verdict:
        if end - at < 8:
            return _NEED_MORE, None
        self.inputs += 1
        return 8, None if self._link.rules.view_only else _AS_IS

    def _pointer(self, buffer: bytes, at: int, end: int) -> Verdict:
        """Bit 7 needs a confirmed ExtendedMouseButtons: any other target reads 6 bytes whatever the mask says."""
        if end - at < 6:
            return _NEED_MORE, None
        bit_7 = buffer[at + 1] & 128
        length = 7 if bit_7 and self._link.extended_mouse else 6
        if end - at < length:
            return _NEED_MORE, None
        self.inputs += 1
        if self._link.rules.view_only:
            return length, None
        if bit_7 and length == 6:
            return 6, bytes((5, buffer[at + 1] & 127)) + buffer[at + 2 : at + 6]
        return length, _AS_IS

    @staticmethod
    def _drop_fixed(length: int) -> Callable[[bytes, int, int], Verdict]:
        def drop(_buffer: bytes, at: int, end: int) -> Verdict:
            return (length if end - at >= length else _NEED_MORE), None

        return drop

    def _set_encodings(self, buffer: bytes, at: int, end: int) -> Verdict:
        if end - at < 4:
            return _NEED_MORE, None
        count = buffer[at + 2] << 8 | buffer[at + 3]
        if count > MAX_ENCODINGS:
            raise LimitExceeded("too many encodings")
        length = 4 + 4 * count
        if end - at < length:
            return _NEED_MORE, None
        self._asked = Struct(f">{count}i").unpack_from(buffer, at + 4) or (RAW,)
        return length, self._encodings_message()

    def _encodings_message(self) -> bytes:
        """The viewer's wishes, in its order, as far as they are allowed now.

        Once ExtendedMouseButtons is confirmed it stays in: viewer and target then agree on the length of PointerEvent
        whatever the viewer leaves out of a later list.
        """
        rules = self._link.rules
        allowed = rules.encodings | {EXTENDED_CLIPBOARD} if rules.clipboard else rules.encodings
        best = JPEG_QUALITY[rules.max_quality]
        capped = (min(number, best) if number in JPEG_QUALITY else number for number in self._asked)
        wanted = dict.fromkeys(number for number in capped if number in allowed)
        if TIGHT in wanted and best != JPEG_QUALITY[-1] and not any(number in JPEG_QUALITY for number in wanted):
            wanted[best] = None  # without a level Tight is lossless
        if self._link.extended_mouse:
            wanted[EXTENDED_MOUSE_BUTTONS] = None
        self._forwarded = tuple(wanted) or (RAW,)
        count = len(self._forwarded)
        return Struct(f">BxH{count}i").pack(2, count, *self._forwarded)

    def _clamped(self, x: int, y: int, width: int, height: int) -> tuple[int, int, int, int]:
        link = self._link
        x, y = min(x, link.width), min(y, link.height)
        return x, y, min(width, link.width - x), min(height, link.height - y)

    def _update_request(self, buffer: bytes, at: int, end: int) -> Verdict:
        if end - at < 10:
            return _NEED_MORE, None
        kind, incremental, x, y, width, height = _REQUEST.unpack_from(buffer, at)
        link = self._link
        if incremental <= 1 and x + width <= link.width and y + height <= link.height:
            return 10, _AS_IS
        return 10, _REQUEST.pack(kind, 1 if incremental else 0, *self._clamped(x, y, width, height))

    def _continuous_updates(self, buffer: bytes, at: int, end: int) -> Verdict:
        if end - at < 10:
            return _NEED_MORE, None
        if not self._link.continuous_updates:
            return 10, None
        kind, enable, *area = _REQUEST.unpack_from(buffer, at)
        return 10, _REQUEST.pack(kind, 1 if enable else 0, *self._clamped(*area))

    def _fence(self, buffer: bytes, at: int, end: int) -> Verdict:
        """Only as the answer to an outstanding request with that payload: 64 free bytes would be a channel."""
        if end - at < 9:
            return _NEED_MORE, None
        size = buffer[at + 8]
        if size > MAX_FENCE:
            raise LimitExceeded("fence payload too long")
        length = 9 + size
        if end - at < length:
            return _NEED_MORE, None
        payload = buffer[at + 9 : at + length]
        if buffer[at + 4] & 128 or payload not in self._link.fences:
            return length, None
        self._link.fences.remove(payload)
        return length, bytes((248, 0, 0, 0, 0, 0, 0, buffer[at + 7] & _FENCE_FLAGS, size)) + payload

    def _set_desktop_size(self, buffer: bytes, at: int, end: int) -> Verdict:
        if end - at < 8:
            return _NEED_MORE, None
        kind, width, height, screens = _RESIZE.unpack_from(buffer, at)
        if screens != 1:
            raise ViewerProtocolError("more or fewer than one screen")
        if end - at < 24:
            return _NEED_MORE, None
        rules = self._link.rules
        if rules.view_only or not rules.allow_resize or not width or not height:
            return 24, None
        width, height = min(width, rules.max_width), min(height, rules.max_height)
        screen_id, *_, flags = _SCREEN.unpack_from(buffer, at + 8)
        return 24, _RESIZE.pack(kind, width, height, 1) + _SCREEN.pack(screen_id, 0, 0, width, height, flags)

    def _qemu(self, buffer: bytes, at: int, end: int) -> Verdict:
        if end - at < 2:
            return _NEED_MORE, None
        if buffer[at + 1] != 0:
            raise ViewerProtocolError("viewer message 255 not allowed")
        if end - at < 12:
            return _NEED_MORE, None
        self.inputs += 1
        passes = self._link.extended_key and not self._link.rules.view_only
        return 12, _AS_IS if passes else None

    def _cut_text(self, buffer: bytes, at: int, end: int) -> Verdict:
        """Header of ClientCutText: decide whether its body is gathered or swallowed. The body follows by count."""
        if end - at < 8:
            return _NEED_MORE, None
        size = int.from_bytes(buffer[at + 4 : at + 8], "big", signed=True)
        extended, size = size < 0, abs(size)
        if size > MAX_CUT_TEXT:
            raise LimitExceeded("clipboard text too large")
        cap = self._link.rules.cap(inward=True)
        longest = longest_body(cap) if extended else cap
        if not (self._link.rules.clipboard if extended else cap) or size > longest:
            self._swallow = size
            self._link.blocked("too_long" if cap else "off", inward=True)
        elif not extended and not self._link.admits_text(inward=True):
            self._swallow = size
            self._link.blocked("too_often", inward=True)
        elif size == 0 and not extended:
            return 8, _AS_IS
        else:
            self._text_missing, self._text_extended = size, extended
        return 8, None

    def _take_body(self, buffer: bytes, at: int, end: int, out: list[bytes]) -> int:
        if self._swallow:
            step = min(self._swallow, end - at)
            self._swallow -= step
            return at + step
        step = min(self._text_missing, end - at)
        self._text += buffer[at : at + step]
        self._text_missing -= step
        if not self._text_missing:
            body = bytes(self._text)
            self._text.clear()
            message = self._screened(body)
            if message:
                out.append(message)
        return at + step

    def _screened(self, body: bytes) -> bytes:
        link = self._link
        cap = link.rules.cap(inward=True)
        if not self._text_extended:
            if len(body) > cap:
                link.blocked("too_long" if cap else "off", inward=True)
                return b""
            link.passed(len(body), inward=True)
            return bytes((6, 0, 0, 0)) + len(body).to_bytes(4, "big") + body
        verdict = screen_extended(
            body,
            cap=cap,
            other_cap=link.rules.cap(inward=False),
            error=ViewerProtocolError,
            admits=lambda: link.admits_text(inward=True),
        )
        if verdict.blocked:
            link.blocked(verdict.blocked, inward=True)
        if verdict.passed_chars is not None:
            link.passed(verdict.passed_chars, inward=True)
        return b"" if verdict.body is None else extended_message(6, verdict.body)
