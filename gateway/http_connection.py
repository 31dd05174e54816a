"""One HTTP connection of aiohttp, whose own refusals say nothing. Counterpart: `gateway/run.py` listens with it.

What is no proper HTTP never becomes a request, so no middleware sees it: aiohttp answers by itself, with a page that
quotes what was sent, names its versions, and has none of our headers. Here such an answer is a status and our headers.
"""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from gateway.headers import SECURITY_HEADERS

_HEADERS: Final = {**SECURITY_HEADERS, "Content-Length": "0", "Connection": "close"}


class HttpConnection(web.RequestHandler):
    """Made by a listener for each connection, with the runner's server and its options."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """aiohttp's hook for whatever fails outside of the application; the connection closes afterwards."""
        super().handle_error(request, status, exc, message)  # logs it; raises when half an answer is out already
        return _Refusal(HTTPStatus(status))


class _Refusal(web.StreamResponse):
    """A status without a body. It writes itself, because aiohttp would add its name and version."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status=status)
        self.force_close()
        self._line = f"HTTP/1.1 {status.value} {status.phrase}"
        self._out: AbstractStreamWriter | None = None

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Write the head, once."""
        if self._out is None:
            self._out = request.writer
            await self._out.write_headers(self._line, CIMultiDict(_HEADERS))
        return self._out

    async def write_eof(self, data: bytes = b"") -> None:
        """There is no body."""
        if self._out is not None:
            await self._out.write_eof()
