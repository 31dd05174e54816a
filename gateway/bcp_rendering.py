"""Declarations and plans as the API shows them, and what a caller may do with a declaration. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from broker.duties.models import Register
from common.ids import UserId
from gateway.permissions import Role
from gateway.schemas_bcp import (
    DeclarationAnswer,
    InjectsAnswer,
    NamedAnswer,
    PendingAnswer,
    PlanAnswer,
    PlanName,
    ScopeAnswer,
    SignatureAnswer,
    WideningAnswer,
)
from policy.bcp.canonical import digest, pending_digest
from policy.bcp.injects import Injects
from policy.bcp.model import EXTEND_FROM, Declaration, DeclarationState, Level, Scope, ScopeKind
from policy.bcp.model import Role as SignedAs
from policy.bcp.plan import Plan

_UNSIGNED: Final = (DeclarationState.DRAFT, DeclarationState.AWAITING_APPROVAL)
_KIND: Final[Mapping[ScopeKind, tuple[str, str]]] = {
    ScopeKind.TENANT: ("全庁", "Whole municipality"),
    ScopeKind.SITE: ("拠点", "Sites"),
    ScopeKind.DEPARTMENT: ("所属", "Departments"),
    ScopeKind.DUTY: ("業務", "Duties"),
}


def scope(held: Scope, register: Register) -> ScopeAnswer:
    """A scope with the names of the register."""
    kind_ja, kind_en = _KIND[held.kind]
    ids = sorted(held.ids)
    names = [_names(held.kind, one, register) for one in ids]
    return ScopeAnswer(
        kind=held.kind,
        ids=ids,
        text_ja=f"{kind_ja}: {'、'.join(ja for ja, _ in names)}" if names else kind_ja,
        text_en=f"{kind_en}: {', '.join(en for _, en in names)}" if names else kind_en,
    )


def _names(kind: ScopeKind, one: str, register: Register) -> tuple[str, str]:
    match kind:
        case ScopeKind.SITE if one in register.sites:
            return register.sites[one].name_ja, register.sites[one].name_en
        case ScopeKind.DUTY if one in register.duties:
            return register.duties[one].name_ja, register.duties[one].name_en
        case _:
            return one, one


def named(found: Declaration, plans: Iterable[Plan]) -> Plan | None:
    """Its plan as far as the name goes: of a version that a newer one has replaced, the nearest that is left."""
    same = [plan for plan in plans if plan.id == found.plan_id]
    return min(same, key=lambda plan: abs(plan.version - found.plan_version), default=None)


def declaration(found: Declaration, plan: Plan | None, register: Register, may: Collection[str]) -> DeclarationAnswer:
    """A declaration whole; of the plan only its name is shown."""
    pending = found.pending
    name = plan.name if plan else None
    return DeclarationAnswer(
        id=found.id,
        scope=scope(found.scope, register),
        level=found.level,
        level_ja=found.level.name_ja,
        level_en=found.level.name_en,
        plan=PlanName(
            id=found.plan_id,
            version=found.plan_version,
            name_ja=name.ja if name else found.plan_id,
            name_en=name.en if name else found.plan_id,
        ),
        cause=found.cause,
        cause_ja=found.cause.name_ja,
        cause_en=found.cause.name_en,
        reason=found.reason,
        drill=found.drill,
        injects=_injects(found.injects, register) if found.injects else None,
        break_glass=found.break_glass,
        state=found.state,
        created_at=found.created_at,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        lapses_at=found.lapses_at,
        planned_end=found.planned_end,
        ended_at=found.ended_at,
        end_note=found.end_note,
        digest=digest(found),
        pending=PendingAnswer(
            ends_at=pending.ends_at,
            digest=pending_digest(found, pending),
            lapses_at=pending.lapses_at,
            person=pending.proposed.person,
            seen_diff=pending.proposed.seen_diff,
        )
        if pending
        else None,
        signatures=[
            SignatureAnswer(
                person=signed.person,
                department=signed.department,
                role=signed.role,
                at=signed.at,
                listed_rank=signed.listed_rank,
                acting=signed.acting,
                seen_diff=signed.seen_diff,
            )
            for signed in found.signatures
        ],
        may=sorted(may),
    )


def _injects(pretended: Injects, register: Register) -> InjectsAnswer:
    sites = [(one, *_names(ScopeKind.SITE, one, register)) for one in sorted(pretended.sites_down)]
    return InjectsAnswer(
        absent_percent=pretended.absent_percent,
        directory_off=pretended.directory_off,
        sites_down=[NamedAnswer(id=one, name_ja=ja, name_en=en) for one, ja, en in sites],
        half_capacity=pretended.half_capacity,
    )


def steps(found: Declaration, roles: Collection[Role], user_id: UserId, now: datetime) -> frozenset[str]:
    """What this caller may do with it now, for the page's buttons; the service decides again when it is done."""
    if not {Role.COORDINATOR, Role.APPROVER} & set(roles):
        return frozenset()
    approver = Role.APPROVER in roles
    signed = {one.user_id for one in found.signatures}
    conditions: Mapping[str, Callable[[], bool]] = {
        "approve": lambda: found.state is DeclarationState.AWAITING_APPROVAL and approver and user_id not in signed,
        "reject": lambda: found.state in _UNSIGNED or found.pending is not None,
        "extend": lambda: _active(found) and found.pending is None and found.ends_at - now <= EXTEND_FROM,
        "extend_approve": lambda: bool(found.pending and approver and found.pending.proposed.user_id != user_id),
        "narrow": lambda: _active(found),
        "lift": lambda: _active(found),
        "ratify": lambda: _active(found) and _unratified(found) and approver and user_id not in signed,
    }
    return frozenset(step for step, holds in conditions.items() if holds())


def _active(found: Declaration) -> bool:
    return found.state is DeclarationState.ACTIVE


def _unratified(found: Declaration) -> bool:
    return found.break_glass and not any(signed.role is SignedAs.RATIFIED for signed in found.signatures)


def plan(written: Plan) -> PlanAnswer:
    """A plan in words."""
    levels = [level for level in (Level.FIRST, Level.SECOND) if written.widenings(level)]
    return PlanAnswer(
        id=written.id,
        version=written.version,
        name_ja=written.name.ja,
        name_en=written.name.en,
        levels=levels,
        has_drill=written.drill is not None,
        contact_ja=written.contact.ja,
        contact_en=written.contact.en,
        widenings=[
            WideningAnswer(level=level, text_ja=widening.name.ja, text_en=widening.name.en)
            for level, listed in ((Level.FIRST, written.first), (Level.SECOND, written.second))
            for widening in listed
        ],
    )
