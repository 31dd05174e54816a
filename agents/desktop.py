"""One desktop from its start to its end. Counterpart: `agents.host`, which keeps many and decides which may start.

A desktop is a sandbox (`agents.sandbox`) run as a child (`agents.child`) under a group of limits (`agents.limits`). It
ends with its agent in every case: there is nothing to find again after a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
import stat
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents import homes
from agents.accounts import account, group_text, passwd_text
from agents.child import Child
from agents.limits import DesktopGroup, Limiter, usage_of_user
from agents.messages import DesktopInfo, DesktopState, EndCause, Stage, StartRequest
from agents.sandbox import SessionArguments, Walls, command, hosts_text, nsswitch_text
from agents.settings import AgentSettings
from common.clock import Clock
from common.log import get_logger
from common.tasks import spawn

_SOCKET: Final = "rfb.sock"
_GREETING: Final = b"RFB 003."
# What session.sh gets on top of its grace before the sandbox is ended from outside.
_KILL_MARGIN_SECONDS: Final = 1.0
_log = get_logger(__name__)


class StartFailed(Exception):
    """The desktop did not become ready."""

    def __init__(self, cause: EndCause) -> None:
        """Hold the cause for the answer."""
        super().__init__(cause)
        self.cause = cause


class NotReachable(Exception):
    """The desktop's RFB socket is not there, not its own, or does not answer."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all desktops of a host stand on."""

    settings: AgentSettings
    limiter: Limiter
    clock: Clock
    desktop_dir: Path
    """The agent's own copy of the session files."""
    locale_dir: Path


class Desktop:
    """One desktop; made when its start is ordered, kept for a while after its end."""

    def __init__(self, ground: Ground, request: StartRequest, uid: int) -> None:
        """Prepare nothing yet."""
        self.request = request
        self.state = DesktopState.STARTING
        self.stage = Stage.PREPARING
        self.cause: EndCause | None = None
        self.viewers: set[socket.socket] = set()
        self._ground = ground
        self._uid = uid
        self._folder = ground.settings.runtime_dir / request.desktop
        self._started_at = ground.clock.now()
        self._child: Child | None = None
        self._group: DesktopGroup | None = None
        self._changed = asyncio.Event()
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Bring the desktop up. Raises StartFailed after having cleaned up; the deadline is the settings'."""
        began = self._ground.clock.monotonic()
        try:
            async with asyncio.timeout(self._ground.settings.start_timeout_seconds):
                await self._bring_up()
        except TimeoutError:
            raise await self._give_up(EndCause.START_TIMED_OUT) from None
        except (OSError, homes.HomeConflict, NotReachable) as error:
            raise await self._give_up(EndCause.START_FAILED, str(error)) from error
        except asyncio.CancelledError:
            await self._give_up(EndCause.STOPPED)
            raise
        took = self._ground.clock.monotonic() - began
        _log.info("desktop ready", desktop_id=self.request.desktop, uid=self._uid, seconds=round(took, 2))

    async def stages(self) -> AsyncIterator[Stage]:
        """Give every stage from now on, until the desktop is ready or gone."""
        seen: Stage | None = None
        while self.state is DesktopState.STARTING:
            if self.stage is not seen:
                seen = self.stage
                yield seen
                continue
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        """End it: politely, then for certain. Returns when no process of it is left; harmless when it is gone."""
        child = self._child
        if child is None or self.state in (DesktopState.ENDED, DesktopState.FAILED):
            return
        if self.state is DesktopState.READY:
            self._set(DesktopState.STOPPING)
            child.ask_to_end()
            try:
                async with asyncio.timeout(self._ground.settings.stop_timeout_seconds + _KILL_MARGIN_SECONDS):
                    await self._over.wait()
            except TimeoutError:
                _log.warning("desktop killed", desktop_id=self.request.desktop)
        child.kill()
        await self._over.wait()

    def connect(self) -> socket.socket:
        """Connect to the desktop's RFB socket (non-blocking socket). Raises NotReachable.

        Root connects here to something a user's program made. The socket is pinned first (never a link, owned by the
        user) and the program behind it must run under the user's number, so no desktop can point the agent at another's
        socket or at a service of the host.
        """
        path = self._folder / "rfb" / _SOCKET
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            pin = os.open(path, os.O_PATH | os.O_NOFOLLOW)
            try:
                facts = os.fstat(pin)
                if not stat.S_ISSOCK(facts.st_mode) or facts.st_uid != self._uid:
                    raise NotReachable("not the desktop's socket")
                connection.connect(f"/proc/self/fd/{pin}")
            finally:
                os.close(pin)
            _pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if uid != self._uid:
                raise NotReachable("another user's program answers")
        except OSError as error:
            connection.close()
            raise NotReachable(error.strerror or "connect failed") from error
        except NotReachable:
            connection.close()
            raise
        return connection

    def info(self) -> DesktopInfo:
        """Tell where it stands."""
        child = self._child if self.cause is None else None
        usage = self._group.usage() if self._group is not None and child is not None else None
        if usage is None:
            usage = usage_of_user(self._uid if child is not None else None)
        return DesktopInfo(
            desktop=self.request.desktop,
            user=self.request.user,
            pool=self.request.pool,
            state=self.state,
            stage=self.stage,
            pid=child.pid if child is not None else None,
            started_at=self._started_at,
            memory_bytes=usage.memory_bytes,
            processes=usage.processes,
            viewers=len(self.viewers),
            cause=self.cause,
        )

    async def _bring_up(self) -> None:
        settings = self._ground.settings
        home = homes.prepare(settings.homes_dir, self.request.user, self._uid)
        self._group = self._ground.limiter.group(self.request.desktop, settings.limits)
        walls = self._walls(home, self._group)
        session = SessionArguments(
            geometry=self.request.geometry,
            keyboard=self.request.keyboard,
            locale=settings.locale,
            time_zone=settings.time_zone,
            grace_seconds=int(settings.stop_timeout_seconds),
        )
        child = self._child = Child(lambda options, info: command(walls, session, options_fd=options, info_fd=info))
        spawn(self._watch(child), name=f"desktop {self.request.desktop}")
        await child.adopt()
        self._reach(Stage.DISPLAY)
        await self._expect(child, "display")
        # INVARIANT: from here on nothing inside can change the folder of the socket (nor fill the host's disk by it).
        os.chown(walls.rfb_dir, 0, 0)
        self._reach(Stage.SESSION)
        await self._expect(child, "ready")
        child.silence()
        await self._greeted()
        self._reach(Stage.READY)

    def _reach(self, stage: Stage) -> None:
        """Go on to the next stage. Raises NotReachable when the desktop ended meanwhile: it must not be brought back to
        life, or whoever asked for it would wait for ever."""
        if self.state is not DesktopState.STARTING:
            raise NotReachable("ended at once")
        self._set(DesktopState.READY if stage is Stage.READY else DesktopState.STARTING, stage)

    def _walls(self, home: Path, group: DesktopGroup) -> Walls:
        settings = self._ground.settings
        person = account(self.request.username, self.request.display_name, self._uid)
        if self._folder.exists():
            shutil.rmtree(self._folder)
        rfb, etc = self._folder / "rfb", self._folder / "etc"
        etc.mkdir(parents=True)
        self._folder.chmod(0o700)
        # Stable for a person, different between persons: programs name files after it.
        machine_id = hashlib.sha256(f"kakehashi desktop of {self.request.user}".encode()).hexdigest()[:32]
        texts = {
            "passwd": passwd_text(person),
            "group": group_text(person),
            "hosts": hosts_text(),
            "nsswitch.conf": nsswitch_text(settings.network),
            "machine-id": machine_id + "\n",
        }
        for name, text in texts.items():
            (etc / name).write_text(text)
            (etc / name).chmod(0o644)
        rfb.mkdir(mode=0o700)
        os.chown(rfb, self._uid, self._uid)
        return Walls(
            person=person,
            home=home,
            rfb_dir=rfb,
            etc_dir=etc,
            desktop_dir=self._ground.desktop_dir,
            locale_dir=self._ground.locale_dir,
            software_paths=settings.software_paths,
            network=settings.network,
            network_namespace=settings.network_namespace,
            limits=settings.limits,
            cgroup_files=group.join_files,
            no_group=self._ground.limiter.per_process_memory,
        )

    async def _expect(self, child: Child, word: str) -> None:
        if await child.next_stage() != word:
            raise NotReachable(f"gone before it said {word}")

    async def _greeted(self) -> None:
        """See that an RFB server answers on the socket."""
        with self.connect() as connection:
            greeting = await asyncio.get_running_loop().sock_recv(connection, 12)
        if not greeting.startswith(_GREETING):
            raise NotReachable("no RFB on the socket")

    async def _give_up(self, cause: EndCause, why: str = "") -> StartFailed:
        child = self._child
        said = child.silence() if child else ""
        _log.warning("desktop start failed", desktop_id=self.request.desktop, cause=cause, why=why, said=said)
        self.cause = cause
        if child:
            child.kill()
            await self._over.wait()
        else:
            self._clean_up()
        return StartFailed(cause)

    async def _watch(self, child: Child) -> None:
        """Note the end, whatever brought it about, and put everything away."""
        status = await child.wait()
        if self.cause is None:
            if self.state is DesktopState.STOPPING:
                self.cause = EndCause.STOPPED
            elif self.state is DesktopState.STARTING:
                self.cause = EndCause.START_FAILED
            else:
                self.cause = EndCause.LOGGED_OFF if status == 0 else EndCause.CRASHED
        _log.info("desktop ended", desktop_id=self.request.desktop, cause=self.cause, status=status)
        self._clean_up()

    def _clean_up(self) -> None:
        try:
            shutil.rmtree(self._folder, ignore_errors=True)
            if self._group is not None:
                self._group.remove()
        finally:
            self._set(DesktopState.ENDED if self.stage is Stage.READY else DesktopState.FAILED)
            self._over.set()

    def _set(self, state: DesktopState, stage: Stage | None = None) -> None:
        self.state = state
        self.stage = stage or self.stage
        self._changed.set()
