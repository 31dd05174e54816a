"""Making room for P0 and P1 in a full pool under a declaration: who is asked to leave, and when. Pure.

Counterpart: `broker/triage/service.py`, which calls this at each round with what is there and carries the steps out.
Order: who is not at the desk gives the seat up at once, before anybody is warned; then the lowest class, idle longest,
longest run. Only P2 to P4, never before the protected time of use. Leaving is parking: the desktop runs on without a
seat. Parking is bounded, so that a host carries a known number of desktops over its seats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from broker.duties.models import Priority
from broker.triage.order import URGENT, Waiting
from common.ids import SessionId


@dataclass(frozen=True, slots=True)
class ClearingRules:
    """Times and limits, of the settings."""

    idle: timedelta
    protected: timedelta
    gone: timedelta
    """Who was told to leave and has been disconnected for so long need not be waited for."""
    warning: timedelta
    warning_p0: timedelta

    def lead(self, claim: Priority) -> timedelta:
        """How long before it happens a person is warned."""
        return self.warning_p0 if claim is Priority.P0 else self.warning


@dataclass(frozen=True, slots=True)
class Seated:
    """A session that holds a seat and whose desktop runs (`active` or `disconnected`)."""

    session_id: SessionId
    priority: Priority
    attached: bool
    idle_since: datetime
    seated_at: datetime
    leaves_at: datetime | None = None
    """When it was told to leave."""


class StepKind(StrEnum):
    """What is done with one session."""

    PARK = "park"
    """Now: the desktop runs on without viewer and seat."""
    END = "end"
    """Now: nobody is there, and there is no room for another parked desktop."""
    WARN = "warn"
    HASTEN = "hasten"
    """The announced moment comes nearer, for P0."""
    WITHDRAW = "withdraw"
    """No longer needed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step, for whom it is taken, and the moment that is announced."""

    kind: StepKind
    session_id: SessionId
    claim: Waiting | None = None
    at: datetime | None = None


def clearing(
    claims: Sequence[Waiting],
    seated: Sequence[Seated],
    *,
    parking_left: int,
    budget: int,
    now: datetime,
    rules: ClearingRules,
) -> tuple[Step, ...]:
    """What to do now so that each claim, highest class first, gets a seat.

    `parking_left`: desktops that may still be parked; `budget`: how many people may yet be asked to leave this minute.
    """
    claims = sorted(claims, key=lambda one: (one.priority, one.since, one.session_id))
    leaving = sorted((one for one in seated if one.leaves_at), key=lambda one: (_leaves(one), one.session_id))
    steps = [Step(StepKind.WITHDRAW, one.session_id) for one in leaving[len(claims) :]]
    leaving = leaving[: len(claims)]
    for claim, one in zip(claims, leaving, strict=False):
        steps += _of_leaving(claim, one, now, rules)
    parking_left -= len(leaving)
    unserved = list(claims[len(leaving) :])
    for one in _candidates(seated, now, rules):
        if budget <= 0 or not unserved:
            break
        kind = _how(one, parking_left, now, rules)
        if kind is None:
            continue
        claim = unserved.pop(0)
        at = now + rules.lead(claim.priority) if kind is StepKind.WARN else None
        steps.append(Step(kind, one.session_id, claim, at))
        parking_left -= kind is not StepKind.END
        budget -= 1
    return tuple(steps)


def _of_leaving(claim: Waiting, one: Seated, now: datetime, rules: ClearingRules) -> list[Step]:
    """A line that drops for a moment is not leaving: that person's minutes stay theirs."""
    if _leaves(one) <= now or (not one.attached and now - one.idle_since > rules.gone):
        return [Step(StepKind.PARK, one.session_id, claim)]
    soonest = now + rules.lead(claim.priority)
    if soonest < _leaves(one):
        return [Step(StepKind.HASTEN, one.session_id, claim, soonest)]
    return []


def _how(one: Seated, parking_left: int, now: datetime, rules: ClearingRules) -> StepKind | None:
    """Work is given up only where nobody looks at it and no desktop more can be parked."""
    if parking_left > 0:
        return StepKind.PARK if _away(one, now, rules) else StepKind.WARN
    return StepKind.END if _away(one, now, rules) and not one.attached else None


def _leaves(one: Seated) -> datetime:
    assert one.leaves_at is not None  # noqa: S101 - only asked of those who were told
    return one.leaves_at


def _away(one: Seated, now: datetime, rules: ClearingRules) -> bool:
    return now - one.idle_since > rules.idle


def _candidates(seated: Sequence[Seated], now: datetime, rules: ClearingRules) -> list[Seated]:
    """Who may have to leave, first one first."""
    found = [
        one
        for one in seated
        if one.leaves_at is None
        and one.priority not in URGENT
        and (_away(one, now, rules) or now - one.seated_at >= rules.protected)
    ]
    lowest_first = {priority: -rank for rank, priority in enumerate(Priority)}
    return sorted(
        found,
        key=lambda one: (
            not _away(one, now, rules),
            lowest_first[one.priority],
            one.idle_since,
            one.seated_at,
            one.session_id,
        ),
    )
