"""Logins in progress, and their turn into web sessions. Counterpart: `auth/login.py`."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from auth.rows import LoginRow, SessionRow, flow_from, flow_text
from auth.store.base import TenantStore
from auth.store.sessions import session_values
from auth.store.tables import auth_login, auth_user, auth_web_session
from common.ids import UserId

_U = auth_user.c


class LoginStore(TenantStore):
    """Rows exist only after a right password."""

    async def add_login(self, login: LoginRow) -> None:
        """Begin."""
        values = _login_values(login) | {
            "tenant_id": self._tenant,
            "token_hash": login.token_hash,
            "user_id": login.user_id,
            "password_at": login.password_at,
            "expires_at": login.expires_at,
        }
        async with self._database.transaction() as connection:
            await connection.execute(insert(auth_login).values(values))

    async def login(self, token_hash: str, now: datetime) -> LoginRow | None:
        """A login that has not run out, of a person who is not disabled."""
        c = auth_login.c
        statement = (
            select(*c)
            .join_from(auth_login, auth_user)
            .where(
                c.tenant_id == self._tenant,
                c.token_hash == token_hash,
                c.expires_at > now,
                _U.disabled.is_(False),
            )
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(statement)).first()
        if row is None:
            return None
        return LoginRow(
            token_hash=row.token_hash,
            user_id=UserId(row.user_id),
            flow=flow_from(row.flow),
            password_at=row.password_at,
            expires_at=row.expires_at,
            totp_at=row.totp_at,
            sealed_totp=row.sealed_totp,
            sealed_password=row.sealed_password,
        )

    async def move_login(self, before: LoginRow, after: LoginRow) -> bool:
        """Compare-and-set on the flow: false when another request moved or ended this login."""
        c = auth_login.c
        return await self._changed(
            update(auth_login)
            .where(c.tenant_id == self._tenant, c.token_hash == before.token_hash, c.flow == flow_text(before.flow))
            .values(_login_values(after))
        )

    async def drop_login(self, token_hash: str) -> None:
        """Forget it."""
        c = auth_login.c
        await self._changed(delete(auth_login).where(c.tenant_id == self._tenant, c.token_hash == token_hash))

    async def finish_login(self, login: LoginRow, session: SessionRow) -> bool:
        """The login becomes a web session, once: false when its row was gone or had moved."""
        c = auth_login.c
        async with self._database.transaction() as connection:
            gone = await connection.execute(
                delete(auth_login).where(
                    c.tenant_id == self._tenant, c.token_hash == login.token_hash, c.flow == flow_text(login.flow)
                )
            )
            if gone.rowcount != 1:
                return False
            await connection.execute(insert(auth_web_session).values(session_values(self._tenant, session)))
            await connection.execute(
                update(auth_user)
                .where(_U.tenant_id == self._tenant, _U.user_id == session.user_id)
                .values(last_login_at=session.created_at)
            )
        return True

    async def drop_expired(self, now: datetime) -> None:
        """Remove logins that ran out."""
        c = auth_login.c
        async with self._database.transaction() as connection:
            await connection.execute(delete(auth_login).where(c.tenant_id == self._tenant, c.expires_at <= now))


def _login_values(login: LoginRow) -> dict[str, Any]:
    return {
        "flow": flow_text(login.flow),
        "totp_at": login.totp_at,
        "sealed_totp": login.sealed_totp,
        "sealed_password": login.sealed_password,
    }
