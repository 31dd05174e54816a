"""The database engine: SQLite (embedded default) or PostgreSQL (several nodes). Counterpart: the `*/store.py` modules.

SQLite loses updates silently under Python's default deferred transactions (read, read, write, write), so every
transaction begins with BEGIN IMMEDIATE, just before its first statement (`common/sqlite_driver.py`). PostgreSQL runs at
its default READ COMMITTED: state changes are compare-and-set updates, which hold at that level.

Every transaction has a deadline, the wait for a connection included: a database that hangs must not hang its callers.
While nothing answers, callers are refused at once (`common/db_outage.py`).
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, cast
from weakref import WeakSet

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, CursorResult, DateTime, Engine, Executable, MetaData, event, text
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator
from sqlalchemy.util import greenlet_spawn

from common.db_outage import Outage
from common.errors import ConfigError, StoreUnavailable
from common.log import get_logger
from common.sqlite_driver import QuickConnection

_TAKE_TURN: Final = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables of all packages; each store adds its own."""

_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_REST_SECONDS: Final = 1.0
"""A connection that rested longer is asked whether it still lives before it is used."""
_SINGLE: Final[Mapping[str, Mapping[str, Any]]] = {
    "sqlite": {"kakehashi_single": True},
    "postgresql": {"isolation_level": "AUTOCOMMIT"},
}
"""How a connection is told that one statement is the whole transaction."""
_RESTING_SINCE: Final = "kakehashi_resting_since"
_BUSY_MILLISECONDS: Final = 5_000
_DEADLINE_SECONDS: Final = {"sqlite": 8.0, "postgresql": 5.0}
"""For a whole transaction. SQLite's leaves room for its own wait for the write lock."""
LONG_SECONDS: Final = 60.0
"""For what may rightly take long and keeps nobody waiting: an import of the register, reading the whole audit."""
_CONNECT_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 3.0
_UNAVAILABLE_STATES: Final = ("08", "25006", "53", "57", "58")
"""SQLSTATE classes by which PostgreSQL says that it cannot serve us now: connection, read-only standby, no resources,
shutting down, system error. The driver makes no OperationalError of them."""
_log = get_logger(__name__)
Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
_MIGRATION_LOCK: Final = 0x4B414B45  # "KAKE": nodes that start together migrate one after the other


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in and out; stored as UTC. SQLite would drop the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: they mean different moments on different machines."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime given to the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One engine; `transaction()` is the way in, and `execute()` where one statement is all."""

    def __init__(self, url: str) -> None:
        self.url = _driver_url(url)
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        )
        self._engine = _engine(self.url)
        self._single = self._engine.sync_engine.execution_options(**_SINGLE[self.dialect])
        self._outage = Outage()
        self._open: WeakSet[Any] = WeakSet()
        self._closed = False
        self._in_use = 0
        self._idle = asyncio.Event()
        self._idle.set()
        event.listen(self._engine.sync_engine, "connect", self._opened)

    async def connect(self) -> None:
        """Check that the database answers. Raises StoreUnavailable."""
        await self.execute(text("select 1"))

    async def answers(self) -> bool:
        """Whether the database can be used now."""
        try:
            await self.connect()
        except StoreUnavailable:
            return False
        return True

    async def now(self) -> datetime | None:
        """The server's wall clock; None for SQLite, which has none of its own. Raises StoreUnavailable."""
        if self.dialect == "sqlite":
            return None
        moment: datetime = (await self.execute(text("select clock_timestamp()"))).scalar_one()
        return moment.astimezone(UTC)

    async def close(self) -> None:
        """Let nobody in any more, wait for those who are at it, close all connections. Those that are not free by then
        (a server that hangs would keep them for ever) are broken off."""
        self._closed = True
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._idle.wait()  # a connection that comes back to a pool disposed of is never closed
                await self._engine.dispose()
        except TimeoutError:
            for connection in tuple(self._open):
                connection.terminate()
            await self._engine.dispose(close=False)

    def _opened(self, connection: Any, _record: object) -> None:
        self._open.add(connection.driver_connection)

    @asynccontextmanager
    async def transaction(self, *, seconds: float | None = None) -> AsyncIterator[AsyncConnection]:
        """One use case, one transaction: committed at the end, rolled back on any exception.

        Raises StoreUnavailable when the database cannot be reached or does not answer within `seconds` (5 to 8 unless
        given); integrity errors pass as SQLAlchemy raises them. A commit that was not answered may have been made.
        """
        async with self._trying(seconds), self._engine.begin() as connection:
            yield connection

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        """One statement that is the whole transaction, at half the price: one round trip instead of three, and all its
        rows are here when this returns. With several sets of parameters all are carried out, or none.

        Raises what `transaction` does. It may have been carried out if cancelled.
        """
        async with self._trying(None):
            # In one greenlet: the asynchronous connection takes one for each step, which costs as much as the rest.
            return await greenlet_spawn(_execute, self._single, statement, parameters)

    @asynccontextmanager
    async def _trying(self, seconds: float | None) -> AsyncIterator[None]:
        """Whatever goes to the database: refused at once while it is away, within a deadline, its faults told apart."""
        clock = asyncio.get_running_loop().time
        began = clock()
        if self._closed:
            raise StoreUnavailable("the database was closed")
        if not self._outage.may_try(began):
            raise StoreUnavailable("the database is away")
        self._in_use += 1
        self._idle.clear()
        try:
            async with asyncio.timeout(seconds or _DEADLINE_SECONDS[self.dialect]):
                yield
        except NoConnectionFree as error:
            self._outage.given_up()
            raise StoreUnavailable("no connection to the database is free") from error
        except (OSError, DBAPIError) as error:
            if not _is_unavailable(error):
                self._answered(clock())
                raise
            if self._outage.failed(began, clock()):
                _log.error("database away", error=type(error).__name__)
            raise StoreUnavailable(f"the database does not answer: {type(error).__name__}") from error
        except BaseException:
            self._outage.given_up()
            raise
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._idle.set()
        self._answered(clock())

    def _answered(self, now: float) -> None:
        lasted = self._outage.succeeded(now)
        if lasted is not None:
            _log.warning("database answers again", seconds=round(lasted, 1))


def _execute(engine: Engine, statement: Executable, parameters: Parameters | None) -> CursorResult[Any]:
    with engine.connect() as connection:
        return connection.execute(statement, parameters)


def _is_unavailable(error: OSError | DBAPIError) -> bool:
    """Whether the database is at fault, not the statement. A deadline that ran out is an OSError, too."""
    if isinstance(error, OSError | OperationalError | InterfaceError) or error.connection_invalidated:
        return True
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_UNAVAILABLE_STATES)


async def upgrade(url: str) -> None:
    """Bring the schema to the newest revision; safe to call from several nodes at once."""
    engine = _engine(_driver_url(url))
    try:
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text(f"select pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            await connection.run_sync(_upgrade)
    except (OperationalError, InterfaceError, OSError) as error:
        raise StoreUnavailable(f"the database cannot be reached: {type(error).__name__}") from error
    finally:
        await engine.dispose()


async def revision_gap(url: str) -> str | None:
    """What separates the schema from the newest revision, such as `at 0002, newest is 0003`; None when nothing does."""
    engine = _engine(_driver_url(url))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_gap)
    finally:
        await engine.dispose()


def _gap(connection: Connection) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    newest = ScriptDirectory.from_config(migration_config(connection)).get_current_head()
    return None if current == newest else f"at {current or 'nothing'}, newest is {newest}"


def migration_config(connection: Connection) -> Config:
    """Alembic's configuration for our migrations over an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(migration_config(connection), "head")


def _driver_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        return parsed.set(drivername=_DRIVERS[parsed.get_backend_name()])
    except (ArgumentError, KeyError) as error:
        raise ConfigError("database.url must be sqlite:///path/to/file or postgresql://user@host/name") from error


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        connect = {"timeout": _CONNECT_SECONDS}
        server = create_async_engine(url, pool_size=10, max_overflow=10, pool_timeout=30, connect_args=connect)
        event.listen(server.sync_engine, "checkin", _note_rest)
        event.listen(server.sync_engine, "checkout", _ping_after_rest)
        return server
    engine = create_async_engine(
        url, pool_size=4, max_overflow=4, pool_timeout=30, async_creator=lambda: QuickConnection(url.database or "")
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    event.listen(engine.sync_engine, "invalidate", _roll_back_first)
    return engine


def _note_rest(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[_RESTING_SINCE] = time.monotonic()


def _ping_after_rest(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Replace a connection that has died while it rested. SQLAlchemy's own `pool_pre_ping` asks each time, which makes
    every transaction on a busy gateway a third dearer."""
    if time.monotonic() - record.info.get(_RESTING_SINCE, math.inf) < _REST_SECONDS:
        return
    try:
        connection.ping()
    except Exception as error:
        raise DisconnectionError from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {_BUSY_MILLISECONDS}",
        "journal_mode = wal",
        "synchronous = full",
        "foreign_keys = on",
        "trusted_schema = off",
    ):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


def _roll_back_first(connection: Any, _record: object, _error: BaseException | None) -> None:
    """Give the write lock back when a statement was cancelled. Closing alone does not: the statement lives on in the
    traceback, SQLite then closes only half, and everybody else finds the database locked until it is collected."""
    with suppress(Exception):
        connection.rollback()


def _begin_immediate(connection: Connection) -> None:
    driver = cast(QuickConnection, connection.connection.driver_connection)
    driver.begin_immediate(single="kakehashi_single" in connection.get_execution_options())


async def take_turn(connection: AsyncConnection, key: str) -> None:
    """Make transactions of the same key wait for each other, on all nodes, so that what one counts holds until it has
    written (SQLite: all do)."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_TAKE_TURN, {"key": key})


async def wait_until_answering(database: Database, *, attempts: int, pause_seconds: float) -> None:
    """At start-up a database may come up after us: try again for a while, then raise StoreUnavailable."""
    for attempt in range(attempts):
        try:
            await database.connect()
        except StoreUnavailable:
            if attempt == attempts - 1:
                raise
            await asyncio.sleep(pause_seconds)
        else:
            return
