"""Which static targets did not answer lately. In memory, no I/O.

Counterparts: the gateway's viewers note every attempt; `broker/store/targets.py` gives out a silent target last, and
the page of desktops shows it as out of use. Nobody is dialled only to see whether they answer: VNC servers shut out an
address that calls and does not sign in. Each node knows of its own attempts; elsewhere the first one says so again.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from common.clock import Clock
from common.ids import DesktopId

REMEMBER: Final = timedelta(minutes=10)
"""A machine that was switched on since is tried again by itself after this time, or at once by its person."""
_MOST: Final = 20_000


class SilentTargets:
    """The last failed attempt at each."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._since: Final[OrderedDict[DesktopId, datetime]] = OrderedDict()

    def failed(self, desktop_id: DesktopId) -> None:
        """It did not answer."""
        self._since[desktop_id] = self._clock.now()
        self._since.move_to_end(desktop_id)
        if len(self._since) > _MOST:
            self._since.popitem(last=False)

    def answered(self, desktop_id: DesktopId) -> None:
        """It does now."""
        self._since.pop(desktop_id, None)

    def since(self, desktop_id: DesktopId) -> datetime | None:
        """When it was last seen not to answer."""
        found = self._since.get(desktop_id)
        return found if found and self._clock.now() - found < REMEMBER else None

    def now(self) -> frozenset[DesktopId]:
        """All of them."""
        old = self._clock.now() - REMEMBER
        while self._since and next(iter(self._since.values())) <= old:
            self._since.popitem(last=False)
        return frozenset(self._since)
