"""How far the wall clock is from what it should show. Pure: times come in.

Counterpart: `gateway/clock_watch.py`. What it should show is what another clock said last, moved on by seconds that
never step: so a step shows at once, also while nobody else can be asked.
"""

from datetime import datetime, timedelta
from typing import Final

MOST: Final = timedelta(seconds=60)
"""From here on the clock is wrong: ends, hours and codes would be judged by a false time."""


class Drift:
    """Until another clock is heard, the own one is believed as it was at the beginning."""

    def __init__(self, now: datetime, mono: float) -> None:
        self._said, self._at = now, mono

    def heard(self, said: datetime, mono: float) -> None:
        """Another clock, which all nodes share, showed that when `mono` was ours."""
        self._said, self._at = said, mono

    def right(self, mono: float) -> datetime:
        """What the wall clock should show."""
        return self._said + timedelta(seconds=mono - self._at)

    def of(self, now: datetime, mono: float) -> timedelta:
        """How much the wall clock is ahead."""
        return now - self.right(mono)

    def is_wrong(self, now: datetime, mono: float) -> bool:
        """Too far to decide by it."""
        return abs(self.of(now, mono)) > MOST
