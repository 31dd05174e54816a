"""What both directions of one RFB session must know of each other. Counterparts: viewer_filter and target_filter.

One object per session, shared by the two filters; it holds facts seen on the wire and no bytes of content.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.rfb.rules import RfbRules

MAX_NOTES: Final = 64
MAX_FENCES: Final = 1024


@dataclass(frozen=True, slots=True)
class ClipboardPassed:
    """One text went through; the text itself is never kept."""

    inward: bool
    chars: int


@dataclass(frozen=True, slots=True)
class ClipboardBlocked:
    """One text was dropped. `why` is "off", "too_long" or "not_text"."""

    inward: bool
    why: str


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
    events: list[RfbEvent] = field(default_factory=list)

    def note(self, event: RfbEvent) -> None:
        """Keep an event for the audit; the relay drains after each chunk, so a full list is one chunk's flood."""
        if len(self.events) < MAX_NOTES:
            self.events.append(event)

    def drain(self) -> list[RfbEvent]:
        """The events since the last call."""
        events, self.events = self.events, []
        return events
