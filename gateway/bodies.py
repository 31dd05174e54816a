"""JSON in and out of handlers."""

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel

from common.errors import ErrorCode, KakehashiError

B = TypeVar("B", bound=BaseModel)


async def body(request: web.Request, model: type[B]) -> B:
    """The request's JSON as a checked model. Raises ValidationError, which becomes a bad-request answer."""
    if request.content_type != "application/json":
        raise KakehashiError("content type is not application/json", code=ErrorCode.BAD_REQUEST)
    return model.model_validate_json(await request.read())


async def large_body(request: web.Request, model: type[B], limit: int) -> B:
    """As `body`, for the few routes that take files: up to `limit` bytes instead of the application's limit."""
    return await body(request.clone(client_max_size=limit), model)


def answer(content: BaseModel, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, text=content.model_dump_json(), content_type="application/json")


def no_content() -> web.Response:
    """Done, nothing to say."""
    return web.Response(status=204)
