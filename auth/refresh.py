"""Reads signed-in people's entries again, so that a lost group or a disabled account acts on what is running.

People who could sign in without the directory are read again as well, less often. Whoever signed in during an outage is
simply due: the first round after it ends the sessions of those who are gone or disabled.

Counterpart: `auth/ldap_directory.py` answers; subscribers of `user:changed` judge grants again. An unreachable
directory changes nothing. People who are suddenly missing in numbers are a fault of the directory (a lost read right, a
half-done copy) and not a mass dismissal: they are left alone and reported.
"""

import asyncio
from datetime import timedelta
from typing import Final

from auth.audit_names import AuthAudit
from auth.degraded import Degraded
from auth.directory import Directory, Disabled, LookupResult, NotFound, Verified
from auth.models import TOPIC_USER_CHANGED
from auth.outage import OutageWatch
from auth.recorder import Recorder
from auth.rows import Person
from auth.store.people import PeopleStore
from auth.web_sessions import WebSessions
from common.bus import EventBus
from common.clock import Clock
from common.ids import UserId
from common.log import get_logger

_AT_ONCE: Final = 3
"""Directory threads that a round may use; the rest is for people who log in."""
_MISSING_ALLOWED: Final = 2

_log = get_logger(__name__)


class Refresh:
    """Of one tenant; `run` is one round."""

    def __init__(
        self,
        *,
        directory: Directory,
        watch: OutageWatch,
        people: PeopleStore,
        sessions: WebSessions,
        recorder: Recorder,
        bus: EventBus,
        clock: Clock,
        every: timedelta,
        holders_every: timedelta,
        degraded: Degraded,
    ) -> None:
        self._directory = directory
        self._watch = watch
        self._people = people
        self._sessions = sessions
        self._recorder = recorder
        self._bus = bus
        self._clock = clock
        self._every = every
        self._holders_every = holders_every
        self._degraded = degraded

    async def run(self) -> None:
        """Read everybody who is due; each person is taken by one node only. While nobody answers, nobody is taken: the
        first round after an outage has them all."""
        if self._directory.suspect and await self._watch.look() is not None:
            return
        now = self._clock.now()
        due = await self._people.claim_due(now - self._every, now - self._holders_every, now)
        places = asyncio.Semaphore(_AT_ONCE)
        read = await asyncio.gather(*(self._read(person, places) for person in due))
        missing = sum(isinstance(result, NotFound) for _, result in read)
        doubtful = missing > max(_MISSING_ALLOWED, len(read) // 2)
        if doubtful:
            _log.error("directory lost many people at once: nobody is signed out for it", missing=missing)
            await self._recorder.record(AuthAudit.DOUBT_DIRECTORY, outcome="failed", missing=missing, asked=len(read))
        for person, result in read:
            if not (doubtful and isinstance(result, NotFound)):
                await self._apply(person, result)

    async def one(self, user_id: UserId) -> bool:
        """Read one person now, before something that only an entitled person may do: false when the directory does not
        know them (it may have lost many, so nobody is signed out for that here). While it is out of reach, what was
        known before counts."""
        person = await self._people.person(user_id)
        if person is None or self._directory.suspect:
            return person is not None
        result = await self._directory.lookup(person.directory_key)
        if isinstance(result, NotFound):
            return False
        await self._apply(person, result)
        return True

    async def _read(self, person: Person, places: asyncio.Semaphore) -> tuple[Person, LookupResult]:
        async with places:
            return person, await self._directory.lookup(person.directory_key)

    async def _apply(self, person: Person, result: LookupResult) -> None:
        user_id = person.identity.user_id
        if isinstance(result, Verified):
            entry, before = result.entry, person.identity
            await self._degraded.reread(user_id, entry.groups)
            described = (entry.display_name, entry.department, entry.employment, entry.username, entry.groups)
            known = (before.display_name, before.department, before.employment, before.username, before.groups)
            if described == known:
                return
            await self._people.update_person(user_id, entry, self._clock.now())
            await self._bus.publish(TOPIC_USER_CHANGED, user_id)
            await self._recorder.record(
                AuthAudit.CHANGE_PERSON,
                subject=user_id,
                groups_lost=", ".join(sorted(before.groups - entry.groups)),
                groups_gained=", ".join(sorted(entry.groups - before.groups)),
            )
        elif isinstance(result, Disabled | NotFound):
            await self._people.disable_person(user_id)
            await self._degraded.forget(user_id, type(result).__name__)
            ended = await self._sessions.end_all(user_id)
            await self._bus.publish(TOPIC_USER_CHANGED, user_id)
            await self._recorder.record(
                AuthAudit.DISABLE_PERSON,
                subject=user_id,
                result=type(result).__name__,
                cause=result.cause.text,
                sessions_ended=len(ended),
            )
