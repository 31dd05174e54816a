"""The audit chain on both databases: durable, complete, tamper-evident, fail closed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from common.audit import AuditEvent
from common.audit_log import AuditLog, load_or_create_signing_key
from common.audit_store import audit_checkpoint, audit_event, nodes, read, verify
from common.db import Database
from common.errors import AuditUnavailable, ConfigError
from common.ids import TenantId
from tests.support.audit import node_log
from tests.support.clock import FakeClock

TENANT = TenantId("city")


@pytest.fixture
async def log(database: Database, clock: FakeClock) -> AsyncIterator[AuditLog]:
    opened = node_log(database, clock)
    await opened.start()
    yield opened
    await opened.close()


def _event(number: int) -> AuditEvent:
    return AuditEvent("session-started", TENANT, actor=f"職員{number} 𠮷", details={"n": number, "理由": "豪雪"})


async def test_concurrent_events_form_one_verifiable_chain(database: Database, log: AuditLog) -> None:
    await asyncio.gather(*(log.record(_event(n)) for n in range(250)))
    await log.sign()
    found = await verify(database, "node-1")
    assert (found.events, found.checkpoints, found.unsigned_events, found.fault) == (250, 1, 0, None)
    numbers = [chained.event.details["n"] async for chained in read(database, "node-1")]
    assert sorted(n for n in numbers if isinstance(n, int)) == list(range(250))


async def test_the_chain_goes_on_after_a_restart(database: Database, clock: FakeClock) -> None:
    for _ in range(2):
        log = node_log(database, clock)
        await log.start()
        await log.record(_event(1))
        await log.close()
    found = await verify(database, "node-1")
    assert (found.events, found.checkpoints, found.fault) == (2, 2, None)
    assert await nodes(database) == ["node-1"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (update(audit_event).where(audit_event.c.seq == 2).values(actor="someone else"), "event 2 was altered"),
        (update(audit_event).where(audit_event.c.seq == 2).values(details="{}"), "event 2 was altered"),
        (delete(audit_event).where(audit_event.c.seq == 2), "event 2 is missing"),
        (delete(audit_event).where(audit_event.c.seq >= 2), "events 2 to 3 are missing"),
        (update(audit_checkpoint).values(signature="00" * 64), "checkpoint 3 does not match"),
    ],
)
async def test_tampering_is_found(database: Database, log: AuditLog, change: object, fault: str) -> None:
    for number in range(3):
        await log.record(_event(number))
    await log.sign()
    async with database.transaction() as connection:
        await connection.execute(change)  # type: ignore[call-overload]  # a parametrised statement
    found = await verify(database, "node-1")
    assert found.fault is not None
    assert fault in found.fault


async def test_a_rewritten_chain_does_not_match_its_checkpoint(database: Database, log: AuditLog) -> None:
    await log.record(_event(1))
    await log.sign()
    async with database.transaction() as connection:
        await connection.execute(delete(audit_event))
        await connection.execute(update(audit_checkpoint).values(tenant_id="kept"))
    forger = node_log(database, FakeClock())
    await forger.start()
    await forger.record(_event(2))
    await forger._scope.close()
    forger._spool.close()
    found = await verify(database, "node-1")
    assert found.fault == "checkpoint 1 does not match the chain"


async def test_what_cannot_be_written_is_refused(database: Database, log: AuditLog) -> None:
    await log.record(_event(1))
    async with database.transaction() as connection:  # another writer took the next place of this node's chain
        await connection.execute(
            insert(audit_event).values(
                node_id="node-1",
                seq=2,
                tenant_id="x",
                at=FakeClock().now(),
                name="x",
                outcome="ok",
                details="{}",
                previous_hash="0",
                hash="0",
            )
        )
    with pytest.raises(AuditUnavailable):
        await log.record(_event(2))


async def test_text_that_no_database_takes_stops_nobody(database: Database, log: AuditLog) -> None:
    """A lone surrogate must not end the writer: every later caller would wait for ever."""
    odd = AuditEvent("ticket-refused", TENANT, actor="\udcff", session_id="\ud800", details={"cause": "\udfff"})
    async with asyncio.timeout(5):
        await log.record(odd)
        await log.record(_event(2))
    assert (await verify(database, "node-1")).fault is None


async def test_huge_fields_are_capped(database: Database, log: AuditLog) -> None:
    await log.record(AuditEvent("login-failed", TENANT, actor="x" * 100_000, details={"why": "y" * 100_000}))
    [stored] = [chained async for chained in read(database, "node-1")]
    assert stored.event.actor is not None
    assert (len(stored.event.actor), len(str(stored.event.details["why"]))) == (320, 1_000)


def test_the_key_is_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "audit.pem"
    first = load_or_create_signing_key(path).public_key().public_bytes_raw()
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_create_signing_key(path).public_key().public_bytes_raw() == first
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_or_create_signing_key(path)
