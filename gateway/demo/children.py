"""Programs the demo starts: each in its own session, with its own account and log, and gone when the demo is gone.

Counterpart: `gateway.demo.run`. A child gets SIGTERM from the kernel when the demo dies without a word (`setpriv
--pdeathsig`), so nothing outlives it. Nothing here knows what a program does.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 10.0
_LOOK_AGAIN_SECONDS: Final = 0.02
_LOG_TAIL: Final = 12
_SYSTEMD: Final = Path("/run/systemd/system")
"""There when systemd runs the machine (sd_booted(3))."""


class ChildFailed(Exception):
    """A program did not become ready or ended; the text has the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Account:
    """The numeric user (and group) a program runs as."""

    uid: int


class Child:
    """One running program."""

    def __init__(self, name: str, running: asyncio.subprocess.Process, log: Path) -> None:
        """Made by `start` only."""
        self.name = name
        self.log = log
        self._running = running

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running.pid

    @property
    def ended(self) -> bool:
        """It runs no more."""
        return self._running.returncode is not None

    async def wait(self) -> int:
        """Its exit status, once it has ended (negative: the signal)."""
        return await self._running.wait()

    async def ready(self, probe: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until the probe says yes. Raises ChildFailed when the program ends first or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while not await probe():
                    if self.ended:
                        raise ChildFailed(f"{self.name} ended with {self._running.returncode}\n{self.last_lines()}")
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except TimeoutError:
            raise ChildFailed(f"{self.name} was not ready after {seconds:g} s\n{self.last_lines()}") from None

    async def stop(self) -> None:
        """Ask it to end, wait, and kill its whole session when it does not."""
        if not self.ended:
            with suppress(ProcessLookupError):
                self._running.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._running.wait()
        # What it started in its own session ends with it, also after a crash.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._running.wait()

    def last_lines(self) -> str:
        """The end of its log, indented, for a message to the person at the terminal."""
        try:
            lines = self.log.read_text("utf-8", errors="replace").splitlines()[-_LOG_TAIL:]
        except OSError:
            return ""
        return "\n".join(f"    {line}" for line in lines)


async def start(
    name: str, command: Sequence[str], *, log: Path, account: Account | None, env: Mapping[str, str], folder: Path
) -> Child:
    """Start a program in its own session, output appended to `log`; `account` only works when we are root."""
    guard = ["setpriv", "--pdeathsig", "TERM"]
    if account is not None:
        guard += ["--reuid", str(account.uid), "--regid", str(account.uid), "--clear-groups", "--no-new-privs"]
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        running = await asyncio.create_subprocess_exec(
            *guard,
            "--",
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            env=dict(env),
            cwd=folder,
            start_new_session=True,
        )
    finally:
        os.close(handle)
    return Child(name, running, log)


def delegated(command: Sequence[str]) -> list[str]:
    """`command` in a cgroup of its own that it may divide, as `Delegate=yes` in the agent's unit gives it one: in
    cgroup v2 a group can be divided only by who is alone in it. Without systemd, or not as root: `command` as it is."""
    if os.geteuid() != 0 or not _SYSTEMD.is_dir():
        return [*command]
    return ["systemd-run", "--scope", "--quiet", "--collect", "--property=Delegate=yes", "--", *command]


async def output(command: Sequence[str], *, env: Mapping[str, str], seconds: float, text: str = "") -> str:
    """Run a short program to its end and give what it printed. Raises ChildFailed with its words when it fails."""
    running = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(env),
    )
    try:
        async with asyncio.timeout(seconds):
            printed, _ = await running.communicate(text.encode())
    except TimeoutError:
        raise ChildFailed(f"{command[0]} did not end within {seconds:g} s") from None
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    answer = printed.decode("utf-8", errors="replace")
    if running.returncode != 0:
        raise ChildFailed(f"{command[0]} failed ({running.returncode}): {answer.strip()[-2000:]}")
    return answer
