"""How often something may happen: a token bucket. Counterpart: gateway.rfb.link, which has one for each thing counted.

Pure: the time is the relay's, in monotonic seconds, so any split of a chunk gives the same answers.
"""


class Pace:
    """`burst` at once, then `per_second` in the long run. Begins full, whatever the first time is."""

    __slots__ = ("_at", "_burst", "_left", "_per_second")

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._left = float(burst)
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Count one more if it may happen at `now`; False: it is too often, and was not counted."""
        if now > self._at:
            self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
            self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
