"""What the RFB peers can do wrong. Counterpart: gateway.relay, which turns these into close codes and audit events.

The tree::

    ProtocolError                 the session ends; `reason` is one short lowercase phrase without peer's text
    ├── ViewerProtocolError       the browser side broke the rules (a modified client)
    ├── TargetProtocolError       the desktop side did
    │   └── TargetLoginRefused    it spoke properly and said no
    └── LimitExceeded             either side, within the rules of RFB but over ours

Filters and handshakes never raise them at their caller: they keep the first one in `error` and discard what follows.
"""


class ProtocolError(Exception):
    """Base. `reason` is safe for close frames and audit events; nothing of the peer's bytes is quoted in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ViewerProtocolError(ProtocolError):
    """The viewer sent something unknown, malformed or never allowed."""


class TargetProtocolError(ProtocolError):
    """The target sent something unknown, malformed or never asked for."""


class TargetLoginRefused(TargetProtocolError):
    """The target refused the login, or offers no security type that our rules take. `detail` is its own text."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


class LimitExceeded(ProtocolError):
    """A size is larger than we are willing to hold or to let the browser hold."""
