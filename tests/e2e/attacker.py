"""A modified client: a person with a valid account who speaks to the gateway without our web client."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed

from gateway.headers import SESSION_COOKIE
from tests.support.person import Person
from tests.support.rfb_viewer import RfbViewer, WebSocketStream, websocket_viewer


def trusting() -> ssl.SSLContext:
    """TLS that accepts the sample city's own CA."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def desktop(person: Person, pool_id: str) -> dict[str, Any]:
    """The person's session in a pool, with its desktop running."""
    status, session = await person.call("POST", "/sessions", {"pool_id": pool_id})
    assert status == 201, session
    async with asyncio.timeout(40):
        while session["state"] not in ("ready", "active", "disconnected"):
            assert session["state"] != "ended", session
            await asyncio.sleep(0.2)
            _, session = await person.call("GET", f"/sessions/{session['id']}")
    found: dict[str, Any] = session
    return found


async def over(person: Person, session_id: str) -> str:
    """Wait until the session has ended: why."""
    async with asyncio.timeout(10):
        while True:
            _, session = await person.call("GET", f"/sessions/{session_id}")
            if session["state"] in ("ending", "ended"):
                return str(session["end_reason"])
            await asyncio.sleep(0.05)


async def ticket(person: Person, session_id: str) -> str:
    """A fresh ticket."""
    status, given = await person.call("POST", f"/sessions/{session_id}/ticket")
    assert status == 200, given
    return str(given["ticket"])


def cookie_of(person: Person) -> str:
    """The value of the session cookie, which a modified client can of course read."""
    return next(cookie.value for cookie in person.client.cookie_jar if cookie.key == SESSION_COOKIE)


@asynccontextmanager
async def viewer(
    person: Person,
    session_id: str,
    given: str,
    *,
    origin: str | None = None,
    protocols: tuple[str, ...] | None = None,
) -> AsyncIterator[RfbViewer]:
    """A WebSocket to a session, with whatever ticket and origin the attacker likes."""
    url = f"wss://{urlsplit(person.url).netloc}/api/v1/sessions/{session_id}/rfb"
    async with websocket_viewer(
        url,
        protocols=protocols or ("binary", f"kakehashi.ticket.{given}"),
        headers={"Origin": origin or person.url, "Cookie": f"{SESSION_COOKIE}={cookie_of(person)}"},
        tls=trusting(),
    ) as opened:
        yield opened


async def closed_with(opened: RfbViewer, *, within: float = 10.0) -> tuple[int, str]:
    """Wait for the gateway to close: code and reason."""
    stream = opened.stream
    assert isinstance(stream, WebSocketStream)
    async with asyncio.timeout(within):
        while True:
            try:
                await stream.socket.recv()
            except ConnectionClosed as closed:
                received = closed.rcvd
                return (received.code, received.reason) if received else (1006, "")


async def refusal(person: Person, session_id: str, given: str) -> tuple[int, str]:
    """What the gateway answers to a WebSocket with that ticket."""
    async with viewer(person, session_id, given) as opened:
        return await closed_with(opened)
