"""Puts facts together and asks the policy: for the list of desktops, for a new session, and again while one lives.

Counterpart: `policy/` decides. This module knows where facts come from (web session, request, pool, seats) and nothing
about rules.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address

from auth.models import Identity, WebSession
from broker.catalogue import Catalogue
from broker.models import DesktopSession, Pool, Seats
from broker.registry import LiveSession
from broker.sessions import SessionService
from broker.states import SEATED
from common.clock import Clock
from common.errors import ErrorCode, KakehashiError
from common.ids import PoolId, WebSessionId
from gateway.load import machine_load_percent
from policy.model import Action, Context, Decision, Grant, Request, Resource, Subject
from policy.service import PolicyService


class Judge:
    """Stateless but for the facts of web sessions whose viewers are attached here."""

    def __init__(
        self,
        policy: PolicyService,
        catalogue: Catalogue,
        sessions: SessionService,
        clock: Clock,
        duties_of: Callable[[str], frozenset[str]],
    ) -> None:
        self._policy = policy
        self._catalogue = catalogue
        self._sessions = sessions
        self._clock = clock
        self._duties_of = duties_of
        self._signed_in: dict[WebSessionId, WebSession] = {}

    async def decide_for(self, pool_id: PoolId, session: WebSession, source: str) -> tuple[Decision, Pool]:
        """May this person open a session in this pool now, from here? Raises NotFound."""
        who = session.identity
        pool = await self._catalogue.pool(who.tenant_id, pool_id)
        seats = await self._catalogue.seats(who.tenant_id)
        others = await self._sessions.list_for_user(who.tenant_id, who.user_id)
        return self._decide(session, source, pool, seats.get(pool_id), others), pool

    async def decide_all(self, session: WebSession, source: str) -> list[tuple[Pool, Seats, Decision]]:
        """The same question for every pool that is switched on."""
        who = session.identity
        seats = await self._catalogue.seats(who.tenant_id)
        others = await self._sessions.list_for_user(who.tenant_id, who.user_id)
        return [
            (
                pool,
                seats.get(pool.id) or Seats(used=0, total=0, queued=0),
                self._decide(session, source, pool, seats.get(pool.id), others),
            )
            for pool in await self._catalogue.pools(who.tenant_id)
            if pool.enabled
        ]

    async def grant_for(self, desktop_session: DesktopSession, session: WebSession, source: str) -> Grant:
        """A fresh grant for attaching a viewer to an existing session. Raises KakehashiError(FORBIDDEN)."""
        decision, _ = await self.decide_for(desktop_session.pool_id, session, source)
        if decision.grant is None:
            raise KakehashiError(f"{decision.reason.code} by {decision.rule_ids}", code=ErrorCode.FORBIDDEN)
        return decision.grant

    def _decide(
        self,
        session: WebSession,
        source: str,
        pool: Pool,
        seats: Seats | None,
        others: Sequence[DesktopSession],
    ) -> Decision:
        now = self._clock.now()
        has_seat_here = any(other.pool_id == pool.id and other.state in SEATED for other in others)
        context = Context(
            now=now,
            source=ip_address(source) if source else None,
            password_age=now - session.password_at,
            totp_age=now - session.totp_at if session.totp_at else None,
            seats_used=seats.used if seats else None,
            seats_total=seats.total if seats else None,
            gateway_load_percent=machine_load_percent(),
            user_sessions=sum(other.pool_id != pool.id for other in others),
            live=has_seat_here,
        )
        return self._policy.current.decide(
            Request(self.subject(session.identity), Action.CONNECT, resource(pool), context)
        )

    def subject(self, identity: Identity) -> Subject:
        """A person as policy sees them. Disabled accounts are signed out by auth: who is signed in is not suspended."""
        return Subject(
            tenant_id=identity.tenant_id,
            user_id=identity.user_id,
            username=identity.username,
            groups=identity.groups,
            department=identity.department,
            duties=self._duties_of(identity.username),
            employment=identity.employment,
            suspended=False,
        )

    def _last_known(self, subject: Subject) -> Subject:
        """Somebody whose web session is not at hand: whether they are suspended is unknown, the register is not."""
        return replace(subject, duties=self._duties_of(subject.username), suspended=None)

    async def hypothetical(
        self, identity: Identity, pool_id: PoolId, *, at: datetime | None, source: str | None
    ) -> Request:
        """The question of somebody who has just signed in with both factors, for administrators to have explained.

        Raises NotFound (no such pool), KakehashiError(BAD_REQUEST) (not an address, or a time without a zone).
        """
        pool = await self._catalogue.pool(identity.tenant_id, pool_id)
        seats = (await self._catalogue.seats(identity.tenant_id)).get(pool_id)
        now = at or self._clock.now()
        try:
            address = ip_address(source) if source else None
        except ValueError as error:
            raise KakehashiError("source is not an address", code=ErrorCode.BAD_REQUEST) from error
        if now.tzinfo is None:
            raise KakehashiError("at has no time zone", code=ErrorCode.BAD_REQUEST)
        context = Context(
            now=now,
            source=address,
            password_age=timedelta(0),
            totp_age=timedelta(0),
            seats_used=seats.used if seats else None,
            seats_total=seats.total if seats else None,
            gateway_load_percent=machine_load_percent(),
            user_sessions=0,
        )
        return Request(self.subject(identity), Action.CONNECT, resource(pool), context)

    def keep(self, session: WebSession) -> None:
        """Remember the facts of a web session whose viewer is attached, for `again`."""
        self._signed_in[session.id] = session

    def forget_all_but(self, wanted: set[WebSessionId]) -> None:
        """Drop the facts of web sessions without a viewer."""
        for gone in self._signed_in.keys() - wanted:
            del self._signed_in[gone]

    def again(self, live: LiveSession) -> Decision:
        """May this session go on? Uses the newest known groups; the time of the last factor is that of its login."""
        asked = live.grant.request
        known = self._signed_in.get(live.web_session_id)
        now = self._clock.now()
        return self._policy.current.decide(
            replace(
                asked,
                subject=self.subject(known.identity) if known else self._last_known(asked.subject),
                context=_later(asked.context, now, known),
            )
        )


def resource(pool: Pool) -> Resource:
    """A pool as policy sees it."""
    return Resource(
        tenant_id=pool.tenant_id, pool_id=pool.id, pool_class=pool.pool_class, zone=pool.zone, site=pool.site
    )


def _later(context: Context, now: datetime, known: WebSession | None) -> Context:
    """The same circumstances now: ages have grown, or are those of a newer step-up."""
    password_at = known.password_at if known else context.now - context.password_age if context.password_age else None
    totp_at = known.totp_at if known else context.now - context.totp_age if context.totp_age else None
    return replace(
        context,
        now=now,
        password_age=now - password_at if password_at else None,
        totp_age=now - totp_at if totp_at else None,
        live=True,
    )
