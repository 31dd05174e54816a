"""The page on which a monitoring system reads the figures, in Prometheus' text format.

Counterparts: `gateway/metrics.py` has the figures; `gateway/run.py` serves this on a listener of its own, never on the
public one. What is a state and not a count is asked for when the page is.
"""

from typing import Final

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from common.errors import StoreUnavailable
from common.ids import TenantId
from common.log import get_logger
from gateway.middlewares import add_headers
from gateway.services import SERVICES, Services

PATH: Final = "/metrics"
_log = get_logger(__name__)


def application(gateway: web.Application) -> web.Application:
    """An application with that one page; it looks into the running gateway."""

    async def page(_request: web.Request) -> web.Response:
        own = gateway[SERVICES]
        await _look(own)
        return web.Response(body=own.metrics.page(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.router.add_get(PATH, page)
    app.on_response_prepare.append(add_headers)
    return app


async def _look(own: Services) -> None:
    own.metrics.show_relays(*own.viewers.totals())
    own.metrics.show_streams(len(own.changes))
    own.metrics.show_level(own.bcp.level())
    own.metrics.show_dependencies(await own.readiness.look())
    try:
        own.metrics.show_seats(await own.catalogue.seats(TenantId(own.settings.tenant.id)))
    except StoreUnavailable as error:
        own.metrics.show_seats({})
        _log.warning("seats cannot be counted", detail=error.detail)
