"""SQL of the days on which people were at work on a desktop. Counterpart: `broker/worked_days.py`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from broker.store.tables import worked_day
from common.db import Database
from common.ids import TenantId, UserId

Person = tuple[TenantId, UserId]
_t = worked_day.c

_INSERT: Final = {
    "sqlite": sqlite.insert(worked_day).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(worked_day).on_conflict_do_nothing(),
}
_SINCE: Final = select(worked_day).where(
    _t.tenant_id.in_(bindparam("tenants", expanding=True)),
    _t.user_id.in_(bindparam("users", expanding=True)),
    _t.day >= bindparam("since"),
)


class WorkedDayStore:
    """One row a person and day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, days: Iterable[tuple[Person, date]]) -> None:
        """Keep these; a day that is there already stays. In one order everywhere, so that nodes which write the same
        days never wait for each other. Raises StoreUnavailable."""
        rows = [{"tenant_id": tenant_id, "user_id": user_id, "day": day} for (tenant_id, user_id), day in sorted(days)]
        await self._database.execute(_INSERT[self._database.dialect], rows)

    async def since(self, people: Sequence[Person], since: date) -> Mapping[Person, frozenset[date]]:
        """The days of each from `since` on. Raises StoreUnavailable."""
        tenants, users = ({person[i] for person in people} for i in (0, 1))
        asked = {"tenants": sorted(tenants), "users": sorted(users), "since": since}
        found: dict[Person, set[date]] = {person: set() for person in people}
        for row in (await self._database.execute(_SINCE, asked)).mappings():
            found.get((row["tenant_id"], row["user_id"]), set()).add(row["day"])
        return {person: frozenset(days) for person, days in found.items()}

    async def purge(self, before: date) -> int:
        """Forget what lies before a day, of every tenant; how many."""
        return (await self._database.execute(delete(worked_day).where(_t.day < before))).rowcount
