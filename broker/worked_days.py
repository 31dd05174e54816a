"""On which days people were at work on a desktop: noted when they see one, counted for rules that ask.

Counterparts: `gateway/viewers.py` and `gateway/oversight.py` note, `gateway/judge.py` counts, `broker/jobs.py` forgets,
`broker/store/worked_days.py` keeps. Days before today never change, so what was read once holds until midnight; of
whoever was at work here before midnight it is known after it without reading. Must not decide.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Final

from broker.store.worked_days import Person, WorkedDayStore
from common.clock import Clock
from common.errors import StoreUnavailable
from common.log import get_logger
from common.tasks import spawn
from common.together import Together
from policy.calendar import local, monday

KEPT_DAYS: Final = 14
_MOST: Final = 500
"""People in one reading."""
_log = get_logger(__name__)


class WorkedDays:
    """Days are those of Tokyo. `close()` at the end."""

    def __init__(self, store: WorkedDayStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._reads: Together[Person, frozenset[date]] = Together(self._read)
        self._day = 0
        """The day (ordinal) that the next two are about."""
        self._counted: dict[Person, int] = {}
        self._noted: set[Person] = set()
        self._owed: set[tuple[Person, date]] = set()
        self._writing = asyncio.Lock()

    def note(self, person: Person) -> None:
        """This person sees a desktop. It is written beside: whoever waits for a picture does not wait for it."""
        day = self._today()
        if person not in self._noted:
            self._noted.add(person)
            self._owed.add((person, date.fromordinal(day)))
            if not self._writing.locked():
                spawn(self._settle_or_owe(), name="worked days written down")

    async def settle(self) -> None:
        """Write what is owed; what cannot be written stays owed. Raises StoreUnavailable."""
        async with self._writing:
            while owed := frozenset(self._owed):
                await self._store.add(owed)
                self._owed -= owed

    def known(self, person: Person) -> int | None:
        """On how many days of this week before today; None when it was not read yet. No I/O."""
        day = self._today()
        return 0 if day == monday(day) else self._counted.get(person)

    async def before_today(self, person: Person) -> int | None:
        """The same, read when it is not known; None when it cannot be read."""
        if (found := self.known(person)) is not None:
            return found
        day = self._day
        with suppress(StoreUnavailable):
            self._keep(day, {person: await self._reads.get(person) or frozenset()})
        return self.known(person)

    async def worked_today(self, person: Person) -> bool | None:
        """Whether today is a day of work already, at whichever node; None when it cannot be read."""
        day = self._today()
        if person in self._noted:
            return True
        with suppress(StoreUnavailable):
            return date.fromordinal(day) in (await self._reads.get(person) or ())
        return None

    async def learn(self, people: Iterable[Person]) -> None:
        """Read what is not known of these. Raises StoreUnavailable."""
        unknown = [person for person in dict.fromkeys(people) if self.known(person) is None]
        for first in range(0, len(unknown), _MOST):
            day = self._day
            self._keep(day, await self._read(unknown[first : first + _MOST]))

    async def before(self, person: Person, moment: datetime) -> int | None:
        """On how many days of the moment's week before its day, as far as it is kept; None when it cannot be read."""
        day, _minute = local(moment)
        if day == self._today():
            return await self.before_today(person)
        try:
            found = await self._store.since([person], date.fromordinal(monday(day)))
        except StoreUnavailable:
            return None
        return _count(found[person], day)

    async def purge(self) -> None:
        """Forget what no week can ask for any more. Raises StoreUnavailable."""
        await self._store.purge(date.fromordinal(self._today() - KEPT_DAYS))

    async def close(self) -> None:
        """A last try to write what is owed."""
        await self._settle_or_owe()

    async def _settle_or_owe(self) -> None:
        try:
            await self.settle()
        except StoreUnavailable as error:
            _log.warning("worked days not written yet", owed=len(self._owed), detail=error.detail)

    async def _read(self, people: Sequence[Person]) -> Mapping[Person, frozenset[date]]:
        since, owed = date.fromordinal(monday(self._today())), defaultdict[Person, set[date]](set)
        for person, day in self._owed:  # before the reading: what is written meanwhile may be missing in it
            owed[person].add(day)
        return {person: days | owed[person] for person, days in (await self._store.since(people, since)).items()}

    def _keep(self, day: int, found: Mapping[Person, frozenset[date]]) -> None:
        """Unless midnight came while it was read."""
        if day == self._today():
            self._counted |= {person: _count(days, day) for person, days in found.items()}

    def _today(self) -> int:
        """The day ordinal. With a new one the counts go, but for those who were at work here the day before: other
        nodes may have seen the rest."""
        day, _minute = local(self._clock.now())
        if day != self._day:
            before = dict.fromkeys(self._noted, 0) if self._day == monday(self._day) else self._counted
            follows = day == self._day + 1
            self._counted = {person: count + 1 for person, count in before.items() if follows and person in self._noted}
            self._noted = set()
            self._day = day
        return day


def _count(days: Iterable[date], day: int) -> int:
    return sum(monday(day) <= one.toordinal() < day for one in days)
