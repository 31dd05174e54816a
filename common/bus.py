"""Events between parts and nodes: a topic and a key, never a payload, because readers must look at the database anyway.

`LocalBus` serves one process (SQLite). The PostgreSQL bus in `common/bus_postgres.py` adds LISTEN/NOTIFY for several
nodes; after a lost connection it calls every handler with `MISSED`, so that subscribers read again instead of trusting
that nothing was missed.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from common.log import get_logger
from common.tasks import TaskScope

Handler = Callable[[str], Awaitable[None]]
MISSED: Final = "*"
"""The key handed to handlers when events may have been lost: read everything again."""

_log = get_logger(__name__)


class EventBus(Protocol):
    """Publish and subscribe by topic."""

    async def publish(self, topic: str, key: str) -> None:
        """Tell all subscribers of `topic`, on all nodes, that `key` changed."""
        ...

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """Call `handler(key)` for each event; returns the function that unsubscribes."""
        ...

    async def close(self) -> None:
        """Stop delivering."""
        ...


class LocalBus:
    """Delivery inside this process, each handler in its own task: a slow or failing one holds up nobody."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = defaultdict(list)
        self._scope = TaskScope()

    async def publish(self, topic: str, key: str) -> None:
        """See `EventBus.publish`."""
        self.deliver(topic, key)

    def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """See `EventBus.subscribe`."""
        self._handlers[topic].append(handler)
        return lambda: self._handlers[topic].remove(handler)

    def deliver(self, topic: str, key: str) -> None:
        """Start the handlers of a topic."""
        for handler in tuple(self._handlers[topic]):
            self._scope.spawn(self._call(handler, key), name=f"bus {topic}")

    def deliver_missed(self) -> None:
        """Tell every subscriber to read again."""
        for topic in tuple(self._handlers):
            self.deliver(topic, MISSED)

    async def _call(self, handler: Handler, key: str) -> None:
        await handler(key)

    async def close(self) -> None:
        """See `EventBus.close`."""
        await self._scope.close()
