"""Which declarations reach a person at a target now, from memory alone. Pure.

Counterparts: `policy.bcp.service` makes a new snapshot after every change; the gateway asks for every decision. An end
is judged by the wall clock and by the time that has certainly passed: whichever is later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from common.ids import PoolId
from policy.bcp.injects import Inject
from policy.bcp.model import Declaration, Level
from policy.bcp.plan import Plan, compiled
from policy.bcp.rules import fault
from policy.model import ActiveOverlay, Request, Resource, Subject
from policy.schema import Rule


class Deadline:
    """An end that a clock stepped back cannot put off.

    The wall clock may step; `mono` (seconds that never step back) runs on. Every look pulls the end, counted in `mono`,
    to the earliest that any look has shown. Looks from several threads are harmless: each only pulls.
    """

    __slots__ = ("_latest", "ends_at")

    def __init__(self, ends_at: datetime, now: datetime, mono: float) -> None:
        self.ends_at: Final = ends_at
        self._latest = mono + (ends_at - now).total_seconds()

    def passed(self, now: datetime, mono: float) -> bool:
        """Whether the end has come."""
        by_wall = mono + (self.ends_at - now).total_seconds()
        if by_wall < self._latest:
            self._latest = by_wall
        return mono >= self._latest

    def seen(self, now: datetime, mono: float) -> datetime:
        """The latest moment that is certain to have come; what is stored to survive a restart."""
        self.passed(now, mono)
        return self.ends_at - timedelta(seconds=self._latest - mono)


@dataclass(frozen=True, slots=True, eq=False)
class ActiveDeclaration:
    """A believed declaration with its plan and its end. `overlay` is None when it widens nothing (alert, recovery)."""

    declaration: Declaration
    plan: Plan
    deadline: Deadline
    overlay: ActiveOverlay | None
    pools: frozenset[PoolId] | None
    """A drill's pools; None for all."""

    @property
    def ends_at(self) -> datetime:
        """The signed end."""
        return self.deadline.ends_at


def activated(declaration: Declaration, plan: Plan, deadline: Deadline) -> ActiveDeclaration | None:
    """The declaration as decisions use it; None when it breaks a rule (see `rules.fault`) or is not of this plan."""
    if fault(declaration) is not None:
        return None
    if (plan.id, plan.version, plan.digest) != (
        declaration.plan_id,
        declaration.plan_version,
        declaration.plan_digest,
    ):
        return None
    level = declaration.level.widens
    overlay = ActiveOverlay(declaration.id, declaration.overlay_plan, level, declaration.ends_at) if level else None
    pools = frozenset(map(PoolId, plan.drill.pools if plan.drill else ())) if declaration.drill else None
    return ActiveDeclaration(declaration, plan, deadline, overlay, pools)


class Snapshot:
    """All believed declarations of one tenant at one moment, strongest first. A drill beside a real declaration is
    over, whatever the store says."""

    def __init__(self, active: Iterable[ActiveDeclaration], valid: Deadline | None = None) -> None:
        found = list(active)
        if any(not item.declaration.drill for item in found):
            found = [item for item in found if not item.declaration.drill]
        found.sort(key=lambda item: (-item.declaration.level.rank, item.declaration.id))
        self.active: Final = tuple(found)
        self.valid: Final = valid
        """How long this may be used without having been read again; None for ever (tests)."""
        self._widening: Final = tuple((item, item.overlay) for item in found if item.overlay)
        self._pretending: Final = {
            item.declaration.id: item.declaration
            for item, _overlay in self._widening
            if item.declaration.drill and item.declaration.injects
        }
        self._rules: tuple[Rule, ...] | None = None
        plans = [item.plan for item, _overlay in self._widening]
        self.counts_days: Final = any(line.days_a_week for plan in plans for line in (*plan.first, *plan.second))
        """Whether a plan that is declared here limits the days of a week: if not, nobody need count them for it."""

    def overlays_for(
        self, subject: Subject, resource: Resource, now: datetime, mono: float
    ) -> tuple[ActiveOverlay, ...]:
        """What the request's context takes: every overlay in force that covers the person and the target."""
        if not self._widening or (self.valid is not None and self.valid.passed(now, mono)):
            return ()
        return tuple(
            [
                overlay
                for item, overlay in self._widening
                if not item.deadline.passed(now, mono) and _covers(item, subject, resource)
            ]
        )

    def covering(self, subject: Subject, resource: Resource) -> tuple[ActiveOverlay, ...]:
        """Every overlay that covers the person and the target, also those whose end has come: the engine looks at it.
        For questions about other moments: a look at a deadline cannot be taken back."""
        return tuple(overlay for item, overlay in self._widening if _covers(item, subject, resource))

    def withheld(
        self, overlays: Sequence[ActiveOverlay], request: Request
    ) -> tuple[tuple[ActiveOverlay, ...], Inject | None]:
        """Those that remain when drills pretend, and what was pretended if one does not."""
        if not self._pretending:
            return tuple(overlays), None
        kept: list[ActiveOverlay] = []
        why: Inject | None = None
        for overlay in overlays:
            drill = self._pretending.get(overlay.overlay_id)
            inject = drill.injects.withholds(drill.drill_name, request) if drill else None
            if inject is None:
                kept.append(overlay)
            why = why or inject
        return tuple(kept), why

    def in_force(self, now: datetime, mono: float) -> tuple[ActiveDeclaration, ...]:
        """Every declaration that has not ended, those that widen nothing included."""
        if self.valid is not None and self.valid.passed(now, mono):
            return ()
        return tuple(item for item in self.active if not item.deadline.passed(now, mono))

    def level_for(self, subject: Subject, resource: Resource, now: datetime, mono: float) -> Level | None:
        """The highest level, drills not counted, that covers the person or the target; None in normal times."""
        return highest(item for item in self.in_force(now, mono) if _covers(item, subject, resource))

    def rules(self) -> tuple[Rule, ...]:
        """The rules of every plan that is declared here, each version once. Made once: every decision asks for them."""
        if self._rules is None:
            plans = {item.declaration.overlay_plan: item for item, _overlay in self._widening}
            made = (compiled(item.plan, drill=item.declaration.drill) for item in plans.values())
            self._rules = tuple(rule for rules in made for rule in rules)
        return self._rules


EMPTY: Final = Snapshot(())


def highest(active: Iterable[ActiveDeclaration]) -> Level | None:
    """The highest level of the real declarations among these."""
    real = [item.declaration.level for item in active if not item.declaration.drill]
    return max(real, key=lambda level: level.rank, default=None)


def used(rule_ids: Sequence[str], overlays: Sequence[ActiveOverlay], rules: Sequence[Rule]) -> tuple[str, ...]:
    """The declarations on which a decision rests: those whose rules matched, strongest first."""
    return tuple(overlay.overlay_id for overlay in matching(rule_ids, overlays, rules))


def matching(
    rule_ids: Sequence[str], overlays: Sequence[ActiveOverlay], rules: Sequence[Rule]
) -> tuple[ActiveOverlay, ...]:
    """The overlays whose rules matched, strongest first."""
    matched = {rule.id: rule.when.bcp for rule in rules if rule.id in set(rule_ids)}
    return tuple(
        overlay
        for overlay in overlays
        if any(bcp and bcp.plan == overlay.plan and _at_least(overlay, bcp.level) for bcp in matched.values())
    )


def _at_least(overlay: ActiveOverlay, level: str) -> bool:
    return level == "first" or overlay.level.name == "SECOND"


def _covers(item: ActiveDeclaration, subject: Subject, resource: Resource) -> bool:
    declaration = item.declaration
    return (
        declaration.tenant_id == subject.tenant_id == resource.tenant_id
        and subject.user_id not in declaration.blocked
        and (item.pools is None or resource.pool_id in item.pools)
        and declaration.scope.covers(subject, resource)
    )
