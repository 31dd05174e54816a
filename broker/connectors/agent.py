"""A desktop of an agent pool: its stream comes through the agent link. Counterpart: `broker/agent_link.py`."""

import asyncio
from dataclasses import dataclass

from broker.agent_link import AgentLink
from broker.connectors.base import ProtocolFactory
from common.ids import DesktopId


@dataclass(frozen=True, slots=True)
class AgentConnector:
    """One desktop behind one agent."""

    link: AgentLink
    desktop_id: DesktopId

    async def open(self, protocol_factory: ProtocolFactory) -> asyncio.Transport:
        """See `Connector.open`."""
        return await self.link.open(self.desktop_id, protocol_factory)
