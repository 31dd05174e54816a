"""The event bus over PostgreSQL LISTEN/NOTIFY, for several gateway nodes. Same interface as `common.bus.LocalBus`.

One connection of its own, outside the pool. While it is down, notifications are lost for good; after each reconnect
every subscriber is therefore told to read again.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from common.bus import Handler, LocalBus
from common.db import Database
from common.log import get_logger
from common.tasks import TaskScope

_CHANNEL: Final = "kakehashi"
_RETRY_SECONDS: Final = 1.0
_log = get_logger(__name__)


class PostgresBus:
    """Publishes through the pool, listens on a connection of its own; `start()` before use."""

    def __init__(self, url: str, database: Database) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._database = database
        self._local = LocalBus()
        self._scope = TaskScope()
        self._listening = asyncio.Event()

    async def start(self) -> None:
        """Return once events can arrive."""
        self._scope.spawn(self._listen_for_ever(), name="bus listener")
        await self._listening.wait()

    async def publish(self, topic: str, key: str) -> None:
        """See `EventBus.publish`; this node's own subscribers hear it through the database like all others."""
        async with self._database.transaction() as connection:
            await connection.execute(
                text("select pg_notify(:channel, :payload)"),
                {"channel": _CHANNEL, "payload": json.dumps([topic, key])},
            )

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """See `EventBus.subscribe`."""
        return self._local.subscribe(topic, handler)

    async def close(self) -> None:
        """See `EventBus.close`."""
        await self._scope.close()
        await self._local.close()

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                _log.warning("bus connection lost", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - the listener must outlive any single fault
                _log.exception("bus listener failed")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        """Listen until the connection ends."""
        connection = await asyncpg.connect(self._dsn, timeout=10)
        ended = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(_CHANNEL, self._received)
            if self._listening.is_set():
                self._local.deliver_missed()
            self._listening.set()
            await ended.wait()
        finally:
            connection.terminate()

    def _received(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        topic, key = json.loads(str(payload))
        self._local.deliver(topic, key)
