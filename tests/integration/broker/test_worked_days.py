"""Days of work: kept once a day, counted from the next day on, read once, known without reading after midnight."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from broker.store.worked_days import Person, WorkedDayStore
from broker.worked_days import WorkedDays
from common.db import Database
from common.errors import StoreUnavailable
from common.ids import TenantId, UserId
from tests.support.clock import FakeClock

SATO: Person = TenantId("city"), UserId("usr_sato")
NAMESAKE: Person = TenantId("town"), UserId("usr_sato")
ABE: Person = TenantId("city"), UserId("usr_abe")
WEDNESDAY = date(2026, 4, 1)
DAY = timedelta(days=1)


class CountedStore(WorkedDayStore):
    """The real one; counts how often it is read."""

    reads = 0

    async def since(self, people: Sequence[Person], since: date) -> Mapping[Person, frozenset[date]]:
        self.reads += 1
        return await super().since(people, since)


@pytest.fixture
def store(database: Database) -> CountedStore:
    return CountedStore(database)


@pytest.fixture
def days(store: CountedStore, clock: FakeClock) -> WorkedDays:
    """The clock shows Wednesday, 09:00 in Tokyo."""
    return WorkedDays(store, clock)


def tokyo(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=9)


async def test_a_day_is_kept_once_and_counts_from_the_next_day_until_sunday(
    days: WorkedDays, store: CountedStore, clock: FakeClock
) -> None:
    monday = date(2026, 4, 6)
    counts = []
    for offset in range(7):
        clock.set(tokyo(monday + offset * DAY, 23, 59))
        counts.append(await WorkedDays(store, clock).before_today(SATO))  # another node, which has seen nothing
        for again in (days, WorkedDays(store, clock)):
            again.note(SATO)
            again.note(SATO)
            await again.settle()
    assert counts == list(range(7))
    assert len((await store.since([SATO], monday))[SATO]) == 7
    clock.set(tokyo(monday + 7 * DAY, 0))
    assert await WorkedDays(store, clock).before_today(SATO) == 0


async def test_the_day_ends_at_midnight_in_tokyo(days: WorkedDays, store: CountedStore, clock: FakeClock) -> None:
    for moment in (tokyo(WEDNESDAY, 23, 59), tokyo(WEDNESDAY + DAY, 0)):
        clock.set(moment)
        days.note(SATO)
        await days.settle()
    assert (await store.since([SATO], WEDNESDAY - DAY))[SATO] == {WEDNESDAY, WEDNESDAY + DAY}


async def test_nobody_is_taken_for_another_municipalitys_or_for_somebody_else(
    days: WorkedDays, store: CountedStore
) -> None:
    await store.add([(NAMESAKE, WEDNESDAY - DAY), (ABE, WEDNESDAY - DAY), (ABE, WEDNESDAY - 2 * DAY)])
    await store.add([(ABE, WEDNESDAY - 3 * DAY), (SATO, WEDNESDAY)])  # Sunday, and today
    assert [await days.before_today(person) for person in (SATO, NAMESAKE, ABE)] == [0, 1, 2]


async def test_whether_today_is_a_day_of_work_already_is_read_anew(
    days: WorkedDays, store: CountedStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another node may have seen the person since."""
    await store.add([(SATO, WEDNESDAY - DAY), (NAMESAKE, WEDNESDAY)])
    assert await days.worked_today(SATO) is False
    await store.add([(SATO, WEDNESDAY)])
    assert await days.worked_today(SATO) is True
    days.note(ABE)
    reads = store.reads
    assert (await days.worked_today(ABE), store.reads) == (True, reads)
    await days.settle()
    clock.set(tokyo(WEDNESDAY + DAY, 0))
    assert await days.worked_today(ABE) is False

    async def away(*_given: object) -> Mapping[Person, frozenset[date]]:
        raise StoreUnavailable("away")

    monkeypatch.setattr(store, "since", away)
    assert await days.worked_today(SATO) is None


async def test_what_was_read_holds_until_midnight(days: WorkedDays, store: CountedStore, clock: FakeClock) -> None:
    await store.add([(SATO, WEDNESDAY - DAY)])
    assert days.known(SATO) is None
    for _ in range(3):
        assert await days.before_today(SATO) == days.known(SATO) == 1
    await days.learn([SATO, ABE, SATO, ABE])
    assert (store.reads, days.known(ABE)) == (2, 0)
    await days.learn([SATO, ABE])
    assert store.reads == 2
    clock.set(tokyo(WEDNESDAY + DAY, 0))
    assert days.known(SATO) is None, "may have been at work at another node since"


async def test_after_midnight_it_is_known_of_whoever_was_at_work_here(
    days: WorkedDays, store: CountedStore, clock: FakeClock
) -> None:
    await store.add([(SATO, WEDNESDAY - DAY)])
    await days.before_today(SATO)
    await days.before_today(ABE)
    days.note(SATO)
    clock.set(tokyo(WEDNESDAY + DAY, 0))
    assert (days.known(SATO), days.known(ABE)) == (2, None)
    clock.set(tokyo(WEDNESDAY + 3 * DAY, 0))  # not seen on Friday
    assert days.known(SATO) is None
    reads = store.reads
    clock.set(tokyo(date(2026, 4, 6), 0))
    assert (days.known(SATO), await days.before_today(ABE), store.reads) == (0, 0, reads), "a Monday needs no reading"


async def test_sunday_does_not_count_for_the_new_week(days: WorkedDays, store: CountedStore, clock: FakeClock) -> None:
    sunday = date(2026, 4, 5)
    clock.set(tokyo(sunday, 12))
    await store.add([(SATO, sunday - offset * DAY) for offset in (1, 2, 3)])
    assert await days.before_today(SATO) == 3
    counts = []
    for offset in range(4):
        clock.set(tokyo(sunday + offset * DAY, 12))
        counts.append(days.known(SATO))
        days.note(SATO)
    await days.settle()
    assert counts == [3, 0, 1, 2]


async def test_monday_counts_on_tuesday_without_reading(
    days: WorkedDays, store: CountedStore, clock: FakeClock
) -> None:
    monday = date(2026, 4, 6)
    clock.set(tokyo(monday, 23, 59))
    days.note(SATO)
    clock.set(tokyo(monday + DAY, 0))
    assert (days.known(SATO), days.known(ABE), store.reads) == (1, None, 0)
    await days.settle()


async def test_a_day_that_is_written_while_others_are_read_is_not_lost(
    days: WorkedDays, store: CountedStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database answers as it was before."""
    read = store.since

    async def away(*_given: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(store, "add", away)
        days.note(SATO)
        await asyncio.sleep(0)  # it is tried at once

    async def slow(people: Sequence[Person], since: date) -> Mapping[Person, frozenset[date]]:
        found = await read(people, since)
        await days.settle()
        return found

    clock.set(tokyo(WEDNESDAY + DAY, 12))
    monkeypatch.setattr(store, "since", slow)
    assert await days.before_today(SATO) == 1


async def test_days_are_written_in_one_order_at_every_node(
    store: CountedStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two nodes that write the same days wait for each other."""
    written: list[Sequence[Mapping[str, object]]] = []
    execute = database.execute

    async def listen(statement: Any, rows: Any) -> Any:
        written.append(rows)
        return await execute(statement, rows)

    some = [(person, WEDNESDAY - offset * DAY) for person in (SATO, NAMESAKE, ABE) for offset in (0, 1)]
    with monkeypatch.context() as heard:
        heard.setattr(database, "execute", listen)
        await store.add(some)
        await store.add(reversed(some))
    first, second = written
    assert first == second
    assert len(first) == 6


async def test_without_the_database_what_is_known_stays_and_what_is_owed_is_written_later(
    days: WorkedDays, store: CountedStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.add([(SATO, WEDNESDAY - DAY)])
    assert await days.before_today(SATO) == 1

    async def away(*_given: object) -> Mapping[Person, frozenset[date]]:
        raise StoreUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(store, "since", away)
        broken.setattr(store, "add", away)
        days.note(SATO)
        with pytest.raises(StoreUnavailable):
            await days.settle()
        assert (await days.before_today(SATO), await days.before_today(ABE)) == (1, None)
        assert await days.before(ABE, tokyo(WEDNESDAY + DAY, 0)) is None
        with pytest.raises(StoreUnavailable):
            await days.learn([ABE])
        clock.set(tokyo(WEDNESDAY + DAY, 0))
        assert await days.before_today(SATO) == 2
    await days.settle()
    assert WEDNESDAY in (await store.since([SATO], WEDNESDAY))[SATO]


async def test_what_is_owed_counts_although_it_is_not_written(
    days: WorkedDays, clock: FakeClock, store: CountedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_given: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(store, "add", away)
        days.note(SATO)
        await days.close()
    clock.set(tokyo(WEDNESDAY + DAY, 0))
    assert await days.before_today(SATO) == 1


async def test_a_reading_over_midnight_is_not_kept(
    days: WorkedDays, store: CountedStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was counted up to yesterday."""
    await store.add([(SATO, WEDNESDAY - DAY), (SATO, WEDNESDAY)])
    read = store.since

    async def slow(people: Sequence[Person], since: date) -> Mapping[Person, frozenset[date]]:
        found = await read(people, since)
        clock.set(tokyo(WEDNESDAY + DAY, 0))
        assert days.known(ABE) is None  # somebody else asks first
        return found

    with monkeypatch.context() as slower:
        slower.setattr(store, "since", slow)
        assert await days.before_today(SATO) is None
    assert await days.before_today(SATO) == 2


async def test_a_clock_set_back_makes_nobody_younger(days: WorkedDays, store: CountedStore, clock: FakeClock) -> None:
    await store.add([(SATO, WEDNESDAY - 2 * DAY), (SATO, WEDNESDAY - DAY)])
    assert await days.before_today(SATO) == 2
    clock.set(tokyo(WEDNESDAY - DAY, 12))
    assert (days.known(SATO), await days.before_today(SATO)) == (None, 1)


async def test_other_days_are_read_as_they_are_kept(days: WorkedDays, store: CountedStore) -> None:
    await store.add([(SATO, WEDNESDAY - DAY), (SATO, WEDNESDAY)])
    asked = [WEDNESDAY - DAY, WEDNESDAY, WEDNESDAY + DAY, WEDNESDAY + 4 * DAY, WEDNESDAY + 5 * DAY]
    assert [await days.before(SATO, tokyo(day, 12)) for day in asked] == [0, 1, 2, 2, 0]


async def test_past_weeks_are_forgotten(days: WorkedDays, store: CountedStore) -> None:
    kept = [WEDNESDAY - 14 * DAY, WEDNESDAY - 7 * DAY]
    await store.add([(SATO, day) for day in (*kept, WEDNESDAY - 15 * DAY, WEDNESDAY - 99 * DAY)])
    await days.purge()
    assert (await store.since([SATO], WEDNESDAY - 365 * DAY))[SATO] == set(kept)
