"""Time is injected everywhere, so that expiry, TOTP and office hours can be tested without waiting."""

import time
from datetime import UTC, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

TOKYO: Final = ZoneInfo("Asia/Tokyo")
"""The zone in which people, office hours and calendars live; storage is UTC."""


class Clock(Protocol):
    """What every service takes instead of asking the operating system."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back; only differences mean anything."""
        ...


class SystemClock:
    """The machine's clock: the only place that reads it."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)  # noqa: TID251 - this is the one place

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()
