"""Typed audit events and the hash chain over them: pure. Counterparts: `common/audit_log.py`, which
writes them, `common/audit_store.py`, which keeps and proves them.

Each node has its own chain, so a network split never forks one. Each event's hash covers its predecessor's, so nothing
can be altered, dropped or slipped in without breaking every later hash, which signed checkpoints pin.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

from common.ids import TenantId

Detail = str | int | float | bool | None
Outcome = Literal["ok", "denied", "failed"]

GENESIS: Final = "0" * 64
"""The hash before the first event of a chain."""
_MAX_FIELD: Final = 320
_MAX_DETAIL: Final = 1_000


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What happened: `name` is a verb-noun of the package's audit names, `actor` who did it, `subject` to whom or what.

    `details` hold the exact cause, deciding rules and figures; never a password, code, ticket or clipboard text.
    """

    name: str
    tenant_id: TenantId
    actor: str | None = None
    subject: str | None = None
    session_id: str | None = None
    source: str | None = None
    outcome: Outcome = "ok"
    details: Mapping[str, Detail] = field(default_factory=dict)


class AuditSink(Protocol):
    """Where services record events."""

    async def record(self, event: AuditEvent) -> None:
        """Return once the event is durable. Raises AuditUnavailable: the caller must then refuse the operation."""
        ...


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """An event in its place in a node's chain."""

    node_id: str
    seq: int
    at: datetime
    event: AuditEvent
    previous_hash: str
    hash: str


def capped(event: AuditEvent) -> AuditEvent:
    """The event as stored: every text bounded, so that no input can flood the log."""
    return AuditEvent(
        name=event.name,
        tenant_id=event.tenant_id,
        actor=_cap(event.actor),
        subject=_cap(event.subject),
        session_id=_cap(event.session_id, 64),
        source=_cap(event.source, 64),
        outcome=event.outcome,
        details={
            key: _cap(value, _MAX_DETAIL) if isinstance(value, str) else value
            for key, value in sorted(event.details.items())
        },
    )


def _cap(value: str | None, limit: int = _MAX_FIELD) -> str | None:
    """Bounded, and only what every database can hold: no NUL, no lone surrogates."""
    if value is None:
        return None
    return value[:limit].replace("\0", "�").encode("utf-8", "replace").decode()


def details_json(details: Mapping[str, Detail]) -> str:
    """The one spelling of the details that is stored and hashed."""
    return json.dumps(dict(details), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def chain(node_id: str, seq: int, at: datetime, event: AuditEvent, previous_hash: str) -> ChainedEvent:
    """Put a (capped) event behind its predecessor."""
    spelled = json.dumps(
        [
            previous_hash,
            node_id,
            seq,
            at.isoformat(),
            event.name,
            event.tenant_id,
            event.actor,
            event.subject,
            event.session_id,
            event.source,
            event.outcome,
            details_json(event.details),
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    digest = hashlib.sha256(spelled.encode("utf-8", "surrogatepass")).hexdigest()
    return ChainedEvent(node_id, seq, at, event, previous_hash, digest)


def checkpoint_message(node_id: str, seq: int, chain_hash: str, at: datetime) -> bytes:
    """What a checkpoint's Ed25519 signature covers."""
    return json.dumps(["kakehashi-audit-checkpoint-1", node_id, seq, chain_hash, at.isoformat()]).encode()
