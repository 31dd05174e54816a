"""A person (or an attacker with a valid account) at the HTTP API, without a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import aiohttp
import pyotp
from yarl import URL

from common.clock import SystemClock
from tests.support.city import password

_RECOVERY_STEP = "recovery_codes"


class Person:
    """One signed-in client with its own cookies. TOTP is enrolled on the first login and remembered here."""

    def __init__(self, url: str, uid: str, given: str | None = None, *, ahead: timedelta = timedelta()) -> None:
        """`ahead`: by how much the gateway's clock is, and this person's telephone with it."""
        self.ahead = ahead
        self.url = url
        self.uid = uid
        self._password = given
        self.secret: str | None = None
        self.recovery_codes: list[str] = []
        self.csrf = ""
        self.client = aiohttp.ClientSession(
            # The sample city's own CA. The gateways of tests close what is quiet for two seconds: no race with that.
            connector=aiohttp.TCPConnector(ssl=False, keepalive_timeout=1),
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # localhost with a port
            headers={"Origin": url},
        )

    @asynccontextmanager
    async def at(self, url: str) -> AsyncIterator["Person"]:
        """The same browser, with its cookies, at another gateway of the same city."""
        other = Person(url, self.uid, self._password, ahead=self.ahead)
        for cookie in self.client.cookie_jar:
            other.client.cookie_jar.update_cookies({cookie.key: cookie}, URL(url))
        other.csrf = self.csrf
        async with other:
            yield other

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()

    async def call(
        self, method: str, path: str, content: object = None, *, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and JSON (None when there is none) of a request under /api/v1."""
        sent = {"X-CSRF-Token": self.csrf, **(headers or {})}
        async with self.client.request(method, f"{self.url}/api/v1{path}", json=content, headers=sent) as response:
            text = await response.text()
            return response.status, await response.json(content_type=None) if text else None

    async def log_in(self) -> None:
        """Password, then enrolment or a code, until signed in."""
        _, state = await self.call(
            "POST", "/login", {"username": self.uid, "password": self._password or password(self.uid)}
        )
        if state["step"] == "enrol":
            state = await self._enrol()
        elif state["step"] == "totp":
            assert self.secret
            _, state = await self.call("POST", "/login/totp", {"code": self.code()})
        assert state["step"] == "done", state
        _, me = await self.call("GET", "/me")
        self.csrf = me["csrf_token"]

    def code(self) -> str:
        """What the telephone shows now."""
        assert self.secret
        return pyotp.TOTP(self.secret).at(SystemClock().now() + self.ahead)

    async def _enrol(self) -> Any:
        _, given = await self.call("POST", "/login/enrol", {})
        self.secret = given["secret"].replace(" ", "")
        _, state = await self.call("POST", "/login/enrol/confirm", {"code": self.code()})
        assert state["step"] == _RECOVERY_STEP, state
        self.recovery_codes = state["recovery_codes"]
        _, state = await self.call("POST", "/login/enrol/done", {})
        return state
