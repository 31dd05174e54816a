"""Real desktops with something on them, for tests that compare pictures. Counterpart: tests/support/xvnc.py."""

import asyncio
import time
from pathlib import Path

from tests.support.rfb_viewer import unix_viewer
from tests.support.xvnc import Xvnc

_PAINT = """
for row in 0 1 2 3 4 5 6 7 8 9; do
  for column in $(seq 0 4 255); do printf '\\033[48;2;%d;%d;%dm ' $column $((row * 25)) $((255 - column)); done
  printf '\\033[0m\\n'
done
for colour in 31 32 33 34 35 36; do printf '\\033[%dmKakehashi %s\\033[0m\\n' $colour "$(seq -s ' ' 1 12)"; done
exec sleep 1000
"""


def paint(display: Xvnc) -> None:
    """Open a terminal with smooth colours (JPEG, gradients), text (palettes) and empty space; wait for it."""
    display.start("xterm", "-geometry", "70x24+10+10", "-e", "sh", "-c", _PAINT)
    assert display.socket is not None
    wait_for_colours(display.socket, 300)


def wait_for_colours(socket: Path, least: int, seconds: float = 15.0) -> None:
    """Until the picture has that many different colours."""

    async def colours() -> int:
        async with unix_viewer(socket) as viewer:
            await viewer.start([0])
            await viewer.update()
            return len(viewer.screen.getcolors(1 << 24) or ())

    deadline = time.monotonic() + seconds
    while asyncio.run(colours()) < least:
        if time.monotonic() > deadline:
            raise RuntimeError(f"fewer than {least} colours after {seconds} s")
        time.sleep(0.1)
