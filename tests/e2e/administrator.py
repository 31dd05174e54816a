"""The city's administrator at the gateway's own machine: sees and ends sessions over the local socket."""

import asyncio
from http import HTTPStatus
from typing import Any

import aiohttp

from tests.support.city import City


class Administrator:
    """Calls the admin API without the cost of starting the `kakehashi` command."""

    def __init__(self, city: City) -> None:
        self._client = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(city.folder / "gateway" / "admin.sock")), raise_for_status=True
        )

    async def close(self) -> None:
        """Leave."""
        await self._client.close()

    async def put(self, path: str, content: dict[str, Any]) -> None:
        """Create or change something."""
        async with self._client.put(f"http://localhost/api/v1/admin{path}", json=content):
            pass

    async def delete(self, path: str) -> None:
        """Take it away again."""
        async with self._client.delete(f"http://localhost/api/v1/admin{path}"):
            pass

    async def sessions(self, uid: str | None = None) -> list[dict[str, Any]]:
        """All live desktop sessions, or one person's."""
        async with self._client.get("http://localhost/api/v1/admin/sessions") as answer:
            items: list[dict[str, Any]] = (await answer.json())["items"]
        return [item for item in items if uid is None or item["username"] == uid]

    async def end(self, session_id: str) -> None:
        """End one at once."""
        async with self._client.delete(f"http://localhost/api/v1/admin/sessions/{session_id}"):
            pass

    async def end_all(self, uid: str) -> None:
        """End a person's sessions and wait until the seats are free again."""
        for found in await self.sessions(uid):
            await self.end(found["id"])
        async with asyncio.timeout(20):
            while await self.sessions(uid):  # noqa: ASYNC110 - the admin API has no event stream
                await asyncio.sleep(0.1)

    async def resize(self, pool_id: str, seats: int) -> int:
        """Give a pool another number of seats: how many it had."""
        async with self._client.get("http://localhost/api/v1/admin/pools") as answer:
            pool = next(item for item in (await answer.json())["items"] if item["id"] == pool_id)
        wanted = {key: value for key, value in pool.items() if key != "id"} | {"max_desktops": seats}
        async with self._client.put(f"http://localhost/api/v1/admin/pools/{pool_id}", json=wanted):
            return int(pool["max_desktops"])

    async def policy_version(self) -> str:
        """Which rules are in force."""
        async with self._client.get("http://localhost/api/v1/admin/policy") as answer:
            return str((await answer.json())["version"])

    async def end_everything(self) -> None:
        """End whatever runs and wait until every seat is free."""
        for uid in {found["username"] for found in await self.sessions()}:
            await self.end_all(uid)

    async def forget_factors(self, uid: str) -> None:
        """Let a person set up an authenticator anew; nothing to forget of somebody who was never here."""
        address = f"http://localhost/api/v1/admin/users/{uid}/factors"
        async with self._client.delete(address, raise_for_status=False) as answer:
            assert answer.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
