"""Remembers that a directory server failed, so that one hung server costs one login three seconds and not every login.

Counterpart: `auth/ldap_pool.py` asks before each use and reports after it; the background probe closes the breaker
again. Pure: time comes in as monotonic seconds. Not locked: the pool holds its lock around every call.
"""

from typing import Final

_TRIAL_SECONDS: Final = 1.0
"""While no server works at all, one caller a second may try the failed ones."""


class Breaker:
    """Closed = use it. Open = leave it to the probe, unless nothing else works."""

    def __init__(self) -> None:
        self._open = False
        self._next_trial = 0.0

    @property
    def closed(self) -> bool:
        """True while the server is believed to work."""
        return not self._open

    def admit_trial(self, now: float) -> bool:
        """For the case that every server failed: one caller at a time finds out whether this one is back."""
        if now < self._next_trial:
            return False
        self._next_trial = now + _TRIAL_SECONDS
        return True

    def succeeded(self) -> None:
        """It answered."""
        self._open = False

    def failed(self, now: float) -> None:
        """It did not answer, or answered that it cannot work."""
        self._open = True
        self._next_trial = now + _TRIAL_SECONDS
