"""Security headers of every answer, and the cookies' flags. Pure."""

from collections.abc import Mapping
from typing import Final

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), midi=(), payment=(), display-capture=()"
    ),
    "Cache-Control": "no-store",
}

CLEAR_SITE_DATA: Final = '"cache", "cookies", "storage"'
"""Sent at logout. Not "executionContexts": that would reload the page and hide the farewell."""

SESSION_COOKIE: Final = "__Host-kakehashi"
LOGIN_COOKIE: Final = "__Host-kakehashi-login"
"""`__Host-`: browsers take them only with Secure, Path=/ and without Domain, so no sister site can toss one in."""
