"""Applies the throttling rules to counters in the database.

Counterpart: `auth/throttle.py` has the rules (pure), `auth/store/counters.py` the rows.

Fails closed: when the counter cannot be read, the store's error passes and nothing is tried. Subjects are hashed, so
that the table does not become a list of the names (or passwords) that people typed.
"""

import hashlib
import json
import math
from datetime import timedelta
from typing import Final

from auth.settings import ThrottleSettings
from auth.store.counters import CounterStore
from auth.throttle import Counter, Scope, charge, forgive, rule_for
from common.clock import Clock

_LONGEST_MEMORY: Final = 2


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

    async def sweep(self) -> None:
        """Remove counters that no rule remembers."""
        memory = max(self._settings.forget_after_seconds, self._settings.directory_lockout_window_seconds)
        await self._counters.drop_expired(self._clock.now() - timedelta(seconds=memory * _LONGEST_MEMORY))


def _cleared(_counter: Counter | None) -> tuple[None, None]:
    return None, None


def _hash(subject: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(subject).encode("utf-8", "surrogatepass")).hexdigest()
