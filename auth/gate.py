"""Applies the throttling rules to counters in the database.

Counterpart: `auth/throttle.py` has the rules (pure), `auth/store/counters.py` the rows.

Fails closed: when the counter cannot be read, the store's error passes and nothing is tried. Subjects are hashed, so
that the table does not become a list of the names (or passwords) that people typed.
"""

import hashlib
import json
import math
from datetime import timedelta

from auth.names import source_of
from auth.settings import ThrottleSettings
from auth.store.counters import CounterStore
from auth.throttle import Counter, Scope, charge, forgive, rule_for, waiting
from common.clock import Clock


class Gate:
    """Asked before every guessable thing is checked, told afterwards how it went."""

    def __init__(self, counters: CounterStore, settings: ThrottleSettings, clock: Clock) -> None:
        self._counters = counters
        self._settings = settings
        self._clock = clock

    async def charge(self, scope: Scope, *subject: str) -> int | None:
        """None: go on, the try is counted as wrong for now. Else the whole seconds to wait; nothing may be checked."""
        rule = rule_for(scope, self._settings)
        if rule is None:
            return None
        now = self._clock.now()
        wait = await self._counters.count(scope, _hash(subject), lambda counter: charge(counter, rule, now))
        return None if wait is None else math.ceil(wait.total_seconds())

    async def clear(self, scope: Scope, *subject: str) -> None:
        """The try was right: start again from nothing."""
        await self._counters.count(scope, _hash(subject), _cleared)

    async def forgive(self, scope: Scope, *subject: str) -> None:
        """The try could not be judged: take its charge back."""
        await self._counters.count(scope, _hash(subject), lambda counter: (forgive(counter), None))

    async def charge_password(self, account: str, address: str) -> int | None:
        """Like `charge`, for passwords of one account: unknown addresses have fewer tries than its owner's."""
        if not await self.knows(account, address):
            wait = await self.charge(Scope.STRANGERS, account)
            if wait is not None:
                return wait
        return await self.charge(Scope.ACCOUNT, account)

    async def clear_password(self, account: str) -> None:
        """The password was right: the directory starts its count again, and so do we."""
        await self.clear(Scope.STRANGERS, account)
        await self.clear(Scope.ACCOUNT, account)

    async def forgive_password(self, account: str, address: str) -> None:
        """The directory did not answer."""
        if not await self.knows(account, address):
            await self.forgive(Scope.STRANGERS, account)
        await self.forgive(Scope.ACCOUNT, account)

    async def address_wait(self, account: str, address: str) -> int | None:
        """The whole seconds to wait when too many passwords from this address were wrong; None: go on.

        Whoever signed in from there lately never waits for what others there typed. Nothing is counted here.
        """
        now = self._clock.now()
        wait = await self._counters.count(
            Scope.ADDRESS, _hash((source_of(address),)), lambda counter: (counter, waiting(counter, now))
        )
        if wait is None or await self.knows(account, address):
            return None
        return math.ceil(wait.total_seconds())

    async def count_wrong(self, address: str) -> None:
        """A password from this address was wrong, whoever's. Counted afterwards, for success must not be undone: as
        many guesses more as are checked at once may slip through."""
        await self.charge(Scope.ADDRESS, source_of(address))

    async def know(self, account: str, address: str) -> None:
        """The account's owner completed a login from this address."""
        mark = Counter(0, self._clock.now())
        await self._counters.count(Scope.KNOWN, _hash((account, address)), lambda _: (mark, None))

    async def sweep(self) -> None:
        """Remove counters that no rule remembers, and addresses that are no longer known."""
        now, s = self._clock.now(), self._settings
        memory = max(s.forget_after_seconds, s.directory_lockout_window_seconds, s.address_window_seconds)
        await self._counters.drop_expired(
            counters_before=now - timedelta(seconds=memory), marks_before=now - timedelta(days=s.known_address_days)
        )

    async def knows(self, account: str, address: str) -> bool:
        """Did the account's owner complete a login from this address lately?"""
        since = self._clock.now() - timedelta(days=self._settings.known_address_days)
        return await self._counters.count(
            Scope.KNOWN, _hash((account, address)), lambda mark: (mark, mark is not None and mark.last_at > since)
        )


def _cleared(_counter: Counter | None) -> tuple[None, None]:
    return None, None


def _hash(subject: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(subject).encode("utf-8", "surrogatepass")).hexdigest()
