"""Follows desktop sessions through the audit events of a report's time: who used what, how many at once, how long they
waited. Pure.

Counterpart: `gateway.reports.gather`, which feeds it in order of time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median_low
from typing import Final

from broker.audit_names import BrokerAudit
from broker.duties.book import DutyBook
from common.audit import ChainedEvent
from gateway.reports.labels import CLASSES, NO_CLASS
from gateway.reports.model import Counted, Use, Waiting, plain

_ATTACHED: Final = frozenset({BrokerAudit.ATTACH_VIEWER, BrokerAudit.TAKE_OVER_SESSION})
_DETACHED: Final = frozenset(
    {
        BrokerAudit.LOSE_VIEWER,
        BrokerAudit.CUT_VIEWER,
        BrokerAudit.PREEMPT_SESSION,
        BrokerAudit.END_SESSION,
        BrokerAudit.FINISH_SESSION,
    }
)
_STARTED: Final = frozenset({BrokerAudit.START_DESKTOP, BrokerAudit.READY_DESKTOP})
_BCP_RULE: Final = "BCP-"


@dataclass(slots=True)
class Seen:
    """A session as far as the events tell."""

    username: str
    pool_id: str
    declarations: frozenset[str] = frozenset()
    worked_seconds: int = 0
    queued_at: datetime | None = None
    waited: int | None = None
    attached_at: datetime | None = None
    """Of the first viewer."""
    ended: bool = False
    normal: bool | None = None
    """Whether the usual rules would have allowed it, as its last decision said."""


def normal_allowed(details: Mapping[str, object]) -> bool | None:
    """Would the usual rules have allowed it? As recorded; for older events from the rules that decided; None when
    neither tells."""
    recorded = details.get("normal_allowed")
    if isinstance(recorded, bool):
        return recorded
    rules = [rule for rule in plain(details.get("rules")).split(",") if rule]
    if not rules:
        return None
    return not any(rule.startswith(_BCP_RULE) for rule in rules)


class Sessions:
    """All sessions of the time."""

    def __init__(self, declaration_id: str) -> None:
        self._declaration_id: Final = declaration_id
        self.seen: Final[dict[str, Seen]] = {}
        self.endings: Final[dict[str, list[str]]] = {}
        self._attached: Final[set[str]] = set()
        self.peak = 0
        self.peak_at: datetime | None = None

    def feed(self, chained: ChainedEvent) -> None:
        """Take the next event of a session; others are passed over."""
        event, at = chained.event, chained.at
        if event.session_id is None or event.name not in set(BrokerAudit):
            return
        pool_id = plain(event.details.get("pool_id"))
        session = self.seen.setdefault(event.session_id, Seen(event.subject or "", pool_id))
        recorded = normal_allowed(event.details)
        session.normal = session.normal if recorded is None else recorded
        session.declarations |= frozenset(plain(event.details.get("declarations")).split())
        if event.name == BrokerAudit.QUEUE_SESSION and session.queued_at is None:
            session.queued_at = at
        if event.name in _STARTED | _ATTACHED and session.queued_at is not None and session.waited is None:
            session.waited = max(0, int((at - session.queued_at).total_seconds()))
        if event.name in _ATTACHED:
            session.attached_at = session.attached_at or at
            self._attach(event.session_id, at)
        elif event.name in _DETACHED:
            self._attached.discard(event.session_id)
        worked = event.details.get("worked_seconds")
        if isinstance(worked, int):
            session.worked_seconds = max(session.worked_seconds, worked)
        if event.name == BrokerAudit.END_SESSION:
            session.ended = True
            self.endings.setdefault(plain(event.details.get("reason")), []).append(session.username)

    def _attach(self, session_id: str, at: datetime) -> None:
        self._attached.add(session_id)
        if len(self._attached) > self.peak:
            self.peak, self.peak_at = len(self._attached), at

    def normal_of(self, session_id: str | None) -> bool | None:
        """The same for a session, for its events that do not say it themselves."""
        session = self.seen.get(session_id or "")
        return session.normal if session else None

    def widened(self, session: Seen) -> bool:
        """Whether it rested on the declaration."""
        return self._declaration_id in session.declarations

    def open_widened(self) -> int:
        """Sessions on the strength of the declaration that have not ended."""
        return sum(self.widened(session) and not session.ended for session in self.seen.values())

    def ended_by_reason(self) -> tuple[Counted, ...]:
        """How the sessions ended."""
        found = self.endings.items()
        return tuple(Counted(reason, len(names), len(set(names))) for reason, names in sorted(found))

    def overall(self) -> Use:
        """Everybody."""
        return self._use("all", "全体", self.seen.values())

    def by_class(self, book: DutyBook) -> tuple[Use, ...]:
        """By the highest class of the person's duties at that target."""
        groups: dict[str, list[Seen]] = {key: [] for key in CLASSES}
        for session in self.seen.values():
            groups[_class(book, session)].append(session)
        return tuple(self._use(key, CLASSES[key], found) for key, found in groups.items() if found)

    def by_duty(self, book: DutyBook) -> tuple[Use, ...]:
        """By duty: who has several at a target counts in each."""
        groups: dict[str, list[Seen]] = {}
        for session in self.seen.values():
            for held in book.held_by(session.username):
                if session.pool_id in held.duty.pools:
                    groups.setdefault(held.duty.id, []).append(session)
        duties = book.register.duties
        order = sorted(groups, key=lambda key: (duties[key].priority, key))
        return tuple(self._use(key, f"{duties[key].priority} {duties[key].name_ja}", groups[key]) for key in order)

    def by_pool(self, names: Mapping[str, str]) -> tuple[Use, ...]:
        """By target."""
        groups: dict[str, list[Seen]] = {}
        for session in self.seen.values():
            groups.setdefault(session.pool_id, []).append(session)
        return tuple(self._use(key, names.get(key, key), groups[key]) for key in sorted(groups))

    def waits(self, book: DutyBook) -> tuple[Waiting, ...]:
        """By class, for those who were in the queue."""
        groups: dict[str, list[int]] = {key: [] for key in CLASSES}
        for session in self.seen.values():
            if session.waited is not None:
                groups[_class(book, session)].append(session.waited)
        return tuple(Waiting(key, len(found), median_low(found), max(found)) for key, found in groups.items() if found)

    def attached_before(self, until: datetime) -> frozenset[str]:
        """User names, folded, of those who had a desktop before the moment."""
        return frozenset(
            session.username.casefold()
            for session in self.seen.values()
            if session.attached_at is not None and session.attached_at <= until
        )

    def _use(self, key: str, name: str, found: Iterable[Seen]) -> Use:
        listed = list(found)
        widened = [session for session in listed if self.widened(session)]
        return Use(
            key=key,
            name=name,
            people=len({session.username for session in listed}),
            people_widened=len({session.username for session in widened}),
            sessions=len(listed),
            sessions_widened=len(widened),
            worked_seconds=sum(session.worked_seconds for session in listed),
        )


def _class(book: DutyBook, session: Seen) -> str:
    return str(book.priority_in(session.username, session.pool_id, substitutes=True) or NO_CLASS)
