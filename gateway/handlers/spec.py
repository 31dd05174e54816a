"""The API's own description."""

from aiohttp import web

from gateway.services import services


async def openapi(request: web.Request) -> web.Response:
    """GET /api/v1/openapi.json"""
    return web.Response(text=services(request).openapi, content_type="application/json")
