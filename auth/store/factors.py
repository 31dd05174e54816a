"""Authenticators and recovery codes. Counterpart: `auth/second_factors.py`."""

from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.models import EmergencyCard
from auth.rows import LoginRow, TotpRow
from auth.store.base import TenantStore
from auth.store.tables import auth_emergency_card, auth_login, auth_recovery_code, auth_totp, auth_user
from common.ids import UserId


class FactorStore(TenantStore):
    """Second factors of people."""

    async def totp(self, user_id: UserId) -> TotpRow | None:
        """The confirmed authenticator."""
        c = auth_totp.c
        statement = select(c.sealed_secret, c.last_counter).where(c.tenant_id == self._tenant, c.user_id == user_id)
        async with self._database.transaction() as connection:
            row = (await connection.execute(statement)).first()
        return TotpRow(row.sealed_secret, row.last_counter) if row else None

    async def take_counter(self, user_id: UserId, counter: int) -> bool:
        """Compare-and-set: false when this counter or a higher one was accepted before."""
        c = auth_totp.c
        return await self._changed(
            update(auth_totp)
            .where(c.tenant_id == self._tenant, c.user_id == user_id, c.last_counter < counter)
            .values(last_counter=counter)
        )

    async def set_factors(
        self, login: LoginRow, sealed_secret: str, counter: int, code_hashes: list[str], now: datetime
    ) -> bool:
        """Replace authenticator and recovery codes, both or neither, and end the person's other logins: what they know
        of factors is no longer true.

        Compare-and-set: false when this login was ended, or began without an authenticator and there is one now.
        """
        user_id, one, totp = login.user_id, auth_login.c, auth_totp.c
        person = select(auth_user.c.user_id).where(
            auth_user.c.tenant_id == self._tenant, auth_user.c.user_id == user_id
        )
        mine = select(one.user_id).where(one.tenant_id == self._tenant, one.token_hash == login.token_hash)
        has_one = select(totp.user_id).where(totp.tenant_id == self._tenant, totp.user_id == user_id)
        others = delete(auth_login).where(
            one.tenant_id == self._tenant, one.user_id == user_id, one.token_hash != login.token_hash
        )
        async with self._database.transaction() as connection:
            await connection.execute(person.with_for_update())  # SQLite's transactions are exclusive already
            if (await connection.execute(mine)).first() is None:
                return False
            if not login.flow.enrolled and (await connection.execute(has_one)).first() is not None:
                return False
            await connection.execute(others)
            await self._drop_factors(connection, user_id)
            await connection.execute(
                insert(auth_totp).values(
                    tenant_id=self._tenant,
                    user_id=user_id,
                    sealed_secret=sealed_secret,
                    last_counter=counter,
                    confirmed_at=now,
                )
            )
            await self._add_codes(connection, user_id, code_hashes, now)
        return True

    async def set_codes(
        self, user_id: UserId, code_hashes: list[str], now: datetime, card_number: str | None = None
    ) -> None:
        """Replace the recovery codes; a card with the old ones is void. `card_number`: the new ones are on a card."""
        async with self._database.transaction() as connection:
            await self._drop_codes(connection, user_id)
            await self._add_codes(connection, user_id, code_hashes, now)
            if card_number is not None:
                await connection.execute(
                    insert(auth_emergency_card).values(
                        tenant_id=self._tenant, user_id=user_id, number=card_number, issued_at=now
                    )
                )

    async def card(self, user_id: UserId) -> EmergencyCard | None:
        """The card in force."""
        c = auth_emergency_card.c
        statement = select(c.number, c.issued_at).where(c.tenant_id == self._tenant, c.user_id == user_id)
        async with self._database.transaction() as connection:
            row = (await connection.execute(statement)).first()
        return EmergencyCard(row.number, row.issued_at) if row else None

    async def drop_card(self, user_id: UserId) -> EmergencyCard | None:
        """Void the card with all its codes; what there was."""
        c = auth_emergency_card.c
        taken = (
            delete(auth_emergency_card)
            .where(c.tenant_id == self._tenant, c.user_id == user_id)
            .returning(c.number, c.issued_at)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(taken)).first()
            if row is not None:
                await self._drop_codes(connection, user_id)
        return EmergencyCard(row.number, row.issued_at) if row else None

    async def use_code(self, user_id: UserId, code_hash: str, now: datetime) -> bool:
        """Compare-and-set: false when there is no such unused code."""
        c = auth_recovery_code.c
        return await self._changed(
            update(auth_recovery_code)
            .where(c.tenant_id == self._tenant, c.user_id == user_id, c.code_hash == code_hash, c.used_at.is_(None))
            .values(used_at=now)
        )

    async def codes_left(self, user_id: UserId) -> int:
        """Unused recovery codes."""
        c = auth_recovery_code.c
        statement = (
            select(func.count())
            .select_from(auth_recovery_code)
            .where(c.tenant_id == self._tenant, c.user_id == user_id, c.used_at.is_(None))
        )
        async with self._database.transaction() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def drop_factors(self, user_id: UserId) -> None:
        """Remove authenticator, codes and logins in progress."""
        c = auth_login.c
        async with self._database.transaction() as connection:
            await self._drop_factors(connection, user_id)
            await connection.execute(delete(auth_login).where(c.tenant_id == self._tenant, c.user_id == user_id))

    async def _drop_factors(self, connection: AsyncConnection, user_id: UserId) -> None:
        for table in (auth_totp, auth_recovery_code, auth_emergency_card):
            await connection.execute(delete(table).where(table.c.tenant_id == self._tenant, table.c.user_id == user_id))

    async def _drop_codes(self, connection: AsyncConnection, user_id: UserId) -> None:
        for table in (auth_recovery_code, auth_emergency_card):
            await connection.execute(delete(table).where(table.c.tenant_id == self._tenant, table.c.user_id == user_id))

    async def _add_codes(
        self, connection: AsyncConnection, user_id: UserId, code_hashes: list[str], now: datetime
    ) -> None:
        await connection.execute(
            insert(auth_recovery_code),
            [
                {"tenant_id": self._tenant, "user_id": user_id, "code_hash": code_hash, "created_at": now}
                for code_hash in code_hashes
            ],
        )
