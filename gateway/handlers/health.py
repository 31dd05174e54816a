"""Liveness, readiness, and the API's own description. Public: they show nothing of anybody."""

from aiohttp import web

from gateway.bodies import answer
from gateway.schemas import HealthAnswer
from gateway.services import services


async def healthz(_request: web.Request) -> web.Response:
    """GET /healthz: the process answers. The web client also measures its round trip with it."""
    return answer(HealthAnswer(status="ok"))


async def readyz(request: web.Request) -> web.Response:
    """GET /readyz: database and directory answer, so that new work can start here."""
    checks = await services(request).readiness.look()
    ready = all(checks.values())
    return answer(HealthAnswer(status="ok" if ready else "not_ready", checks=dict(checks)), 200 if ready else 503)
