"""What keeps a database that hangs cheap: while it does not answer, one caller a second waits for it. Pure.

Counterpart: `common/db.py`. Without this every request would wait its whole deadline and hold a connection meanwhile.
One slow statement is no outage: only when nothing has succeeded since the failed one began are the others turned away.
"""

from typing import Final

PAUSE_SECONDS: Final = 1.0
"""Between the end of one try and the beginning of the next."""


class Outage:
    """Of one database. Time comes in as seconds that never step back."""

    def __init__(self) -> None:
        self._last_success = float("-inf")
        self._since: float | None = None
        self._next_try = 0.0
        self._trying = False

    @property
    def going_on(self) -> bool:
        """Whether the database is taken for away."""
        return self._since is not None

    def may_try(self, now: float) -> bool:
        """Whether a caller may go to the database; during an outage only one at a time, and not at once again."""
        if self._since is None:
            return True
        if self._trying or now < self._next_try:
            return False
        self._trying = True
        return True

    def succeeded(self, now: float) -> float | None:
        """The database answered. The length of the outage that this ended, if one was going on."""
        began, self._since = self._since, None
        self._last_success, self._trying = now, False
        return None if began is None else now - began

    def failed(self, began: float, now: float) -> bool:
        """It did not answer somebody who asked at `began`. True when this is the beginning of an outage."""
        if self._since is not None:
            self._next_try, self._trying = now + PAUSE_SECONDS, False
            return False
        if self._last_success >= began:
            return False
        self._since, self._next_try = now, now + PAUSE_SECONDS
        return True

    def given_up(self) -> None:
        """Whoever tried went away without an answer of either kind (it was cancelled)."""
        self._trying = False
