"""A real stream to replay: TigerVNC showing Chromium that jumps through text and pictures, in whole messages.

Counterpart: `bench/replay_target.py`, which sends it. Beside the stream lies a file with the places where messages end.
"""

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.viewers import ENCODINGS
from tests.fuzz.capture import Recorder
from tests.support.desktops import wait_for_colours
from tests.support.rfb_viewer import unix_viewer
from tests.support.xvnc import run_xvnc

BYTES: Final = 24_000_000
SECONDS: Final = 60.0
_PAGE: Final = """<!doctype html><meta charset="utf-8"><body style="font:18px sans-serif;margin:40px"><script>
const text = "The quick brown fox jumps over the lazy dog. 橋の上から町を見る。 ".repeat(12);
for (let part = 0; part < 40; part++) {
  const heading = document.createElement("h2"); heading.textContent = "Section " + part;
  const words = document.createElement("p"); words.textContent = text;
  const picture = document.createElement("canvas"); picture.width = 1000; picture.height = 260;
  const pen = picture.getContext("2d");
  for (let blob = 0; blob < 300; blob++) {
    const x = (blob * 389 + part * 71) % 1000, y = (blob * 173) % 260, r = 20 + (blob * 37) % 90;
    const shade = pen.createRadialGradient(x, y, 0, x, y, r);
    shade.addColorStop(0, `hsla(${(blob * 47 + part * 20) % 360}, 70%, 55%, .8)`); shade.addColorStop(1, "transparent");
    pen.fillStyle = shade; pen.fillRect(x - r, y - r, 2 * r, 2 * r);
  }
  document.body.append(heading, words, picture);
}
let at = 0; setInterval(() => { at = (at + 530) % (document.body.scrollHeight - 800); scrollTo(0, at); }, 300);
</script>"""


def ends_file(stream: Path) -> Path:
    """Where the ends of the messages are listed."""
    return stream.with_name(stream.name + ".ends")


def record(path: Path) -> None:
    """Make the stream, at 1280x800."""

    async def watch(socket: Path) -> tuple[bytes, list[int]]:
        ends: list[int] = [0]
        deadline = time.monotonic() + SECONDS
        async with unix_viewer(socket) as viewer:
            await viewer.handshake()
            recorder = Recorder(viewer)
            await viewer.set_pixel_format()
            await viewer.set_encodings([number for number in ENCODINGS if number not in (-312, -313)])
            while ends[-1] < BYTES and time.monotonic() < deadline:
                await viewer.update(incremental=ends[-1] > 0)
                ends.append(len(recorder.kept))
        return bytes(recorder.kept[: ends[-1]]), ends

    with (
        tempfile.TemporaryDirectory(prefix="kk") as folder,
        run_xvnc(Path(folder) / "x", geometry="1280x800") as display,
    ):
        page = Path(folder) / "page.html"
        page.write_text(_PAGE)
        options = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--window-position=0,0", "--window-size=1280,800")
        display.start("chromium", *options, f"--user-data-dir={folder}/profile", f"--app=file://{page}")
        assert display.socket is not None
        wait_for_colours(display.socket, 2000, 120)
        stream, ends = asyncio.run(watch(display.socket))
        path.write_bytes(stream)
        ends_file(path).write_text(json.dumps(ends))
