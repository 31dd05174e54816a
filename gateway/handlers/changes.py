"""The stream by which open pages hear that something changed: server-sent events (WHATWG HTML 9.2)."""

import asyncio
import contextlib
from typing import Final

from aiohttp import web

from gateway.caller import signed_in
from gateway.changes import ChangeStream
from gateway.permissions import Permission, permitted
from gateway.services import CALLER, services

HEARTBEAT_SECONDS: Final = 15.0
"""Keeps proxies from taking a quiet stream for a dead one, and finds pages that have gone."""
_WRITE_SECONDS: Final = 10.0
"""A page that takes nothing in for longer is let go; it comes again."""
_HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "X-Accel-Buffering": "no",  # nginx: hand each event on at once
}


async def follow(request: web.Request) -> web.StreamResponse:
    """GET /api/v1/changes"""
    session, _ = signed_in(request)
    console = permitted(request[CALLER], Permission.BCP_READ)
    with services(request).changes.stream(session, console=console, connected=lambda: _connected(request)) as stream:
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        # From here on nothing can be answered any more: a broken or stalled line is the end of the stream.
        with contextlib.suppress(ConnectionError, TimeoutError):
            await _write_all(response, stream)
    return response


def _connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


async def _write_all(response: web.StreamResponse, stream: ChangeStream) -> None:
    content = ": open\n\n"
    while True:
        async with asyncio.timeout(_WRITE_SECONDS):
            await response.write(content.encode())
        topics = await stream.next(HEARTBEAT_SECONDS)
        if topics is None:
            return
        content = "".join(f"event: change\ndata: {topic}\n\n" for topic in topics) or ": still here\n\n"
