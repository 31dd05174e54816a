"""Is the whole directory out of reach, and for how long without a break?

Counterpart: `auth/ldap_pool.py` asks the servers, `auth/degraded.py` asks here before it lets anybody in without them.
Only evidence counts: an outage is as long as the time between the first and the last look that found every server
silent, with no answer and no long gap in between. A node that just started knows of no outage.
"""

import asyncio
from typing import Final

from auth.audit_names import AuthAudit
from auth.directory import Directory
from auth.recorder import Recorder
from common.clock import Clock
from common.log import get_logger

LONGEST_GAP: Final = 60.0
"""Seconds between two looks after which nothing is known of the time between them."""

_log = get_logger(__name__)


class Outage:
    """Continuous silence. Pure: time comes in as monotonic seconds."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0

    @property
    def going_on(self) -> bool:
        """Was the last look silent?"""
        return self._first is not None

    def silent(self, now: float) -> float:
        """A look found every server silent; for how many seconds that is proven now."""
        if self._first is None or not 0.0 <= now - self._last <= LONGEST_GAP:
            self._first = now
        self._last = now
        return now - self._first

    def answered(self) -> None:
        """Somebody answered."""
        self._first = None


class OutageWatch:
    """Of one directory. `look` is always fresh: it never answers from a look that began before it was called."""

    def __init__(self, directory: Directory, recorder: Recorder, clock: Clock) -> None:
        self._directory = directory
        self._recorder = recorder
        self._clock = clock
        self._outage = Outage()
        self._answers = directory.answers
        self._looking = asyncio.Lock()
        self._begun = 0
        self._found: float | None = None

    def still_quiet(self) -> bool:
        """Has nobody said anything since the last look began?"""
        return self._directory.answers == self._answers

    async def look(self) -> float | None:
        """Ask every server now. Seconds of proven outage, or None when anybody answered. Many callers share a look."""
        wanted = self._begun + 1
        async with self._looking:
            if self._begun < wanted:
                self._begun += 1
                self._found = None  # what a look that is cancelled half-way has found
                self._found = await self._ask()
            return self._found

    async def keep_looking(self) -> None:
        """One background round: asks only while something is wrong."""
        if self._outage.going_on or self._directory.suspect:
            await self.look()

    async def _ask(self) -> float | None:
        if self._directory.answers != self._answers:  # somebody else got an answer since the last look
            self._outage.answered()
        going_on = self._outage.going_on
        self._answers = self._directory.answers
        silent = await self._directory.silent_everywhere() and self.still_quiet()
        if not silent:
            self._outage.answered()
            if going_on:
                _log.warning("the directory answers again")
                await self._recorder.record(AuthAudit.REGAIN_DIRECTORY)
            return None
        if not going_on:
            _log.warning("no directory server answers")
            await self._recorder.record(AuthAudit.LOSE_DIRECTORY, outcome="failed")
        return self._outage.silent(self._clock.monotonic())
