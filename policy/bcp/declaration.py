"""The steps of a declaration as functions from value to value: who may take them, when, and what becomes of it. Pure.

Counterpart: `policy.bcp.service`, which reads, calls, writes with compare-and-set and records. A step that is not
allowed raises Refused and has changed nothing. `now` is the wall clock; whether a time is over is asked of `moment`,
which never lies before what was already seen, so a clock that is set back gains nobody anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from common.ids import TenantId, UserId
from policy.bcp.canonical import digest, extension_digest, pending_digest
from policy.bcp.injects import MOST_ABSENT
from policy.bcp.model import (
    APPROVAL_WINDOW,
    BREAK_GLASS,
    DEFAULT_DURATION,
    EXTEND_FROM,
    MAX_ALERT,
    MAX_DURATION,
    Declaration,
    Level,
    Official,
    PendingExtension,
    Proposal,
    Role,
    Scope,
    ScopeKind,
    Signature,
    Signer,
)
from policy.bcp.model import DeclarationState as State
from policy.bcp.model import RefusalCode as Code
from policy.bcp.refusals import refused
from policy.bcp.rules import (
    break_glass_rests,
    longest,
    needs_two,
    require_few,
    require_fresh,
    require_listed,
    same_person,
)
from policy.bcp.states import Step, after

MAX_REASON = 1_000


@dataclass(frozen=True, slots=True)
class PlanRef:
    """The version of a plan that a declaration is bound to."""

    plan_id: str
    version: int
    digest: str


def moment(declaration: Declaration, now: datetime) -> datetime:
    """The latest moment that is certain to have come."""
    return max(now, declaration.seen_at)


def draft(
    proposal: Proposal, by: UserId, *, declaration_id: str, tenant_id: TenantId, plan: PlanRef, now: datetime
) -> Declaration:
    """A declaration that nobody has signed yet. Raises Refused for what could never be declared."""
    _check(proposal, now)
    return Declaration(
        id=declaration_id,
        tenant_id=tenant_id,
        scope=proposal.scope,
        level=proposal.level,
        plan_id=plan.plan_id,
        plan_version=plan.version,
        plan_digest=plan.digest,
        cause=proposal.cause,
        reason=proposal.reason.strip(),
        drill=proposal.drill,
        break_glass=proposal.break_glass,
        created_by=by,
        created_at=now,
        ends_at=_wanted_end(proposal, now),
        state=State.DRAFT,
        version=1,
        seen_at=now,
        supersedes=proposal.supersedes,
        injects=proposal.injects,
    )


def _wanted_end(proposal: Proposal, now: datetime) -> datetime:
    return proposal.ends_at or now + min(DEFAULT_DURATION, longest(proposal.level, drill=proposal.drill))


def end_of(subject: Declaration | Proposal, now: datetime) -> datetime:
    """Until when it would hold with the signature that it waits for: the later end that is proposed, the end that a
    break-glass was declared for once somebody stands in for it (four hours before)."""
    if isinstance(subject, Declaration):
        return subject.pending.ends_at if subject.pending else subject.planned_end or subject.ends_at
    wanted = _wanted_end(subject, now)
    return min(wanted, now + BREAK_GLASS) if subject.break_glass else wanted


def propose(
    declaration: Declaration,
    signer: Signer,
    officials: Sequence[Official],
    now: datetime,
    *,
    others: Sequence[Declaration],
) -> Declaration:
    """The first signature. Alert, drill and break-glass need no second one and begin at once.

    `others`: the tenant's open declarations and those of the last 72 hours.
    """
    at = moment(declaration, now)
    alone = not needs_two(declaration)
    state = after(declaration, Step.DECLARE if alone else Step.PROPOSE)
    require_fresh(signer, now)
    require_few(signer, (first for other in others for first in other.signatures[:1]), at)
    _require_seen(signer, digest(declaration), optional=True)
    _require_time_left(declaration, at)
    if declaration.drill and any(_real(other, at) for other in others):
        raise refused(Code.REAL_ONE_ACTIVE)
    role = Role.DECLARED if alone else Role.PROPOSED
    signed = _signature(declaration, signer, officials, role, at, digest(declaration))
    if declaration.break_glass:
        require_listed((signed,), declaration.scope, officials, at)
        if break_glass_rests(signer, declaration.scope, others, at):
            raise refused(Code.BREAK_GLASS_AGAIN)
        declaration = replace(
            declaration, planned_end=declaration.ends_at, ends_at=min(declaration.ends_at, at + BREAK_GLASS)
        )
    if alone:
        return _next(declaration, at, state, signed, starts_at=at)
    return _next(declaration, at, state, signed, lapses_at=at + APPROVAL_WINDOW)


def approve(declaration: Declaration, signer: Signer, officials: Sequence[Official], now: datetime) -> Declaration:
    """The second signature: it begins now."""
    state = after(declaration, Step.APPROVE)
    at = moment(declaration, now)
    if declaration.lapses_at is None or at >= declaration.lapses_at:
        raise refused(Code.LAPSED)
    _require_another(signer, declaration.signatures)
    require_fresh(signer, now)
    _require_seen(signer, digest(declaration))
    _require_time_left(declaration, at)
    signed = _signature(declaration, signer, officials, Role.APPROVED, at, digest(declaration))
    require_listed((*declaration.signatures, signed), declaration.scope, officials, at)
    return _next(declaration, at, state, signed, starts_at=at, lapses_at=None)


def reject(declaration: Declaration, now: datetime, *, note: str = "") -> Declaration:
    """Refuse the second signature, or discard a draft. One person, who may be the one who proposed."""
    return _end(declaration, moment(declaration, now), Step.REJECT, note)


def propose_extension(
    declaration: Declaration, ends_at: datetime, signer: Signer, officials: Sequence[Official], now: datetime
) -> Declaration:
    """First signature on a later end, from 24 hours before the present one."""
    state = after(declaration, Step.PROPOSE_EXTENSION)
    at = _running(declaration, now)
    if declaration.planned_end is not None:
        raise refused(Code.RATIFY_FIRST)
    if declaration.drill or declaration.level.widens is None:
        raise refused(Code.NEEDS_NEW)
    require_fresh(signer, now)
    if declaration.ends_at - at > EXTEND_FROM:
        raise refused(Code.TOO_EARLY_TO_EXTEND)
    if ends_at <= declaration.ends_at:
        raise refused(Code.NOT_LONGER)
    _require_at_most(ends_at - at, MAX_DURATION)
    content = extension_digest(declaration, ends_at)
    _require_seen(signer, content, optional=True)
    signed = _signature(declaration, signer, officials, Role.EXTENSION_PROPOSED, at, content)
    pending = PendingExtension(ends_at, signed, at + APPROVAL_WINDOW)
    return _next(declaration, at, state, pending=pending)


def approve_extension(
    declaration: Declaration, signer: Signer, officials: Sequence[Official], now: datetime
) -> Declaration:
    """Second signature on a later end."""
    state = after(declaration, Step.APPROVE_EXTENSION)
    at = _running(declaration, now)
    pending = declaration.pending
    if pending is None or at >= pending.lapses_at:
        raise refused(Code.LAPSED)
    _require_another(signer, (pending.proposed,))
    require_fresh(signer, now)
    content = pending_digest(declaration, pending)
    _require_seen(signer, content)
    signed = _signature(declaration, signer, officials, Role.EXTENSION_APPROVED, at, content)
    require_listed((pending.proposed, signed), declaration.scope, officials, at)
    return _next(declaration, at, state, pending.proposed, signed, ends_at=pending.ends_at, pending=None)


def reject_extension(declaration: Declaration, signer: Signer, now: datetime) -> Declaration:
    """Refuse the later end that was on the signer's screen. One person, who may be the one who proposed it."""
    dropped = drop_extension(declaration, now)
    if declaration.pending is not None:
        _require_seen(signer, pending_digest(declaration, declaration.pending))
    return dropped


def drop_extension(declaration: Declaration, now: datetime) -> Declaration:
    """Nothing waits any more: the end stays as it is."""
    state = after(declaration, Step.DROP_EXTENSION)
    if declaration.pending is None:
        raise refused(Code.LAPSED)
    return _next(declaration, moment(declaration, now), state, pending=None)


def ratify(declaration: Declaration, signer: Signer, officials: Sequence[Official], now: datetime) -> Declaration:
    """A second person stands in for a break-glass: it now ends when it was declared to end."""
    state = after(declaration, Step.RATIFY)
    at = _running(declaration, now)
    if declaration.planned_end is None or not declaration.break_glass:
        raise refused(Code.NOT_BREAK_GLASS)
    _require_another(signer, declaration.signatures)
    require_fresh(signer, now)
    _require_seen(signer, digest(declaration))
    signed = _signature(declaration, signer, officials, Role.RATIFIED, at, digest(declaration))
    return _next(declaration, at, state, signed, ends_at=declaration.planned_end, planned_end=None)


def narrow(
    declaration: Declaration,
    signer: Signer,
    officials: Sequence[Official],
    now: datetime,
    *,
    scope: Scope | None = None,
    level: Level | None = None,
    ends_at: datetime | None = None,
    block: frozenset[UserId] = frozenset(),
) -> Declaration:
    """Less of it, at once, by one person: a smaller scope, a lower level, an earlier end, or single people left out."""
    state = after(declaration, Step.NARROW)
    at = _running(declaration, now)
    new_scope, new_level = scope or declaration.scope, level or declaration.level
    end = declaration.planned_end or declaration.ends_at
    new_end = ends_at or end
    if new_level is Level.ALERT and not declaration.drill:
        new_end = min(new_end, at + MAX_ALERT)
    blocked = declaration.blocked | block
    _require_narrower(declaration, new_scope, new_level, new_end)
    if (new_scope, new_level, new_end, blocked) == (declaration.scope, declaration.level, end, declaration.blocked):
        raise refused(Code.NOT_NARROWER)
    if new_end <= at:
        raise refused(Code.ENDS_IN_PAST)
    changed = replace(
        declaration,
        scope=new_scope,
        level=new_level,
        ends_at=min(declaration.ends_at, new_end),
        planned_end=None if declaration.planned_end is None else new_end,
        blocked=blocked,
    )
    signed = _signature(changed, signer, officials, Role.NARROWED, at, digest(changed))
    return _next(changed, at, state, signed, pending=None)


def recover(
    declaration: Declaration,
    signer: Signer,
    officials: Sequence[Official],
    now: datetime,
    *,
    ends_at: datetime | None = None,
) -> Declaration:
    """Begin the way back (復旧): it widens nothing any more and ends by itself after 14 days at the latest."""
    state = after(declaration, Step.RECOVER)
    at = _running(declaration, now)
    if declaration.drill or declaration.level.widens is None:
        raise refused(Code.NOT_NARROWER)
    until = ends_at or at + MAX_DURATION
    if until <= at:
        raise refused(Code.ENDS_IN_PAST)
    _require_at_most(until - at, MAX_DURATION)
    changed = replace(declaration, level=Level.RECOVERY, ends_at=until, planned_end=None)
    signed = _signature(changed, signer, officials, Role.RECOVERED, at, digest(changed))
    return _next(changed, at, state, signed, pending=None)


def lift(
    declaration: Declaration, signer: Signer, officials: Sequence[Official], now: datetime, *, note: str = ""
) -> Declaration:
    """End it now, by one person."""
    at = moment(declaration, now)
    ended = _end(declaration, at, Step.LIFT, note)
    signed = _signature(declaration, signer, officials, Role.LIFTED, at, digest(declaration))
    return replace(ended, signatures=(*ended.signatures, signed))


def timed_out(declaration: Declaration, now: datetime) -> Declaration | None:
    """The declaration after what the clock alone does to it: expiry, lapse, an extension that nobody approved; None
    when nothing is due."""
    at = moment(declaration, now)
    match declaration.state:
        case State.ACTIVE if at >= declaration.ends_at:
            return replace(_end(declaration, at, Step.EXPIRE, ""), ended_at=declaration.ends_at)
        case State.ACTIVE if declaration.pending is not None and at >= declaration.pending.lapses_at:
            return drop_extension(declaration, now)
        case State.AWAITING_APPROVAL if declaration.lapses_at is None or at >= declaration.lapses_at:
            return _end(declaration, at, Step.LAPSE, "")
        case State.DRAFT if at >= declaration.ends_at:
            return _end(declaration, at, Step.LAPSE, "")
        case _:
            return None


def give_way(begun: Declaration, others: Iterable[Declaration], now: datetime) -> tuple[Declaration, ...]:
    """What ends because `begun` began: drills when it is real, and the declaration that it supersedes."""
    return tuple(
        _end(other, moment(other, now), Step.GIVE_WAY, begun.id)
        for other in others
        if other.id != begun.id and other.state is State.ACTIVE and gives_way(other, begun)
    )


def gives_way(other: Declaration, begun: Declaration | Proposal) -> bool:
    """Whether `other` ends when `begun` begins."""
    return (other.drill and not begun.drill) or other.id == begun.supersedes


def _check(proposal: Proposal, now: datetime) -> None:
    scope, level = proposal.scope, proposal.level
    if (scope.kind is ScopeKind.TENANT) is bool(scope.ids):
        raise refused(Code.SCOPE_EMPTY)
    if level is Level.RECOVERY or (proposal.drill and level.widens is None):
        raise refused(Code.LEVEL_NOT_DECLARABLE)
    if proposal.break_glass and (proposal.drill or level is not Level.FIRST):
        raise refused(Code.BREAK_GLASS_LEVEL)
    if proposal.break_glass and len(scope.ids) > 1:
        raise refused(Code.BREAK_GLASS_SCOPE)
    if not 1 <= len(proposal.reason.strip()) <= MAX_REASON:
        raise refused(Code.REASON_MISSING)
    if proposal.injects and not proposal.drill:
        raise refused(Code.INJECTS_NOT_IN_DRILL)
    if not 0 <= proposal.injects.absent_percent <= MOST_ABSENT:
        raise refused(Code.INJECTS_TOO_MANY, most=MOST_ABSENT)
    if proposal.ends_at is not None:
        if proposal.ends_at <= now:
            raise refused(Code.ENDS_IN_PAST)
        _require_at_most(proposal.ends_at - now, longest(level, drill=proposal.drill))


def _require_at_most(length: timedelta, limit: timedelta) -> None:
    if length > limit:
        hours = int(limit.total_seconds() // 3600)
        shown = (f"{hours}時間", f"{hours} hours") if hours < 24 else (f"{hours // 24}日", f"{hours // 24} days")
        raise refused(Code.TOO_LONG, limit=shown[0], limit_en=shown[1])


def _require_time_left(declaration: Declaration, at: datetime) -> None:
    if at >= declaration.ends_at:
        raise refused(Code.ENDS_IN_PAST)
    _require_at_most(declaration.ends_at - at, longest(declaration.level, drill=declaration.drill))


def _require_another(signer: Signer, signatures: Iterable[Signature]) -> None:
    if any(same_person(signer, signed) for signed in signatures):
        raise refused(Code.SAME_PERSON)


def _require_seen(signer: Signer, expected: str, *, optional: bool = False) -> None:
    if signer.seen_digest != expected and not (optional and signer.seen_digest is None):
        raise refused(Code.CONTENT_CHANGED)


def _require_narrower(declaration: Declaration, scope: Scope, level: Level, ends_at: datetime) -> None:
    lower = level is declaration.level or (
        level is not Level.RECOVERY
        and declaration.level is not Level.RECOVERY
        and level.rank < declaration.level.rank
        and not (declaration.drill and level.widens is None)
    )
    if not (
        declaration.scope.contains(scope) and lower and ends_at <= (declaration.planned_end or declaration.ends_at)
    ):
        raise refused(Code.NOT_NARROWER)
    if (scope.kind is ScopeKind.TENANT) is bool(scope.ids):
        raise refused(Code.SCOPE_EMPTY)


def _running(declaration: Declaration, now: datetime) -> datetime:
    at = moment(declaration, now)
    if at >= declaration.ends_at:
        raise refused(Code.OVER)
    return at


def _real(other: Declaration, at: datetime) -> bool:
    return other.state is State.ACTIVE and not other.drill and at < other.ends_at


def _signature(
    declaration: Declaration,
    signer: Signer,
    officials: Sequence[Official],
    role: Role,
    at: datetime,
    content: str,
) -> Signature:
    listed = [o.rank for o in officials if o.username == signer.username and o.may_sign_for(declaration.scope, at)]
    return Signature(
        user_id=signer.user_id,
        person=signer.display_name,
        username=signer.username,
        department=signer.department,
        role=role,
        at=at,
        totp_at=signer.totp_at,
        listed_rank=min(listed, default=None),
        acting=signer.absent and bool(listed),
        digest=content,
        seen_diff=signer.seen_diff,
    )


def _next(declaration: Declaration, at: datetime, state: State, *signed: Signature, **changes: object) -> Declaration:
    return replace(
        declaration,
        state=state,
        version=declaration.version + 1,
        seen_at=at,
        signatures=(*declaration.signatures, *signed),
        **changes,  # type: ignore[arg-type]  # the callers give fields of Declaration by name
    )


def _end(declaration: Declaration, at: datetime, step: Step, note: str) -> Declaration:
    state = after(declaration, step)
    return _next(declaration, at, state, ended_at=at, end_note=note.strip()[:MAX_REASON], pending=None)
