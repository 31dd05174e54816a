"""How often one person may ask: a valid account with a modified client must not slow everybody down.

Counterpart: the identity middleware, which counts by cookie before the database is asked whose it is, and by person
afterwards. The web client stays far below. What is refused is refused late, because a program that is told no at once
asks again at once, and each no costs a millisecond.
"""

import asyncio
from collections import OrderedDict
from typing import Final

from common.clock import Clock
from common.errors import Throttled
from gateway.rfb.pace import Pace

BURST: Final = 100
PER_SECOND: Final = 20.0
PAUSE_SECONDS: Final = 1
_REMEMBERED: Final = 20_000


class RequestPace:
    """One bucket each for whoever asked lately."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._paces: OrderedDict[str, Pace] = OrderedDict()

    async def count(self, who: str) -> None:
        """Count a request. Raises Throttled, after a pause, when it is one too many for now."""
        pace = self._paces.get(who)
        if pace is None:
            pace = self._paces[who] = Pace(BURST, PER_SECOND)
            if len(self._paces) > _REMEMBERED:
                self._paces.popitem(last=False)  # who is forgotten begins anew, which harms nobody
        self._paces.move_to_end(who)
        if not pace.take(self._clock.monotonic()):
            await asyncio.sleep(PAUSE_SECONDS)
            raise Throttled(PAUSE_SECONDS, "more requests than a person makes")
