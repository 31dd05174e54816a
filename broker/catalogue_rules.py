"""What a pool and a static target must look like. Pure. Counterpart: `broker/catalogue.py`."""

import re
from typing import Final

from agents.messages import FrameError, Geometry
from broker.addresses import parse_host
from broker.models import AddressKind, Pool, StaticTarget, TargetSecurity
from common.errors import ErrorCode, KakehashiError

_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""The form that the agent's protocol takes too."""
_NAME_CHARS: Final = 128
_PATH_CHARS: Final = 107
"""Longest path of a unix socket."""
_MOST: Final = 100_000


def check_pool(pool: Pool) -> None:
    """Raises KakehashiError(BAD_REQUEST) that names the field."""
    _check(_ID.fullmatch(pool.id), "id: small letters, digits, - and _, at most 64")
    _check_names(pool.name_ja, pool.name_en)
    _check(_ID.fullmatch(pool.pool_class), "pool_class: small letters, digits, - and _, at most 64")
    _check(pool.site is None or 0 < len(pool.site) <= 64, "site: at most 64 characters")
    _check(0 <= pool.max_desktops <= _MOST, "max_desktops: 0 or more")
    _check(0 <= pool.max_queued <= _MOST, "max_queued: 0 or more")
    _check(1 <= pool.user_session_limit <= 100, "user_session_limit: 1 to 100")
    _check(1 <= pool.keep_disconnected_minutes <= 7 * 24 * 60, "keep_disconnected_minutes: 1 minute to 7 days")
    try:
        Geometry.parse(pool.geometry)
    except FrameError as error:
        raise KakehashiError(f"geometry: {error}", code=ErrorCode.BAD_REQUEST) from error


def check_target(target: StaticTarget) -> None:
    """Raises KakehashiError(BAD_REQUEST) that names the field."""
    _check(_ID.fullmatch(target.id), "id: small letters, digits, - and _, at most 64")
    _check_names(target.name_ja, target.name_en)
    _check(target.security, "security: name at least one")
    _check(len(set(target.security)) == len(target.security), "security: named twice")
    # Empty text would silently mean "the machine's store" to the TLS library.
    _check(target.ca_pem is None or "-----BEGIN CERTIFICATE-----" in target.ca_pem, "ca_pem: no PEM certificate")
    if target.address_kind is AddressKind.UNIX:
        _check(target.host.startswith("/") and "\0" not in target.host, "host: absolute path of the socket")
        _check(len(target.host.encode()) <= _PATH_CHARS, "host: path too long for a socket")
        _check(target.port is None, "port: a unix socket has none")
        _check(TargetSecurity.X509 not in target.security or target.tls_name, "tls_name: needed for x509 here")
        return
    _check(target.port is not None and 0 < target.port < 65536, "port: 1 to 65535")
    for name, text in (("host", target.host), ("tls_name", target.tls_name)):
        if text is not None:
            try:
                parse_host(text)
            except ValueError as error:
                raise KakehashiError(f"{name}: {error}", code=ErrorCode.BAD_REQUEST) from error


def _check_names(*names: str) -> None:
    for name in names:
        _check(0 < len(name) <= _NAME_CHARS and name.isprintable(), "names: 1 to 128 printable characters")


def _check(holds: object, fault: str) -> None:
    if not holds:
        raise KakehashiError(fault, code=ErrorCode.BAD_REQUEST)
