"""The signature on a webhook call: HMAC-SHA256 over timestamp and body. Pure.

Counterparts: `gateway.notices.webhook` signs; the receiver checks as docs/how-to/bcp-notices.md shows, with `genuine`.
"""

import hashlib
import hmac
from typing import Final

TIMESTAMP: Final = "Kakehashi-Timestamp"
SIGNATURE: Final = "Kakehashi-Signature"
DELIVERY: Final = "Kakehashi-Delivery"
TOLERANCE_SECONDS: Final = 300


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """ "v1=" and 64 hex digits over `<timestamp in decimal>.<body>`."""
    return "v1=" + hmac.new(secret, b"%d.%s" % (timestamp, body), hashlib.sha256).hexdigest()


def genuine(secret: bytes, timestamp: str, body: bytes, presented: str, *, now: float) -> bool:
    """Whether a call is ours and fresh (five minutes either way)."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 13):
        return False
    expected = signature(secret, int(timestamp), body)
    same = hmac.compare_digest(expected.encode(), presented.encode("utf-8", "replace"))
    return same and abs(now - int(timestamp)) <= TOLERANCE_SECONDS
