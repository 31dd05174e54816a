"""Who must sign, how long it may last, and whether a stored declaration keeps all of it. Pure.

Counterparts: `policy.bcp.declaration` asks before a step; `policy.bcp.overlay` asks `fault` again of whatever it is
about to believe, so that a declaration that came into being in some other way widens nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from policy.bcp.model import (
    BREAK_GLASS,
    BREAK_GLASS_REST,
    MAX_ALERT,
    MAX_DRILL,
    MAX_DURATION,
    MOST_PROPOSALS,
    TOTP_FRESH,
    Declaration,
    DeclarationState,
    Level,
    Official,
    Role,
    Scope,
    Signature,
    Signer,
)
from policy.bcp.model import RefusalCode as Code
from policy.bcp.refusals import refused

_DECIDING = frozenset({Role.PROPOSED, Role.APPROVED, Role.DECLARED, Role.RATIFIED})
_LENGTHENING = frozenset({Role.APPROVED, Role.DECLARED, Role.EXTENSION_APPROVED, Role.RECOVERED})


def needs_two(declaration: Declaration) -> bool:
    """Whether the first signature is not enough: whatever really widens, except a break-glass."""
    return declaration.level.widens is not None and not declaration.drill and not declaration.break_glass


def ratified(declaration: Declaration) -> bool:
    """Whether a second person has stood in for a break-glass."""
    return any(signed.role is Role.RATIFIED for signed in declaration.signatures)


def longest(level: Level, *, drill: bool) -> timedelta:
    """The longest duration that can be declared at once."""
    if drill:
        return MAX_DRILL
    return MAX_ALERT if level is Level.ALERT else MAX_DURATION


def same_person(one: Signer | Signature, other: Signer | Signature) -> bool:
    """By id or by name: either is enough to be the same."""
    return one.user_id == other.user_id or one.username.casefold() == other.username.casefold()


def require_fresh(signer: Signer, now: datetime) -> None:
    """Raises Refused unless the one-time code was checked in the last five minutes. A check in the future (the clock
    stepped back) is not fresh."""
    if signer.totp_at is None or not timedelta() <= now - signer.totp_at <= TOTP_FRESH:
        raise refused(Code.TOTP_NOT_FRESH)


def require_few(signer: Signer, proposed: Iterable[Signature], now: datetime) -> None:
    """Raises Refused when this person signed too many of `proposed` in the last hour. Each is kept, told to officials
    and looked at again and again: one account must not fill lists, mailboxes and version numbers for all others."""
    lately = sum(same_person(signer, one) and one.at > now - timedelta(hours=1) for one in proposed)
    if lately >= MOST_PROPOSALS:
        raise refused(Code.TOO_MANY_PROPOSALS, most=MOST_PROPOSALS)


def require_listed(signed: Sequence[Signature], scope: Scope, officials: Sequence[Official], at: datetime) -> None:
    """Raises Refused unless one of the signers is on the list and no higher rank was passed over without a word."""
    best = min((s.listed_rank for s in signed if s.listed_rank is not None), default=None)
    if best is None:
        raise refused(Code.NOBODY_LISTED)
    names = {s.username for s in signed}
    higher = [
        o.title_ja
        for o in sorted(officials, key=lambda o: o.rank)
        if o.rank < best and o.may_sign_for(scope, at) and o.username not in names
    ]
    if higher and not any(s.acting for s in signed):
        raise refused(Code.HIGHER_RANK, names="・".join(higher))


def break_glass_rests(signer: Signer, scope: Scope, others: Iterable[Declaration], at: datetime) -> bool:
    """Whether a break-glass of the last 72 hours that nobody ratified forbids another one."""
    return any(
        other.break_glass
        and other.starts_at is not None
        and not ratified(other)
        and at - other.starts_at < BREAK_GLASS_REST
        and (other.scope.overlaps(scope) or any(same_person(signer, signed) for signed in other.signatures))
        for other in others
    )


def fault(declaration: Declaration) -> str | None:
    """What is wrong with an active declaration that asks to be believed; None when it keeps every rule."""
    if declaration.state is not DeclarationState.ACTIVE or declaration.starts_at is None:
        return "not active"
    deciding = [signed for signed in declaration.signatures if signed.role in _DECIDING]
    if not deciding:
        return "nobody signed"
    since = max((s.at for s in declaration.signatures if s.role in _LENGTHENING), default=declaration.starts_at)
    if declaration.ends_at - since > longest(declaration.level, drill=declaration.drill) + _slack(declaration):
        return "too long"
    if declaration.level.widens is None or declaration.drill:
        return None
    if all(signed.listed_rank is None for signed in deciding):
        return "nobody listed"
    if _two(deciding):
        return None
    if not declaration.break_glass:
        return "one person"
    if declaration.level is not Level.FIRST or declaration.ends_at - declaration.starts_at > BREAK_GLASS:
        return "one person for too much"
    return None


def _slack(declaration: Declaration) -> timedelta:
    """A ratified break-glass keeps the end that was signed when it was declared; an alert that was narrowed down from a
    higher level counts from the narrowing."""
    if declaration.level is Level.ALERT:
        return MAX_DURATION - MAX_ALERT if _was_higher(declaration) else timedelta()
    return timedelta()


def _was_higher(declaration: Declaration) -> bool:
    return any(signed.role is Role.NARROWED for signed in declaration.signatures)


def _two(deciding: Sequence[Signature]) -> bool:
    return any(not same_person(one, other) for one in deciding for other in deciding)
