"""The relay host in a process of its own, so that its memory and CPU can be measured. Counterparts: tests, bench.

As a program: `python -m tests.support.relay_child LOOP KIND TARGET [CERTIFICATE]`, LOOP asyncio or uvloop, KIND unix or
tcp, TARGET a socket path or port. It prints its URL and serves until its standard input closes.
"""

import asyncio
import gc
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import uvloop

from gateway.rfb.rules import RfbRules
from tests.support.relay_host import relay_host, tcp_target, unix_target
from tests.support.xvnc import end

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class RelayChild:
    """A running child."""

    url: str
    process: psutil.Process

    def resident(self) -> int:
        """Resident bytes of its own."""
        return int(self.process.memory_full_info().uss)

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def run_relay_child(
    loop: str, kind: str, target: Path | int, *, certificate: Path | None = None
) -> Iterator[RelayChild]:
    """Start it in front of a unix socket or loopback port; `certificate` (PEM with key) turns TLS on."""
    arguments = [loop, kind, str(target), *([str(certificate)] if certificate else [])]
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.relay_child", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdout is not None
    assert child.stdin is not None
    try:
        url = child.stdout.readline().decode().strip()
        if not url:
            raise RuntimeError("relay child did not start")
        yield RelayChild(url, psutil.Process(child.pid))
    finally:
        child.stdin.close()
        end(child)
        child.stdout.close()


async def _serve(kind: str, target: str, certificate: str | None) -> None:
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    opening = unix_target(Path(target)) if kind == "unix" else tcp_target(int(target))
    async with relay_host(opening, rules=RfbRules(), tls=tls, shutdown_seconds=0.5) as host:
        gc.freeze()
        print(host.url, flush=True)  # noqa: T201 - the parent reads it
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


def main() -> None:
    """See the module's text."""
    loop, kind, target, *certificate = sys.argv[1:]
    runner = uvloop.run if loop == "uvloop" else asyncio.run
    runner(_serve(kind, target, certificate[0] if certificate else None))


if __name__ == "__main__":
    main()
