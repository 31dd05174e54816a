"""What both directions of one RFB session must know of each other. Counterparts: viewer_filter and target_filter.

One object per session, shared by the two filters; it holds facts seen on the wire and no bytes of content.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.rfb.rules import RfbRules

MAX_FENCES: Final = 1024


@dataclass(frozen=True, slots=True)
class ClipboardPassed:
    """Texts that went through since the last drain, and their characters in all; a text itself is never kept."""

    inward: bool
    chars: int
    texts: int = 1


@dataclass(frozen=True, slots=True)
class ClipboardBlocked:
    """Texts that were dropped since the last drain. `why` is "off", "too_long" or "not_text"."""

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
    events: dict[tuple[type, bool, str], RfbEvent] = field(default_factory=dict)
    """What happened since the last drain, one entry a kind: a flood of tiny texts adds up and takes no memory."""

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
