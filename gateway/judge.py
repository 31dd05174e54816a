"""Puts facts together and asks the policy: for the list of desktops, for a new session, and again while one lives.

Counterpart: `policy/` decides. This module knows where facts come from (web session, request, pool, seats) and nothing
about rules.
"""

from dataclasses import replace
from datetime import datetime
from ipaddress import ip_address

from auth.models import Identity, WebSession
from broker.models import Pool, Seats
from broker.registry import LiveSession
from common.clock import Clock
from common.ids import WebSessionId
from policy.model import Action, Context, Decision, Request, Resource, Subject
from policy.service import PolicyService


class Judge:
    """Stateless but for the facts of web sessions whose viewers are attached here."""

    def __init__(self, policy: PolicyService, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._signed_in: dict[WebSessionId, WebSession] = {}

    def decide(
        self, session: WebSession, source: str, pool: Pool, *, seats: Seats | None, user_sessions: int
    ) -> Decision:
        """May this person open a session in this pool now, from here?"""
        now = self._clock.now()
        context = Context(
            now=now,
            source=ip_address(source) if source else None,
            password_age=now - session.password_at,
            totp_age=now - session.totp_at if session.totp_at else None,
            seats_used=seats.used if seats else None,
            seats_total=seats.total if seats else None,
            user_sessions=user_sessions,
        )
        return self._policy.current.decide(Request(subject(session.identity), Action.CONNECT, resource(pool), context))

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
                subject=subject(known.identity) if known else replace(asked.subject, suspended=None),
                context=_later(asked.context, now, known),
            )
        )


def subject(identity: Identity) -> Subject:
    """A person as policy sees them. Disabled accounts are signed out by auth, so who is signed in is not suspended."""
    return Subject(
        tenant_id=identity.tenant_id,
        user_id=identity.user_id,
        username=identity.username,
        groups=identity.groups,
        department=identity.department,
        duties=frozenset(),
        employment=identity.employment,
        suspended=False,
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
