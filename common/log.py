"""structlog set-up: the only module that knows the logging library. Counterpart: every module, by `get_logger`.

Every line carries the request id that the gateway bound. Values are redacted by key name and capped in length, so a
stranger's megabyte user name or a forgotten password field cannot reach the log.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from structlog.typing import FilteringBoundLogger

_SENSITIVE: Final = (
    "password",
    "secret",
    "token",
    "ticket",
    "cookie",
    "credential",
    "authorization",
    "otp",
    "totp_code",
)
_MAX_CHARS: Final = 500
_REDACTED: Final = "<redacted>"


def configure(*, json: bool, level: str = "info") -> None:
    """Set up the process's log on stderr: JSON lines for services, coloured text for people."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the default one prints local variables: passwords
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values whose key names a secret; cap and escape the rest."""
    for key, value in event.items():
        if any(word in key.lower() for word in _SENSITIVE):
            event[key] = _REDACTED
        elif isinstance(value, str):
            event[key] = _plain(value, 20_000 if key == "exception" else _MAX_CHARS)
    return event


def _plain(value: str, limit: int) -> str:
    """One line, printable, at most `limit` characters: no forged lines, no terminal escapes, no flood."""
    text = value if len(value) <= limit else f"{value[:limit]}… ({len(value)} characters)"
    return "".join(c if c.isprintable() or (c == "\n" and limit > _MAX_CHARS) else repr(c)[1:-1] for c in text)


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger that names its module; events are fixed phrases, facts go into fields."""
    logger: FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


def bind_request(request_id: str) -> None:
    """Put the request id on every line that this request (and the tasks it starts) logs."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
