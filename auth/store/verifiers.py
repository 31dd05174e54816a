"""Cached verifiers of people who may sign in without the directory. Counterpart: `auth/degraded.py`."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, delete, func, insert, select

from auth.rows import Holder, identity_of
from auth.store.base import TenantStore
from auth.store.tables import auth_degraded_verifier, auth_totp, auth_user
from common.ids import UserId

_U: Final = auth_user.c
_V: Final = auth_degraded_verifier.c


class VerifierStore(TenantStore):
    """At most one verifier a person; goes with the person."""

    async def put(self, user_id: UserId, sealed_verifier: str, verified_at: datetime) -> None:
        """Replace the person's verifier."""
        row = {"tenant_id": self._tenant, "user_id": user_id}
        async with self._database.transaction() as connection:
            await connection.execute(delete(auth_degraded_verifier).where(*self._of(user_id)))
            await connection.execute(
                insert(auth_degraded_verifier).values(
                    row | {"sealed_verifier": sealed_verifier, "verified_at": verified_at}
                )
            )

    async def holder(self, username: str) -> Holder | None:
        """The one person of this name, in any case, who is not disabled and has a verifier; None also for two."""
        person = (_U.user_id, _U.directory_key, _U.username, _U.display_name, _U.department, _U.employment, _U.groups)
        statement = (
            select(*person, _V.sealed_verifier, _V.verified_at, auth_totp.c.user_id.label("enrolled"))
            .join_from(auth_user, auth_degraded_verifier)
            .outerjoin(auth_totp, and_(auth_totp.c.tenant_id == _U.tenant_id, auth_totp.c.user_id == _U.user_id))
            .where(_U.tenant_id == self._tenant, func.lower(_U.username) == username.lower(), _U.disabled.is_(False))
            .limit(2)
        )
        async with self._database.transaction() as connection:
            found = (await connection.execute(statement)).all()
        if len(found) != 1:
            return None
        row = found[0]
        return Holder(
            identity=identity_of(
                self._tenant, row.user_id, row.username, row.display_name, row.department, row.employment, row.groups
            ),
            directory_key=row.directory_key,
            sealed_verifier=row.sealed_verifier,
            verified_at=row.verified_at,
            enrolled=row.enrolled is not None,
        )

    async def sealed(self, user_id: UserId) -> str | None:
        """A person's verifier."""
        statement = select(_V.sealed_verifier).where(*self._of(user_id))
        async with self._database.transaction() as connection:
            return (await connection.execute(statement)).scalar_one_or_none()

    async def drop(self, user_id: UserId) -> bool:
        """False when there was none."""
        return await self._changed(delete(auth_degraded_verifier).where(*self._of(user_id)))

    async def drop_all(self) -> int:
        """Everybody's; how many there were."""
        return await self._drop(_V.tenant_id == self._tenant)

    async def drop_verified_before(self, moment: datetime) -> int:
        """What is too old; how many there were."""
        return await self._drop(_V.tenant_id == self._tenant, _V.verified_at <= moment)

    async def _drop(self, *conditions: Any) -> int:
        async with self._database.transaction() as connection:
            return (await connection.execute(delete(auth_degraded_verifier).where(*conditions))).rowcount

    def _of(self, user_id: UserId) -> tuple[Any, Any]:
        return _V.tenant_id == self._tenant, _V.user_id == user_id
