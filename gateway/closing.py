"""What a viewer's WebSocket is closed with. Counterpart: the web client, which reads code and reason."""

from collections.abc import Mapping
from typing import Final

from broker.models import EndReason
from gateway.relay import RelayEnd, RelayReason

CLOSE_CODES: Final[Mapping[EndReason, int]] = {
    EndReason.USER_LOGGED_OUT: 4411,
    EndReason.SIGNED_OUT: 4401,
    EndReason.TAKEN_OVER: 4409,
    EndReason.IDLE: 4408,
    EndReason.TOTAL_LIMIT: 4408,
    EndReason.ADMIN: 4410,
    EndReason.POLICY: 4403,
    EndReason.DESKTOP_ENDED: 4411,
    EndReason.DESKTOP_FAILED: 4502,
    EndReason.TARGET_UNREACHABLE: 4502,
    EndReason.PROTOCOL_VIOLATION: 4422,
    EndReason.GATEWAY_STOPPING: 1001,
    EndReason.AUDIT_UNAVAILABLE: 1013,
    EndReason.PREEMPTED: 4412,
    EndReason.HOLD_LAPSED: 4408,
}
"""RFC 6455 7.4: 4000-4999 is for applications; 1001 tells a browser that the server goes away and to come again."""


def end_reason(end: RelayEnd) -> EndReason | None:
    """The broker's word for how a relay ended; None for a lost or closed viewer, which keeps the desktop."""
    return None if end.reason == RelayReason.VIEWER_LEFT else EndReason(end.reason)
