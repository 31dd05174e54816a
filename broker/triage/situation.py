"""What triage goes by: classes and sites of the register, and what is declared. From memory, no I/O.

Counterparts: `broker/duties/service.py` (the register) and `policy/bcp/service.py` (declarations), bound in the
gateway's composition root; until then nobody has a duty and nothing is declared. Other tenants are not known here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from broker.duties.book import EMPTY, DutyBook
from broker.duties.models import Priority
from broker.models import DesktopSession, Pool, PoolKind
from broker.settings import TriageSettings
from broker.triage.order import LOWEST, URGENT, Waiting
from broker.triage.room import Reserve, reserve, sites_loaded
from common.ids import TenantId, UserId
from policy.bcp.model import ScopeKind
from policy.bcp.overlay import ActiveDeclaration
from policy.bcp.plan import Capacity
from policy.model import BcpLevel, Resource, Subject


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call, as the declared plan names them (with a phone number)."""

    ja: str
    en: str


class Situation:
    """Questions that admission and triage ask; each answer is of this moment."""

    def __init__(self, settings: TriageSettings) -> None:
        self.settings = settings
        self._tenant_id: TenantId | None = None
        self._book: Callable[[], DutyBook] = lambda: EMPTY
        self._active: Callable[[], Sequence[ActiveDeclaration]] = tuple
        self._people: tuple[DutyBook, bool, dict[str, dict[Priority, int]]] = (EMPTY, False, {})

    def bind(
        self,
        tenant_id: TenantId,
        *,
        book: Callable[[], DutyBook],
        active: Callable[[], Sequence[ActiveDeclaration]],
    ) -> None:
        """From now on ask these."""
        self._tenant_id, self._book, self._active = tenant_id, book, active

    @property
    def tenant_id(self) -> TenantId | None:
        """Whose register and declarations these are; None until bound."""
        return self._tenant_id

    def knows(self, tenant_id: TenantId) -> bool:
        """Whether this gateway decides about a tenant's queue."""
        return self._tenant_id in (None, tenant_id)

    def widening(self) -> tuple[ActiveDeclaration, ...]:
        """Declarations at which others make room: in earnest, first or second level."""
        return tuple(item for item in self._active() if not item.declaration.drill and item.overlay is not None)

    def priority(self, username: str, pool_id: str) -> Priority:
        """A person's class in a pool. Who stands in for somebody carries the class while something is declared."""
        return self._book().priority_in(username, pool_id, substitutes=bool(self.widening())) or LOWEST

    def site_at(self, address: IPv4Address | IPv6Address | None) -> str | None:
        """The site from whose network somebody comes; None from outside."""
        site = None if address is None else self._book().site_of(address)
        return None if site is None else site.id

    def lines(self) -> dict[str, float]:
        """What sessions may fill of each site's line, in Mbps; 0 where nobody entered what it carries."""
        share = self.settings.line_percent / 100
        return {site.id: round(site.bandwidth_mbps * share, 2) for site in self._book().register.sites.values()}

    def seats(self, pool: Pool) -> int:
        """The pool's limit now: its own, or more by the plan of a declaration."""
        return max([pool.max_desktops, *(line.seats for line in self._capacity(pool))])

    def parking(self, pool: Pool) -> int:
        """How many desktops may run beside the seats. The desktop of a static target is the seat itself."""
        if pool.kind is not PoolKind.AGENT:
            return 0
        return -(-self.seats(pool) * self.settings.parked_percent // 100)

    def reserve(self, pool: Pool, seats: int) -> Reserve:
        """Seats kept for P0, and under a declaration for P0 and P1 together."""
        people = self._people_in(pool)
        declared = self.declared_at(pool)
        percent = max([self.settings.urgent_reserve_percent, *(one.reserved_percent for one in self._capacity(pool))])
        return reserve(
            seats,
            p0_percent=self.settings.p0_reserve_percent,
            p0_least=self.settings.p0_reserve_least,
            p0_people=people.get(Priority.P0, 0),
            urgent_percent=percent if declared else 0,
            urgent_people=sum(people.get(one, 0) for one in URGENT),
        )

    def declared_at(self, pool: Pool) -> tuple[ActiveDeclaration, ...]:
        """Widening declarations that concern the pool. One for a site concerns pools that stand there or that its plan
        names."""
        return tuple(
            item
            for item in self.widening()
            if item.declaration.tenant_id == pool.tenant_id
            and (
                item.declaration.scope.kind is not ScopeKind.SITE
                or pool.site in item.declaration.scope.ids
                or any(line.pool == pool.id for line in item.plan.capacity)
            )
        )

    def claims(self, user_id: UserId, username: str, priority: Priority, pool: Pool) -> bool:
        """Whether others make room for this person here: P0 or P1, and a declaration covers them or the pool."""
        if priority not in URGENT:
            return False
        person = self._subject(pool.tenant_id, user_id, username)
        target = Resource(
            tenant_id=pool.tenant_id, pool_id=pool.id, pool_class=pool.pool_class, zone=pool.zone, site=pool.site
        )
        return any(
            item.declaration.tenant_id == pool.tenant_id
            and user_id not in item.declaration.blocked
            and item.declaration.scope.covers(person, target)
            for item in self.widening()
        )

    def waiting(self, session: DesktopSession, pool: Pool, *, own: bool = False) -> Waiting:
        """A queued session as the rules see it."""
        return Waiting(
            session_id=session.id,
            priority=session.priority,
            since=session.waits_since,
            asked=session.created_at,
            sites=sites_loaded(session.source_site, pool.site),
            returning=session.desktop_id is not None,
            claims=self.claims(session.user_id, session.username, session.priority, pool),
            own=own,
        )

    def contact(self, pool: Pool) -> Contact | None:
        """Whom somebody calls who has to make room here."""
        found = next(iter(self.declared_at(pool) or self.widening()), None)
        return None if found is None else Contact(found.plan.contact.ja, found.plan.contact.en)

    def _capacity(self, pool: Pool) -> list[Capacity]:
        """Lines of declared plans about the pool that hold at their level."""
        return [
            line
            for item in self.widening()
            if item.declaration.tenant_id == pool.tenant_id and item.overlay is not None
            for line in item.plan.capacity
            if line.pool == pool.id and (line.level == "first" or item.overlay.level is BcpLevel.SECOND)
        ]

    def _subject(self, tenant_id: TenantId, user_id: UserId, username: str) -> Subject:
        book = self._book()
        member = book.member(username)
        department = None if member is None else book.register.departments.get(member.department)
        return Subject(
            tenant_id=tenant_id,
            user_id=user_id,
            username=username,
            groups=frozenset(),
            # Scopes name departments as the directory does.
            department=None if department is None else department.name_ja,
            duties=book.duties_of(username),
            employment=None if member is None else member.employment,
            suspended=None,
            site=None if member is None else member.site,
        )

    def _people_in(self, pool: Pool) -> dict[Priority, int]:
        """How many people of each class could come to a pool; counted once for each register."""
        book, substitutes = self._book(), bool(self.widening())
        if (self._people[0], self._people[1]) != (book, substitutes):
            self._people = (book, substitutes, {})
        counted = self._people[2]
        if pool.id not in counted:
            count = counted[pool.id] = {}
            for member in book.register.staff.values():
                if priority := book.priority_in(member.username, pool.id, substitutes=substitutes):
                    count[priority] = count.get(priority, 0) + 1
        return counted[pool.id]
