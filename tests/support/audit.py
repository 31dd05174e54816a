"""An audit sink that keeps events in a list, or refuses them."""

from common.audit import AuditEvent
from common.errors import AuditUnavailable


class MemoryAudit:
    """Set `broken` to see what a service does when nothing can be recorded."""

    def __init__(self) -> None:
        self.events: list[AuditEvent] = []
        self.broken = False

    async def record(self, event: AuditEvent) -> None:
        """See `common.audit.AuditSink`."""
        if self.broken:
            raise AuditUnavailable("broken by the test")
        self.events.append(event)

    def names(self) -> list[str]:
        """The names of all events, in order."""
        return [event.name for event in self.events]
