"""What a declaration gives to tell, read off the declaration itself. Pure.

Counterpart: `gateway.notices.service`, which asks after every step and again from time to time: a notice whose node
died is made by the next one that looks, and none is made twice, because equal steps have equal ids.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.notices.model import AUDIENCE, Actor, Content, Notice, NoticeKind
from policy.bcp.model import Declaration, DeclarationState, Official, Role, Scope, ScopeKind, Signature
from policy.bcp.plan import Plan

_BY_ROLE = {
    Role.APPROVED: NoticeKind.BEGUN,
    Role.DECLARED: NoticeKind.BEGUN,
    Role.RATIFIED: NoticeKind.RATIFIED,
    Role.EXTENSION_APPROVED: NoticeKind.EXTENDED,
    Role.NARROWED: NoticeKind.NARROWED,
    Role.RECOVERED: NoticeKind.RECOVERY,
}


@dataclass(frozen=True, slots=True)
class Due:
    """Something to be told. `key` sets it apart from others of the same kind and declaration."""

    kind: NoticeKind
    at: datetime
    key: str
    remaining: timedelta | None = None


def newest(declaration: Declaration) -> Due | None:
    """The last thing that happened to the declaration and concerns anybody; None for a draft."""
    match declaration.state:
        case DeclarationState.DRAFT:
            return None
        case DeclarationState.AWAITING_APPROVAL:
            return Due(NoticeKind.APPROVAL_WANTED, declaration.signatures[-1].at, "0")
        case DeclarationState.LAPSED | DeclarationState.REJECTED:
            at = declaration.ended_at or declaration.seen_at
            return Due(NoticeKind.TURNED_DOWN, at, "0") if declaration.signatures else None
        case DeclarationState.LIFTED | DeclarationState.EXPIRED:
            return Due(NoticeKind.ENDED, declaration.ended_at or declaration.seen_at, "0")
        case DeclarationState.ACTIVE:
            return _newest_of_active(declaration)


def _newest_of_active(declaration: Declaration) -> Due | None:
    if declaration.pending is not None:
        at = declaration.pending.proposed.at
        return Due(NoticeKind.EXTENSION_WANTED, at, at.isoformat())
    index = len(declaration.signatures) - 1
    last = declaration.signatures[index] if index >= 0 else None
    kind = _BY_ROLE.get(last.role) if last is not None else None
    return Due(kind, last.at, str(index)) if last is not None and kind is not None else None


def reminder(declaration: Declaration, remaining: timedelta, now: datetime) -> Due:
    """A reminder of the end, one for each end and distance."""
    key = f"{declaration.ends_at.isoformat()}|{int(remaining.total_seconds())}"
    return Due(NoticeKind.REMINDER, now, key, remaining)


def notice(
    declaration: Declaration,
    due: Due,
    plan: Plan,
    officials: Sequence[Official],
    names: Mapping[str, tuple[str, str]],
) -> Notice:
    """The message. `names` gives the names (ja, en) of sites, departments and duties by id."""
    mark = f"{declaration.tenant_id}|{declaration.id}|{due.kind}|{due.key}"
    scope_ja, scope_en = scope_words(declaration.scope, names)
    shown = (*declaration.signatures, *([declaration.pending.proposed] if declaration.pending else []))
    gave_way = declaration.state is DeclarationState.LIFTED and shown[-1].role is not Role.LIFTED
    content = Content(
        kind=due.kind,
        declaration_id=declaration.id,
        drill=declaration.drill,
        break_glass=declaration.break_glass,
        level=declaration.level,
        state=declaration.state,
        cause=declaration.cause,
        reason=declaration.reason,
        scope_ja=scope_ja,
        scope_en=scope_en,
        plan_ja=plan.name.ja,
        plan_en=plan.name.en,
        actors=tuple(_actor(signed, officials) for signed in shown),
        at=due.at,
        starts_at=declaration.starts_at,
        ends_at=declaration.ends_at,
        lapses_at=declaration.pending.lapses_at if declaration.pending else declaration.lapses_at,
        wanted_end=declaration.pending.ends_at if declaration.pending else declaration.planned_end,
        remaining=due.remaining,
        gave_way=gave_way,
        note="" if gave_way else declaration.end_note,
        allowed_ja=plan.texts.allowed.ja,
        allowed_en=plan.texts.allowed.en,
        forbidden_ja=plan.texts.forbidden.ja,
        forbidden_en=plan.texts.forbidden.en,
        contact_ja=plan.contact.ja,
        contact_en=plan.contact.en,
        grace=plan.grace,
    )
    return Notice(
        id="ntc_" + hashlib.sha256(mark.encode()).hexdigest()[:32],
        tenant_id=declaration.tenant_id,
        declaration_id=declaration.id,
        kind=due.kind,
        audience=AUDIENCE[due.kind],
        scope=declaration.scope,
        at=due.at,
        content=content,
    )


def scope_words(scope: Scope, names: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """A scope as people say it; an id without a name stands for itself."""
    if scope.kind is ScopeKind.TENANT:
        return "全庁", "the whole municipality"
    known = [names.get(found, (found, found)) for found in sorted(scope.ids)]
    kind_ja, kind_en = {
        ScopeKind.SITE: ("拠点", "sites"),
        ScopeKind.DEPARTMENT: ("所属", "departments"),
        ScopeKind.DUTY: ("業務", "duties"),
    }[scope.kind]
    return f"{kind_ja}：{'、'.join(ja for ja, _ in known)}", f"{kind_en}: {', '.join(en for _, en in known)}"


def _actor(signed: Signature, officials: Sequence[Official]) -> Actor:
    listed = next((o for o in officials if o.username.casefold() == signed.username.casefold()), None)
    return Actor(
        name=signed.person,
        department=signed.department,
        title_ja=listed.title_ja if listed else "",
        title_en=listed.title_en if listed else "",
        role=signed.role,
        at=signed.at,
        acting=signed.acting,
    )
