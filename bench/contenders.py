"""The relays that are compared, each in processes of its own, and what they use. Counterpart: `bench/relay.py`.

"kakehashi" is our relay on uvloop with its filter on, "kakehashi-asyncio" the same on the standard event loop,
"websockify" version 0.13, which copies bytes. "direct" is no relay: the viewers' own figures.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import trustme

from tests.support.ports import free_port
from tests.support.relay_child import run_relay_child
from tests.support.xvnc import end

OURS: Final = "kakehashi"
PEER: Final = "websockify"
DIRECT: Final = "direct"
ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Tls:
    """Key with chain for the relay, CA for the viewers."""

    relay: Path
    authority: Path


def certificates(folder: Path) -> Tls:
    """For 127.0.0.1, made for this run."""
    authority = trustme.CA()
    made = Tls(folder / "relay.pem", folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(made.relay))
    authority.cert_pem.write_to_path(str(made.authority))
    return made


@dataclass(frozen=True)
class Contender:
    """One running relay."""

    url: str
    root: psutil.Process

    def _all(self) -> list[psutil.Process]:
        return [self.root, *self.root.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Of its processes, ended children included."""
        total = 0.0
        for process in self._all():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def memory(self) -> int:
        """Proportional set size of its processes, bytes."""
        total = 0
        for process in self._all():
            with suppress(psutil.NoSuchProcess):
                total += int(process.memory_full_info().pss)
        return total


@contextmanager
def program(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a module of this package; it ends with its standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        end(process)
        process.stdout.close()


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line that a program prints."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError(f"{process.args!r} ended by itself")
    return line


@contextmanager
def contender(name: str, target_port: int, tls: Tls | None) -> Iterator[Contender]:
    """Start one in front of the target."""
    if name == DIRECT:
        yield Contender(f"tcp://127.0.0.1:{target_port}", psutil.Process())
    elif name == PEER:
        with _websockify(target_port, tls) as running:
            yield running
    else:
        loop = "asyncio" if name.endswith("asyncio") else "uvloop"
        with run_relay_child(loop, "tcp", target_port, certificate=tls.relay if tls else None) as child:
            yield Contender(child.url, child.process)


@contextmanager
def _websockify(target_port: int, tls: Tls | None) -> Iterator[Contender]:
    port = free_port()
    secure = [f"--cert={tls.relay}", "--ssl-only"] if tls else []
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("websockify")),
            *secure,
            f"127.0.0.1:{port}",
            f"127.0.0.1:{target_port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        watched = psutil.Process(process.pid)
        deadline = time.monotonic() + 20
        while not any(c.status == psutil.CONN_LISTEN for c in watched.net_connections("tcp")):
            if time.monotonic() > deadline:
                raise RuntimeError("websockify does not listen")
            time.sleep(0.05)
        yield Contender(f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/", watched)
    finally:
        for worker in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        end(process)
