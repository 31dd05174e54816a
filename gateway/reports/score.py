"""How well it went: time to declare, urgent staff at work within the hour, refused, preempted; by duty, too. Pure.

Counterparts: `gateway.reports.gather` feeds it the events of the declaration's time in order,
`gateway.reports.sessions` knows who worked. A drill and the real thing are measured alike; what a drill pretended
stands beside its figures.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from broker.audit_names import BrokerAudit
from broker.duties.book import DutyBook
from broker.duties.models import Duty, Priority
from common.audit import ChainedEvent
from gateway.notices.people import members
from gateway.reports.model import DutyScore, Score, plain
from gateway.reports.sessions import Sessions
from policy.bcp.model import Declaration, Role, ScopeKind

REFUSALS: Final = frozenset({"refuse-session", "deny-session"})
_REHEARSED: Final = "rehearse-degraded-login"
_WITHIN: Final = timedelta(hours=1)


class Scorer:
    """Counts refusals, preemptions and rehearsed log-ins of the people of one declaration."""

    def __init__(self, declaration: Declaration) -> None:
        self._d: Final = declaration
        self._refused: Final[list[str]] = []
        self._preempted: Final[list[str]] = []
        self._rehearsed: Final[list[bool]] = []

    def feed(self, chained: ChainedEvent) -> None:
        """Take the next event; most are passed over."""
        event = chained.event
        who = (event.subject or event.actor or "").casefold()
        if event.name in REFUSALS:
            self._refused.append(who)
        elif event.name == BrokerAudit.PREEMPT_SESSION:
            self._preempted.append(who)
        elif event.name == _REHEARSED and event.details.get("declaration_id") == self._d.id:
            self._rehearsed.append(event.outcome == "ok")

    def score(self, sessions: Sessions, book: DutyBook) -> Score:
        """The figures so far."""
        declaration = self._d
        begun = declaration.starts_at
        asked = min((signed.at for signed in declaration.signatures), default=None)
        present = sessions.attached_before(begun + _WITHIN) if begun else frozenset()
        rosters = list(_rosters(declaration, book))
        urgent = {name for duty, names in rosters if duty.priority <= Priority.P1 for name in names}
        people = {name for _duty, names in rosters for name in names}
        return Score(
            seconds_to_declare=int((begun - asked).total_seconds()) if begun and asked else None,
            p1_roster=len(urgent),
            p1_within_hour=len(urgent & present),
            alone=any(signed.role is Role.DECLARED for signed in declaration.signatures),
            refused=len(self._refused),
            refused_people=len(set(self._refused)),
            preempted=len(self._preempted),
            absent=sum(declaration.injects.absent(declaration.drill_name, name) for name in people),
            rehearsed=len(self._rehearsed),
            rehearsed_failed=self._rehearsed.count(False),
            duties=tuple(self._duty(duty, names, present) for duty, names in rosters),
        )

    def _duty(self, duty: Duty, names: frozenset[str], present: frozenset[str]) -> DutyScore:
        injects, drill = self._d.injects, self._d.drill_name
        return DutyScore(
            key=duty.id,
            name=f"{plain(duty.priority)} {duty.name_ja}",
            name_en=f"{plain(duty.priority)} {duty.name_en}",
            roster=len(names),
            absent=sum(injects.absent(drill, name) for name in names),
            within_hour=len(names & present),
            refused=len(names.intersection(self._refused)),
            preempted=len(names.intersection(self._preempted)),
        )


def _rosters(declaration: Declaration, book: DutyBook) -> Iterable[tuple[Duty, frozenset[str]]]:
    """Duties that the scope reaches, most urgent first, with the names of its people at work on their rosters."""
    scope = declaration.scope
    inside = {member.username.casefold() for member in members(book, scope) if not member.on_leave}
    for duty in sorted(book.register.duties.values(), key=lambda duty: (duty.priority, duty.id)):
        if scope.kind is ScopeKind.DUTY and duty.id not in scope.ids:
            continue
        names = frozenset(member.username.casefold() for member in book.people_of([duty.id])) & inside
        if names:
            yield duty, names
