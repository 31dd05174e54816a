"""The audit while the database is away: on the node's own disk, carried over once and in order, and provable."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from common.audit import AuditEvent
from common.audit_log import AuditLog
from common.audit_names import AuditAudit
from common.audit_spool import Spool, examine
from common.audit_store import read, verify
from common.db import Database, upgrade
from common.errors import AuditUnavailable, StoreUnavailable
from common.ids import TenantId
from tests.support.audit import node_log
from tests.support.clock import FakeClock
from tests.support.postgres import Postgres, run_postgres

TENANT = TenantId("city")
ROOT = Path(__file__).resolve().parents[3]


class Shaky(Database):
    """A real database that can be away, or lose the answer to a commit that it made."""

    away = False
    mute = False

    @asynccontextmanager
    async def _trying(self, seconds: float | None) -> AsyncIterator[None]:
        if self.away:
            raise StoreUnavailable("switched off by the test")
        async with super()._trying(seconds):
            yield
        if self.mute:
            raise StoreUnavailable("the answer was lost")


@pytest.fixture
async def shaky(database_url: str) -> AsyncIterator[Shaky]:
    await upgrade(database_url)
    opened = Shaky(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool.jsonl", limit_bytes=200_000)


@pytest.fixture
async def log(shaky: Shaky, clock: FakeClock, spool: Spool) -> AsyncIterator[AuditLog]:
    opened = node_log(shaky, clock, spool=spool)
    await opened.start()
    yield opened
    await opened.close()


def _event(number: int) -> AuditEvent:
    return AuditEvent("session-started", TENANT, actor=f"職員{number}", details={"n": number})


async def _record(log: AuditLog, *numbers: int) -> None:
    for number in numbers:
        await log.record(_event(number))


async def _merged(log: AuditLog) -> None:
    async with asyncio.timeout(20):
        while log.spooling:  # noqa: ASYNC110 - the log has no event for it: nobody but tests waits for this
            await asyncio.sleep(0.02)
    await log.record(AuditEvent("test", TENANT))  # behind the log's own last word on the outage


async def _stored(database: Database) -> list[Any]:
    """Names of the audit's own events and numbers of ours, in the order of the chain, which must be whole."""
    found = await verify(database, "node-1")
    assert found.fault is None
    return [chained.event.details.get("n", chained.event.name) async for chained in read(database, "node-1")]


async def test_events_of_an_outage_are_carried_over_in_order(log: AuditLog, shaky: Shaky, spool: Spool) -> None:
    await _record(log, 1, 2)
    shaky.away = True
    await _record(log, 3, 4)
    await log.sign()
    assert log.spooling
    assert await log.ready()
    assert examine(spool.path, "node-1").events == 3
    shaky.away = False
    await _merged(log)
    await _record(log, 5)
    assert await _stored(shaky) == [1, 2, 3, "lose-database", 4, "regain-database", "test", 5]
    assert spool.path.stat().st_size == 0
    async with asyncio.timeout(5):  # what was carried over is signed at once
        while (await verify(shaky, "node-1")).unsigned_events > 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_callers_in_a_crowd_all_count_while_it_comes_and_goes(log: AuditLog, shaky: Shaky) -> None:
    async def come_and_go() -> None:
        for _ in range(6):
            shaky.away = not shaky.away
            await asyncio.sleep(0.3)

    async def work(worker: int) -> None:
        for number in range(40):
            await log.record(_event(worker * 1_000 + number))
            await asyncio.sleep(0.02)

    await asyncio.gather(come_and_go(), *(work(worker) for worker in range(10)))
    shaky.away = False
    await _merged(log)
    numbers = [n for n in await _stored(shaky) if isinstance(n, int)]
    assert len(numbers) == len(set(numbers)) == 400
    for worker in range(10):
        own = [n for n in numbers if n // 1_000 == worker]
        assert own == sorted(own)


async def test_a_commit_whose_answer_was_lost_is_not_written_twice(log: AuditLog, shaky: Shaky) -> None:
    await _record(log, 1)
    shaky.mute = True
    await _record(log, 2, 3)
    shaky.mute = False
    await _merged(log)
    await _record(log, 4)
    assert await _stored(shaky) == [1, 2, "lose-database", 3, "regain-database", "test", 4]


async def test_nothing_is_recorded_when_neither_database_nor_spool_can_be_written(
    log: AuditLog, shaky: Shaky, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the database did write and only its answer was lost: the chain must go on afterwards."""

    def full(_events: object) -> None:
        raise OSError(28, "No space left on device")

    await _record(log, 1)
    with monkeypatch.context() as patch:
        patch.setattr(spool, "append", full)
        shaky.mute = True
        for number in (2, 3):
            with pytest.raises(AuditUnavailable):
                await _record(log, number)
        shaky.mute = False
    await _record(log, 4)
    assert await _stored(shaky) == [1, 2, 4], "2 was refused and is on record, 3 is nowhere"


async def test_a_full_spool_refuses_and_says_so(log: AuditLog, shaky: Shaky, spool: Spool) -> None:
    shaky.away = True
    kept = 0
    with pytest.raises(AuditUnavailable):  # noqa: PT012 - the loop finds the limit
        for number in range(1_000):
            await _record(log, number)
            kept += 1
    assert not await log.ready()
    assert spool.size <= spool.limit_bytes
    shaky.away = False
    await _merged(log)
    assert await log.ready()
    await _record(log, kept)
    assert [n for n in await _stored(shaky) if isinstance(n, int)] == list(range(kept + 1))


async def test_the_next_start_takes_up_the_spool(shaky: Shaky, clock: FakeClock, spool: Spool) -> None:
    log = node_log(shaky, clock, spool=spool)
    await log.start()
    await _record(log, 1)
    shaky.away = True
    await _record(log, 2, 3)
    await log.close()
    shaky.away = False
    again = node_log(shaky, clock, spool=spool)
    await again.start()
    await _record(again, 4)
    await _merged(again)
    await again.close()
    found = [name for name in await _stored(shaky) if name not in ("regain-database", "test")]
    assert found == [1, 2, "lose-database", 3, 4]


async def test_a_spool_that_was_changed_is_kept_aside_and_on_record(
    shaky: Shaky, clock: FakeClock, spool: Spool
) -> None:
    log = node_log(shaky, clock, spool=spool)
    await log.start()
    await _record(log, 1)
    shaky.away = True
    await _record(log, 2, 3, 4)
    await log.close()
    shaky.away = False
    spool.path.write_text(spool.path.read_text("utf-8").replace("職員3", "職員9"), "utf-8")
    again = node_log(shaky, clock, spool=spool)
    await again.start()
    await _merged(again)
    await again.close()
    stored = await _stored(shaky)
    assert stored[:3] == [1, 2, "lose-database"]
    assert AuditAudit.DISTRUST_SPOOL in stored
    [kept] = spool.path.parent.glob("spool.jsonl.distrusted-*")
    assert "職員9" in kept.read_text("utf-8")


async def test_a_spool_of_another_history_is_not_merged(shaky: Shaky, clock: FakeClock, spool: Spool) -> None:
    """The database was set back to an older copy, or another gateway wrote under this node's name."""
    log = node_log(shaky, clock, spool=spool)
    await log.start()
    await _record(log, 1)
    shaky.away = True
    await _record(log, 2, 3)
    await log.close()
    shaky.away = False
    other = node_log(shaky, clock)
    await other.start()
    await _record(other, 70, 71)
    await other.close()
    again = node_log(shaky, clock, spool=spool)
    await again.start()
    await again.close()
    assert await _stored(shaky) == [1, 70, 71, "distrust-spool"]


# ---- a server that stops, processes that are killed ------------------------------------------------------------------


@pytest.fixture
def own() -> Iterator[Postgres]:
    with TemporaryDirectory(prefix="kakehashi-") as folder, run_postgres(Path(folder)) as server:
        server.sql("create database outage")
        yield server


class Child:
    """The audit log in a process of its own."""

    def __init__(self, url: str, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "tests.support.audit_child", url, str(folder), *options]
        self._running = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert self.line() == "started"
        except AssertionError:
            self.kill()
            raise

    def line(self) -> str:
        """What it says next."""
        assert self._running.stdout is not None
        line = self._running.stdout.readline()
        while not line.startswith("> "):
            assert line, "it has ended"
            line = self._running.stdout.readline()
        return line[2:].strip()

    def kill(self) -> list[int]:
        """SIGKILL; the numbers that it had been told were recorded and that nobody read yet."""
        os.kill(self._running.pid, signal.SIGKILL)
        assert self._running.stdout is not None
        with self._running.stdout as stream:  # not `communicate`: that passes over what `line` has read ahead
            rest = stream.read()
        self._running.wait(10)
        return [int(line[2:]) for line in rest.splitlines() if line.startswith("> ")]


async def test_killed_nodes_lose_nothing_and_write_nothing_twice(own: Postgres, tmp_path: Path) -> None:
    """PostgreSQL stops, the node is killed while it spools, and again and again while it carries the spool over."""
    url = own.url("outage")
    await upgrade(url)
    child = Child(url, tmp_path)
    told = [int(child.line()) for _ in range(20)]
    own.stop()
    told += [int(child.line()) for _ in range(300)]
    told += child.kill()
    waiting = examine(tmp_path / "spool.jsonl", "node-1")
    assert waiting.events > 200
    assert waiting.fault is None
    own.start()
    for _ in range(4):
        merging = Child(url, tmp_path, "--merge-only", "--page", "3")
        await asyncio.sleep(0.15)
        merging.kill()
    last = Child(url, tmp_path, "--begin", str(told[-1] + 10))
    told += [int(last.line()) for _ in range(50)]
    told += last.kill()
    database = Database(url)
    try:
        log = node_log(database, FakeClock(), spool=Spool(tmp_path / "spool.jsonl", limit_bytes=2**24))
        await log.start()
        await _merged(log)
        await log.close()
        numbers = [n for n in await _stored(database) if isinstance(n, int)]
    finally:
        await database.close()
    assert numbers == sorted(set(numbers))
    assert set(told) <= set(numbers)
    assert len(set(numbers) - set(told)) <= 2, "one event a kill may be on record that nobody was told of"


async def test_a_server_that_hangs_delays_once_and_then_nobody(own: Postgres, tmp_path: Path) -> None:
    url = own.url("outage")
    await upgrade(url)
    database = Database(url)
    log = node_log(database, FakeClock(), spool=Spool(tmp_path / "spool.jsonl", limit_bytes=2**20))
    try:
        await log.start()
        await _record(log, 1)
        own.hang()
        async with asyncio.timeout(9):
            await _record(log, 2)
        async with asyncio.timeout(2):
            await _record(log, *range(3, 30))
        own.resume()
        await _merged(log)
        await log.close()
        assert [n for n in await _stored(database) if isinstance(n, int)] == list(range(1, 30))
    finally:
        own.resume()
        with contextlib.suppress(Exception):
            await log.close()
        await database.close()
