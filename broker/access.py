"""From a session to the desktop behind it: connector, expected RFB security, credential.

Counterpart: the gateway's RFB handshake, which uses the parts and forgets them. The credential is opened here, at the
last moment, and must not be kept.
"""

from dataclasses import dataclass
from typing import Final

from broker.agent_link import AgentLink
from broker.connectors.agent import AgentConnector
from broker.connectors.base import Connector
from broker.connectors.direct import DirectConnector
from broker.credentials import CredentialVault, DesktopCredential
from broker.models import DesktopSession, PoolKind, TargetSecurity
from broker.settings import TargetSettings
from broker.store import PoolStore, TargetStore
from common.errors import TargetUnreachable

# The agent's socket is 0600 and each desktop's stream comes through it: RFB itself asks for nothing.
_AGENT_SECURITY: Final = (TargetSecurity.NONE,)


@dataclass(frozen=True, slots=True)
class DesktopTarget:
    """How to reach one desktop and what to expect there."""

    connector: Connector
    security: tuple[TargetSecurity, ...]
    """What the desktop may ask for, in our order of preference; anything else is refused."""
    ca_pem: str | None = None
    """CA for VeNCrypt X509; None trusts the machine's store."""
    tls_name: str | None = None
    """Name in the desktop's certificate."""
    credential: DesktopCredential | None = None
    own: bool = False
    """The person's own PC: they are given no other in its place."""


class DesktopAccess:
    """Finds the way to a session's desktop."""

    def __init__(
        self,
        pools: PoolStore,
        targets: TargetStore,
        vault: CredentialVault,
        link: AgentLink | None,
        settings: TargetSettings,
    ) -> None:
        self._pools = pools
        self._targets = targets
        self._vault = vault
        self._link = link
        self._settings = settings

    async def is_on_host(self, session: DesktopSession) -> bool:
        """Whether a session host runs the desktop, so that it can be asked about it."""
        pool = await self._pools.get(session.tenant_id, session.pool_id)
        return pool is not None and pool.kind is PoolKind.AGENT

    async def target(self, session: DesktopSession) -> DesktopTarget:
        """Raises TargetUnreachable when the session has no desktop (any more), SecretUnreadable for its credential."""
        pool = await self._pools.get(session.tenant_id, session.pool_id)
        if pool is None or session.desktop_id is None:
            raise TargetUnreachable("the session has no desktop")
        if pool.kind is PoolKind.AGENT:
            if self._link is None:
                raise TargetUnreachable("no session host is configured")
            return DesktopTarget(AgentConnector(self._link, session.desktop_id), _AGENT_SECURITY)
        found = await self._targets.with_credential(session.tenant_id, session.desktop_id)
        if found is None or not found[0].enabled:
            raise TargetUnreachable("the target is gone or disabled")
        target, sealed = found
        return DesktopTarget(
            connector=DirectConnector(target, self._settings),
            security=target.security,
            ca_pem=target.ca_pem,
            tls_name=target.tls_name or target.host,
            credential=None if sealed is None else self._vault.open(session.tenant_id, target.id, sealed),
            own=target.assigned_user_id == session.user_id,
        )
