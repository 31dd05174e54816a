"""What a node carries over midnight is what the store would say, whatever happened before."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from broker.store.worked_days import Person, WorkedDayStore
from broker.worked_days import WorkedDays
from common.ids import TenantId, UserId
from tests.support.clock import FakeClock

SATO: Person = TenantId("city"), UserId("usr_sato")
NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
"""A Wednesday in Tokyo."""


class Rows(WorkedDayStore):
    """A table in memory."""

    def __init__(self) -> None:
        self.rows: set[tuple[Person, date]] = set()

    async def add(self, days: Iterable[tuple[Person, date]]) -> None:
        self.rows |= set(days)

    async def since(self, people: Sequence[Person], since: date) -> Mapping[Person, frozenset[date]]:
        return {one: frozenset(day for who, day in self.rows if who == one and day >= since) for one in people}


async def _walk(days: Sequence[tuple[bool, bool, bool]]) -> None:
    clock, store = FakeClock(), Rows()
    here = WorkedDays(store, clock)
    for offset, (seen, asked, worked) in enumerate(days):
        clock.set(NOON + timedelta(days=offset))
        fresh = await WorkedDays(store, clock).before_today(SATO)
        if seen:
            assert here.known(SATO) in (None, fresh)
        if asked:
            assert await here.before_today(SATO) == fresh
        if worked:
            here.note(SATO)
            await here.settle()


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=14, max_size=14))
def test_a_node_that_runs_for_two_weeks_counts_as_one_that_has_just_begun(days: list[tuple[bool, bool, bool]]) -> None:
    asyncio.run(_walk(days))
