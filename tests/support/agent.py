"""A real kakehashi-agent in a folder of its own, started as a process and ended for certain.

Counterpart: anything that needs real desktops. Needs root, like the agent. `Agent.call` speaks the agent's protocol
over its real socket with plain blocking sockets.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.messages import (
    Answer,
    DesktopInfo,
    DesktopList,
    Geometry,
    Keyboard,
    ListRequest,
    Op,
    Opened,
    OpenRequest,
    Request,
    Started,
    StartRequest,
    StatsRequest,
    Stopped,
    StopRequest,
)
from agents.protocol import MAX_ANSWER_BYTES, LineReader, decode_answer, encode_request
from common.ids import DesktopId, PoolId, UserId
from gateway.demo.children import delegated

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other user numbers, which only root may")

_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Agent:
    """A running agent."""

    socket_path: Path
    homes_dir: Path
    state_dir: Path
    runtime_dir: Path
    log_path: Path
    running: subprocess.Popen[bytes]

    def channel(self) -> socket.socket:
        """Open a channel."""
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.settimeout(40)
        try:
            channel.connect(str(self.socket_path))
        except OSError:
            channel.close()
            raise
        return channel

    def call(self, request: Request) -> list[Answer]:
        """Send an order on a channel of its own; give all answers."""
        with self.channel() as channel:
            channel.sendall(encode_request(request))
            reader = LineReader(MAX_ANSWER_BYTES)
            answers: list[Answer] = []
            while chunk := channel.recv(65536):
                line = reader.feed(chunk)
                while line is not None:
                    answers.append(decode_answer(_op(request), line))
                    line = reader.next_line()
            return answers

    def start(
        self, desktop: str, user: str, *, keyboard: Keyboard = Keyboard.JP, progress: bool = False
    ) -> list[Answer]:
        """Order a desktop."""
        return self.call(
            StartRequest(
                desktop=DesktopId(desktop),
                user=UserId(user),
                pool=PoolId("pol_test"),
                username="sato",
                display_name="佐藤 花子",
                geometry=Geometry(1280, 800),
                keyboard=keyboard,
                progress=progress,
            )
        )

    def ready(self, desktop: str, user: str) -> None:
        """Order a desktop that must become ready."""
        answers = self.start(desktop, user)
        assert answers == [Started(already=False)], f"{answers}\n{self.log_path.read_text()}"

    def stop(self, desktop: str) -> None:
        """End a desktop."""
        assert self.call(StopRequest(DesktopId(desktop))) == [Stopped()]

    def info(self, desktop: str) -> DesktopInfo:
        """Find a desktop in the list."""
        (listed,) = self.call(ListRequest())
        assert isinstance(listed, DesktopList)
        return next(info for info in listed.desktops if info.desktop == desktop)

    def stream(self, desktop: str) -> socket.socket:
        """Open a desktop's RFB stream."""
        channel = self.channel()
        channel.sendall(encode_request(OpenRequest(DesktopId(desktop))))
        # Byte by byte: what follows the line is RFB.
        line = b""
        while not line.endswith(b"\n"):
            line += channel.recv(1)
        answer = decode_answer(Op.OPEN, line[:-1])
        if answer != Opened():
            channel.close()
            raise AssertionError(answer)
        return channel

    def terminate(self) -> int:
        """Ask the agent to stop; give its exit status."""
        self.running.send_signal(signal.SIGTERM)
        return self.running.wait(20)


def uid_base(folder: Path) -> int:
    """First user number of an agent in `folder`: agents of tests that run side by side must not share numbers."""
    return 200_000 + zlib.crc32(os.fsencode(folder)) % 100_000 * 20


def settings_text(folder: Path, extra: str = "") -> str:
    """The TOML of an agent that keeps everything in `folder`; `extra` is more of its table."""
    return f"""
[agent]
socket_path = "{folder}/control.sock"
state_dir = "{folder}/state"
homes_dir = "{folder}/homes"
runtime_dir = "{folder}/run"
uid_base = {uid_base(folder)}
uid_count = 20
{extra}
"""


@contextlib.contextmanager
def running_agent(
    folder: Path, extra: str = "", *, locale_from: Path | None = None, prefix: tuple[str, ...] = ()
) -> Iterator[Agent]:
    """Start an agent on `folder` and wait until it listens; afterwards nothing of it is left running.

    `locale_from` is the state folder of an earlier agent, whose generated locale saves a second. `prefix` is a command
    that runs the agent.
    """
    folder.mkdir(exist_ok=True)
    (folder / "state").mkdir(mode=0o700, exist_ok=True)
    if locale_from is not None and not (folder / "state" / "locale").exists():
        (folder / "state" / "locale").symlink_to(locale_from / "locale")
    config = folder / "agent.toml"
    config.write_text(settings_text(folder, extra))
    log_path = folder / "agent.log"
    with log_path.open("ab") as log:
        running = subprocess.Popen(
            delegated([*prefix, sys.executable, "-m", "agents", "--config", str(config), "--log-level", "debug"]),
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    agent = Agent(folder / "control.sock", folder / "homes", folder / "state", folder / "run", log_path, running)
    try:
        _wait_until_listening(agent)
        yield agent
    finally:
        if running.poll() is None:
            running.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(20)
        if running.poll() is None:
            running.kill()
            running.wait(5)


def processes_of(uid: int) -> list[int]:
    """Process numbers of a user number, zombies not counted."""
    found = []
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                state = Path(entry.path, "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found.append(int(entry.name))
    return found


def _wait_until_listening(agent: Agent) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert agent.running.poll() is None, agent.log_path.read_text()
        with contextlib.suppress(OSError), agent.channel():
            return
        assert time.monotonic() < deadline, "the agent does not listen"
        time.sleep(0.02)


def _op(request: Request) -> Op:
    match request:
        case StartRequest():
            return Op.START
        case StopRequest():
            return Op.STOP
        case ListRequest():
            return Op.LIST
        case StatsRequest():
            return Op.STATS
        case OpenRequest():
            return Op.OPEN


__all__ = ["Agent", "needs_root", "processes_of", "running_agent", "settings_text", "uid_base"]
