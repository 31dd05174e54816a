"""Target -> viewer: pixels, and what a rule opens. Counterpart: viewer_filter; driven by gateway.relay.

Sans-I/O. The stream is framed by length and never decoded (zlib streams of Tight and ZRLE span the whole session, so
no rectangle may be dropped or reordered). Whole chunks pass untouched; a copy is made only around a dropped message.
Kept are at most the undecided bytes of a header (MAX_TAIL) and one clipboard message that is being checked.
"""

from struct import Struct
from typing import Final, TypeAlias

from gateway.rfb.clipboard import extended_message, longest_body, screen_extended
from gateway.rfb.encodings import (
    CURSOR_RULES,
    DESKTOP_SIZE,
    EXTENDED_DESKTOP_SIZE,
    EXTENDED_MOUSE_BUTTONS,
    HEXTILE,
    LAST_RECT,
    MAX_CURSOR,
    PIXEL_RULES,
    QEMU_EXTENDED_KEY,
    RAW,
    STATE_RULES,
    TIGHT,
    Chunk,
    Rule,
    hextile_tile,
)
from gateway.rfb.errors import LimitExceeded, ProtocolError, TargetProtocolError
from gateway.rfb.link import MAX_FENCES, RfbLink
from gateway.rfb.tight_run import tight_run
from gateway.rfb.viewer_filter import MAX_CUT_TEXT, MAX_FENCE

Part: TypeAlias = slice | bytes

MAX_TAIL: Final = 1024
"""Bytes the relay must keep free before each chunk: the longest undecided header is 12 + 774 (a Tight palette)."""

_RECT: Final = Struct(">HHHHi")
Verdict: TypeAlias = tuple[int, bytes | None]
"""Length, and what goes out instead: None the bytes themselves, empty nothing."""

_UNDECIDED: Final[Verdict] = (-1, None)
_NO_TILES: Final = (0, 0, 0, 0)


class TargetFilter:
    """Feed it what the target sent; forward what it returns. `error` is set once and everything after is discarded."""

    def __init__(self, link: RfbLink) -> None:
        self.error: ProtocolError | None = None
        self.tail = b""
        """Undecided bytes at the end of what was fed; the next chunk continues them."""
        self._link = link
        self._skip = 0  # payload bytes that pass
        self._swallow = 0  # payload bytes that are dropped
        self._rects = 0  # rectangles left in the current update
        self._tiles = _NO_TILES  # Hextile: x, y of the next tile, width, height
        self._text = bytearray()
        self._text_missing = 0
        self._allowed: frozenset[int] | None = None
        self._rules: dict[int, Rule] = {}

    @property
    def held_bytes(self) -> int:
        """Bytes kept between two chunks."""
        return len(self.tail) + len(self._text)

    def feed(self, chunk: Chunk) -> list[Chunk]:
        """One piece of the target's stream, split anywhere. Returns what to forward, `chunk` itself if all passes."""
        whole: Chunk = self.tail + bytes(chunk) if self.tail else chunk
        size = len(whole)
        view = memoryview(whole)
        return [
            part if isinstance(part, bytes) else whole if part.stop - part.start == size else view[part]
            for part in self.scan(whole)
        ]

    def scan(self, buffer: Chunk) -> list[Part]:
        """The same without copying: `buffer` must begin with `tail`. Returns ranges of it and replacement bytes."""
        out: list[Part] = []
        self.tail = b""
        if self.error is None:
            try:
                self._walk(buffer, out)
            except ProtocolError as error:
                self.error = error
                self._text.clear()
        return out

    def _walk(self, buffer: Chunk, out: list[Part]) -> None:
        """INVARIANT: buffer[run:at] is approved and not yet in `out`; on an error it still goes out."""
        at = run = 0
        end = len(buffer)
        try:
            while at < end:
                if self._skip:
                    step = min(self._skip, end - at)
                    at += step
                    self._skip -= step
                elif self._in_update(buffer[at]):
                    after = self._tiles_of(buffer, at, end) if self._tiles[3] else self._rectangles(buffer, at, end)
                    if after == at:
                        break
                    at = after
                else:
                    length, instead = self._message(buffer, at, end)
                    if length < 0:
                        break
                    if instead is None:
                        self._skip = length
                        continue
                    if run < at:
                        out.append(slice(run, at))
                    if instead:
                        out.append(instead)
                    at += length
                    run = at
        finally:
            if run < at:
                out.append(slice(run, at))
        if at < end:
            self.tail = bytes(buffer[at:end])

    def _in_update(self, byte: int) -> bool:
        """Whether the next byte belongs to an update or begins one."""
        return self._rects > 0 or (byte == 0 and not (self._swallow or self._text_missing))

    def _rectangles(self, buffer: Chunk, at: int, end: int) -> int:
        """Walk updates and their rectangles; the offset after the last decided one, `at` itself when none is.

        The hot path: a busy terminal sends thousands a second. What of the last one's payload is not there yet goes to
        `_skip`. An error behind decided ones is met again, and raised, by the next call: they still pass.
        """
        start, link, known, unpack, rects = at, self._link, self._known(), _RECT.unpack_from, self._rects
        runs = LAST_RECT in link.rules.encodings  # a run passes over it
        try:
            while at < end:
                if not rects:
                    if buffer[at] or end - at < 4:
                        break
                    rects = buffer[at + 2] << 8 | buffer[at + 3]
                    at += 4
                    continue
                if end - at < 12:
                    break
                x, y, width, height, encoding = unpack(buffer, at)
                rule = known.get(encoding)
                if rule is None:
                    self._rects = rects
                    length = self._other_rectangle(buffer, at, end, (x, y, width, height, encoding))
                    rects = self._rects
                elif x + width > link.width or y + height > link.height:
                    raise TargetProtocolError("rectangle outside the framebuffer")
                else:
                    length = rule(buffer, at + 12, end, width, height)
                    rects -= length >= 0
                if length < 0:
                    break
                at += 12 + length
                if encoding == TIGHT and runs:
                    at, rects = tight_run(buffer, at, end, rects, link.width, link.height)
                elif self._tiles[3]:
                    break
        except ProtocolError:
            if at == start:
                raise
        self._rects = rects
        self._skip = max(0, at - end)
        return min(at, end)

    def _known(self) -> dict[int, Rule]:
        """Length rules of the painting encodings that are allowed, and of Raw, which always is."""
        allowed = self._link.rules.encodings
        if allowed is not self._allowed:
            self._allowed = allowed
            self._rules = {number: PIXEL_RULES[number] for number in PIXEL_RULES if number in allowed or number == RAW}
        return self._rules

    def _other_rectangle(self, buffer: Chunk, at: int, end: int, header: tuple[int, int, int, int, int]) -> int:
        """Payload length of a pointer shape or state, or -1; acts on states. For Hextile 0: its tiles follow."""
        x, y, width, height, encoding = header
        link = self._link
        if encoding == LAST_RECT and encoding in link.rules.encodings:
            self._rects = 0
            return 0
        if encoding not in link.rules.encodings:
            raise TargetProtocolError("encoding that was not asked for")
        if encoding == HEXTILE:
            if x + width > link.width or y + height > link.height:
                raise TargetProtocolError("rectangle outside the framebuffer")
            if width and height:
                self._tiles = (0, 0, width, height)  # counted when the last tile is through
            else:
                self._rects -= 1
            return 0
        rule = CURSOR_RULES.get(encoding) or STATE_RULES.get(encoding)
        if rule is None:
            raise TargetProtocolError("encoding that cannot be a rectangle")
        if encoding in CURSOR_RULES and (width > MAX_CURSOR or height > MAX_CURSOR):
            raise LimitExceeded("pointer shape too large")
        length = rule(buffer, at + 12, end, width, height)
        if length >= 0:
            self._learn(encoding, y, width, height)
            self._rects -= 1
        return length

    def _learn(self, encoding: int, y: int, width: int, height: int) -> None:
        link = self._link
        if encoding == EXTENDED_MOUSE_BUTTONS:
            link.extended_mouse = True
        elif encoding == QEMU_EXTENDED_KEY:
            link.extended_key = True
        # In ExtendedDesktopSize y is the status of a request; the size is news only when that is 0.
        elif encoding == DESKTOP_SIZE or (encoding == EXTENDED_DESKTOP_SIZE and y == 0):
            if width > link.rules.max_width or height > link.rules.max_height:
                raise LimitExceeded("framebuffer too large")
            if (width, height) != (link.width, link.height):
                link.resized(width, height)

    def _tiles_of(self, buffer: Chunk, at: int, end: int) -> int:
        """Walk one tile of a Hextile rectangle; the offset after it, `at` itself while it is not decided."""
        x, y, width, height = self._tiles
        length = hextile_tile(buffer, at, end, min(16, width - x), min(16, height - y))
        if length < 0:
            return at
        x += 16
        if x >= width:
            x, y = 0, y + 16
        if y < height:
            self._tiles = (x, y, width, height)
        else:
            self._tiles = _NO_TILES
            self._rects -= 1
        self._skip = max(0, at + length - end)
        return min(at + length, end)

    def _message(self, buffer: Chunk, at: int, end: int) -> Verdict:
        """Any message but an update: its length as far as it passes or is dropped at once."""
        if self._swallow or self._text_missing:
            return self._take_body(buffer, at, end)
        verdict = self._header(buffer, at, end)
        if verdict[0] >= 0 and not self._link.asides.take(self._link.now):
            raise LimitExceeded("too many messages beside the updates")
        return verdict

    def _header(self, buffer: Chunk, at: int, end: int) -> Verdict:
        kind = buffer[at]
        have = end - at
        if kind == 2:
            return 1, None
        if kind == 3:
            return _UNDECIDED if have < 8 else self._cut_text(buffer, at)
        if kind == 150:
            self._link.continuous_updates = True
            return 1, None
        if kind == 248:
            return _UNDECIDED if have < 9 else self._fence(buffer, at, end)
        if kind == 250:
            return _UNDECIDED if have < 4 else (4, b"")
        raise TargetProtocolError(f"target message {kind} not allowed")

    def _fence(self, buffer: Chunk, at: int, end: int) -> Verdict:
        size = buffer[at + 8]
        if size > MAX_FENCE:
            raise LimitExceeded("fence payload too long")
        if end - at < 9 + size:
            return _UNDECIDED
        if buffer[at + 4] & 128:  # a request: the viewer may answer with this payload, once
            if len(self._link.fences) >= MAX_FENCES:
                raise LimitExceeded("too many fences without an answer")
            self._link.fences.append(bytes(buffer[at + 9 : at + 9 + size]))
        return 9 + size, None

    def _cut_text(self, buffer: Chunk, at: int) -> Verdict:
        """Header of ServerCutText: a legacy text within the cap passes by count, an extended one is gathered."""
        size = int.from_bytes(buffer[at + 4 : at + 8], "big", signed=True)
        extended, size = size < 0, abs(size)
        if size > MAX_CUT_TEXT:
            raise LimitExceeded("clipboard text too large")
        rules = self._link.rules
        cap = rules.cap(inward=False)
        longest = longest_body(cap) if extended else cap
        if not (rules.clipboard if extended else cap) or size > longest:
            self._swallow = size
            self._link.blocked("too_long" if cap else "off", inward=False)
        elif extended:
            self._text_missing = size
        elif not self._link.admits_text(inward=False):
            self._swallow = size
            self._link.blocked("too_often", inward=False)
        else:
            self._link.passed(size, inward=False)
            return 8 + size, None
        return 8, b""

    def _take_body(self, buffer: Chunk, at: int, end: int) -> Verdict:
        if self._swallow:
            step = min(self._swallow, end - at)
            self._swallow -= step
            return step, b""
        step = min(self._text_missing, end - at)
        self._text += buffer[at : at + step]
        self._text_missing -= step
        if self._text_missing:
            return step, b""
        body = bytes(self._text)
        self._text.clear()
        rules, link = self._link.rules, self._link
        cap, other = rules.cap(inward=False), rules.cap(inward=True)
        verdict = screen_extended(
            body,
            cap=cap,
            other_cap=other,
            error=TargetProtocolError,
            admits=lambda: link.admits_text(inward=False),
        )
        if verdict.blocked:
            link.blocked(verdict.blocked, inward=False)
        if verdict.passed_chars is not None:
            link.passed(verdict.passed_chars, inward=False)
        return step, b"" if verdict.body is None else extended_message(3, verdict.body)
