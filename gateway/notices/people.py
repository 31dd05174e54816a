"""Who is to be told: the people of a scope, with their mail addresses. Counterpart: `gateway.notices.service`.

The register of duties answers from memory, so a directory that is away in a disaster does not keep anybody from being
told. Who is in no register is told by the banners only.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol

from broker.duties.book import DutyBook
from broker.duties.models import StaffMember
from common.errors import KakehashiError
from common.log import get_logger
from gateway.notices.model import Person
from policy.bcp.model import Scope, ScopeKind

Addresses = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Mail addresses by user name, of those for whom one is known (the directory's `mail`)."""
_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ADDRESS: Final = re.compile(rf"{_LOCAL_PART.pattern}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_log = get_logger(__name__)


class People(Protocol):
    """What notices ask about people."""

    async def in_scope(self, scope: Scope) -> Sequence[Person]:
        """Everybody whom a declaration for the scope concerns."""
        ...

    async def named(self, usernames: Iterable[str]) -> Sequence[Person]:
        """These people, also if no register knows them."""
        ...

    def names(self, scope: Scope) -> Mapping[str, tuple[str, str]]:
        """Names (ja, en) of the sites, departments or duties of a scope, by id."""
        ...


class RosterPeople:
    """People from the register of duties."""

    def __init__(
        self, book: Callable[[], DutyBook], *, address_domain: str | None, addresses: Addresses | None = None
    ) -> None:
        """`book` gives the newest register. `addresses` wins over the domain."""
        self._book: Final = book
        self._domain: Final = address_domain
        self._addresses: Final = addresses

    async def in_scope(self, scope: Scope) -> Sequence[Person]:
        """See `People`. Those on leave are left alone; substitutes of a duty are told, too."""
        return await self._persons((m.username, m.name) for m in members(self._book(), scope) if not m.on_leave)

    async def named(self, usernames: Iterable[str]) -> Sequence[Person]:
        """See `People`."""
        book = self._book()
        known = ((username, book.member(username)) for username in usernames)
        return await self._persons((username, member.name if member else "") for username, member in known)

    def names(self, scope: Scope) -> Mapping[str, tuple[str, str]]:
        """See `People`."""
        register = self._book().register
        match scope.kind:
            case ScopeKind.TENANT:
                return {}
            case ScopeKind.SITE:
                return {site.id: (site.name_ja, site.name_en) for site in register.sites.values()}
            case ScopeKind.DEPARTMENT:
                listed = {unit.id: (unit.name_ja, unit.name_en) for unit in register.departments.values()}
                return listed | {ja: (ja, en) for ja, en in listed.values()}
            case ScopeKind.DUTY:
                return {duty.id: (duty.name_ja, duty.name_en) for duty in register.duties.values()}

    async def _persons(self, found: Iterable[tuple[str, str]]) -> Sequence[Person]:
        names = dict(found)
        known = await self._known(tuple(names))
        return [Person(username, name, known.get(username) or self._made(username)) for username, name in names.items()]

    async def _known(self, usernames: Sequence[str]) -> Mapping[str, str]:
        if self._addresses is None or not usernames:
            return {}
        try:
            found = await self._addresses(usernames)
        except KakehashiError as error:
            _log.warning("mail addresses not known, the directory is away", code=error.code)
            return {}
        return {username: address for username, address in found.items() if _ADDRESS.fullmatch(address)}

    def _made(self, username: str) -> str | None:
        if _ADDRESS.fullmatch(username):
            return username
        if self._domain is None or not _LOCAL_PART.fullmatch(username) or len(username) > 64:
            return None
        return f"{username}@{self._domain}"


def members(book: DutyBook, scope: Scope) -> tuple[StaffMember, ...]:
    """The register's people of a scope, by staff number. A department is named by its code or by its name."""
    staff = book.register.staff
    match scope.kind:
        case ScopeKind.TENANT:
            chosen = set(staff)
        case ScopeKind.SITE:
            chosen = {number for number, member in staff.items() if member.site in scope.ids}
        case ScopeKind.DEPARTMENT:
            units = {unit.id for unit in book.register.departments.values() if {unit.id, unit.name_ja} & scope.ids}
            chosen = {number for number, member in staff.items() if member.department in units}
        case ScopeKind.DUTY:
            return book.people_of(sorted(scope.ids), substitutes=True)
    return tuple(staff[number] for number in sorted(chosen))
