"""The engine on both databases: no lost update, aware times, one schema."""

import asyncio
import gc
import warnings
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, Integer, MetaData, Table, insert, select, text, update
from sqlalchemy.exc import IntegrityError

import auth.store
import broker.store
import common.audit_store
import gateway.notices.store
import gateway.reports.store
import policy.bcp.plan_store
import policy.bcp.store
from common.db import Database, UtcDateTime, metadata, upgrade
from common.errors import ConfigError, StoreUnavailable

_ = (
    auth.store,
    broker.store,
    common.audit_store,
    gateway.notices.store,
    gateway.reports.store,
    policy.bcp.plan_store,
    policy.bcp.store,
)  # imported for their tables
_own = MetaData()
_counter = Table("counter", _own, Column("id", Integer, primary_key=True), Column("value", Integer, nullable=False))
_moment = Table("moment", _own, Column("id", Integer, primary_key=True), Column("at", UtcDateTime, nullable=False))


@pytest.fixture
async def tables(database: Database) -> Database:
    async with database.transaction() as connection:
        await connection.run_sync(_own.create_all)
    return database


async def test_read_then_write_in_parallel_loses_no_update(tables: Database) -> None:
    async with tables.transaction() as connection:
        await connection.execute(insert(_counter).values(id=1, value=0))

    async def add_ten() -> None:
        for _ in range(10):
            async with tables.transaction() as connection:
                query = select(_counter.c.value).where(_counter.c.id == 1)
                value = await connection.scalar(query.with_for_update() if tables.dialect == "postgresql" else query)
                assert value is not None
                await asyncio.sleep(0)
                await connection.execute(update(_counter).where(_counter.c.id == 1).values(value=value + 1))

    await asyncio.gather(*(add_ten() for _ in range(10)))
    async with tables.transaction() as connection:
        assert await connection.scalar(select(_counter.c.value)) == 100


async def test_times_come_back_aware_and_equal(tables: Database) -> None:
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2026, 4, 1, 8, 30, 0, 123456, tokyo)
    async with tables.transaction() as connection:
        await connection.execute(insert(_moment).values(id=1, at=moment))
        stored = await connection.scalar(select(_moment.c.at))
    assert stored == moment
    assert stored is not None
    assert stored.tzinfo is UTC


async def test_naive_times_are_refused(tables: Database) -> None:
    naive = datetime(2026, 4, 1, 8, 30)  # noqa: DTZ001 - the subject of the test
    with pytest.raises(Exception, match="naive datetime"):
        async with tables.transaction() as connection:
            await connection.execute(insert(_moment).values(id=1, at=naive))


async def test_a_failed_transaction_leaves_nothing(tables: Database) -> None:
    async def fail_half_way() -> None:
        async with tables.transaction() as connection:
            await connection.execute(insert(_counter).values(id=1, value=0))
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await fail_half_way()
    async with tables.transaction() as connection:
        assert await connection.scalar(select(_counter.c.value)) is None


async def test_one_statement_is_a_whole_transaction(tables: Database) -> None:
    await tables.execute(insert(_counter).values(id=1, value=0))
    risen = update(_counter).values(value=_counter.c.value + 1).returning(_counter.c.value)
    results = await asyncio.gather(*(tables.execute(risen) for _ in range(20)))
    assert sorted(row.scalar_one() for row in results) == list(range(1, 21))
    with pytest.raises(IntegrityError):
        await tables.execute(insert(_counter).values(id=1, value=7))
    with pytest.raises(IntegrityError):
        await tables.execute(insert(_counter), [{"id": 2, "value": 7}, {"id": 1, "value": 7}])
    rows = await tables.execute(select(_counter.c.id, _counter.c.value))
    assert [tuple(row) for row in rows] == [(1, 20)]


async def test_the_migrated_schema_is_what_the_stores_declare(database: Database) -> None:
    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_table_has_a_tenant(database: Database) -> None:
    without = [name for name, table in metadata.tables.items() if "tenant_id" not in table.c]
    assert [name for name in without if not name.endswith("_transition")] == []


async def test_nodes_that_migrate_at_once_agree(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        await upgrade(database_url)
        await upgrade(database_url)
    else:
        await asyncio.gather(upgrade(database_url), upgrade(database_url), upgrade(database_url))


async def test_an_unreachable_database_is_a_clear_error() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        await database.connect()
    await database.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "not a url", ""])
def test_an_unknown_url_says_what_is_right(url: str) -> None:
    with pytest.raises(ConfigError, match="sqlite:///"):
        Database(url)


async def test_a_read_waits_for_no_writer_and_sees_what_is_committed(tables: Database) -> None:
    values = select(_counter.c.value)
    async with asyncio.timeout(2), tables.transaction() as connection:
        await connection.execute(insert(_counter).values(id=1, value=7))
        assert (await tables.execute(values)).scalar_one_or_none() is None
    assert (await tables.execute(values)).scalar_one() == 7


async def test_a_cancelled_transaction_gives_its_lock_back(sqlite_database: Database) -> None:
    """Cancelled at any statement, with the traceback (and so the cursor) kept alive: the next writer gets through."""
    async with sqlite_database.transaction() as connection:
        await connection.execute(text("create table counter (n integer)"))

    async def write() -> None:
        async with sqlite_database.transaction() as connection:
            await connection.execute(text("insert into counter values (1)"))
            await connection.execute(text("select count(*) from counter"))

    async def write_at_once() -> None:
        await sqlite_database.execute(text("insert into counter values (1)"))

    kept: list[object] = []
    for moment in range(120):
        writing = asyncio.ensure_future(write() if moment % 2 else write_at_once())
        await asyncio.sleep(moment * 0.000_05)
        writing.cancel()
        kept += await asyncio.gather(writing, return_exceptions=True)
        async with asyncio.timeout(4):
            await write()
    assert any(isinstance(outcome, asyncio.CancelledError) for outcome in kept)


async def test_closing_waits_for_connections_in_use_and_lets_nobody_in_after(database_url: str) -> None:
    """Work that nobody awaits may be under way at the end: its connection must be closed with the others."""
    _left_open()  # by earlier tests
    database = Database(database_url)
    began, go_on = asyncio.Event(), asyncio.Event()

    async def work(database: Database) -> int:
        async with database.transaction() as connection:
            began.set()
            await go_on.wait()
            return int((await connection.execute(text("select 7"))).scalar_one())

    working = asyncio.ensure_future(work(database))
    await began.wait()
    closing = asyncio.ensure_future(database.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    go_on.set()
    assert await working == 7
    await closing
    with pytest.raises(StoreUnavailable):
        await database.execute(text("select 1"))
    await database.close()  # a second time does no harm
    del database
    assert _left_open() == []


async def test_closing_breaks_off_who_does_not_come_to_an_end(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.db._CLOSE_SECONDS", 0.1)
    _left_open()  # by earlier tests
    database = Database(database_url)
    began = asyncio.Event()

    async def work(database: Database) -> None:
        async with database.transaction() as connection:
            await connection.execute(text("select 1"))
            began.set()
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work(database))
    await began.wait()
    await database.close()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    del database, working
    assert _left_open() == []


def _left_open() -> list[str]:
    """Connections that were forgotten without having been closed: both drivers say so when they are collected."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        gc.collect()
    return [str(warning.message) for warning in told]
