"""A signed-in person's requests from a terminal: password and one-time code, over the same API as the pages.

Counterparts: `gateway/cli/bcp.py`, `gateway/cli/bcp_records.py`. Nothing is kept on this machine: the end of a command
signs out again.
"""

import asyncio
import getpass
import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import typer

from common.errors import KakehashiError
from gateway.cli.common import fail, refusal_text, run, say

UrlOption = Annotated[str, typer.Option("--url", help="Address of the gateway's pages.")]
UserOption = Annotated[str, typer.Option("--user", "-u", help="Your user name.")]
CaOption = Annotated[Path | None, typer.Option("--ca", help="PEM file of the CA of the gateway's certificate.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the gateway's answer as JSON.")]
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


class Visit:
    """A signed-in person's requests."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        self._url = url
        self._token = ""

    async def call(self, method: str, path: str, content: object = None) -> Any:
        """A request under /api/v1. Raises KakehashiError with the gateway's own words."""
        text = (await self._send(method, path, content)).decode()
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise KakehashiError(f"{self._url} does not answer as a gateway does") from error

    async def fetch(self, path: str) -> bytes:
        """A file under /api/v1. Raises KakehashiError."""
        return await self._send("GET", path, None)

    async def _send(self, method: str, path: str, content: object) -> bytes:
        headers = {"Origin": self._url, "X-CSRF-Token": self._token}
        try:
            async with self._client.request(
                method, f"{self._url}/api/v1{path}", json=content, headers=headers
            ) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise KakehashiError(f"{self._url} does not answer: {error}") from error
        if response.status >= 400:
            raise KakehashiError(refusal_text(response.status, body.decode(errors="replace")))
        return body

    async def sign_in(self, user: str, password: str, code: Callable[[], str]) -> None:
        """Password, then the one-time code."""
        state = await self.call("POST", "/login", {"username": user, "password": password})
        if state["step"] == "totp":
            state = await self.call("POST", "/login/totp", {"code": code()})
        if state["step"] != "done":
            error = state["error"]
            said = f"{error['text_ja']} {error['text_en']}" if error else ""
            raise KakehashiError(said or f"sign in with a browser first ({state['step']})")
        self._token = (await self.call("GET", "/me"))["csrf_token"]


@asynccontextmanager
async def _visit(url: str, user: str, ca: Path | None) -> AsyncIterator[Visit]:
    try:
        trust = ssl.create_default_context(cafile=str(ca) if ca else None)
    except OSError as error:
        raise KakehashiError(f"{ca} is no PEM file of a CA: {error}") from error
    jar = aiohttp.CookieJar(unsafe=True)  # an address instead of a name is fine; the certificate is checked
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, timeout=_TIMEOUT) as client:
        visit = Visit(client, url.rstrip("/"))
        password = await asyncio.to_thread(getpass.getpass, "Password: ")
        await visit.sign_in(user, password, lambda: getpass.getpass("One-time code: "))
        try:
            yield visit
        finally:
            await visit.call("POST", "/logout")


def as_person(url: str, user: str, ca: Path | None, work: Callable[[Visit], Coroutine[Any, Any, None]]) -> None:
    """Sign in, do it, sign out. Ends with 1 and one clear line when something is refused."""

    async def visit_and_work() -> None:
        async with _visit(url, user, ca) as visit:
            await work(visit)

    run(visit_and_work())


def show_json(found: Any) -> None:
    """The gateway's answer, for programs."""
    say(json.dumps(found, ensure_ascii=False, indent=2))


async def ask(question: str = "Sign this?", otherwise: str = "nothing was signed") -> None:
    """Ends with 1 and says `otherwise` unless the person says yes."""
    if not await asyncio.to_thread(typer.confirm, question, err=True):
        fail(otherwise)
