"""Decides on clipboard messages: legacy Latin-1 text and the Extended Clipboard. Counterparts: the two filters.

Nothing compressed by a peer is passed on: a text is inflated with a bound, checked, counted and packed again, because
viewers allocate whatever size the stream states. Only plain text exists: rtf, html, dib and files are cut off.
Wire form: u32 flags (bits 0-15 formats, 24 caps, 25 request, 26 peek, 27 notify, 28 provide); caps adds one u32 per
format; provide adds a zlib stream of (u32 size, bytes) per format, text first. See the community RFB specification.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Final

from gateway.rfb.errors import ProtocolError

TEXT: Final = 1
CAPS: Final = 1 << 24
REQUEST: Final = 1 << 25
PEEK: Final = 1 << 26
NOTIFY: Final = 1 << 27
PROVIDE: Final = 1 << 28
_ASK: Final = REQUEST | PEEK
_OFFER: Final = NOTIFY | PROVIDE
_ACTIONS: Final = CAPS | _ASK | _OFFER
_U32: Final = Struct(">I")
_HEADER: Final = Struct(">B3xi")


@dataclass(frozen=True, slots=True)
class Screened:
    """The verdict on one extended message: the body to send instead (None: drop it), and what to tell the audit."""

    body: bytes | None
    passed_chars: int | None = None
    blocked: str = ""


_DROP: Final = Screened(None)


def longest_body(cap: int) -> int:
    """Most bytes of one extended message worth holding for texts of `cap` characters: UTF-8 plus room for a header."""
    return 4 * cap + 1024


def extended_message(kind: int, body: bytes) -> bytes:
    """Frame a body as ClientCutText (6) or ServerCutText (3): a negative length marks the extended form."""
    return _HEADER.pack(kind, -len(body)) + body


def screen_extended(
    body: bytes, *, cap: int, other_cap: int, error: type[ProtocolError], admits: Callable[[], bool]
) -> Screened:
    """Check one extended message of a peer whose texts may have `cap` characters (0: it may send none).

    `other_cap` is the cap of the opposite direction: a peer may ask for texts only when that one is open.
    `admits` is asked once for each text, before any work on it: may one more pass now?
    Raises `error` for a malformed message.
    """
    if len(body) < 4:
        raise error("extended clipboard message too short")
    (flags,) = _U32.unpack_from(body)
    if flags & CAPS:
        return _screen_caps(body, flags, cap, other_cap, error)
    action = flags & _ACTIONS
    if action not in (REQUEST, PEEK, NOTIFY, PROVIDE):
        raise error("extended clipboard message with no single action")
    if action & _ASK:
        allowed = other_cap > 0 and (action == PEEK or bool(flags & TEXT))
        return Screened(_U32.pack(action | flags & TEXT)) if allowed else _DROP
    if cap <= 0:
        return Screened(None, blocked="off" if action == PROVIDE else "")
    if action == NOTIFY:
        return Screened(_U32.pack(NOTIFY | flags & TEXT))
    if not flags & TEXT:
        return Screened(None, blocked="not_text")
    return _screen_provide(body, cap, error) if admits() else Screened(None, blocked="too_often")


def _screen_caps(body: bytes, flags: int, cap: int, other_cap: int, error: type[ProtocolError]) -> Screened:
    """Caps are exchanged once, rules may change later: they pass whole, and each message is judged when it comes."""
    formats = (flags & 0xFFFF).bit_count()
    if len(body) < 4 + 4 * formats:
        raise error("extended clipboard capabilities too short")
    if not flags & TEXT or (cap <= 0 and other_cap <= 0):
        return _DROP
    actions = CAPS | flags & (_OFFER | _ASK)
    (size,) = _U32.unpack_from(body, 4)
    return Screened(_U32.pack(actions | TEXT) + _U32.pack(min(size, 4 * other_cap)))


def _screen_provide(body: bytes, cap: int, error: type[ProtocolError]) -> Screened:
    limit = 4 + 4 * cap + 4
    try:
        plain = zlib.decompressobj().decompress(body[4:], limit)
    except zlib.error as failure:
        raise error("extended clipboard text not inflatable") from failure
    if len(plain) < 4:
        raise error("extended clipboard text cut short")
    (size,) = _U32.unpack_from(plain)
    if size > limit - 4:
        return Screened(None, blocked="too_long")
    if len(plain) < 4 + size:
        raise error("extended clipboard text cut short")
    raw, _, _ = plain[4 : 4 + size].partition(b"\0")
    try:
        chars = len(raw.decode().replace("\r\n", "\n"))  # the wire has CR LF where a person sees one line end
    except UnicodeDecodeError:
        return Screened(None, blocked="not_text")
    if chars > cap:
        return Screened(None, blocked="too_long")
    text = raw + b"\0"
    return Screened(_U32.pack(PROVIDE | TEXT) + zlib.compress(_U32.pack(len(text)) + text), passed_chars=chars)
