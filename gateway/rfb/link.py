"""What both directions of one RFB session must know of each other. Counterparts: viewer_filter and target_filter.

One object per session, shared by the two filters; it holds facts seen on the wire and no bytes of content.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.rfb.pace import Pace
from gateway.rfb.rules import RfbRules

MAX_FENCES: Final = 1024
MAX_TEXTS: Final = 60
TEXTS_A_SECOND: Final = 0.6
"""Clipboard texts of one direction: sixty at once, then 36 a minute. A cap on each text alone limits no page."""
MAX_ASIDES: Final = 4096
ASIDES_A_SECOND: Final = 1000.0
"""Messages of a target that are no updates (bells, fences, ...): each byte may be one, and half a megabyte of them
would hold up everybody's desktops for half a second. No honest desktop sends thousands at once."""


@dataclass(frozen=True, slots=True)
class ClipboardPassed:
    """Texts that went through since the last drain, and their characters in all; a text itself is never kept."""

    inward: bool
    chars: int
    texts: int = 1


@dataclass(frozen=True, slots=True)
class ClipboardBlocked:
    """Texts that were dropped since the last drain. `why` is "off", "too_long", "too_often" or "not_text"."""

    inward: bool
    why: str
    texts: int = 1


@dataclass(frozen=True, slots=True)
class DesktopResized:
    """The framebuffer has a new size in pixels."""

    width: int
    height: int


RfbEvent: TypeAlias = ClipboardPassed | ClipboardBlocked | DesktopResized


@dataclass(slots=True)
class RfbLink:
    """Shared state. Width and height are the framebuffer's, as the target's stream has told so far."""

    width: int
    height: int
    rules: RfbRules
    extended_mouse: bool = False
    """The target confirmed ExtendedMouseButtons: a PointerEvent with mask bit 7 has 7 bytes from then on."""
    extended_key: bool = False
    """The target confirmed the QEMU extended key event, so it knows message 255."""
    continuous_updates: bool = False
    """The target announced ContinuousUpdates by its first message 150."""
    fences: deque[bytes] = field(default_factory=deque)
    """Payloads of the target's fence requests that the viewer has not answered."""
    now: float = 0.0
    """Monotonic seconds of the chunk that is being filtered; the relay sets it."""
    texts_in: Pace = field(default_factory=lambda: Pace(MAX_TEXTS, TEXTS_A_SECOND))
    texts_out: Pace = field(default_factory=lambda: Pace(MAX_TEXTS, TEXTS_A_SECOND))
    asides: Pace = field(default_factory=lambda: Pace(MAX_ASIDES, ASIDES_A_SECOND))
    events: dict[tuple[type, bool, str], RfbEvent] = field(default_factory=dict)
    """What happened since the last drain, one entry a kind: a flood of tiny texts adds up and takes no memory."""

    def admits_text(self, *, inward: bool) -> bool:
        """Count one more clipboard text; False: too many of late, drop it."""
        return (self.texts_in if inward else self.texts_out).take(self.now)

    def passed(self, chars: int, *, inward: bool) -> None:
        """Note a text that goes through."""
        before = self.events.get((ClipboardPassed, inward, ""))
        if isinstance(before, ClipboardPassed):
            event = ClipboardPassed(inward, before.chars + chars, before.texts + 1)
        else:
            event = ClipboardPassed(inward, chars)
        self.events[ClipboardPassed, inward, ""] = event

    def blocked(self, why: str, *, inward: bool) -> None:
        """Note a text that is dropped."""
        before = self.events.get((ClipboardBlocked, inward, why))
        texts = before.texts if isinstance(before, ClipboardBlocked) else 0
        self.events[ClipboardBlocked, inward, why] = ClipboardBlocked(inward, why, texts + 1)

    def resized(self, width: int, height: int) -> None:
        """Take a new size over; only the last one is news."""
        self.width, self.height = width, height
        self.events[DesktopResized, False, ""] = DesktopResized(width, height)

    def drain(self) -> list[RfbEvent]:
        """The events since the last call."""
        events = list(self.events.values())
        self.events.clear()
        return events
