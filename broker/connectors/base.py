"""What every connector is: one way to a desktop's raw RFB stream. Counterpart: the gateway's RFB handshake and relay.

A connector knows nothing of RFB. It either gives a connected transport whose protocol is the caller's, or raises one of
the three target errors within its deadline; it never leaves a socket behind.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

ProtocolFactory = Callable[[], asyncio.Protocol | asyncio.BufferedProtocol]


class Connector(Protocol):
    """One desktop, reachable."""

    async def open(self, protocol_factory: ProtocolFactory) -> asyncio.Transport:
        """Connect. The protocol's `connection_made` has been called when this returns.

        Raises TargetUnreachable (no connection, name unknown, address not allowed), TargetRefused (it answered and said
        no, or its certificate is wrong) or TargetTimedOut (deadline).
        """
        ...
