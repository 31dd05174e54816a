"""Tells what happened to a session: one audit event, one bus event. Counterparts: `common.audit`, `common.bus`.

`record` guards beginnings: it raises when nothing can be recorded, and the caller must refuse. `note` goes with
endings, which must happen whether or not they can be recorded; the failure is then in the log.
"""

from collections.abc import Mapping
from typing import Final

from broker.audit_names import BrokerAudit
from broker.basis import BASIS, NO_BASIS
from broker.models import DesktopSession
from broker.registry import LiveSession
from common.audit import AuditEvent, AuditSink, Detail, Outcome
from common.bus import EventBus
from common.errors import AuditUnavailable
from common.ids import SessionId, TenantId
from common.log import get_logger
from policy.model import Grant

_MOST_KNOWN: Final = 20_000
_LAST: Final = frozenset({BrokerAudit.FINISH_SESSION, BrokerAudit.REFUSE_SESSION})
_UNTOLD: Final = frozenset({BrokerAudit.ISSUE_TICKET, BrokerAudit.REDEEM_TICKET})
TOPIC: Final = "session"
"""Bus topic; the key is the session's id."""
_log = get_logger(__name__)


class Chronicle:
    """Records and publishes."""

    def __init__(self, audit: AuditSink, bus: EventBus) -> None:
        self._audit = audit
        self._bus = bus
        self._bases: dict[SessionId, Mapping[str, Detail]] = {}
        """What each session of this node rested on at its last decision: its later events say it again."""

    async def record(
        self,
        name: BrokerAudit,
        session: DesktopSession,
        *,
        actor: str | None = None,
        grant: Grant | None = None,
        basis: Mapping[str, Detail] = NO_BASIS,
        outcome: Outcome = "ok",
        **details: Detail,
    ) -> None:
        """Write the audit event, with the rules of the grant it rests on and its basis, and tell subscribers.

        Raises AuditUnavailable: then nobody was told. Of tickets nobody is told: they change nothing that others see.
        """
        facts: dict[str, Detail] = {
            "state": session.state,
            "pool_id": session.pool_id,
            "desktop_id": session.desktop_id,
            "short_code": session.short_code,
        }
        await self._audit.record(
            AuditEvent(
                name=name,
                tenant_id=session.tenant_id,
                actor=actor,
                subject=session.username,
                session_id=session.id,
                source=None if grant is None else grant_source(grant),
                outcome=outcome,
                details=self._basis(name, session, basis)
                | facts
                | details
                | ({} if grant is None else _grant_details(grant))
                | dict(basis),
            )
        )
        if name not in _UNTOLD:
            await self.publish(session)

    def _basis(self, name: BrokerAudit, session: DesktopSession, given: Mapping[str, Detail]) -> dict[str, Detail]:
        if "normal_allowed" in given:
            while len(self._bases) >= _MOST_KNOWN:  # of sessions that ended on another node
                del self._bases[next(iter(self._bases))]
            self._bases[session.id] = {key: given[key] for key in BASIS if key in given}
        known = self._bases.pop(session.id, {}) if name in _LAST else self._bases.get(session.id, {})
        return dict(known)

    async def note(
        self,
        name: BrokerAudit,
        session: DesktopSession,
        *,
        actor: str | None = None,
        grant: Grant | None = None,
        basis: Mapping[str, Detail] = NO_BASIS,
        outcome: Outcome = "ok",
        **details: Detail,
    ) -> None:
        """Like `record`, for what cannot be refused: without an audit log it goes to the log; subscribers are told."""
        try:
            await self.record(name, session, actor=actor, grant=grant, basis=details | dict(basis), outcome=outcome)
        except AuditUnavailable:
            _log.exception(
                "audit event lost", event_name=name, session_id=session.id, actor=actor, details=str(details)
            )
            await self.publish(session)

    async def note_plain(
        self,
        name: BrokerAudit,
        tenant_id: TenantId,
        *,
        actor: str | None = None,
        subject: str | None = None,
        session_id: str | None = None,
        source: str | None = None,
        outcome: Outcome = "ok",
        **details: Detail,
    ) -> None:
        """Like `note`, where there is no session to speak of."""
        await self._note(AuditEvent(name, tenant_id, actor, subject, session_id, source, outcome, details))

    async def note_live(
        self, name: BrokerAudit, live: LiveSession, *, actor: str | None = None, **details: Detail
    ) -> None:
        """Like `note`, for a viewer whose session cannot be read because the database is away."""
        event = AuditEvent(
            name=name,
            tenant_id=live.tenant_id,
            actor=actor,
            subject=live.grant.subject.username,
            session_id=live.session_id,
            outcome="denied" if name is BrokerAudit.CUT_VIEWER else "ok",
            details={"pool_id": live.pool_id, "cause": "database away", **live.basis, **details},
        )
        await self._note(event)

    async def _note(self, event: AuditEvent) -> None:
        try:
            await self._audit.record(event)
        except AuditUnavailable:
            _log.exception("audit event lost", event_name=event.name, subject=event.subject)

    async def publish(self, session: DesktopSession) -> None:
        """Tell subscribers, on all nodes, to look at the session again."""
        await self._bus.publish(TOPIC, session.id)


def _grant_details(grant: Grant) -> dict[str, Detail]:
    """Which rules decided: part of every event that rests on a grant."""
    return {
        "rules": ",".join(grant.rule_ids),
        "policy_version": grant.policy_version,
        "action": grant.action,
        "decided_at": grant.decided_at.isoformat(),
    }


def grant_source(grant: Grant) -> str | None:
    """The address that the grant was given for."""
    source = grant.request.context.source
    return None if source is None else str(source)
