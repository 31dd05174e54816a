"""Declarations, plans and what-if results as the API shows them, and what a caller may do with a declaration. Pure."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final

from broker.duties.models import Register
from broker.models import Pool, Seats
from common.ids import PoolId, UserId
from gateway.permissions import Role
from gateway.schemas_bcp import (
    CapacityAnswer,
    DeclarationAnswer,
    ForbiddenAnswer,
    GainAnswer,
    PendingAnswer,
    PersonAnswer,
    PlanAnswer,
    PlanName,
    ScopeAnswer,
    SignatureAnswer,
    WhatIfAnswer,
    WideningAnswer,
)
from policy.bcp.canonical import digest, pending_digest
from policy.bcp.model import EXTEND_FROM, Declaration, DeclarationState, Level, Scope, ScopeKind
from policy.bcp.model import Role as SignedAs
from policy.bcp.plan import Plan
from policy.bcp.what_if import WhatIf

_SHOWN_NAMES: Final = 200
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


def declaration(found: Declaration, plan: Plan | None, register: Register, may: Collection[str]) -> DeclarationAnswer:
    """A declaration whole."""
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
            )
            for signed in found.signatures
        ],
        may=sorted(may),
    )


def steps(found: Declaration, roles: Collection[Role], user_id: UserId, now: datetime) -> frozenset[str]:
    """What this caller may do with it now, for the page's buttons; the service decides again when it is done."""
    if not {Role.COORDINATOR, Role.APPROVER} & set(roles):
        return frozenset()
    approver = Role.APPROVER in roles
    signed = {one.user_id for one in found.signatures}
    conditions: Mapping[str, Callable[[], bool]] = {
        "approve": lambda: found.state is DeclarationState.AWAITING_APPROVAL and approver and user_id not in signed,
        "reject": lambda: found.state in (DeclarationState.AWAITING_APPROVAL, DeclarationState.DRAFT),
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


def what_if(
    found: WhatIf,
    *,
    pools: Mapping[PoolId, Pool],
    seats: Mapping[PoolId, Seats],
    people: Mapping[str, PersonAnswer],
    elapsed_ms: int,
) -> WhatIfAnswer:
    """The effect of a proposal. The forecast assumes that everybody who gains a pool takes a seat there."""
    by_pool: dict[PoolId, set[str]] = {}
    for gain in found.gains:
        for pool_id in gain.pools:
            by_pool.setdefault(pool_id, set()).update(gain.usernames)
    return WhatIfAnswer(
        digest=found.digest,
        base_people=found.people,
        gain_people=len(found.gainers),
        gains=[
            GainAnswer(
                pool_id=pool_id,
                name_ja=pools[pool_id].name_ja,
                name_en=pools[pool_id].name_en,
                people=len(names),
                named=[people[name] for name in sorted(names)[:_SHOWN_NAMES] if name in people],
                more=max(0, len(names) - _SHOWN_NAMES),
            )
            for pool_id, names in sorted(by_pool.items())
            if pool_id in pools
        ],
        forbidden=[
            ForbiddenAnswer(rule_id=kept.guardrail, text_ja=kept.name_ja, text_en=kept.name_en, people=kept.people)
            for kept in found.still_forbidden
        ],
        capacity=[
            _capacity(pools[pool_id], seats.get(pool_id), len(names))
            for pool_id, names in sorted(by_pool.items())
            if pool_id in pools
        ],
        elapsed_ms=elapsed_ms,
    )


def _capacity(pool: Pool, now: Seats | None, gaining: int) -> CapacityAnswer:
    total, used = (now.total, now.used) if now else (0, 0)
    forecast = used + gaining
    return CapacityAnswer(
        pool_id=pool.id,
        name_ja=pool.name_ja,
        name_en=pool.name_en,
        total=total,
        forecast=forecast,
        short=max(0, forecast - total),
    )
