"""One sandbox as a process: start it, read its stages, end it for certain. Counterpart: `agents.desktop`.

The agent watches process descriptors, not process numbers, so it can never signal a stranger that got a number again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import platform
import signal
import subprocess
from collections.abc import Callable
from typing import Final

from agents.sandbox import Command
from common.log import get_logger

_TAIL_BYTES: Final = 4096
_KEYCTL: Final = {"x86_64": 250, "aarch64": 219}
_KEYCTL_JOIN_SESSION_KEYRING: Final = 1
_libc: Final = ctypes.CDLL(None, use_errno=True)
_log = get_logger(__name__)


class Child:
    """A running sandbox. `stages` gives the words the session prints until it is silenced."""

    def __init__(self, build: Callable[[int, int], Command]) -> None:
        """Start it. `build` gets the descriptors for bwrap's options and facts. Raises OSError."""
        options_read, options_write = os.pipe()
        self._info, info_write = os.pipe()
        input_read, self._input = os.pipe()
        self._output, output_write = os.pipe()
        self._errors, errors_write = os.pipe()
        mine = [options_write, self._info, self._input, self._output, self._errors]
        theirs = [options_read, info_write, input_read, output_write, errors_write]
        try:
            command = build(options_read, info_write)
            _new_keyring()
            # Far below a pipe's 64 KiB, so this cannot block.
            os.write(options_write, command.options)
            self._process = subprocess.Popen(
                command.arguments,
                stdin=input_read,
                stdout=output_write,
                stderr=errors_write,
                pass_fds=(options_read, info_write),
                env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                cwd="/",
                start_new_session=True,  # a Ctrl-C for the agent is not one for its desktops
            )
        except BaseException:
            for descriptor in mine:
                os.close(descriptor)
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        os.close(options_write)
        self._outer = os.pidfd_open(self._process.pid)
        self._inner: int | None = None
        self._said = ""
        self._open = {self._info, self._input, self._output, self._errors}
        self._exited = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(self._outer, self._on_exit)

    @property
    def pid(self) -> int:
        """Process number of the sandbox's outermost process."""
        return self._process.pid

    async def adopt(self) -> None:
        """Wait until the sandbox's first process exists and hold on to it. Returns early when the sandbox is gone."""
        facts = await self._read_all(self._info, until=b"}")
        self._close(self._info)
        if self._process.poll() is not None:
            return
        try:
            # The outer process has not been collected, nor has its child: the number is still theirs.
            self._inner = os.pidfd_open(int(json.loads(facts)["child-pid"]))
        except (ValueError, KeyError, ProcessLookupError):
            _log.debug("sandbox gone before it began", pid=self.pid)

    async def next_stage(self) -> str | None:
        """Give the next word the session prints; None when it is gone. At most 32 characters each."""
        line = await self._read_all(self._output, until=b"\n", limit=33)
        word = line.rstrip(b"\n").decode("ascii", "replace")
        return word or None

    def silence(self) -> str:
        """Read no more from the sandbox; give the end of its error text (for the log only)."""
        if self._errors in self._open:
            os.set_blocking(self._errors, False)
            with contextlib.suppress(OSError):
                self._said = os.read(self._errors, 1 << 16)[-_TAIL_BYTES:].decode("utf-8", "replace")
        self._close(self._errors)
        self._close(self._output)
        return self._said

    def ask_to_end(self) -> None:
        """Let the session end its programs in peace: it sees the end of its standard input."""
        self._close(self._input)

    def kill(self) -> None:
        """End everything in the sandbox now. `wait` returns when nothing of it is left."""
        if self._exited.done():
            return
        # The first process of a PID namespace takes all others with it, and is only gone after them.
        descriptor = self._outer if self._inner is None else self._inner
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)

    async def wait(self) -> int:
        """Give the exit status once the sandbox is gone."""
        status: int = await asyncio.shield(self._exited)
        return status

    def _on_exit(self) -> None:
        """Note the outer process's end. It reports before the namespace is torn down: that is waited for as well."""
        loop = asyncio.get_running_loop()
        status = self._process.poll()
        if status is None:
            return
        loop.remove_reader(self._outer)
        os.close(self._outer)
        self.silence()
        for descriptor in tuple(self._open):
            self._close(descriptor)
        if self._inner is None:
            self._exited.set_result(status)
            return
        self.kill()
        loop.add_reader(self._inner, self._on_torn_down, self._inner, status)

    def _on_torn_down(self, inner: int, status: int) -> None:
        asyncio.get_running_loop().remove_reader(inner)
        os.close(inner)
        self._inner = None
        self._exited.set_result(status)

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.discard(descriptor)
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)

    async def _read_all(self, descriptor: int, *, until: bytes, limit: int = 4096) -> bytes:
        """Read byte after byte up to a mark, the end or the limit: these pipes carry a handful of bytes in all."""
        loop = asyncio.get_running_loop()
        text = bytearray()
        while descriptor in self._open and len(text) < limit:
            ready = loop.create_future()
            loop.add_reader(descriptor, _settle, ready)
            try:
                await asyncio.wait((ready, self._exited), return_when=asyncio.FIRST_COMPLETED)
            finally:
                if descriptor in self._open:
                    loop.remove_reader(descriptor)
            if descriptor not in self._open or not ready.done():
                break
            byte = os.read(descriptor, 1)
            text += byte
            if not byte or byte == until:
                break
        return bytes(text)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _new_keyring() -> None:
    """Give the next child a session key ring of its own: inherited, the agent's would be shared by all desktops."""
    number = _KEYCTL.get(platform.machine())
    if number is None or _libc.syscall(number, _KEYCTL_JOIN_SESSION_KEYRING, None) < 0:
        _log.warning("session key ring not separated", machine=platform.machine(), errno=ctypes.get_errno())
