"""The smallest RFB 3.8 viewer that can look and type: raw encoding, security None, blocking socket.

Independent of the gateway's code on purpose. Counterpart: a real Xtigervnc behind the agent's "open".
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

KEYS = {
    "Return": (0xFF0D, 0x1C),
    "Escape": (0xFF1B, 0x01),
    "Zenkaku_Hankaku": (0xFF2A, 0x29),
    "space": (0x20, 0x39),
    "Control_L": (0xFFE3, 0x1D),
}
_ROWS = {0x10: "qwertyuiop", 0x1E: "asdfghjkl", 0x2C: "zxcvbnm", 0x02: "1234567890"}
SCANCODES = {char: first + index for first, row in _ROWS.items() for index, char in enumerate(row)}


class RawViewer:
    """One conversation with a desktop; `image` holds the last picture."""

    def __init__(self, sock: socket.socket) -> None:
        """Do the handshake on a connected socket."""
        self._sock = sock
        sock.settimeout(10)
        assert self._exactly(12).startswith(b"RFB 003.")
        sock.sendall(b"RFB 003.008\n")
        kinds = self._exactly(self._exactly(1)[0])
        assert 1 in kinds
        sock.sendall(b"\x01")
        assert self._exactly(4) == bytes(4)
        sock.sendall(b"\x01")
        self.width, self.height = struct.unpack(">HH", self._exactly(4))
        self._exactly(16)
        self.name = self._exactly(struct.unpack(">I", self._exactly(4))[0]).decode()
        # 32 bits, depth 24, little-endian, true colour, blue in the lowest byte: what "BGRX" means to Pillow.
        sock.sendall(struct.pack(">BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        # Raw, the QEMU key event and the extended desktop size.
        sock.sendall(struct.pack(">BxHiii", 2, 3, 0, -258, -308))
        self.image = Image.new("RGB", (self.width, self.height))
        self._pixels = False

    def close(self) -> None:
        """Leave."""
        self._sock.close()

    def update(self, *, incremental: bool = False) -> None:
        """Ask for the screen until an answer holds pixels.

        TigerVNC answers a whole-screen request with the desktop's size alone and keeps the pixels for the next one.
        """
        self._pixels = False
        while not self._pixels:
            self._sock.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))
            incremental = True
            while self._message() != 0:
                pass

    def wait_for(self, wanted: Callable[[Image.Image], bool], timeout: float) -> None:
        """Look again until the picture is as wanted; AssertionError when it never is."""
        deadline = time.monotonic() + timeout
        while True:
            self.update()
            if wanted(self.image):
                return
            assert time.monotonic() < deadline, "the picture never became what was wanted"
            time.sleep(0.05)

    def key(self, name: str, *, hold: bool | None = None) -> None:
        """Press and release a key by scancode (QEMU extended key event); `hold` does only one of both."""
        keysym, code = KEYS[name] if name in KEYS else (ord(name), SCANCODES[name])
        for down in (True, False) if hold is None else (hold,):
            self._sock.sendall(struct.pack(">BBHII", 255, 0, down, keysym, code))

    def type(self, text: str) -> None:
        """Type lower-case letters, digits and spaces."""
        for char in text:
            self.key("space" if char == " " else char)
            time.sleep(0.01)

    def click(self, x: int, y: int, *, button: int = 1) -> None:
        """Move and click."""
        for mask in (0, 1 << (button - 1), 0):
            self._sock.sendall(struct.pack(">BBHH", 5, mask, x, y))
            time.sleep(0.02)

    def resize(self, width: int, height: int) -> None:
        """Ask for another desktop size; `update` sees the answer."""
        self._sock.sendall(struct.pack(">BxHHBxIHHHHI", 251, width, height, 1, 0, 0, 0, width, height, 0))

    def save(self, path: Path) -> None:
        """Write the last picture as PNG."""
        self.image.save(path)

    def _message(self) -> int:
        kind = self._exactly(1)[0]
        match kind:
            case 0:
                self._update()
            case 2:
                pass
            case 3:
                _, length = struct.unpack(">3sI", self._exactly(7))
                self._exactly(length)
            case _:
                raise AssertionError(f"unexpected message {kind}")
        return kind

    def _update(self) -> None:
        (count,) = struct.unpack(">xH", self._exactly(3))
        for _ in range(count):
            x, y, width, height, encoding = struct.unpack(">HHHHi", self._exactly(12))
            if encoding == 0:
                part = Image.frombytes("RGB", (width, height), self._exactly(width * height * 4), "raw", "BGRX")
                self.image.paste(part, (x, y))
                self._pixels = True
            elif encoding == -308:
                screens = self._exactly(4)[0]
                self._exactly(16 * screens)
                if y == 0 and (width, height) != (self.width, self.height):
                    self.width, self.height = width, height
                    self.image = Image.new("RGB", (width, height))
            elif encoding != -258:
                raise AssertionError(f"unexpected encoding {encoding}")

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            chunk = self._sock.recv(min(1 << 20, count - len(parts)))
            if not chunk:
                raise EOFError("the desktop closed the stream")
            parts += chunk
        return bytes(parts)
