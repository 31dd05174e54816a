"""A real TigerVNC Xvnc: private display, cookie, unix socket or loopback port. Counterpart: tests of relay and agents.

The display number is drawn from many: a server that picks its own (`-displayfd` alone) may take the one, and with it
the socket, of another that runs beside it.
"""

import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

_START_SECONDS = 15.0


@dataclass
class Xvnc:
    """One running server. `socket` is its RFB unix socket, or `port` its loopback TCP port."""

    display: int
    authority: Path
    folder: Path
    pid: int
    socket: Path | None = None
    port: int | None = None
    clients: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """For X programs on this display."""
        return {
            "DISPLAY": f":{self.display}",
            "XAUTHORITY": str(self.authority),
            "HOME": str(self.folder),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
        }

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start an X program; it is ended with the server."""
        client = subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )
        self.clients.append(client)
        return client

    def run(self, *command: str, text: str = "") -> str:
        """Run an X program to its end (at most 10 s) and return what it printed."""
        done = subprocess.run(
            command, env=self.environment, input=text, capture_output=True, text=True, timeout=10, check=True
        )
        return done.stdout


def wait_for(
    path: Path, process: "subprocess.Popen[bytes]", seconds: float = _START_SECONDS, *, log: Path | None = None
) -> None:
    """Until a unix socket exists; fails early when its program has ended, with what it wrote."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text("utf-8", "replace")[-2000:] if log else ""
            raise RuntimeError(f"{path.name} did not appear (exit status {process.poll()})\n{said}")
        time.sleep(0.01)


def end(process: "subprocess.Popen[Any]") -> None:
    """Terminate, then kill; never leaves a zombie."""
    process.terminate()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(3)


def _authority(folder: Path) -> tuple[Path, str]:
    path, cookie = folder / "xauthority", secrets.token_hex(16)
    _add_cookie(path, ":0", cookie)
    return path, cookie


def _add_cookie(path: Path, display: str, cookie: str) -> None:
    subprocess.run(
        ["xauth", "-q", "-f", str(path)],
        input=f"add {display} . {cookie}\n",
        capture_output=True,  # it says on stderr that the file is new
        text=True,
        check=True,
        timeout=10,
    )


@contextmanager
def run_xvnc(
    folder: Path,
    *,
    geometry: str = "640x480",
    tcp: bool = False,
    security: str = "None",
    extra: Sequence[str] = (),
) -> Iterator[Xvnc]:
    """Start Xvnc in `folder` (created; short path, it holds sockets). `extra` are further arguments of Xtigervnc."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, cookie = _authority(folder)
    read_end, write_end = os.pipe()
    socket, port = (None, free_port()) if tcp else (folder / "rfb.sock", None)
    listen = (
        ["-rfbport", str(port), "-localhost"]
        if port
        else ["-rfbport", "-1", "-rfbunixpath", str(socket), "-rfbunixmode", "384"]
    )
    arguments = ["-geometry", geometry, "-depth", "24", "-SecurityTypes", security, "-auth", str(authority)]
    with (folder / "xvnc.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "Xtigervnc",
                f":{1000 + secrets.randbelow(50_000)}",
                *("-displayfd", str(write_end)),
                *arguments,
                *listen,
                *("-nolisten", "tcp", "-nolisten", "local", "-UseBlacklist=0", "-desktop", "test"),
                *extra,
            ],
            pass_fds=[write_end],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        )
    os.close(write_end)
    try:
        with os.fdopen(read_end, "rb") as pipe:
            line = pipe.readline()  # ends with the process at the latest
        if not line.strip():
            raise RuntimeError(f"Xtigervnc did not start: {(folder / 'xvnc.log').read_text()[-2000:]}")
        display = int(line)
        _add_cookie(authority, f":{display}", cookie)
        if socket is not None:
            wait_for(socket, process)
        server = Xvnc(display, authority, folder, process.pid, socket, port)
        try:
            yield server
        finally:
            for client in server.clients:
                end(client)
    finally:
        end(process)
