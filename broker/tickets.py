"""One-use connection tickets: seconds-long, bound to tenant, session, person and web session; stored as hashes only.

Counterpart: `broker/store/tickets.py`. A ticket travels in the WebSocket's subprotocol list, never in a URL, a log or
an audit event.
"""

from datetime import timedelta
from typing import Final

from broker.models import DesktopSession
from broker.store.sessions import SessionStore
from broker.store.tickets import TicketBinding, TicketStore
from common.clock import Clock
from common.errors import TicketInvalid
from common.ids import SessionId, TenantId, UserId, WebSessionId, new_token, token_hash

_MAX_CHARS: Final = 64
"""A ticket has 43; longer ones are not even hashed."""


class Tickets:
    """Issues and redeems tickets."""

    def __init__(self, store: TicketStore, sessions: SessionStore, clock: Clock, *, lifetime_seconds: int) -> None:
        self._store = store
        self._sessions = sessions
        self._clock = clock
        self._lifetime = timedelta(seconds=lifetime_seconds)

    async def issue(self, session: DesktopSession, web_session_id: WebSessionId) -> str:
        """A fresh ticket; an earlier unused one of that web session for this session is void from now on."""
        ticket = new_token()
        binding = TicketBinding(
            session.tenant_id, session.id, session.user_id, web_session_id, self._clock.now() + self._lifetime
        )
        await self._store.add(token_hash(ticket), binding)
        return ticket

    async def redeem(
        self,
        ticket: str,
        *,
        tenant_id: TenantId,
        session_id: SessionId,
        user_id: UserId,
        web_session_id: WebSessionId,
    ) -> DesktopSession:
        """The session, for exactly one caller whose bindings all match before the ticket lapses; else TicketInvalid.

        A ticket shown with a wrong binding is used up by that: somebody has seen it who should not have.
        """
        if not ticket or len(ticket) > _MAX_CHARS or not ticket.isascii():
            raise TicketInvalid("not in the form of a ticket")
        now = self._clock.now()
        binding = await self._store.burn(token_hash(ticket), now)
        if binding is None:
            raise TicketInvalid("unknown or used")
        if now >= binding.expires_at:
            raise TicketInvalid("lapsed")
        if (binding.tenant_id, binding.session_id) != (tenant_id, session_id):
            raise TicketInvalid("bound to another session")
        if (binding.user_id, binding.web_session_id) != (user_id, web_session_id):
            raise TicketInvalid("bound to another person or web session")
        session = await self._sessions.get(tenant_id, session_id)
        if session is None or session.user_id != user_id:
            raise TicketInvalid("the session is gone")
        return session

    async def void_for_web_session(self, tenant_id: TenantId, web_session_id: WebSessionId) -> None:
        """A web session has ended: none of its tickets may be redeemed any more."""
        await self._store.void(tenant_id, web_session_id=web_session_id)

    async def void_for_session(self, tenant_id: TenantId, session_id: SessionId) -> None:
        """A desktop session has ended: none of its tickets may be redeemed any more."""
        await self._store.void(tenant_id, session_id=session_id)

    async def purge(self) -> int:
        """Forget lapsed tickets."""
        return await self._store.purge(self._clock.now())
