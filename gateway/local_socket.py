"""The admin API's unix socket on this machine: only root and the gateway's own account get through.

Counterpart: the `kakehashi` command. The file's mode keeps others out; the kernel's peer credentials are checked, too.
"""

import asyncio
import contextlib
import os
import socket
import struct
from asyncio import AbstractServer
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from common.errors import ErrorCode, KakehashiError

_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))


async def listen(factory: Callable[[], asyncio.Protocol], path: Path) -> AbstractServer:
    """Listen on `path`, replacing a socket that a dead gateway left behind."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # noqa: ASYNC240 - once, before anything is served
    before = os.umask(0o177)
    try:
        return await asyncio.get_running_loop().create_unix_server(factory, path)
    finally:
        os.umask(before)


def local_account(request: web.Request) -> str | None:
    """The uid of a local caller as text; None for one who came over TCP. Refuses other accounts."""
    connection = request.get_extra_info("socket")
    if connection is None or connection.family != socket.AF_UNIX:
        return None
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(raw)[1]
    if uid not in (0, os.geteuid()):
        raise KakehashiError(f"uid {uid} may not use the admin socket", code=ErrorCode.FORBIDDEN)
    return f"uid-{uid}"
