"""What a monitoring system may count of this gateway.

Counterparts: `gateway/metrics_page.py` shows it; `gateway/app.py` puts the counting sink between services and audit.
Labels are names of ours (routes, events, pools, reasons): no person, no address, no session, so that neither the
figures nor their number tell of anybody.
"""

from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import generate_latest

from broker.models import Seats
from common.audit import AuditEvent, AuditSink
from common.errors import AuditUnavailable
from common.ids import PoolId
from policy.bcp.model import Level

_BUCKETS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The figures of one gateway. What is counted is counted where it happens; what is a state is asked for a page."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter that nobody reads
        self._registry = own = CollectorRegistry()
        ProcessCollector(registry=own)
        self.request_seconds: Final = Histogram(
            "kakehashi_http_request_seconds", "Time to answer, WebSockets and streams left out", ("method", "route"),
            registry=own, buckets=_BUCKETS,
        )  # fmt: skip
        self.responses: Final = Counter(
            "kakehashi_http_responses", "Answers by route and status", ("method", "route", "status"), registry=own
        )
        self.audit_events: Final = Counter(
            "kakehashi_audit_events", "Recorded audit events", ("event", "outcome"), registry=own
        )
        self.audit_failures: Final = Counter(
            "kakehashi_audit_failures",
            "Events that could not be recorded: what they stood for was refused",
            registry=own,
        )
        self.viewer_ends: Final = Counter(
            "kakehashi_viewer_ends", "Ended viewers by end reason", ("reason",), registry=own
        )
        self._relayed = Counter(
            "kakehashi_relay_bytes",
            "RFB bytes forwarded, up to desktops or down to browsers",
            ("direction",),
            registry=own,
        )
        self._viewers = Gauge("kakehashi_viewers", "Browsers that show a desktop through this gateway", registry=own)
        self._streams = Gauge("kakehashi_change_streams", "Open pages that are told of changes here", registry=own)
        self._seats = Gauge("kakehashi_pool_seats", "Seats of a pool", ("pool", "kind"), registry=own)
        self._dependency = Gauge(
            "kakehashi_dependency_up", "1 when it answers, as /readyz tells", ("dependency",), registry=own
        )
        self._spool = Gauge(
            "kakehashi_audit_spool_bytes", "Audit events that wait on this node's disk for the database", registry=own
        )
        self._level = Gauge("kakehashi_bcp_level", "1 for the level in force", ("level",), registry=own)
        self._reported = (0, 0)

    def watch_spool(self, size: Callable[[], int]) -> None:
        """Ask this for the size of the audit's spool."""
        self._spool.set_function(size)

    def page(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self._registry)

    def show_relays(self, viewers: int, bytes_up: int, bytes_down: int) -> None:
        """Live viewers, and the bytes of all viewers since the start."""
        self._viewers.set(viewers)
        before_up, before_down = self._reported
        self._relayed.labels("up").inc(bytes_up - before_up)
        self._relayed.labels("down").inc(bytes_down - before_down)
        self._reported = (bytes_up, bytes_down)

    def show_streams(self, count: int) -> None:
        """Open streams of changes."""
        self._streams.set(count)

    def show_seats(self, pools: Mapping[PoolId, Seats]) -> None:
        """Seats of every pool; no pools when the database did not say."""
        self._seats.clear()
        for pool, seats in pools.items():
            self._seats.labels(pool, "used").set(seats.used)
            self._seats.labels(pool, "total").set(seats.total)
            self._seats.labels(pool, "queued").set(seats.queued)

    def show_dependencies(self, found: Mapping[str, bool]) -> None:
        """What the gateway depends on."""
        for name, up in found.items():
            self._dependency.labels(name).set(up)

    def show_level(self, level: Level | None) -> None:
        """The level of BCP mode; None: nothing is declared."""
        for known in Level:
            self._level.labels(known).set(known is level)


class CountedAudit:
    """An audit sink that counts what the one behind it recorded."""

    def __init__(self, sink: AuditSink, metrics: Metrics) -> None:
        self._sink = sink
        self._metrics = metrics

    async def record(self, event: AuditEvent) -> None:
        """Record, then count. Raises AuditUnavailable."""
        try:
            await self._sink.record(event)
        except AuditUnavailable:
            self._metrics.audit_failures.inc()
            raise
        self._metrics.audit_events.labels(event.name, event.outcome).inc()
