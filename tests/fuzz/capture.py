"""Captures the fuzzing corpus again from real servers: `python -m tests.fuzz.capture`. Counterpart: tests/fuzz/corpus.

Each file is one target's stream after ServerInit, cut to at most 24 KiB, with the framebuffer's size in its name:
`<server>-<encoding>-<width>x<height>.rfb`. Viewer streams are made by tests/fuzz/rfb_filters.py, not captured.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.desktops import paint
from tests.support.qemu import run_qemu
from tests.support.rfb_viewer import RfbViewer, unix_viewer
from tests.support.x11vnc import run_x11vnc
from tests.support.xvnc import run_xvnc

CORPUS: Final = Path(__file__).parent / "corpus"
MOST: Final = 24 * 1024
STATES: Final = (-224, -223, -308, -239, 0x574D5664, -258, -261, -312, -313, -316, -1063131698)
WANTED: Final = {"rre": 2, "corre": 4, "hextile": 5, "zlib": 6, "tight": 7, "zrle": 16, "tightpng": -260}


class Recorder:
    """A stream that keeps what it reads."""

    def __init__(self, viewer: RfbViewer) -> None:
        self.kept = bytearray()
        self._inner = viewer.stream
        viewer.stream = self
        viewer.use(self.read)

    async def read(self, count: int) -> bytes:
        """See tests.support.rfb_viewer.Stream."""
        piece = await self._inner.read(count)
        self.kept += piece
        return piece

    async def write(self, payload: bytes) -> None:
        """See tests.support.rfb_viewer.Stream."""
        await self._inner.write(payload)

    async def close(self) -> None:
        """See tests.support.rfb_viewer.Stream."""
        await self._inner.close()


@contextmanager
def servers(folder: Path) -> Iterator[dict[str, Path]]:
    """Name and socket of each server, painted."""
    with run_xvnc(folder / "x", geometry="400x300") as display:
        paint(display)
        assert display.socket is not None
        with run_x11vnc(folder / "v", display) as exported, run_qemu(folder / "q", extra=["-S"]) as machine:
            yield {"tigervnc": display.socket, "x11vnc": exported.socket, "qemu": machine.socket}


async def capture(name: str, socket: Path, label: str, encoding: int) -> None:
    """One stream into one file."""
    async with unix_viewer(socket) as viewer:
        await viewer.handshake()
        recorder = Recorder(viewer)
        await viewer.set_pixel_format()
        await viewer.set_encodings([encoding, *([1] if encoding == 16 else []), *STATES])
        await viewer.full()
        await viewer.pointer(150, 100)
        await viewer.until_quiet()
        width, height = viewer.size
        if encoding not in {rectangle[4] for rectangle in viewer.seen.rectangles}:
            return  # the server lacks it and fell back to Raw
    (CORPUS / f"{name}-{label}-{width}x{height}.rfb").write_bytes(recorder.kept[:MOST])


def main() -> None:
    """Replace the corpus."""
    CORPUS.mkdir(exist_ok=True)
    for old in CORPUS.glob("*.rfb"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="kk") as folder, servers(Path(folder)) as sockets:
        for name, socket in sockets.items():
            for label, encoding in WANTED.items():
                asyncio.run(capture(name, socket, label, encoding))


if __name__ == "__main__":
    main()
