"""A real x11vnc (libvncserver) exporting an Xvnc's display. Counterpart: relay tests against a second RFB coder."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.xvnc import Xvnc, end, wait_for


@dataclass(frozen=True)
class X11vnc:
    """One running server."""

    socket: Path
    pid: int


@contextmanager
def run_x11vnc(folder: Path, display: Xvnc, *, extra: Sequence[str] = ()) -> Iterator[X11vnc]:
    """Start x11vnc on a unix socket in `folder`, without password, shared, for ever."""
    folder.mkdir(parents=True, exist_ok=True)
    socket = folder / "x11vnc.sock"
    with (folder / "x11vnc.out").open("wb") as log:
        process = subprocess.Popen(
            [
                "x11vnc",
                *("-display", f":{display.display}", "-auth", str(display.authority)),
                *("-unixsock", str(socket), "-rfbport", "0", "-forever", "-shared", "-noxdamage", "-nopw", "-quiet"),
                *extra,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=display.environment,
        )
    try:
        wait_for(socket, process, log=folder / "x11vnc.out")
        yield X11vnc(socket, process.pid)
    finally:
        end(process)
