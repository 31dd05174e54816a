"""A database that stops, hangs or is locked: every caller gets an answer within seconds, and all works afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from common.db import Database, upgrade
from common.errors import StoreUnavailable
from tests.support.postgres import Postgres, run_postgres

MOST_SECONDS = 9.0
"""The deadline of a transaction, two seconds for the connection's end, and a busy machine."""


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    with TemporaryDirectory(prefix="kakehashi-") as folder, run_postgres(Path(folder)) as server:
        server.sql("create database outage")
        yield server


@pytest.fixture
async def open_database(own: Postgres) -> AsyncIterator[Database]:
    opened = Database(own.url("outage"))
    await asyncio.gather(*(opened.connect() for _ in range(5)))  # connections in the pool, as in a gateway at work
    yield opened
    own.resume()
    await opened.close()


async def _refused(database: Database) -> float:
    """How long a caller waited for the refusal."""
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await database.connect()
    return time.monotonic() - began


async def test_nobody_waits_long_for_a_server_that_hangs(own: Postgres, open_database: Database) -> None:
    own.hang()
    waits = await asyncio.gather(*(_refused(open_database) for _ in range(60)))
    assert max(waits) < MOST_SECONDS
    quick = await asyncio.gather(*(_refused(open_database) for _ in range(60)))
    assert max(sorted(quick)[:-1]) < 0.5, "but for one who tries, all are refused at once"
    assert not await open_database.answers()
    own.resume()
    await _until_answering(open_database)
    await asyncio.gather(*(open_database.connect() for _ in range(30)))


async def test_a_transaction_in_the_middle_ends_as_well(own: Postgres, open_database: Database) -> None:
    async def work() -> None:
        async with open_database.transaction() as connection:
            await connection.execute(text("select 1"))
            own.hang()
            await connection.execute(text("select 2"))

    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await work()
    assert time.monotonic() - began < MOST_SECONDS
    own.resume()
    await _until_answering(open_database)


async def test_a_server_that_hangs_holds_up_no_end(own: Postgres) -> None:
    database = Database(own.url("outage"))
    await asyncio.gather(*(database.connect() for _ in range(5)))
    own.hang()
    try:
        async with asyncio.timeout(MOST_SECONDS):
            await database.close()
    finally:
        own.resume()


async def test_the_event_loop_lives_meanwhile(own: Postgres, open_database: Database) -> None:
    own.hang()
    waiting = asyncio.ensure_future(_refused(open_database))
    longest = 0.0
    while not waiting.done():
        before = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - before)
    assert longest < 0.5
    await waiting


async def test_a_server_that_is_stopped_refuses_at_once_and_is_found_again(
    own: Postgres, open_database: Database
) -> None:
    own.stop()
    try:
        assert await _refused(open_database) < MOST_SECONDS
        assert await _refused(open_database) < 0.5
    finally:
        own.start()
    await _until_answering(open_database)


async def test_one_long_lock_is_no_outage(own: Postgres, open_database: Database) -> None:
    """Whoever waits for a lock runs into the deadline; the others, who are served, do not pay for it."""
    async with open_database.transaction(seconds=30) as holder:
        await holder.execute(text("select pg_advisory_xact_lock(1)"))

        async def wait() -> None:
            async with open_database.transaction() as connection:
                await connection.execute(text("select pg_advisory_xact_lock(1)"))

        waiting = asyncio.ensure_future(wait())
        while not waiting.done():
            await open_database.connect()
            await asyncio.sleep(0.05)
        with pytest.raises(StoreUnavailable):
            await waiting
        await open_database.connect()


async def test_a_read_only_standby_is_unavailable(own: Postgres, open_database: Database) -> None:
    async def write() -> None:
        async with open_database.transaction() as connection:
            await connection.execute(text("set transaction read only"))
            await connection.execute(text("create table nothing (n integer)"))

    with pytest.raises(StoreUnavailable):
        await write()


async def test_sqlite_that_cannot_be_written_is_unavailable_and_comes_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kakehashi.db'}"
    await upgrade(url)
    database, other = Database(url), Database(url)
    try:
        async with other.transaction() as connection:
            await connection.execute(text("select 1"))  # BEGIN IMMEDIATE: the write lock
            assert await _refused(database) < MOST_SECONDS
        await _until_answering(database)
    finally:
        await database.close()
        await other.close()


async def _until_answering(database: Database) -> None:
    async with asyncio.timeout(15):
        while not await database.answers():  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.1)
