"""The whole product, running: the demo's directory, session host and gateway as their own programs.

What runs is what `make demo` runs; nothing here replaces a part of it.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.demo import city
from tests.support.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
_READY = "Ctrl-C ends it all"


@dataclass(frozen=True, slots=True)
class City:
    """A running sample city."""

    url: str
    folder: Path
    program: subprocess.Popen[str]

    @property
    def origin(self) -> str:
        """The Origin that its pages have."""
        return self.url

    @property
    def config(self) -> Path:
        """The gateway's settings file."""
        return self.folder / "gateway" / "gateway.toml"

    def command(
        self, *arguments: str, check: bool = True, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the `kakehashi` command against this city, as an administrator on its machine."""
        return subprocess.run(
            [sys.executable, "-m", "gateway.cli", *arguments, "--config", str(self.config)],
            cwd=CHECKOUT,
            check=check,
            capture_output=True,
            text=True,
            timeout=60,
            input=given,
        )


def password(uid: str) -> str:
    """A sample person's password."""
    return next(person.password for person in city.staff() if person.uid == uid)


@contextmanager
def run_city(folder: Path) -> Iterator[City]:
    """Start everything, wait until it answers, end everything. Fails loudly with the demo's own output."""
    port = free_port()
    program = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", "demo", "--folder", str(folder), "--port", str(port)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},  # noqa: TID251 - a child inherits the environment
    )
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_collect, args=(program, lines), daemon=True)
    reader.start()
    try:
        _wait(lines)
        yield City(f"https://localhost:{port}", folder, program)
    finally:
        program.send_signal(signal.SIGINT)
        try:
            program.wait(30)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait(10)
        reader.join(5)
        if program.stdout:
            program.stdout.close()


def _collect(program: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    for line in program.stdout or ():
        lines.put(line)
    lines.put(None)


def _wait(lines: queue.Queue[str | None]) -> None:
    seen: list[str] = []
    while True:
        try:
            line = lines.get(timeout=90)
        except queue.Empty:
            raise RuntimeError("the city did not start in time:\n" + "".join(seen)) from None
        if line is None:
            raise RuntimeError("the city ended by itself:\n" + "".join(seen))
        seen.append(line)
        if _READY in line:
            return
