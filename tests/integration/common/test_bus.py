"""Both buses deliver to every subscriber; PostgreSQL's tells subscribers to read again after a lost connection."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from common.bus import MISSED, EventBus, LocalBus
from common.bus_postgres import PostgresBus
from common.db import Database
from tests.support.postgres import Postgres


@pytest.fixture
async def bus(database: Database, database_url: str) -> AsyncIterator[EventBus]:
    if database.dialect == "sqlite":
        local = LocalBus()
        yield local
        await local.close()
        return
    shared = PostgresBus(database_url, database)
    await shared.start()
    yield shared
    await shared.close()


async def test_events_reach_all_subscribers_of_the_topic_until_they_leave(bus: EventBus) -> None:
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def listener(name: str) -> object:
        async def hear(key: str) -> None:
            await heard.put((name, key))

        return bus.subscribe("session", hear)

    leave_first = listener("first")
    listener("second")
    await bus.publish("other", "x")
    await bus.publish("session", "職員-1")
    async with asyncio.timeout(5):
        assert {await heard.get(), await heard.get()} == {("first", "職員-1"), ("second", "職員-1")}
    assert callable(leave_first)
    leave_first()
    await bus.publish("session", "2")
    async with asyncio.timeout(5):
        assert await heard.get() == ("second", "2")
    await asyncio.sleep(0.05)
    assert heard.empty()


async def test_a_failing_subscriber_stops_nobody(bus: EventBus) -> None:
    heard = asyncio.Event()

    async def fail(_key: str) -> None:
        raise ValueError("broken subscriber")

    async def hear(_key: str) -> None:
        heard.set()

    bus.subscribe("session", fail)
    bus.subscribe("session", hear)
    await bus.publish("session", "1")
    async with asyncio.timeout(5):
        await heard.wait()


async def test_after_a_lost_connection_subscribers_read_again(postgres: Postgres) -> None:
    postgres.sql("create database bus_lost")
    database = Database(postgres.url("bus_lost"))
    bus = PostgresBus(postgres.url("bus_lost"), database)
    await bus.start()
    keys: asyncio.Queue[str] = asyncio.Queue()

    async def hear(key: str) -> None:
        await keys.put(key)

    bus.subscribe("session", hear)
    postgres.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'bus_lost'")
    async with asyncio.timeout(10):
        assert await keys.get() == MISSED
        await bus.publish("session", "after")
        assert await keys.get() == "after"
    await bus.close()
    await database.close()
    postgres.sql("drop database bus_lost with (force)")
