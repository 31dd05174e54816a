"""The event bus over PostgreSQL LISTEN/NOTIFY, for several gateway nodes. Same interface as `common.bus.LocalBus`.

One connection of its own, outside the pool. While it is down, notifications are lost for good; after each reconnect
every subscriber is therefore told to read again. A line that is dead without saying so is found by asking. What cannot
be published because the database is away is published later: who says that something changed need not fail for it.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from common.bus import MISSED, Handler, LocalBus
from common.db import Database
from common.errors import StoreUnavailable
from common.log import get_logger
from common.tasks import TaskScope

_CHANNEL: Final = "kakehashi"
_NOTIFY: Final = text("select pg_notify(:channel, :payload)")
_RETRY_SECONDS: Final = 1.0
_ASK_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 5.0
_MOST_UNSENT: Final = 1_000
_log = get_logger(__name__)


class PostgresBus:
    """Publishes through the pool, listens on a connection of its own; `start()` before use."""

    def __init__(self, url: str, database: Database) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._database = database
        self._local = LocalBus()
        self._scope = TaskScope()
        self._listening = asyncio.Event()
        self._unsent: dict[tuple[str, str], None] = {}
        self._owing = asyncio.Event()

    async def start(self) -> None:
        """Return once events can arrive."""
        self._scope.spawn(self._listen_for_ever(), name="bus listener")
        self._scope.spawn(self._send_unsent(), name="bus sender")
        await self._listening.wait()

    async def publish(self, topic: str, key: str) -> None:
        """See `EventBus.publish`; this node's own subscribers hear it through the database like all others."""
        try:
            await self._notify(topic, key)
        except StoreUnavailable:
            if len(self._unsent) >= _MOST_UNSENT:
                self._unsent = {(owed, MISSED): None for owed, _ in self._unsent}
            self._unsent[topic, key] = None
            self._owing.set()

    async def _notify(self, topic: str, key: str) -> None:
        await self._database.execute(_NOTIFY, {"channel": _CHANNEL, "payload": json.dumps([topic, key])})

    async def _send_unsent(self) -> None:
        while True:
            await self._owing.wait()
            try:
                while self._unsent:
                    owed = next(iter(self._unsent))
                    await self._notify(*owed)
                    self._unsent.pop(owed, None)
                self._owing.clear()
            except StoreUnavailable:
                await asyncio.sleep(_RETRY_SECONDS)
            except Exception:  # noqa: BLE001 - the sender must outlive any single fault
                _log.exception("bus sender failed")
                await asyncio.sleep(_RETRY_SECONDS)

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
                await self._until_readable()
                self._local.deliver_missed()
            self._listening.set()
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_ASK_SECONDS):
                        await ended.wait()
                        break
                await connection.execute("select 1", timeout=_ANSWER_SECONDS)
        finally:
            connection.terminate()

    async def _until_readable(self) -> None:
        """Whoever is told to read again must be able to: the pool may find the database later than this connection."""
        while not await self._database.answers():  # noqa: ASYNC110 - it tells nobody when it does
            await asyncio.sleep(_RETRY_SECONDS / 2)

    def _received(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        topic, key = json.loads(str(payload))
        self._local.deliver(topic, key)
