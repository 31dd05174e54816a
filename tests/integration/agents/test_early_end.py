"""A desktop that ends at the worst moment of its start: while the agent is reading what bwrap tells of the sandbox.

Host, desktop, child, homes, user numbers and limits are the agent's own. Only bwrap is a program that says nothing: its
word comes from the test, so that the kill falls between two bytes of it.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import os
import signal
import termios
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents import desktop, limits, preflight
from agents.desktop import Ground
from agents.host import SessionHost
from agents.messages import DesktopState, EndCause, Geometry, Keyboard, Progress, Refusal, Refused, Stage, StartRequest
from agents.sandbox import Command
from agents.settings import AgentSettings
from agents.uids import UidBook
from common.clock import SystemClock
from common.ids import DesktopId, PoolId, UserId
from tests.support.agent import uid_base

ORDER = StartRequest(
    desktop=DesktopId("dsk_early"),
    user=UserId("usr_early"),
    pool=PoolId("pol_test"),
    username="sato",
    display_name="佐藤 花子",
    geometry=Geometry(1280, 800),
    keyboard=Keyboard.JP,
    progress=True,
)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[SessionHost]:
    """As the agent's composition root makes it, on this machine's limits."""
    base = uid_base(tmp_path)
    settings = AgentSettings(
        state_dir=tmp_path / "state", homes_dir=tmp_path / "homes", runtime_dir=tmp_path / "run", uid_base=base
    )
    lock, limiter = preflight.prepare_folders(settings), limits.choose(f"early-{base}")
    book = UidBook(settings.state_dir / "uids.json", settings.homes_dir, base=base, count=20)
    made = SessionHost(Ground(settings, limiter, SystemClock(), tmp_path, tmp_path), book)
    yield made
    await made.close()
    limiter.close()
    os.close(lock)


def unread(pipe: int) -> int:
    """How many bytes nobody has read yet."""
    found = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, found)
    return found[0]


async def test_whoever_asked_gets_an_answer_and_nothing_comes_back_to_life(
    host: SessionHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def bwrap(*_of_the_desktop: object, options_fd: int, info_fd: int) -> Command:
        told.append(os.dup(info_fd))
        return Command(["sleep", "60"], b"")

    monkeypatch.setattr(desktop, "command", bwrap)
    asked = asyncio.ensure_future(_all(host))
    try:
        async with asyncio.timeout(20):
            while not told or (pid := host.list().desktops[0].pid) is None:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            os.write(told[0], b"{")
            while unread(told[0]):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            os.kill(pid, signal.SIGKILL)
            answers = await asked
    finally:
        asked.cancel()
        for pipe in told:
            os.close(pipe)
    assert answers == [Progress(Stage.PREPARING), Refused(Refusal.START_FAILED)]
    (found,) = host.list().desktops
    assert (found.state, found.cause, found.pid) == (DesktopState.FAILED, EndCause.START_FAILED, None)
    assert host.stats().desktops == 0


async def _all(host: SessionHost) -> list[object]:
    return [answer async for answer in host.start(ORDER)]
