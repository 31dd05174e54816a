"""Writes, checkpoints, verifies and exports the audit chain. Counterpart: `common/audit.py`, the pure half.

Events of many callers share one transaction (group commit): each caller waits until its own event is durable. Only one
gateway may write a node's chain; a second one with the same node id fails on the primary key and is refused.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import BigInteger, Column, Index, Row, String, Table, Text, func, insert, select, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.expression import Tuple

from common.audit import GENESIS, AuditEvent, ChainedEvent, capped, chain, checkpoint_message, details_json
from common.clock import Clock
from common.db import Database, UtcDateTime, metadata
from common.errors import AuditUnavailable, ConfigError, StoreUnavailable
from common.ids import TenantId
from common.log import get_logger
from common.tasks import TaskScope

_log = get_logger(__name__)

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

_BATCH: Final = 200
_PAGE: Final = 1_000
CHECKPOINT_SECONDS: Final = 60.0


def load_or_create_signing_key(path: Path) -> Ed25519PrivateKey:
    """The node's checkpoint key (PEM, 0600). Raises ConfigError when damaged or readable by others."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"audit key {path} cannot be created: {error.strerror}") from error
    else:
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"audit key {path} can be read by others: chmod 600 it")
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise ConfigError(f"audit key {path} cannot be read: restore it from the backup") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"audit key {path} is not an Ed25519 key")
    return key


class AuditLog:
    """This node's chain. `start()` before use; `close()` writes a last checkpoint."""

    def __init__(
        self, database: Database, clock: Clock, *, node_id: str, tenant_id: TenantId, key: Ed25519PrivateKey
    ) -> None:
        self._database = database
        self._clock = clock
        self._node_id = node_id
        self._tenant_id = tenant_id
        self._key = key
        self._head = (0, GENESIS)
        self._checkpointed = 0
        self._waiting: list[tuple[AuditEvent, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._scope = TaskScope()

    async def start(self) -> None:
        """Read the head of the chain and begin to write. Raises StoreUnavailable."""
        async with self._database.transaction() as connection:
            row = (
                await connection.execute(
                    select(audit_event.c.seq, audit_event.c.hash)
                    .where(audit_event.c.node_id == self._node_id)
                    .order_by(audit_event.c.seq.desc())
                    .limit(1)
                )
            ).first()
            signed = await connection.scalar(
                select(func.max(audit_checkpoint.c.seq)).where(audit_checkpoint.c.node_id == self._node_id)
            )
        self._head = (row.seq, row.hash) if row else (0, GENESIS)
        self._checkpointed = signed or 0
        self._scope.spawn(self._write(), name="audit writer")
        self._scope.spawn(self._sign_regularly(), name="audit checkpoints")

    async def close(self) -> None:
        """Sign what is unsigned and stop. Callers still waiting are refused."""
        await self._scope.close()
        for _, done in self._waiting:
            if not done.done():
                done.set_exception(AuditUnavailable("the audit log is closing"))
        self._waiting.clear()
        try:
            await self.sign()
        except (SQLAlchemyError, StoreUnavailable) as error:
            _log.error("no last audit checkpoint", exc_info=error)

    async def record(self, event: AuditEvent) -> None:
        """See `AuditSink.record`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((capped(event), done))
        self._wake.set()
        await done

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            if not self._waiting:
                self._wake.clear()
            if batch:
                await self._commit(batch)

    async def _commit(self, batch: list[tuple[AuditEvent, asyncio.Future[None]]]) -> None:
        at = self._clock.now()
        seq, previous = self._head
        rows = []
        for event, _ in batch:
            seq += 1
            chained = chain(self._node_id, seq, at, event, previous)
            previous = chained.hash
            rows.append(_row(chained))
        written = False
        try:
            async with self._database.transaction() as connection:
                await connection.execute(insert(audit_event), rows)
            self._head = (seq, previous)
            written = True
        except Exception as error:  # noqa: BLE001 - the writer must outlive whatever a driver raises: all wait for it
            _log.error("audit event not written", exc_info=error)
        finally:  # also when cancelled: nobody may wait for ever, and nobody may believe in an unwritten event
            for _, done in batch:
                if done.done():
                    continue
                if written:
                    done.set_result(None)
                else:
                    done.set_exception(AuditUnavailable("the event was not written"))

    async def _sign_regularly(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            try:
                await self.sign()
            except Exception as error:  # noqa: BLE001 - checkpoints must outlive whatever a driver raises
                _log.error("audit checkpoint not written", exc_info=error)

    async def sign(self) -> None:
        """Write a checkpoint over the head when there is something new."""
        seq, head = self._head
        if seq == self._checkpointed:
            return
        at = self._clock.now()
        signature = self._key.sign(checkpoint_message(self._node_id, seq, head, at))
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        async with self._database.transaction() as connection:
            await connection.execute(
                insert(audit_checkpoint).values(
                    node_id=self._node_id,
                    seq=seq,
                    tenant_id=self._tenant_id,
                    at=at,
                    hash=head,
                    public_key=public.hex(),
                    signature=signature.hex(),
                )
            )
        self._checkpointed = seq


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
