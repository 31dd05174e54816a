"""Identifiers and unguessable tokens. All randomness that matters comes from here (CSPRNG)."""

import base64
import hashlib
import secrets
from typing import NewType

TenantId = NewType("TenantId", str)
UserId = NewType("UserId", str)
PoolId = NewType("PoolId", str)
DesktopId = NewType("DesktopId", str)
SessionId = NewType("SessionId", str)
WebSessionId = NewType("WebSessionId", str)
RuleId = NewType("RuleId", str)


def new_id(prefix: str) -> str:
    """A public identifier: `prefix_` and 26 lowercase base32 characters (128 random bits)."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"


def new_token() -> str:
    """A bearer secret of 256 random bits, safe in headers and WebSocket subprotocol names."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the database keeps of a bearer secret. A plain hash suffices: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()
