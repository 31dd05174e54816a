"""JSON in and out of handlers."""

import re
from typing import Final, TypeVar

from aiohttp import web
from pydantic import BaseModel

from common.errors import ErrorCode, KakehashiError
from gateway.schemas import Body

B = TypeVar("B", bound=Body)

_READ: Final = web.RequestKey("read", bytes)
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""U+0000 as JSON spells it (RFC 8259, 7): no text of a person holds it, and PostgreSQL stores none."""


async def body(request: web.Request, model: type[B]) -> B:
    """The request's JSON as a checked model. Raises ValidationError, which becomes a bad-request answer."""
    if request.content_type != "application/json":
        raise KakehashiError("content type is not application/json", code=ErrorCode.BAD_REQUEST)
    text = await read(request, model)
    if _NUL.search(text):
        raise KakehashiError("U+0000 in a text", code=ErrorCode.BAD_REQUEST)
    return model.model_validate_json(text)


async def read(request: web.Request, model: type[Body]) -> bytes:
    """All bytes of the body, however often it is asked for. Raises HTTPRequestEntityTooLarge."""
    if _READ not in request:
        request[_READ] = await request.clone(client_max_size=model.largest).read()
    return request[_READ]


def answer(content: BaseModel, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, text=content.model_dump_json(), content_type="application/json")


def no_content() -> web.Response:
    """Done, nothing to say."""
    return web.Response(status=204)
