"""Tells what happened to a declaration: an audit event, a bus event, and in-process listeners. Counterparts:
`common.audit`, `common.bus`.

`sign` comes before anything is widened and raises when it cannot be recorded: the step is then refused. `note` follows
what has happened, and what narrows must happen whether or not it can be recorded; a failure is then in the log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from common.audit import AuditEvent, AuditSink, Detail, Outcome
from common.bus import EventBus
from common.errors import AuditUnavailable
from common.ids import TenantId
from common.log import get_logger
from policy.bcp.audit_names import BcpAudit
from policy.bcp.model import TOPIC, Declaration, Refused, Signer
from policy.bcp.plan_versions import PlanVersion

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BcpEvent:
    """What happened, on the node where it was done: for notices and reports. `remaining` with reminders only."""

    name: BcpAudit
    declaration: Declaration
    remaining: timedelta | None = None


Listener = Callable[[BcpEvent], None]


class Chronicle:
    """Records, publishes and calls listeners."""

    def __init__(self, tenant_id: TenantId, audit: AuditSink, bus: EventBus, policy_version: Callable[[], str]) -> None:
        """`policy_version` is the hash of the normal rules: what is lifted must leave it as it was."""
        self._tenant_id: Final = tenant_id
        self._audit: Final = audit
        self._bus: Final = bus
        self._policy_version: Final = policy_version
        self._listeners: Final[list[Listener]] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event of this node; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def sign(self, name: BcpAudit, declaration: Declaration, signer: Signer, source: str | None) -> None:
        """Record that the person signs this. Raises AuditUnavailable: then nothing may change."""
        await self._record(BcpAudit.SIGN_DECLARATION, declaration, signer, source, "ok", {"step": str(name)})

    async def note(
        self,
        name: BcpAudit,
        declaration: Declaration,
        signer: Signer | None = None,
        source: str | None = None,
        *,
        remaining: timedelta | None = None,
        **details: Detail,
    ) -> None:
        """Record what has happened and tell everybody."""
        if remaining is not None:
            details["remaining_hours"] = remaining.total_seconds() / 3600
        try:
            await self._record(name, declaration, signer, source, "ok", details)
        except AuditUnavailable:
            _log.exception("audit event lost", event_name=name, declaration_id=declaration.id)
        await self._bus.publish(TOPIC, declaration.id)
        event = BcpEvent(name, declaration, remaining)
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:  # noqa: BLE001 - one listener's fault must not keep the news from the others
                _log.exception("bcp listener failed", event_name=name)

    async def refused(
        self, name: BcpAudit, subject: str | None, signer: Signer, source: str | None, refused: Refused
    ) -> None:
        """Record that a step was refused; the refusal stands even if it cannot be recorded."""
        await self.alarm(
            name,
            subject,
            refused.refusal.text_en,
            actor=signer.username,
            source=source,
            outcome="denied",
            code=str(refused.refusal.code),
        )

    async def alarm(
        self,
        name: BcpAudit,
        subject: str | None,
        detail: str,
        *,
        actor: str | None = None,
        source: str | None = None,
        outcome: Outcome = "failed",
        **details: Detail,
    ) -> None:
        """Record what is wrong; never raises."""
        _log.warning("bcp", event_name=name, subject=subject, detail=detail, outcome=outcome)
        event = AuditEvent(
            name=name,
            tenant_id=self._tenant_id,
            actor=actor,
            subject=subject,
            source=source,
            outcome=outcome,
            details={"detail": detail, **details},
        )
        try:
            await self._audit.record(event)
        except AuditUnavailable:
            _log.exception("audit event lost", event_name=name, subject=subject)

    async def plan_step(self, name: BcpAudit, version: PlanVersion, signer: Signer, source: str | None) -> None:
        """Record a step of a plan's version before it is taken. Raises AuditUnavailable: then nothing may change."""
        await self._audit.record(
            AuditEvent(
                name=name,
                tenant_id=self._tenant_id,
                actor=signer.username,
                subject=version.plan.id,
                source=source,
                details={
                    "version": version.plan.version,
                    "digest": version.plan.digest,
                    "note": version.note,
                    "proposed_by": version.proposed.username,
                },
            )
        )

    async def plans_changed(self, name: BcpAudit, subject: str, outcome: Outcome, **details: Detail) -> None:
        """Record that the file of plans was taken or refused. Raises AuditUnavailable."""
        await self._audit.record(
            AuditEvent(name=name, tenant_id=self._tenant_id, subject=subject, outcome=outcome, details=details)
        )

    async def _record(
        self,
        name: BcpAudit,
        declaration: Declaration,
        signer: Signer | None,
        source: str | None,
        outcome: Outcome,
        details: dict[str, Detail],
    ) -> None:
        await self._audit.record(
            AuditEvent(
                name=name,
                tenant_id=self._tenant_id,
                actor=signer.username if signer else None,
                subject=declaration.id,
                source=source,
                outcome=outcome,
                details=_facts(declaration) | {"policy_version": self._policy_version()} | details,
            )
        )


def _facts(declaration: Declaration) -> dict[str, Detail]:
    last = declaration.signatures[-1] if declaration.signatures else None
    return {
        "state": declaration.state,
        "level": declaration.level,
        "scope": declaration.scope.kind,
        "scope_ids": ",".join(sorted(declaration.scope.ids)),
        "plan": declaration.overlay_plan,
        "cause": declaration.cause,
        "reason": declaration.reason,
        "drill": declaration.drill,
        "break_glass": declaration.break_glass,
        "ends_at": declaration.ends_at.isoformat(),
        "version": declaration.version,
        "blocked": len(declaration.blocked),
        "note": declaration.end_note or None,
        **_pretended(declaration),
        "signed": last.digest if last else None,
        "role": last.role if last else None,
        "listed_rank": last.listed_rank if last else None,
        "acting": last.acting if last else None,
        "same_department": _same_department(declaration),
    }


def _pretended(declaration: Declaration) -> dict[str, Detail]:
    injects = declaration.injects
    if not injects:
        return {}
    return {
        "absent_percent": injects.absent_percent,
        "directory_off": injects.directory_off,
        "sites_down": ",".join(sorted(injects.sites_down)),
        "half_capacity": injects.half_capacity,
    }


def _same_department(declaration: Declaration) -> bool | None:
    """Two persons of one department are to be avoided where that is possible; the record shows it."""
    departments = [signed.department for signed in declaration.signatures if signed.department]
    return len(set(departments)) == 1 if len(departments) > 1 else None
