"""Web sessions. Counterpart: `auth/web_sessions.py`, which knows their limits."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, bindparam, delete, or_, select, update

from auth.models import Identity
from auth.rows import SessionRow, identity_of
from auth.store.base import TenantStore
from auth.store.tables import MAX_LABEL, auth_user, auth_web_session
from common.db import Database
from common.ids import TenantId, UserId, WebSessionId
from common.together import Together

_U: Final = auth_user.c
_S: Final = auth_web_session.c
_SIGNED_IN: Final = (
    select(*_S, _U.username, _U.display_name, _U.department, _U.employment, _U.groups)
    .join_from(auth_web_session, auth_user)
    .where(_S.tenant_id == bindparam("tenant_id"), _U.disabled.is_(False))
)
_BY_TOKEN: Final = _SIGNED_IN.where(_S.token_hash.in_(bindparam("hashes")))
"""Asked with each request: building the statement would cost as much as running it."""


class SessionStore(TenantStore):
    """Signed-in browsers, joined with their people."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        super().__init__(database, tenant_id)
        self._by_token: Final = Together(self._with_tokens)

    async def session_by_token(self, token_hash: str) -> tuple[SessionRow, Identity] | None:
        """Whose cookie it is; nothing for a disabled person. Times are the caller's to check."""
        return await self._by_token.get(token_hash)

    async def _with_tokens(self, hashes: Sequence[str]) -> dict[str, tuple[SessionRow, Identity]]:
        rows = await self._database.execute(_BY_TOKEN, {"tenant_id": self._tenant, "hashes": hashes})
        return {row.token_hash: _joined(self._tenant, row) for row in rows}

    async def session(self, session_id: WebSessionId) -> tuple[SessionRow, Identity] | None:
        """By id; nothing for a disabled person."""
        found = await self._sessions(_S.id == session_id)
        return found[0] if found else None

    async def sessions_of(self, user_id: UserId) -> list[tuple[SessionRow, Identity]]:
        """All sessions of a person, newest first."""
        return await self._sessions(_S.user_id == user_id)

    async def see_session(self, session_id: WebSessionId, now: datetime) -> None:
        """Activity; never moves the time back."""
        await self._changed(
            update(auth_web_session)
            .where(_S.tenant_id == self._tenant, _S.id == session_id, _S.last_seen_at < now)
            .values(last_seen_at=now)
        )

    async def rotate_session(
        self,
        session_id: WebSessionId,
        old_hash: str,
        new_hash: str,
        totp_at: datetime,
        temporary_until: datetime | None,
    ) -> bool:
        """Compare-and-set on the cookie's hash. With `temporary_until` the session rests on a temporary factor now."""
        values: dict[str, Any] = {"token_hash": new_hash, "totp_at": totp_at, "last_seen_at": totp_at}
        if temporary_until is not None:
            values |= {"temporary_factor": True, "expires_at": temporary_until}
        return await self._changed(
            update(auth_web_session)
            .where(_S.tenant_id == self._tenant, _S.id == session_id, _S.token_hash == old_hash)
            .values(values)
        )

    async def drop_session(self, session_id: WebSessionId, user_id: UserId) -> bool:
        """False when this person has no such session."""
        return await self._changed(
            delete(auth_web_session).where(_S.tenant_id == self._tenant, _S.id == session_id, _S.user_id == user_id)
        )

    async def drop_sessions_of(self, user_id: UserId) -> list[WebSessionId]:
        """All of a person; the ids that ended."""
        return await self._drop_sessions(_S.user_id == user_id)

    async def drop_temporary(self, user_id: UserId) -> list[WebSessionId]:
        """Those of a person that rest on a temporary authenticator; the ids that ended."""
        return await self._drop_sessions(and_(_S.user_id == user_id, _S.temporary_factor.is_(True)))

    async def drop_expired(self, now: datetime, idle: timedelta) -> list[WebSessionId]:
        """Sessions past their absolute or idle end; the ids that ended."""
        return await self._drop_sessions(or_(_S.expires_at <= now, _S.last_seen_at <= now - idle))

    async def _sessions(self, condition: Any) -> list[tuple[SessionRow, Identity]]:
        statement = _SIGNED_IN.where(condition).order_by(_S.created_at.desc())
        found = await self._database.execute(statement, {"tenant_id": self._tenant})
        return [_joined(self._tenant, row) for row in found]

    async def _drop_sessions(self, condition: Any) -> list[WebSessionId]:
        statement = delete(auth_web_session).where(_S.tenant_id == self._tenant, condition).returning(_S.id)
        return [WebSessionId(found) for found in (await self._database.execute(statement)).scalars()]


def session_values(tenant_id: TenantId, session: SessionRow) -> dict[str, Any]:
    """The columns of a new row."""
    return {
        "tenant_id": tenant_id,
        "id": session.id,
        "token_hash": session.token_hash,
        "user_id": session.user_id,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "password_at": session.password_at,
        "totp_at": session.totp_at,
        "source": session.source[:64],
        "user_agent_label": session.user_agent_label[:MAX_LABEL],
        "degraded": session.degraded,
        "temporary_factor": session.temporary_factor,
    }


def _joined(tenant_id: TenantId, row: Any) -> tuple[SessionRow, Identity]:
    session = SessionRow(
        id=WebSessionId(row.id),
        token_hash=row.token_hash,
        user_id=UserId(row.user_id),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        password_at=row.password_at,
        totp_at=row.totp_at,
        source=row.source,
        user_agent_label=row.user_agent_label,
        degraded=row.degraded,
        temporary_factor=row.temporary_factor,
    )
    identity = identity_of(
        tenant_id, row.user_id, row.username, row.display_name, row.department, row.employment, row.groups
    )
    return session, identity
