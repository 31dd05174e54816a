"""SQL of tickets: only their hashes are stored. Counterpart: `broker/tickets.py`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, bindparam, delete, or_, update

from broker.store.tables import desktop_ticket
from common.db import Database
from common.ids import SessionId, TenantId, UserId, WebSessionId

_t = desktop_ticket.c

# Built once, as in `broker/store/sessions.py`.
_SAME: Final = ("tenant_id", "session_id", "web_session_id")
_OLDER: Final = delete(desktop_ticket).where(*(_t[name] == bindparam(f"of_{name}") for name in _SAME))
_INSERT: Final = desktop_ticket.insert()
_BURN: Final = (
    update(desktop_ticket)
    .where(_t.ticket_hash == bindparam("shown"), _t.redeemed_at.is_(None))
    .returning(desktop_ticket)
)


@dataclass(frozen=True, slots=True)
class TicketBinding:
    """To what a ticket is bound, and until when."""

    tenant_id: TenantId
    session_id: SessionId
    user_id: UserId
    web_session_id: WebSessionId
    expires_at: datetime


class TicketStore:
    """Writes and redeems tickets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, ticket_hash: str, binding: TicketBinding) -> None:
        """Store a ticket; an earlier unused one of the same web session for the same session is void from now on."""
        bound = {name: getattr(binding, name) for name in TicketBinding.__slots__}
        async with self._database.transaction() as connection:
            await connection.execute(_OLDER, {f"of_{name}": bound[name] for name in _SAME})
            await connection.execute(_INSERT, {"ticket_hash": ticket_hash, **bound})

    async def burn(self, ticket_hash: str, now: datetime) -> TicketBinding | None:
        """Use a ticket up; what it is bound to, for exactly one caller. None for everybody else.

        The hash alone is the key (no tenant): whoever shows a ticket in the wrong place has used it up too.
        """
        burnt = await self._database.execute(_BURN, {"shown": ticket_hash, "redeemed_at": now})
        row = burnt.mappings().one_or_none()
        if row is None:
            return None
        return TicketBinding(
            tenant_id=TenantId(row["tenant_id"]),
            session_id=SessionId(row["session_id"]),
            user_id=UserId(row["user_id"]),
            web_session_id=WebSessionId(row["web_session_id"]),
            expires_at=row["expires_at"],
        )

    async def void(
        self,
        tenant_id: TenantId,
        *,
        session_id: SessionId | None = None,
        web_session_id: WebSessionId | None = None,
    ) -> None:
        """Remove the tickets of a session or of a web session."""
        conditions = [
            *([_t.session_id == session_id] if session_id is not None else []),
            *([_t.web_session_id == web_session_id] if web_session_id is not None else []),
        ]
        if not conditions:
            raise ValueError("whose tickets?")
        async with self._database.transaction() as connection:
            await connection.execute(delete(desktop_ticket).where(_t.tenant_id == tenant_id, or_(*conditions)))

    async def purge(self, expired_before: datetime) -> int:
        """Forget tickets (of every tenant) that expired before a moment; how many."""
        async with self._database.transaction() as connection:
            result = await connection.execute(delete(desktop_ticket).where(_t.expires_at < expired_before))
            return cast("CursorResult[Any]", result).rowcount
