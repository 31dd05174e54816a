"""What one desktop session may do on the wire. Counterpart: the obligations of a policy Grant, mapped by the gateway.

A value, no behaviour: the filters read it again at each message, so a changed grant acts from the next message on.
"""

from dataclasses import dataclass
from typing import Final

from gateway.rfb.encodings import BROWSER_ENCODINGS

MAX_CLIPBOARD_CHARS: Final = 100_000
"""Hard ceiling of both clipboard caps, the same as the policy's (test): one text is held in memory while it is checked
(4 bytes a character)."""


@dataclass(frozen=True, slots=True)
class RfbRules:
    """The rules of one session; the default allows the least: screen out, keys and pointer in, nothing else.

    A clipboard cap counts Unicode characters of one text and is off at 0; more than MAX_CLIPBOARD_CHARS acts as that.
    `encodings` is what a viewer may ask of the target (numbers as in SetEncodings); a rectangle of any other encoding
    ends the session, except Raw, which RFC 6143 7.6 always permits. Widths and heights are pixels. `max_quality` is the
    best JPEG level (0 to 9) of Tight; it does not reach lossless encodings, which a viewer may prefer to it.
    """

    view_only: bool = False
    clipboard_in_chars: int = 0
    clipboard_out_chars: int = 0
    allow_resize: bool = True
    max_width: int = 8192
    max_height: int = 8192
    label: str = "Kakehashi"
    max_quality: int = 9
    encodings: frozenset[int] = BROWSER_ENCODINGS

    def cap(self, *, inward: bool) -> int:
        """Characters one clipboard text may have toward the desktop (inward) or toward the browser; 0 is off."""
        chars = self.clipboard_in_chars if inward else self.clipboard_out_chars
        return max(0, min(chars, MAX_CLIPBOARD_CHARS))

    @property
    def clipboard(self) -> bool:
        """Whether any direction is open, so that the extension is worth negotiating."""
        return self.cap(inward=True) > 0 or self.cap(inward=False) > 0
