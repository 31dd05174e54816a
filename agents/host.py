"""All desktops of this machine: may one start, which are there, how is the machine. Counterpart: `agents.control`.

INVARIANT: one desktop id is one desktop of one user; a user number is one user. What the gateway asks twice happens
once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from agents.desktop import Desktop, Ground, StartFailed
from agents.messages import (
    DesktopList,
    DesktopState,
    EndCause,
    Progress,
    Refusal,
    Refused,
    Started,
    StartRequest,
    Stats,
    Stopped,
)
from agents.uids import UidBook, UidsUsedUp
from common.ids import DesktopId
from common.log import get_logger
from common.tasks import spawn

_ENDED_KEPT: Final = 200
"""How many ended desktops the list still names."""
_GONE: Final = frozenset({DesktopState.ENDED, DesktopState.FAILED})
_log = get_logger(__name__)


class SessionHost:
    """The desktops of one machine."""

    def __init__(self, ground: Ground, uids: UidBook) -> None:
        """Begin with none: desktops do not outlive their agent."""
        self._ground = ground
        self._uids = uids
        self._desktops: dict[DesktopId, Desktop] = {}
        self._starts: dict[DesktopId, asyncio.Task[None]] = {}
        self._stopping = False

    async def start(self, request: StartRequest) -> AsyncIterator[Progress | Started | Refused]:
        """Start a desktop or find it running; the last answer says how it went.

        A caller that goes away does not end the start: asking again finds it.
        """
        present = self._desktops.get(request.desktop)
        already = False
        if present is None or present.state in _GONE:
            begun = self._begin(request)
            if isinstance(begun, Refused):
                yield begun
                return
            present = begun
        elif present.request.user != request.user or present.state is DesktopState.STOPPING:
            yield Refused(Refusal.CONFLICT)
            return
        else:
            already = present.state is DesktopState.READY
        async for stage in present.stages():
            yield Progress(stage)
        yield await self._outcome(present, already=already)

    async def stop(self, desktop: DesktopId) -> Stopped | Refused:
        """End a desktop; answers when nothing of it is left, also when it was gone before."""
        present = self._desktops.get(desktop)
        if present is None:
            return Refused(Refusal.NOT_FOUND)
        starting = self._starts.get(desktop)
        if starting is not None:
            starting.cancel()
            await asyncio.wait((starting,))
        await present.stop()
        return Stopped()

    def open(self, desktop: DesktopId) -> Desktop | Refused:
        """Give a desktop whose RFB stream may be opened."""
        present = self._desktops.get(desktop)
        if present is None or present.state in _GONE:
            return Refused(Refusal.NOT_FOUND)
        if present.state is not DesktopState.READY:
            return Refused(Refusal.NOT_READY)
        return present

    def list(self) -> DesktopList:
        """Name all desktops, in order of their start."""
        return DesktopList(tuple(desktop.info() for desktop in self._desktops.values()))

    def stats(self) -> Stats:
        """Tell how the machine is."""
        memory = _memory_facts()
        return Stats(
            load=os.getloadavg()[0],
            cpus=os.cpu_count() or 1,
            memory_total=memory["MemTotal"],
            memory_available=memory["MemAvailable"],
            desktops=self._alive(),
            max_desktops=self._ground.settings.max_desktops,
            limits=self._ground.limiter.kind,
        )

    async def close(self) -> None:
        """End every desktop; no new one may start."""
        self._stopping = True
        await asyncio.gather(*(self.stop(desktop) for desktop in tuple(self._desktops)), return_exceptions=True)

    def _begin(self, request: StartRequest) -> Desktop | Refused:
        if self._stopping:
            return Refused(Refusal.STOPPING)
        if self._alive() >= self._ground.settings.max_desktops:
            return Refused(Refusal.FULL)
        try:
            uid = self._uids.number_of(request.user)
        except UidsUsedUp:
            return Refused(Refusal.FULL)
        self._forget_oldest()
        self._desktops.pop(request.desktop, None)  # an ended one of the same id: the new one comes last in the order
        desktop = self._desktops[request.desktop] = Desktop(self._ground, request, uid)
        self._starts[request.desktop] = spawn(self._run_start(desktop), name=f"start {request.desktop}")
        return desktop

    async def _run_start(self, desktop: Desktop) -> None:
        try:
            with contextlib.suppress(StartFailed):
                await desktop.start()
        finally:
            del self._starts[desktop.request.desktop]

    async def _outcome(self, desktop: Desktop, *, already: bool) -> Started | Refused:
        starting = self._starts.get(desktop.request.desktop)
        if starting is not None:
            await asyncio.wait((starting,))
        if desktop.state is DesktopState.READY:
            return Started(already=already)
        timed_out = desktop.cause is EndCause.START_TIMED_OUT
        return Refused(Refusal.START_TIMED_OUT if timed_out else Refusal.START_FAILED)

    def _alive(self) -> int:
        return sum(desktop.state not in _GONE for desktop in self._desktops.values())

    def _forget_oldest(self) -> None:
        gone = [name for name, desktop in self._desktops.items() if desktop.state in _GONE]
        for name in gone[: max(0, len(gone) - _ENDED_KEPT + 1)]:
            del self._desktops[name]


def _memory_facts() -> dict[str, int]:
    """Figures of /proc/meminfo in bytes."""
    facts: dict[str, int] = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        figure = rest.split()
        facts[name] = int(figure[0]) * (1024 if len(figure) > 1 else 1)
    return facts
