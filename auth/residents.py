"""Who there is, by name: the directory's word, under ids of ours that stay. For administration and BCP mode, no log-in.

Counterpart: `auth/service.py`, which passes it on.
"""

from typing import Final

from auth.directory import Directory, Entry, Found, Unreachable, Verified
from auth.models import NEVER_SIGNED_IN, Identity
from auth.store.people import PeopleStore
from common.clock import Clock
from common.ids import TenantId, UserId


class Residents:
    """Of one tenant."""

    def __init__(self, tenant_id: TenantId, directory: Directory, people: PeopleStore, clock: Clock) -> None:
        self._tenant_id: Final = tenant_id
        self._directory: Final = directory
        self._people: Final = people
        self._clock: Final = clock

    async def find(self, username: str) -> UserId | None:
        """The id of a person known here; also accepts a UserId."""
        person = await self._people.person_named(username)
        return person.identity.user_id if person else None

    async def know(self, username: str) -> UserId | None:
        """The id of whoever has this name now; it stays theirs under any later name. Who has never signed in is given
        one. Whom the directory does not list, or while no server answers: `find`."""
        entry = await self._listed(username)
        if entry is None:
            return await self.find(username)
        person = await self._people.person_with_key(entry.key)
        if person is None:
            person = await self._people.remember_person(entry, self._clock.now(), groups_known=True)
        return person.identity.user_id

    async def look_up(self, username: str) -> Identity | None:
        """A person as the directory knows them now, signed in or not. None also when no server answers."""
        entry = await self._listed(username)
        if entry is None:
            return None
        known = await self._people.person_with_key(entry.key)
        return self._identity(entry, known.identity.user_id if known else NEVER_SIGNED_IN)

    async def everyone(self) -> tuple[Identity, ...] | None:
        """All people who may sign in; None when no directory server answers. Who never did has an id made of the
        directory's key."""
        found = await self._directory.everyone()
        if isinstance(found, Unreachable):
            return None
        known = await self._people.ids_by_key()
        return tuple(self._identity(entry, known.get(entry.key, UserId(f"directory:{entry.key}"))) for entry in found)

    async def _listed(self, username: str) -> Entry | None:
        found = await self._directory.find(username)
        if not isinstance(found, Found):
            return None
        whole = await self._directory.lookup(found.entry.key)
        return whole.entry if isinstance(whole, Verified) else None

    def _identity(self, entry: Entry, user_id: UserId) -> Identity:
        return Identity(
            user_id=user_id,
            tenant_id=self._tenant_id,
            username=entry.username,
            display_name=entry.display_name,
            department=entry.department,
            groups=entry.groups,
            employment=entry.employment,
        )
