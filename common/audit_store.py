"""The audit chain in the database: its SQL, its proof, its reading. Counterparts: `common/audit.py` (the pure half),
`common/audit_log.py` (which writes it).

Only one gateway may write a node's chain; a second one with the same node id fails on the primary key and is refused.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import BigInteger, Column, Index, Row, String, Table, Text, func, insert, select, tuple_
from sqlalchemy.sql.expression import Tuple

from common.audit import GENESIS, AuditEvent, ChainedEvent, chain, checkpoint_message, details_json
from common.db import LONG_SECONDS, Database, UtcDateTime, metadata
from common.ids import TenantId

audit_event: Final = Table(
    "audit_event",
    metadata,
    Column("node_id", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("name", String(64), nullable=False),
    Column("actor", String(320)),
    Column("subject", String(320)),
    Column("session_id", String(64)),
    Column("source", String(64)),
    Column("outcome", String(16), nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_event_tenant_at", "tenant_id", "at"),
    Index("ix_audit_event_session", "tenant_id", "session_id"),
)
audit_checkpoint: Final = Table(
    "audit_checkpoint",
    metadata,
    Column("node_id", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)

_INSERT: Final = insert(audit_event)
_PAGE: Final = 1_000


class ChainForked(Exception):
    """Another event stands in a place of the node's chain: somebody else writes it, or the database is not ours."""


async def head(database: Database, node_id: str) -> tuple[int, str]:
    """Number and hash of a node's last event. Raises StoreUnavailable."""
    query = select(audit_event.c.seq, audit_event.c.hash).where(audit_event.c.node_id == node_id)
    row = (await database.execute(query.order_by(audit_event.c.seq.desc()).limit(1))).first()
    return (row.seq, row.hash) if row else (0, GENESIS)


async def signed_up_to(database: Database, node_id: str) -> int:
    """Number of the last event that a checkpoint covers. Raises StoreUnavailable."""
    query = select(func.max(audit_checkpoint.c.seq)).where(audit_checkpoint.c.node_id == node_id)
    async with database.transaction() as connection:
        return await connection.scalar(query) or 0


async def hash_of(database: Database, node_id: str, seq: int) -> str | None:
    """The hash of one event. Raises StoreUnavailable."""
    query = select(audit_event.c.hash).where(audit_event.c.node_id == node_id, audit_event.c.seq == seq)
    async with database.transaction() as connection:
        return await connection.scalar(query)


async def add(database: Database, events: Sequence[ChainedEvent]) -> None:
    """Write events that follow each other. Raises StoreUnavailable (they may be in all the same), and what SQLAlchemy
    raises when somebody else took their places."""
    await database.execute(_INSERT, [_row(event) for event in events])


async def merge(database: Database, events: Sequence[ChainedEvent]) -> None:
    """Write those of these consecutive events of one node that are not in yet: done twice, it is done once.

    Raises ChainForked when another event is in one of their places, and StoreUnavailable.
    """
    node_id, first, last = events[0].node_id, events[0].seq, events[-1].seq
    query = select(audit_event.c.seq, audit_event.c.hash).where(
        audit_event.c.node_id == node_id, audit_event.c.seq.between(first, last)
    )
    async with database.transaction(seconds=LONG_SECONDS) as connection:
        known = {row.seq: row.hash for row in await connection.execute(query)}
        for event in events:
            if known.get(event.seq, event.hash) != event.hash:
                raise ChainForked(f"another event {event.seq} of {node_id} is in the database")
        missing = [_row(event) for event in events if event.seq not in known]
        if missing:
            await connection.execute(insert(audit_event), missing)


async def add_checkpoint(
    database: Database,
    *,
    node_id: str,
    tenant_id: TenantId,
    seq: int,
    chain_hash: str,
    at: datetime,
    key: Ed25519PrivateKey,
) -> None:
    """Sign the chain up to an event that is in the database. Raises StoreUnavailable."""
    signature = key.sign(checkpoint_message(node_id, seq, chain_hash, at))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    async with database.transaction() as connection:
        await connection.execute(
            insert(audit_checkpoint).values(
                node_id=node_id,
                seq=seq,
                tenant_id=tenant_id,
                at=at,
                hash=chain_hash,
                public_key=public.hex(),
                signature=signature.hex(),
            )
        )


def _row(chained: ChainedEvent) -> dict[str, Any]:
    event = chained.event
    return {
        "node_id": chained.node_id,
        "seq": chained.seq,
        "tenant_id": event.tenant_id,
        "at": chained.at,
        "name": event.name,
        "actor": event.actor,
        "subject": event.subject,
        "session_id": event.session_id,
        "source": event.source,
        "outcome": event.outcome,
        "details": details_json(event.details),
        "previous_hash": chained.previous_hash,
        "hash": chained.hash,
    }


@dataclass(frozen=True, slots=True)
class Verification:
    """The finding on one node's chain; `fault` is None when all holds."""

    node_id: str
    events: int
    checkpoints: int
    unsigned_events: int
    public_keys: tuple[str, ...]
    fault: str | None


async def nodes(database: Database) -> list[str]:
    """Every node that has a chain or a checkpoint (a chain that was deleted whole still shows)."""
    async with database.transaction() as connection:
        chains = await connection.scalars(select(audit_event.c.node_id).distinct())
        signed = await connection.scalars(select(audit_checkpoint.c.node_id).distinct())
        return sorted({*chains, *signed})


async def verify(database: Database, node_id: str) -> Verification:
    """Recompute a node's chain from the first event and check every checkpoint signature against it."""
    async with database.transaction() as connection:
        rows = (
            await connection.execute(
                select(audit_checkpoint).where(audit_checkpoint.c.node_id == node_id).order_by(audit_checkpoint.c.seq)
            )
        ).all()
    checkpoints = {row.seq: row for row in rows}
    seq, previous, fault = 0, GENESIS, None
    async for chained in read(database, node_id):
        seq += 1
        fault = _fault(chained, seq, previous) or _checkpoint_fault(node_id, chained.hash, checkpoints.get(seq))
        if fault:
            break
        previous = chained.hash
    last = max(checkpoints, default=0)
    if fault is None and last > seq:
        fault = f"events {seq + 1} to {last} are missing: a checkpoint signed them"
    keys = tuple(sorted({row.public_key for row in rows}))
    return Verification(node_id, seq, len(rows), max(0, seq - last), keys, fault)


def _fault(chained: ChainedEvent, seq: int, previous: str) -> str | None:
    if chained.seq != seq:
        return f"event {seq} is missing"
    if chained.previous_hash != previous:
        return f"event {seq} does not follow event {seq - 1}"
    if chain(chained.node_id, seq, chained.at, chained.event, previous).hash != chained.hash:
        return f"event {seq} was altered"
    return None


def _checkpoint_fault(node_id: str, chain_hash: str, row: Row[Any] | None) -> str | None:
    if row is None:
        return None
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(row.public_key))
        key.verify(bytes.fromhex(row.signature), checkpoint_message(node_id, row.seq, chain_hash, row.at))
    except (InvalidSignature, ValueError):
        return f"checkpoint {row.seq} does not match the chain"
    return None


async def read(database: Database, node_id: str, *, since: datetime | None = None) -> AsyncIterator[ChainedEvent]:
    """A node's events in order, a page at a time."""
    last = 0
    while True:
        query = select(audit_event).where(audit_event.c.node_id == node_id, audit_event.c.seq > last)
        if since is not None:
            query = query.where(audit_event.c.at >= since)
        async with database.transaction() as connection:
            page = (await connection.execute(query.order_by(audit_event.c.seq).limit(_PAGE))).all()
        for row in page:
            yield _chained(row)
        if len(page) < _PAGE:
            return
        last = page[-1].seq


async def between(
    database: Database, tenant_id: TenantId, since: datetime, until: datetime
) -> AsyncIterator[ChainedEvent]:
    """A tenant's events of all nodes from `since` on and before `until`, in order of time, a page at a time."""
    order = tuple_(audit_event.c.at, audit_event.c.node_id, audit_event.c.seq)
    query = (
        select(audit_event)
        .where(audit_event.c.tenant_id == tenant_id, audit_event.c.at >= since, audit_event.c.at < until)
        .order_by(audit_event.c.at, audit_event.c.node_id, audit_event.c.seq)
        .limit(_PAGE)
    )
    page: Sequence[Row[Any]] = ()
    while True:
        async with database.transaction() as connection:
            following = query.where(order > _place(page[-1])) if page else query
            page = (await connection.execute(following)).all()
        for row in page:
            yield _chained(row)
        if len(page) < _PAGE:
            return


async def named(database: Database, tenant_id: TenantId, name: str) -> list[ChainedEvent]:
    """A tenant's events of one rare name, of all nodes. Goes through the whole table: not for the running gateway."""
    query = select(audit_event).where(audit_event.c.tenant_id == tenant_id, audit_event.c.name == name)
    async with database.transaction() as connection:
        return [_chained(row) for row in await connection.execute(query.order_by(audit_event.c.at))]


def _place(row: Row[Any]) -> Tuple:
    return tuple_(row.at, row.node_id, row.seq, types=[UtcDateTime, String, BigInteger])


def _chained(row: Row[Any]) -> ChainedEvent:
    event = AuditEvent(
        name=row.name,
        tenant_id=TenantId(row.tenant_id),
        actor=row.actor,
        subject=row.subject,
        session_id=row.session_id,
        source=row.source,
        outcome=row.outcome,
        details=json.loads(row.details),
    )
    return ChainedEvent(row.node_id, row.seq, row.at, event, row.previous_hash, row.hash)
