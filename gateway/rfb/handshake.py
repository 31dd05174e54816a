"""Both opening conversations of RFB 3.x, each ended by us: nothing of one side is passed to the other.

Counterparts: the browser (we are its server: always version 3.8, security None, our pixel format and label) and the
target (we are its client: 3.3, 3.7 or 3.8; None, VNC Authentication, VeNCrypt). Sans-I/O: `feed` bytes, send what it
returns, look at `done`, `error` and `need_tls`. TLS itself is the relay's; see RFC 6143 7.1-7.3 and the VeNCrypt text.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field
from struct import Struct
from typing import Final, TypeAlias

from gateway.rfb.des import vnc_response
from gateway.rfb.errors import (
    LimitExceeded,
    ProtocolError,
    TargetLoginRefused,
    TargetProtocolError,
    ViewerProtocolError,
)
from gateway.rfb.rules import RfbRules
from gateway.rfb.viewer_filter import PIXEL_FORMAT

Steps: TypeAlias = Generator[int, bytes, None]
"""A conversation: yields how many bytes it needs next and is sent exactly those."""

MAX_TEXT: Final = 4096
_U32: Final = Struct(">I")
_SIZE: Final = Struct(">HH")
NONE: Final = 1
VNC_AUTH: Final = 2
VENCRYPT: Final = 19
TLS_NONE, TLS_VNC, TLS_PLAIN, X509_NONE, X509_VNC, X509_PLAIN = range(257, 263)


@dataclass(frozen=True, slots=True)
class TargetLogin:
    """How to log in to one target. Without a password only types that need none are taken.

    What is not allowed is refused even if the target offers nothing else: a peer in the middle cannot talk us down.
    `allow_x509`: VeNCrypt's X509* subtypes. `allow_anonymous_tls`: its TLS* subtypes, which encrypt but prove no
    identity of the target. `allow_vnc_auth`: VNC Authentication without TLS. `allow_none`: no login at all.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    allow_x509: bool = True
    allow_anonymous_tls: bool = False
    allow_vnc_auth: bool = True
    allow_none: bool = True


@dataclass(frozen=True, slots=True)
class NeedTls:
    """The target waits for a TLS handshake; `anonymous` means without certificates (ADH ciphers)."""

    anonymous: bool


class Conversation(ABC):
    """Runs one generator of steps over a byte buffer. Subclasses give `_steps`."""

    def __init__(self, error: type[ProtocolError]) -> None:
        self.done = False
        self.error: ProtocolError | None = None
        self.need_tls: NeedTls | None = None
        self._unexpected = error
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self._generator = self._steps()
        self._want = 0
        self._step(None)

    @abstractmethod
    def _steps(self) -> Steps:
        """The conversation, from the first byte to the last."""

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes of the peer, return bytes for it. Bytes after the conversation's end stay in `rest`."""
        if self.error is None:
            self._buffer += chunk
            while self._ready():
                piece = bytes(self._buffer[: self._want])
                del self._buffer[: self._want]
                self._step(piece)
            if self.need_tls is not None and self._buffer:
                # Clear bytes before TLS would be taken for protected ones after it (the STARTTLS injection).
                self.error = self._unexpected("bytes before tls")
        out = b"".join(self._out)
        self._out.clear()
        return out

    def _ready(self) -> bool:
        waiting = self.done or self.error is not None or self.need_tls is not None
        return not waiting and len(self._buffer) >= self._want

    @property
    def rest(self) -> bytes:
        """What the peer sent beyond the conversation."""
        return bytes(self._buffer)

    def tls_started(self) -> bytes:
        """Go on inside TLS."""
        self.need_tls = None
        return self.feed(b"")

    def _step(self, piece: bytes | None) -> None:
        try:
            self._want = self._generator.send(piece) if piece is not None else next(self._generator)
        except StopIteration:
            self.done = True
        except ProtocolError as error:
            self.error = error

    def _send(self, *pieces: bytes) -> None:
        self._out.extend(pieces)


class ViewerHandshake(Conversation):
    """Our side toward the browser. What the viewer says is checked for form only: there is nothing to choose."""

    def __init__(self, width: int, height: int, label: str) -> None:
        self._size = _SIZE.pack(width, height)
        self._label = label.encode()[:MAX_TEXT]
        super().__init__(ViewerProtocolError)

    def _steps(self) -> Steps:
        self._send(b"RFB 003.008\n")
        version = yield 12
        if version != b"RFB 003.008\n":
            raise ViewerProtocolError("viewer speaks another version")
        self._send(bytes((1, NONE)))
        if (yield 1)[0] != NONE:
            raise ViewerProtocolError("viewer chose a security type that was not offered")
        self._send(_U32.pack(0))
        yield 1  # ClientInit: the shared flag is ours to decide
        self._send(self._size, PIXEL_FORMAT, _U32.pack(len(self._label)), self._label)


class TargetHandshake(Conversation):
    """Our side toward the target. After `done`: `width`, `height` (pixels), `name` (the target's own, never shown)."""

    def __init__(self, login: TargetLogin, rules: RfbRules) -> None:
        self.width = 0
        self.height = 0
        self.name = b""
        self._login = login
        self._rules = rules
        self._minor = 8
        self._encrypted = False
        super().__init__(TargetProtocolError)

    def _steps(self) -> Steps:
        yield from self._version()
        kind = yield from self._security_type()
        if kind == VENCRYPT:
            kind = yield from self._vencrypt()
        if kind == VNC_AUTH:
            yield from self._vnc_auth()
        if kind != NONE or self._minor >= 8 or self._encrypted:
            yield from self._security_result()
        self._send(b"\1")  # shared: a reconnecting viewer must not throw out its own desktop
        yield from self._server_init()

    def _version(self) -> Steps:
        text = yield 12
        if not (text.startswith(b"RFB ") and text[7:8] == b"." and text.endswith(b"\n")):
            raise TargetProtocolError("target does not speak rfb")
        try:
            major, minor = int(text[4:7]), int(text[8:11])
        except ValueError:
            raise TargetProtocolError("target does not speak rfb") from None
        if major < 3:
            raise TargetProtocolError("target speaks an unknown rfb version")
        # 3.5 is a historic slip for 3.3; 3.889 is Apple; RealVNC says 4.x and 5.x and means 3.8 (RFC 6143 7.1.1).
        self._minor = 8 if major > 3 or minor >= 8 else 7 if minor == 7 else 3
        self._send(b"RFB 003.00%d\n" % self._minor)

    def _security_type(self) -> Generator[int, bytes, int]:
        if self._minor == 3:
            (kind,) = _U32.unpack((yield 4))
            offered = [kind] if kind else []
        else:
            offered = list((yield (yield 1)[0]))
        if not offered:
            yield from self._refused("target refused the connection")
        kind = self._choose(offered)
        if self._minor > 3:
            self._send(bytes((kind,)))
        return kind

    def _choose(self, offered: list[int]) -> int:
        login = self._login
        if VENCRYPT in offered and (login.allow_x509 or login.allow_anonymous_tls):
            return VENCRYPT
        if login.allow_vnc_auth and VNC_AUTH in offered and login.password is not None:
            return VNC_AUTH
        if login.allow_none and NONE in offered:
            return NONE
        raise TargetLoginRefused("target offers no security type that is allowed here", f"offered {offered[:16]}")

    def _vencrypt(self) -> Generator[int, bytes, int]:
        """VeNCrypt 0.2. Returns the inner authentication still to do (NONE when Plain was done here)."""
        if (yield 2) < b"\0\2":
            raise TargetProtocolError("vencrypt version too old")
        self._send(b"\0\2")
        if (yield 1) != b"\0":
            raise TargetLoginRefused("target refused vencrypt 0.2")
        count = (yield 1)[0]
        subtypes = list(Struct(f">{count}I").unpack((yield 4 * count)))
        subtype = self._choose_subtype(subtypes)
        self._send(_U32.pack(subtype))
        if (yield 1) != b"\1":
            raise TargetLoginRefused("target refused the vencrypt subtype")
        self.need_tls = NeedTls(anonymous=subtype < X509_NONE)
        yield 0  # the relay starts TLS and calls tls_started()
        self._encrypted = True
        if subtype in (TLS_PLAIN, X509_PLAIN):
            user, password = (self._login.username or "").encode(), (self._login.password or "").encode()
            self._send(_U32.pack(len(user)), _U32.pack(len(password)), user, password)
        return VNC_AUTH if subtype in (TLS_VNC, X509_VNC) else NONE

    def _choose_subtype(self, offered: list[int]) -> int:
        login = self._login
        wanted: list[int] = []
        if login.password is not None:
            wanted = [X509_PLAIN, X509_VNC] if login.username is not None else [X509_VNC]
        wanted.append(X509_NONE)
        anonymous = [subtype - X509_NONE + TLS_NONE for subtype in wanted]
        wanted = (wanted if login.allow_x509 else []) + (anonymous if login.allow_anonymous_tls else [])
        for subtype in wanted:
            if subtype in offered:
                return subtype
        raise TargetLoginRefused("target offers no vencrypt subtype that is allowed here", f"offered {offered[:16]}")

    def _vnc_auth(self) -> Steps:
        challenge = yield 16
        self._send(vnc_response(challenge, self._login.password or ""))

    def _security_result(self) -> Steps:
        (result,) = _U32.unpack((yield 4))
        if result:
            if self._minor < 8:
                raise TargetLoginRefused("target refused the login")
            yield from self._refused("target refused the login")

    def _refused(self, reason: str) -> Steps:
        text = yield from self._text()
        raise TargetLoginRefused(reason, text.decode("utf-8", "replace"))

    def _text(self) -> Generator[int, bytes, bytes]:
        (length,) = _U32.unpack((yield 4))
        if length > MAX_TEXT:
            raise LimitExceeded("text from the target too long")
        return (yield length)

    def _server_init(self) -> Steps:
        head = yield 20
        width, height = _SIZE.unpack_from(head)
        if width > self._rules.max_width or height > self._rules.max_height:
            raise LimitExceeded("framebuffer too large")
        self.name = yield from self._text()
        self.width, self.height = width, height
