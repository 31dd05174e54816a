"""One live session: two byte streams around two sans-I/O filters. Counterparts: gateway.websocket (the browser's side),
gateway.target_connection (the desktop's side), gateway.rfb (which bytes may pass), the WebSocket handler (the owner).

How the handler uses it::

    viewer = await accept_viewer(request)              # 101; from here on refuse with viewer.close(code, reason)
    target = TargetConnection(rules)
    await connector.open(lambda: target)
    await target.handshake(login, tls=context)         # TargetError: viewer.close(4502, "target_unreachable")
    relay = Relay(rules=rules, clock=clock, on_event=...)
    registry.register(..., cut=lambda reason: relay.cut(reason, code))
    end = await relay.run(viewer, target)              # closes both sides before it returns
    return viewer.response

Back-pressure goes both ways and nothing is buffered here: while one side does not take its bytes, the other is not
read. It must not know users, policies or tickets. Everything runs in callbacks of the event loop, without locks.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.clock import Clock
from gateway.rfb.handshake import ViewerHandshake
from gateway.rfb.link import RfbEvent, RfbLink
from gateway.rfb.rules import RfbRules
from gateway.rfb.target_filter import TargetFilter
from gateway.rfb.viewer_filter import SET_PIXEL_FORMAT, ViewerFilter
from gateway.target_connection import COPIED_READ_BYTES, POOL, READ_BYTES, ROOM, TargetConnection
from gateway.websocket import ViewerConnection, frame_header


class RelayReason(StrEnum):
    """Ends that the relay itself finds; `cut` adds the caller's. Spelt as in broker's EndReason where both exist."""

    VIEWER_LEFT = "viewer_left"
    """The browser closed or the line is dead: the desktop stays, `disconnected`."""
    PROTOCOL_VIOLATION = "protocol_violation"
    """The viewer broke RFB or our rules: a modified client."""
    DESKTOP_ENDED = "desktop_ended"
    """The target closed its stream."""
    DESKTOP_FAILED = "desktop_failed"
    """The target broke RFB, or stalled."""


CLOSE_CODES: Final = {
    RelayReason.VIEWER_LEFT: 1000,
    RelayReason.PROTOCOL_VIOLATION: 4422,
    RelayReason.DESKTOP_ENDED: 4411,
    RelayReason.DESKTOP_FAILED: 4502,
}


@dataclass(frozen=True, slots=True)
class RelayEnd:
    """Why and with what a session ended. `reason` and `close_code` are what the viewer was told, `detail` is ours."""

    reason: str
    close_code: int
    detail: str
    bytes_up: int
    bytes_down: int


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Deadlines in seconds."""

    viewer_handshake: float = 10.0
    undecided_header: float = 30.0
    ping_every: float = 20.0
    dead_after: float = 60.0
    close_within: float = 3.0
    tell_every: float = 0.25


class Relay:
    """One session.

    `last_input_at` is the clock's monotonic time of the last key or pointer event (at first: of the start), also of one
    that a view-only rule dropped. `bytes_up` and `bytes_down` count RFB bytes forwarded to the target and the viewer.
    `on_event` gets clipboard and resize events, added up over a quarter of a second and complete when `run` returns; it
    is called by the event loop, must be quick and not raise.
    """

    def __init__(
        self,
        *,
        rules: RfbRules,
        clock: Clock,
        limits: RelayLimits = RelayLimits(),
        on_event: Callable[[RfbEvent], None] | None = None,
    ) -> None:
        self.bytes_up = 0
        self.bytes_down = 0
        self.last_input_at = clock.monotonic()
        self._clock = clock
        self._limits = limits
        self._on_event = on_event
        self._link = RfbLink(0, 0, rules)
        self._up = ViewerFilter(self._link)
        self._down = TargetFilter(self._link)
        self._opening: ViewerHandshake | None = None
        self._verdict: tuple[str, int, str] = ("", 0, "")
        self._ended = asyncio.Event()
        self._viewer: ViewerConnection | None = None
        self._target: TargetConnection | None = None
        self._viewer_blocked = False
        self._target_blocked = False
        self._lent: memoryview | None = None
        """What the viewer's transport may still hold a view of: the newest, an older one is given up."""
        self._pulse = _Pulse(self.last_input_at)
        self._timer: asyncio.TimerHandle | None = None
        self._telling: asyncio.TimerHandle | None = None

    async def run(self, viewer: ViewerConnection, target: TargetConnection) -> RelayEnd:
        """Relay until the first end, then close both sides within a deadline. Call once, after `target.handshake`."""
        self._viewer, self._target = viewer, target
        self._link.width, self._link.height = target.width, target.height
        self._opening = ViewerHandshake(target.width, target.height, self._link.rules.label)
        viewer.send(self._opening.feed(b""))
        self._pulse = _Pulse(self._clock.monotonic())
        deadline = asyncio.get_running_loop().call_later(self._limits.viewer_handshake, self._opening_late)
        self._look_later()
        try:
            target.attach(self, most=COPIED_READ_BYTES if viewer.copies else READ_BYTES)
            viewer.attach(self)
            await self._ended.wait()
            reason, code, detail = self._verdict
            target.close()
            await viewer.close(code, reason, within=self._limits.close_within)
        except asyncio.CancelledError:
            viewer.transport.abort()
            raise
        finally:
            self._end(RelayReason.VIEWER_LEFT, "relay was cancelled")
            for timer in (deadline, self._timer, self._telling):
                if timer is not None:
                    timer.cancel()
            self._tell()
            target.abort()
        return RelayEnd(reason, code, detail, self.bytes_up, self.bytes_down)

    def cut(self, reason: str, close_code: int) -> None:
        """End the session from outside, now: nothing more passes. The first end wins; safe at any time."""
        self._end(reason, "cut", close_code)

    def set_rules(self, rules: RfbRules) -> None:
        """A changed grant: acts from the next message of each direction on."""
        messages = self._up.set_rules(rules)
        if self._target is not None and self._opening is None and not self._ended.is_set():
            for message in messages:
                self._target.write(message)

    # what the viewer's side calls (gateway.websocket.ViewerSink)

    def viewer_sent(self, piece: bytes) -> None:
        """See ViewerSink."""
        if self._ended.is_set():
            return
        if self._opening is not None:
            piece = self._open(self._opening, piece)
        if piece:
            self._forward_up(piece)

    def viewer_left(self, detail: str) -> None:
        """See ViewerSink."""
        self._end(RelayReason.VIEWER_LEFT, detail)

    def viewer_blocked(self) -> None:
        """See ViewerSink."""
        self._viewer_blocked = True
        if self._target is not None:
            self._target.hold()

    def viewer_ready(self) -> None:
        """See ViewerSink."""
        self._viewer_blocked = False
        if self._lent is not None and self._viewer is not None and not self._viewer.transport.get_write_buffer_size():
            POOL.take_back(self._lent)
            self._lent = None
        self._resume_target()

    # what the target's side calls (gateway.target_connection.TargetSink)

    def target_sent(self, count: int) -> None:
        """See TargetSink. The hot path: one slice, one header written in front of it, one write."""
        viewer = self._viewer
        if viewer is None or self._ended.is_set() or not viewer.open:
            return
        down = self._down
        self._link.now = self._clock.monotonic()
        view, tail = POOL.view, down.tail
        start = ROOM - len(tail)
        if tail:
            view[start:ROOM] = tail
        parts = down.scan(view[start : ROOM + count])
        if len(parts) == 1 and isinstance(part := parts[0], slice):
            size = part.stop - part.start
            header = frame_header(size)
            # Right before an approved range stand the free room or dropped bytes, never approved ones.
            first = start + part.start - len(header)
            view[first : first + len(header)] = header
            viewer.transport.write(view[first : start + part.stop])
            self.bytes_down += size
        elif parts:
            joined = b"".join(part if isinstance(part, bytes) else view[start:][part] for part in parts)
            viewer.send(joined)
            self.bytes_down += len(joined)
        if viewer.transport.get_write_buffer_size():
            # The transport may keep a view of what it could not send. TLS seldom does: its own copy waits.
            lent = POOL.lend()
            self._lent = None if viewer.secure else lent
        if self._link.events and self._telling is None:
            self._tell_later()
        if down.error is not None:
            self._end(RelayReason.DESKTOP_FAILED, f"target: {down.error.reason}")

    def target_left(self, detail: str) -> None:
        """See TargetSink."""
        self._end(RelayReason.DESKTOP_ENDED, detail)

    def target_blocked(self) -> None:
        """See TargetSink."""
        self._target_blocked = True
        if self._viewer is not None:
            self._viewer.hold()

    def target_ready(self) -> None:
        """See TargetSink."""
        self._target_blocked = False
        if self._viewer is not None:
            self._viewer.resume()

    # inside

    def _open(self, opening: ViewerHandshake, piece: bytes) -> bytes:
        """The viewer's part of the RFB handshake. Returns what came after it."""
        assert self._viewer is not None and self._target is not None  # noqa: S101, PT018 - set by run
        self._viewer.send(opening.feed(piece))
        if opening.error is not None:
            self._end(RelayReason.PROTOCOL_VIOLATION, opening.error.reason)
        if not opening.done:
            return b""
        self._opening = None
        self._target.write(SET_PIXEL_FORMAT)
        self._resume_target()
        return opening.rest

    def _opening_late(self) -> None:
        if self._opening is not None:
            self._end(RelayReason.PROTOCOL_VIOLATION, "viewer did not finish the rfb handshake")

    def _forward_up(self, piece: bytes) -> None:
        up, target = self._up, self._target
        inputs = up.inputs
        self._link.now = self._clock.monotonic()
        messages = up.feed(piece)
        if messages and target is not None:
            joined = messages[0] if len(messages) == 1 else b"".join(messages)
            target.write(joined)
            self.bytes_up += len(joined)
        if up.inputs != inputs:
            self.last_input_at = self._clock.monotonic()
        if self._link.events and self._telling is None:
            self._tell_later()
        if up.error is not None:
            self._end(RelayReason.PROTOCOL_VIOLATION, f"viewer: {up.error.reason}")

    def _resume_target(self) -> None:
        if self._target is not None and not (self._viewer_blocked or self._opening or self._ended.is_set()):
            self._target.resume()

    def _tell_later(self) -> None:
        """Events add up for a moment: a peer that floods with tiny texts must not flood the audit."""
        self._telling = asyncio.get_running_loop().call_later(self._limits.tell_every, self._tell)

    def _tell(self) -> None:
        self._telling = None
        events = self._link.drain()
        if self._on_event is not None:
            for event in events:
                self._on_event(event)

    def _end(self, reason: str, detail: str, close_code: int | None = None) -> None:
        if self._ended.is_set():
            return
        if close_code is None:
            close_code = CLOSE_CODES[RelayReason(reason)]
        self._verdict = (str(reason), close_code, detail)
        self._ended.set()
        if self._target is not None:
            self._target.hold()

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._limits.ping_every / 4, self._look)

    def _look(self) -> None:
        """Every few seconds: does each side still live, and does the target leave a header half said?"""
        assert self._viewer is not None  # noqa: S101 - set by run
        now, limits, pulse = self._clock.monotonic(), self._limits, self._pulse
        if self._viewer.heard != pulse.heard:
            pulse.heard, pulse.heard_at = self._viewer.heard, now
        if not self._down.tail or self._viewer_blocked or self.bytes_down != pulse.bytes_down:
            pulse.bytes_down, pulse.decided_at = self.bytes_down, now
        if now - pulse.heard_at >= limits.dead_after:
            # While the target is stalled the viewer is not read, so its silence is ours.
            if self._target_blocked:
                self._end(RelayReason.DESKTOP_FAILED, "target takes no input")
            else:
                self._end(RelayReason.VIEWER_LEFT, "no sign of life from the viewer")
        elif now - pulse.decided_at >= limits.undecided_header:
            self._end(RelayReason.DESKTOP_FAILED, "target left a message header unfinished")
        elif now - pulse.pinged_at >= limits.ping_every:
            pulse.pinged_at = now
            self._viewer.ping()
        self._look_later()


class _Pulse:
    """When each sign of life was last seen, in the clock's monotonic seconds."""

    __slots__ = ("bytes_down", "decided_at", "heard", "heard_at", "pinged_at")

    def __init__(self, now: float) -> None:
        self.heard = self.bytes_down = 0
        self.heard_at = self.decided_at = self.pinged_at = now
