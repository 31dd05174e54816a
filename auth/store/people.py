"""People who have signed in, or were named by somebody. Counterpart: `auth/refresh.py` keeps them up to date."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from auth.directory import Entry
from auth.models import Identity
from auth.rows import Person, groups_text, identity_of
from auth.store.base import TenantStore
from auth.store.tables import MAX_TEXT, auth_degraded_verifier, auth_user, auth_web_session
from common.ids import UserId, new_id

_U: Final = auth_user.c
_S: Final = auth_web_session.c
_V: Final = auth_degraded_verifier.c


class PeopleStore(TenantStore):
    """The directory's people, under ids of ours that stay."""

    async def remember_person(self, entry: Entry, now: datetime, *, groups_known: bool) -> Person:
        """Insert or update by the directory's key. Without `groups_known` the stored groups stay."""
        values = _described(entry) | {"disabled": False, "refreshed_at": now}
        if groups_known:
            values["groups"] = groups_text(entry.groups)
        fresh = {
            "tenant_id": self._tenant,
            "user_id": new_id("usr"),
            "directory_key": entry.key,
            "groups": groups_text(frozenset()),
            "created_at": now,
        }
        dialect_insert = sqlite.insert if self._database.dialect == "sqlite" else postgresql.insert
        statement = (
            dialect_insert(auth_user)
            .values(fresh | values)
            .on_conflict_do_update(index_elements=["tenant_id", "directory_key"], set_=values)
            .returning(*auth_user.c)
        )
        async with self._database.transaction() as connection:
            return self._person((await connection.execute(statement)).one())

    async def person(self, user_id: UserId) -> Person | None:
        """By our id."""
        return await self._one_person(_U.user_id == user_id)

    async def person_with_key(self, directory_key: str) -> Person | None:
        """By the directory's immutable key."""
        return await self._one_person(_U.directory_key == directory_key)

    async def person_named(self, name: str) -> Person | None:
        """By user id or user name as the directory spells it; the latest one where a name was given anew."""
        return await self._one_person(or_(_U.user_id == name, func.lower(_U.username) == name.lower()))

    async def ids_by_key(self) -> dict[str, UserId]:
        """Everybody's id by the directory's key."""
        statement = select(_U.directory_key, _U.user_id).where(_U.tenant_id == self._tenant)
        async with self._database.transaction() as connection:
            return {row.directory_key: UserId(row.user_id) for row in await connection.execute(statement)}

    async def claim_due(self, before: datetime, holders_before: datetime, now: datetime) -> list[Person]:
        """Take all signed-in people whose entry was last read before this moment, and those with a verifier for
        degraded login whose entry was read before `holders_before`; of several nodes one gets each."""
        signed_in = select(_S.user_id).where(_S.tenant_id == self._tenant)
        holders = select(_V.user_id).where(_V.tenant_id == self._tenant)
        due = or_(
            and_(_U.refreshed_at < before, _U.user_id.in_(signed_in)),
            and_(_U.refreshed_at < holders_before, _U.user_id.in_(holders)),
        )
        statement = update(auth_user).where(_U.tenant_id == self._tenant, due).values(refreshed_at=now).returning(*_U)
        async with self._database.transaction() as connection:
            return [self._person(row) for row in await connection.execute(statement)]

    async def update_person(self, user_id: UserId, entry: Entry, now: datetime) -> None:
        """The directory's present description; the person is not disabled."""
        values = _described(entry) | {"groups": groups_text(entry.groups), "disabled": False, "refreshed_at": now}
        await self._changed(update(auth_user).where(_U.tenant_id == self._tenant, _U.user_id == user_id).values(values))

    async def disable_person(self, user_id: UserId) -> bool:
        """Their sessions stop to count at once. False when already disabled."""
        return await self._changed(
            update(auth_user)
            .where(_U.tenant_id == self._tenant, _U.user_id == user_id, _U.disabled.is_(False))
            .values(disabled=True)
        )

    async def _one_person(self, condition: Any) -> Person | None:
        statement = (
            select(auth_user).where(_U.tenant_id == self._tenant, condition).order_by(_U.refreshed_at.desc()).limit(1)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(statement)).first()
        return self._person(row) if row else None

    def _person(self, row: Row[Any]) -> Person:
        return Person(self._identity(row), row.directory_key, row.disabled, row.refreshed_at)

    def _identity(self, row: Row[Any]) -> Identity:
        return identity_of(
            self._tenant, row.user_id, row.username, row.display_name, row.department, row.employment, row.groups
        )


def _described(entry: Entry) -> dict[str, Any]:
    return {
        "username": entry.username[:MAX_TEXT],
        "display_name": entry.display_name[:MAX_TEXT],
        "department": entry.department[:MAX_TEXT] if entry.department else None,
        "employment": entry.employment[:MAX_TEXT] if entry.employment else None,
    }
