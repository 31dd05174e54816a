"""What an emergency leaves behind in the tables of auth: cards in force, cached verifiers.

Counterpart: `auth/service.py`.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import and_, func, select

from auth.models import HeldCard
from auth.store.base import TenantStore
from auth.store.tables import auth_degraded_verifier, auth_emergency_card, auth_user
from common.ids import UserId

_C: Final = auth_emergency_card.c
_U: Final = auth_user.c


class LeftoverStore(TenantStore):
    """Reads only."""

    async def cards(self, since: datetime) -> list[HeldCard]:
        """Cards in force that were issued from then on, oldest first."""
        statement = (
            select(_C.user_id, _U.username, _U.display_name, _C.number, _C.issued_at)
            .join(auth_user, and_(_U.tenant_id == _C.tenant_id, _U.user_id == _C.user_id))
            .where(_C.tenant_id == self._tenant, _C.issued_at >= since)
            .order_by(_C.issued_at, _C.user_id)
        )
        async with self._database.transaction() as connection:
            return [
                HeldCard(UserId(row.user_id), row.username, row.display_name, row.number, row.issued_at)
                for row in await connection.execute(statement)
            ]

    async def verifiers(self) -> int:
        """How many people could sign in without the directory."""
        statement = select(func.count()).where(auth_degraded_verifier.c.tenant_id == self._tenant)
        async with self._database.transaction() as connection:
            return int((await connection.execute(statement)).scalar_one())
