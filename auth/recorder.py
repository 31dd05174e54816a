"""Writes auth's audit events. Counterpart: `common/audit.py`.

AuditUnavailable passes through: what cannot be recorded must not happen.

What strangers type is never recorded as it is: a password typed into the wrong field would stay in the audit for years.
An unknown name becomes a fingerprint under a key of this process, enough to see that tries belong together.
"""

import hmac
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from auth.audit_names import AuthAudit
from auth.models import Client
from common.audit import AuditEvent, AuditSink, Detail, Outcome
from common.clock import Clock
from common.ids import TenantId

_QUIET: Final = timedelta(seconds=30)
_MAX_REMEMBERED: Final = 10_000


class Recorder:
    """Audit of one tenant's logins."""

    def __init__(self, audit: AuditSink, tenant_id: TenantId, clock: Clock) -> None:
        self._audit = audit
        self._tenant = tenant_id
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._recent: OrderedDict[tuple[str, ...], tuple[datetime, int]] = OrderedDict()

    async def record(
        self,
        name: AuthAudit,
        *,
        actor: str | None = None,
        subject: str | None = None,
        client: Client | None = None,
        outcome: Outcome = "ok",
        **details: Detail,
    ) -> None:
        """One event."""
        source = client.address if client else None
        await self._audit.record(
            AuditEvent(name, self._tenant, actor, subject, source=source, outcome=outcome, details=details)
        )

    async def record_throttled(self, subject: str, client: Client, scope: str, wait_seconds: int) -> None:
        """At most one event per subject, address and half minute, so that nobody floods the audit."""
        now = self._clock.now()
        key = (subject, client.address, scope)
        last, silent = self._recent.get(key, (now - _QUIET, 0))
        if now - last < _QUIET:
            self._recent[key] = (last, silent + 1)
            return
        await self.record(
            AuthAudit.THROTTLE_LOGIN,
            subject=subject,
            client=client,
            outcome="denied",
            scope=scope,
            wait_seconds=wait_seconds,
            not_recorded=silent,
        )
        self._recent[key] = (now, 0)
        self._recent.move_to_end(key)
        while len(self._recent) > _MAX_REMEMBERED:
            self._recent.popitem(last=False)

    def fingerprint(self, typed: str) -> str:
        """Stands for a name that the directory does not know."""
        digest = hmac.digest(self._key, typed[:1024].encode("utf-8", "surrogatepass"), "sha256")
        return f"unknown:{digest.hex()[:12]}"
