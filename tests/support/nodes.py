"""Gateways as programs of their own, several of one city, which can be killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from common.settings import load
from gateway.settings import Settings
from tests.support.city import CHECKOUT
from tests.support.gateway import ask_admin
from tests.support.xvnc import end

_START_SECONDS = 30.0


@dataclass(frozen=True)
class Node:
    """One running gateway."""

    settings: Settings
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.settings.http.origins[0]

    async def admin(self, method: str, path: str, content: object = None) -> tuple[int, Any]:
        """A request on its local socket."""
        return await ask_admin(self.settings, method, path, content)

    def kill(self) -> None:
        """As if the machine lost its power: nothing is told, nothing is written down."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@asynccontextmanager
async def run_node(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Node]:
    """Start a gateway with these settings, wait until new work can start on it, end it."""
    node = Node(load(Settings, None, environment), await asyncio.to_thread(_start, folder, environment))
    try:
        await _ready(node)
        yield node
    except RuntimeError as error:
        error.add_note((await asyncio.to_thread((folder / "gateway.log").read_text))[-3000:])
        raise
    finally:
        await asyncio.to_thread(end, node.process)


def _start(folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    file = folder / "gateway.toml"
    file.touch()  # the program insists on a file; all settings are variables here
    with (folder / "gateway.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "gateway", "--config", file],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **environment},  # noqa: TID251 - a child inherits the environment
        )


async def _ready(node: Node) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as client:
        for _ in range(int(_START_SECONDS / 0.1)):
            if node.process.poll() is not None:
                break
            try:
                async with client.get(f"{node.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{node.settings.node_id} did not start")
