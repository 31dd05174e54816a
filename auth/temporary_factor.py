"""Two officials vouch for a person who lost the authenticator: an activation code, then a temporary authenticator.

Counterpart: `auth/second_factors.py` checks the codes, `auth/login.py` sets the temporary authenticator up in a normal
login with the right password. One runs at a time for a person; each step ends by itself; the second factor itself is
never off. Officials prove a fresh code of their own authenticator and can help neither themselves nor alone.
"""

import asyncio
from datetime import timedelta
from typing import Final

from auth.audit_names import AuthAudit
from auth.models import MOST_VOUCHES, Client, IdentityCheck, Vouch, VouchRefusal, VouchState, VouchStep, WebSession
from auth.recorder import Recorder
from auth.recovery import activation_hash, new_activation_code, normalise_activation
from auth.rows import VouchRow
from auth.second_factors import SecondFactors
from auth.settings import VouchSettings
from auth.store.people import PeopleStore
from auth.store.vouches import VouchStore
from auth.web_sessions import WebSessions
from common.clock import Clock
from common.ids import TenantId, UserId, new_id
from common.secret import Secret

FRESH: Final = timedelta(minutes=5)
"""How old an official's last one-time code may be."""
CONFIRM_WITHIN: Final = timedelta(minutes=30)
CODE_VALID: Final = timedelta(minutes=15)
LONGEST_FACTOR: Final = timedelta(hours=24)


class TemporaryFactors:
    """Of one tenant."""

    def __init__(
        self,
        settings: VouchSettings,
        *,
        tenant_id: TenantId,
        vouches: VouchStore,
        people: PeopleStore,
        factors: SecondFactors,
        sessions: WebSessions,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self._groups = frozenset(settings.groups)
        self.lifetime: Final = min(timedelta(hours=settings.factor_hours), LONGEST_FACTOR)
        self._tenant = tenant_id
        self._vouches = vouches
        self._people = people
        self._factors = factors
        self._sessions = sessions
        self._recorder = recorder
        self._clock = clock
        self._counting = asyncio.Lock()
        """What this node records first is then not refused by the count that decides (`auth/store/vouches.py`)."""

    def is_official(self, groups: frozenset[str]) -> bool:
        """May somebody in these groups vouch?"""
        return not self._groups.isdisjoint(groups)

    async def open(self, official: WebSession, username: str, check: IdentityCheck, client: Client) -> VouchStep:
        """The first official names the person and says how they made sure who it is."""
        async with self._counting:
            return await self._open(official, username, check, client)

    async def _open(self, official: WebSession, username: str, check: IdentityCheck, client: Client) -> VouchStep:
        person = await self._people.person_named(username)
        refusal = self._against(official)
        if refusal is None and (person is None or person.disabled):
            refusal = VouchRefusal.UNKNOWN_PERSON
        if person is None or refusal is not None:
            subject = person.identity.user_id if person else self._recorder.fingerprint(username)
            return await self._refuse(official, refusal or VouchRefusal.UNKNOWN_PERSON, subject, client)
        user_id, now = person.identity.user_id, self._clock.now()
        if user_id == official.identity.user_id:
            return await self._refuse(official, VouchRefusal.ONESELF, user_id, client)
        if not await self._factors.enrolled(user_id):
            return await self._refuse(official, VouchRefusal.NO_AUTHENTICATOR, user_id, client)
        if await self._vouches.of_person(user_id, now) is not None:
            return await self._refuse(official, VouchRefusal.ONE_RUNS_ALREADY, user_id, client)
        if await self._vouches.opened_by(official.identity.user_id, now) >= MOST_VOUCHES:
            return await self._refuse(official, VouchRefusal.TOO_MANY, user_id, client)
        vouch_id = new_id("vch")
        await self._recorder.record(
            AuthAudit.OPEN_VOUCH,
            actor=official.identity.user_id,
            subject=user_id,
            client=client,
            vouch=vouch_id,
            check=check,
        )
        refusal = await self._vouches.open(
            vouch_id, user_id, official.identity.user_id, now, now + CONFIRM_WITHIN, most=MOST_VOUCHES
        )
        if refusal is not None:
            return await self._refuse(official, refusal, user_id, client)
        return VouchStep(vouch=await self.get(vouch_id))

    async def confirm(self, official: WebSession, vouch_id: str, check: IdentityCheck, client: Client) -> VouchStep:
        """The second official, after a check of their own; of two at once one gets the code."""
        async with self._counting:
            return await self._confirm(official, vouch_id, check, client)

    async def _confirm(self, official: WebSession, vouch_id: str, check: IdentityCheck, client: Client) -> VouchStep:
        refusal, now = self._against(official), self._clock.now()
        row = await self._vouches.by_id(vouch_id, now)
        if refusal is None and row is not None:
            refusal = self._against_confirming(official, row)
        if row is None or refusal is not None:
            subject = row.user_id if row else vouch_id
            return await self._refuse(official, refusal or VouchRefusal.OVER, subject, client)
        if await self._vouches.confirmed_by(official.identity.user_id, now) >= MOST_VOUCHES:
            return await self._refuse(official, VouchRefusal.TOO_MANY, row.user_id, client)
        code = new_activation_code()
        await self._recorder.record(
            AuthAudit.CONFIRM_VOUCH,
            actor=official.identity.user_id,
            subject=row.user_id,
            client=client,
            vouch=vouch_id,
            opened_by=row.opened_by,
            check=check,
        )
        stored = activation_hash(normalise_activation(code) or "", self._tenant, row.user_id)
        refusal = await self._vouches.confirm(
            vouch_id, official.identity.user_id, stored, now, now + CODE_VALID, most=MOST_VOUCHES
        )
        if refusal is not None:
            return await self._refuse(official, refusal, row.user_id, client)
        return VouchStep(vouch=await self.get(vouch_id), activation_code=Secret(code))

    async def end(self, user_id: UserId, *, actor: str, reason: str, client: Client | None = None) -> bool:
        """End what runs for a person, at whatever step, and the sessions that rest on it. False when nothing runs."""
        row = await self._vouches.drop(user_id)
        if row is None:
            return False
        ended = await self._sessions.end_temporary(user_id)
        await self._recorder.record(
            AuthAudit.END_TEMPORARY_TOTP,
            actor=actor,
            subject=user_id,
            client=client,
            vouch=row.id,
            reason=reason,
            sessions_ended=len(ended),
        )
        return True

    async def running(self) -> list[Vouch]:
        """All that run, oldest first."""
        return [await self._shown(row) for row in await self._vouches.running(self._clock.now())]

    async def get(self, vouch_id: str) -> Vouch | None:
        """One that runs."""
        row = await self._vouches.by_id(vouch_id, self._clock.now())
        return await self._shown(row) if row else None

    async def sweep(self) -> None:
        """Record and remove what ran out; its sessions had no later end than itself."""
        for row in await self._vouches.drop_expired(self._clock.now()):
            await self._recorder.record(
                AuthAudit.END_TEMPORARY_TOTP, subject=row.user_id, vouch=row.id, reason=f"expired:{_state(row)}"
            )

    def _against(self, official: WebSession) -> VouchRefusal | None:
        if not self.is_official(official.identity.groups):
            return VouchRefusal.NOT_ENTITLED
        if official.degraded or official.temporary_factor:
            return VouchRefusal.OWN_FACTOR_NEEDED
        age = self._clock.now() - official.totp_at if official.totp_at else None
        return None if age is not None and timedelta(0) <= age <= FRESH else VouchRefusal.TOTP_NOT_FRESH

    def _against_confirming(self, official: WebSession, row: VouchRow) -> VouchRefusal | None:
        who = official.identity.user_id
        if who == row.user_id:
            return VouchRefusal.ONESELF
        if who == row.opened_by:
            return VouchRefusal.SAME_OFFICIAL
        return VouchRefusal.OVER if row.confirmed_by is not None else None

    async def _refuse(self, official: WebSession, refusal: VouchRefusal, subject: str, client: Client) -> VouchStep:
        await self._recorder.record(
            AuthAudit.REFUSE_VOUCH,
            actor=official.identity.user_id,
            subject=subject,
            client=client,
            outcome="denied",
            reason=refusal,
        )
        return VouchStep(refusal)

    async def _shown(self, row: VouchRow) -> Vouch:
        person = await self._people.person(row.user_id)
        return Vouch(
            id=row.id,
            state=_state(row),
            user_id=row.user_id,
            username=person.identity.username if person else row.user_id,
            display_name=person.identity.display_name if person else row.user_id,
            opened_by=await self._name(row.opened_by),
            confirmed_by=await self._name(row.confirmed_by) if row.confirmed_by else None,
            opened_at=row.opened_at,
            expires_at=row.expires_at,
        )

    async def _name(self, user_id: UserId) -> str:
        person = await self._people.person(user_id)
        return person.identity.username if person else user_id


def _state(row: VouchRow) -> VouchState:
    if row.enrolled_at is not None:
        return VouchState.ENROLLED
    if row.code_used_at is not None:
        return VouchState.ACTIVATED
    return VouchState.CONFIRMED if row.confirmed_by is not None else VouchState.OPEN
