"""An open page's stream of changes, read by an independent parser of server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from tests.support.person import Person


class Listener:
    """What a page has heard."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self, *, within: float = 2.0) -> str:
        """The next topic. Raises TimeoutError when none comes in time, EOFError at the end of the stream."""
        async with asyncio.timeout(within):
            kind = ""
            while line := (await self.response.content.readline()).decode():
                name, _, value = line.rstrip("\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    assert kind == "change"
                    return value
        raise EOFError

    async def hears(self, topic: str, *, within: float = 2.0) -> None:
        """Wait for that topic."""
        async with asyncio.timeout(within):
            while await self.next(within=within) != topic:
                pass

    async def heard(self, *, for_seconds: float = 0.7) -> set[str]:
        """All that comes within that time."""
        topics: set[str] = set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(for_seconds):
                while True:
                    topics.add(await self.next(within=for_seconds))
        return topics


@asynccontextmanager
async def listening(person: Person) -> AsyncIterator[Listener]:
    """A page of that person, with its stream open."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with person.client.get(f"{person.url}/api/v1/changes", timeout=timeout) as response:
        assert response.status == 200, await response.text()
        listener = Listener(response)
        for topic in ("desktops", "sessions"):  # the first that every page is told: everything
            await listener.hears(topic)
        yield listener
