"""Remembers that a directory server failed, so that one hung server costs one login three seconds and not every login.

Counterpart: `auth/ldap_pool.py` asks before each use and reports after it; the background probe closes the breaker
again. Pure: time comes in as monotonic seconds. Not locked: the pool holds its lock around every call.
"""

from typing import Final

_SHORTEST_WAIT: Final = 1.0
_WAIT_PER_COST: Final = 3.0


class Breaker:
    """Closed = use it. Open = leave it to the probe, unless nothing else works and the last failure is old enough.

    A refused connection costs nothing, so it may be tried again after a second; a hung server cost seconds of a login,
    so the next person is spared for three times as long (the probe is usually faster).
    """

    def __init__(self) -> None:
        self._open = False
        self._next_trial = 0.0
        self._wait = _SHORTEST_WAIT

    @property
    def closed(self) -> bool:
        """True while the server is believed to work."""
        return not self._open

    def admit_trial(self, now: float) -> bool:
        """For the case that every server failed: one caller at a time finds out whether this one is back."""
        if now < self._next_trial:
            return False
        self._next_trial = now + self._wait
        return True

    def succeeded(self) -> None:
        """It answered."""
        self._open = False

    def failed(self, now: float, cost: float) -> None:
        """It did not answer, or answered that it cannot work; finding out took `cost` seconds."""
        self._open = True
        self._wait = max(_SHORTEST_WAIT, cost * _WAIT_PER_COST)
        self._next_trial = now + self._wait
