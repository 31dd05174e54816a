"""Runs the gateway: listeners around the application, a graceful stop. Counterpart: `gateway/app.py` wires it."""

import asyncio
import gc
import logging
import signal
import ssl
from asyncio import AbstractServer
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from common.errors import ConfigError
from common.log import get_logger
from gateway import local_socket, metrics_page
from gateway.app import build
from gateway.http_connection import HttpConnection
from gateway.settings import HttpSettings, Settings

_TLS_HANDSHAKE_SECONDS: Final = 10.0
"""A stranger who opens a connection and then says nothing is sent away (asyncio's default would be 60 s)."""
_BACKLOG: Final = 1024

_log = get_logger(__name__)


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's event loop where the `speed` extra is installed; None means the standard one, which works the same."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def tls_context(http: HttpSettings) -> ssl.SSLContext | None:
    """TLS 1.2 or later with our certificate; None when a named proxy ends TLS. Raises ConfigError."""
    if http.certificate_file is None or http.key_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(http.certificate_file, http.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"certificate {http.certificate_file} or its key cannot be used: {error}") from error
    return context


def _not_http(record: logging.LogRecord) -> bool:
    """For aiohttp's logger: a request that is no HTTP is one line, without what was sent (it may hold a cookie)."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, HttpProcessingError):
        return True
    _log.info("request refused", detail=record.getMessage(), error=type(error).__name__)
    return False


class Listeners:
    """The application on its public port and, for administrators, on its local socket."""

    def __init__(self, app: web.Application, settings: Settings) -> None:
        self._settings = settings
        logging.getLogger("aiohttp.server").addFilter(_not_http)
        self._runner = web.AppRunner(app, shutdown_timeout=settings.http.stop_seconds, handle_signals=False)
        self._options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,  # nobody we know packs a request; two megabytes would become gigabytes of work
            "keepalive_timeout": settings.http.header_seconds,
        }
        self._figures = web.AppRunner(metrics_page.application(app), access_log=None, handle_signals=False)
        self._servers: list[AbstractServer] = []
        self.port = settings.http.port
        self.metrics_port = settings.metrics.port

    async def start(self) -> None:
        """Start the application, then listen. Raises ConfigError when an address cannot be had."""
        await self._runner.setup()
        handlers = self._runner.server
        if handlers is None:
            raise RuntimeError("aiohttp's runner has no server after setup")
        http, loop = self._settings.http, asyncio.get_running_loop()

        def factory() -> HttpConnection:
            return HttpConnection(handlers, loop=loop, **self._options)

        context = tls_context(http)
        try:
            public = await loop.create_server(
                factory,
                http.host,
                http.port,
                ssl=context,
                ssl_handshake_timeout=_TLS_HANDSHAKE_SECONDS if context else None,
                backlog=_BACKLOG,
            )
            self._servers.append(public)
            self.port = public.sockets[0].getsockname()[1]
            if self._settings.admin.socket:
                self._servers.append(await local_socket.listen(factory, self._settings.admin.socket))
        except OSError as error:
            raise ConfigError(f"cannot listen on {http.host} port {http.port}: {error.strerror}") from error
        await self._serve_metrics()

    async def _serve_metrics(self) -> None:
        wanted = self._settings.metrics
        if wanted.port is None:
            return
        await self._figures.setup()
        try:
            await web.TCPSite(self._figures, wanted.host, wanted.port).start()
        except OSError as error:
            raise ConfigError(f"cannot listen on {wanted.host} port {wanted.port}: {error.strerror}") from error
        self.metrics_port = self._figures.addresses[0][1]

    async def stop(self) -> None:
        """Take no new connection, tell the viewers, let requests finish, close everything."""
        for server in self._servers:
            server.close()
        await self._figures.cleanup()
        await self._runner.cleanup()


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    listeners = Listeners(await build(settings), settings)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        await listeners.start()
        gc.freeze()  # what is alive now stays: the collector need not look at it for every session
        _log.info("gateway ready", port=listeners.port, node=settings.node_id)
        await stopping.wait()
        _log.info("gateway stopping")
    finally:
        await listeners.stop()
