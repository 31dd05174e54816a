"""Audit sinks: one that keeps events in a list, or refuses them; and the real one with a spool of its own."""

from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from common.audit import AuditEvent
from common.audit_log import AuditLog
from common.audit_spool import Spool
from common.clock import Clock
from common.db import Database
from common.errors import AuditUnavailable
from common.ids import TenantId

_CITY = TenantId("city")
_folders: list[TemporaryDirectory[str]] = []


def node_log(
    database: Database,
    clock: Clock,
    *,
    node_id: str = "node-1",
    tenant_id: TenantId = _CITY,
    key: Ed25519PrivateKey | None = None,
    spool: Spool | None = None,
) -> AuditLog:
    """A node's audit log; without `spool` its spool lies in a folder that goes with this process."""
    if spool is None:
        _folders.append(TemporaryDirectory(prefix="kakehashi-"))
        spool = Spool(Path(_folders[-1].name) / "spool.jsonl", limit_bytes=2**20)
    key = key or Ed25519PrivateKey.generate()
    return AuditLog(database, clock, node_id=node_id, tenant_id=tenant_id, key=key, spool=spool)


class MemoryAudit:
    """Set `broken` to see what a service does when nothing can be recorded."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.broken = False

    async def record(self, event: AuditEvent) -> None:
        """See `common.audit.AuditSink`."""
        if self.broken:
            raise AuditUnavailable("broken by the test")
        self.events.append(event)

    def names(self) -> list[str]:
        """The names of all events, in order."""
        return [event.name for event in self.events]
