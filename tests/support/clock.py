"""A clock that tests set and advance."""

from datetime import UTC, datetime, timedelta

from common.clock import SystemClock


class FakeClock:
    """Stands still until told otherwise; `monotonic` follows `advance` but never `set`, like a stepped wall clock."""

    def __init__(self, start: datetime = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1_000.0

    def now(self) -> datetime:
        """The set time."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since an arbitrary start."""
        return self._monotonic

    def advance(self, step: float | timedelta) -> None:
        """Let time pass (seconds or a timedelta)."""
        delta = step if isinstance(step, timedelta) else timedelta(seconds=step)
        self._now += delta
        self._monotonic += delta.total_seconds()

    def set(self, moment: datetime) -> None:
        """Step the wall clock, forward or back."""
        self._now = moment


class SteppedClock:
    """The machine's clock, set ahead or back by `step`; its monotonic seconds run on, as a real machine's do."""

    def __init__(self) -> None:
        self._system = SystemClock()
        self.step = timedelta()

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._system.now() + self.step

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return self._system.monotonic()
