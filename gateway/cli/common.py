"""What all commands share: the settings file, the end with a clear message, the local admin API."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TypeVar

import aiohttp
import typer

from common.errors import ConfigError, KakehashiError
from common.settings import CONFIG_VARIABLE, config_path, load
from gateway.settings import Settings

T = TypeVar("T")
DEFAULT_CONFIG: Final = Path("/etc/kakehashi/gateway.toml")
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help=f"Settings file. Default: ${CONFIG_VARIABLE}, else {DEFAULT_CONFIG}."),
]
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


def fail(message: str, status: int = 1) -> NoReturn:
    """Say what is wrong on standard error and end."""
    sys.stderr.write(f"kakehashi: {message}\n")
    raise typer.Exit(status)


def say(text: str = "", *, err: bool = False) -> None:
    """A line of result on standard output; `err` for what only a person reads while a program reads the result."""
    (sys.stderr if err else sys.stdout).write(text + "\n")


def table(items: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    """Rows under their columns' names."""
    rows = [columns, *(tuple("-" if item[c] is None else str(item[c]) for c in columns) for item in items)]
    widths = [max(_width(row[place]) for row in rows) for place in range(len(columns))]
    for row in rows:
        say("  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip())


def _width(text: str) -> int:
    """Columns on a terminal: Japanese characters take two."""
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)


def settings(config: Path | None) -> Settings:
    """The settings, or the end with every fault named."""
    path = config or config_path() or DEFAULT_CONFIG
    if not path.exists():
        fail(
            f"no settings file {path}: name one with --config or {CONFIG_VARIABLE} (see deploy/gateway.example.toml)", 2
        )
    try:
        return load(Settings, path)
    except ConfigError as error:
        fail(error.detail, 2)


def run(work: Coroutine[Any, Any, T], *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> T:
    """Run to the end; our own errors become one clear line."""
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(work)
    except KakehashiError as error:
        fail(error.detail or error.public.text_en)
    except KeyboardInterrupt:
        fail("interrupted", 130)


class AdminApi:
    """The admin API over the gateway's local socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def call(self, method: str, path: str, content: object = None) -> Any:
        """Send a request under /api/v1/admin. Raises KakehashiError with the gateway's own words."""
        connector = aiohttp.UnixConnector(str(self._socket))
        async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as client:
            try:
                async with client.request(method, f"http://gateway/api/v1/admin{path}", json=content) as response:
                    text = await response.text()
                    if response.status >= 400:
                        raise KakehashiError(refusal_text(response.status, text))
                    return json.loads(text) if text else None
            except PermissionError as error:
                raise KakehashiError(
                    f"{self._socket} belongs to the gateway: run this as root or its account"
                ) from error
            except (aiohttp.ClientConnectionError, FileNotFoundError) as error:
                raise KakehashiError(f"no gateway answers on {self._socket}: is it running?") from error


def admin_api(config: Path | None) -> AdminApi:
    """The admin API that the settings name."""
    socket = settings(config).admin.socket
    if socket is None:
        fail("admin.socket is not set: the command line reaches the gateway through it", 2)
    return AdminApi(socket)


def refusal_text(status: int, text: str) -> str:
    """What the gateway said when it refused: its own words, the code, the request to look for in the log."""
    try:
        document = json.loads(text)
        fields = "".join(f"\n  {fault['field']}: {fault['rule']}" for fault in document.get("fields", []))
        return f"{document['text_ja']} {document['text_en']} ({document['code']}, {document['request_id']}){fields}"
    except (ValueError, KeyError, TypeError):
        return f"the gateway answered {status}"
