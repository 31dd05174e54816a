"""Puts facts together and asks the policy: for the list of desktops, for a new session, and again while one lives.

Counterparts: `policy/` decides, `policy/bcp/` adds what is declared. This module knows where facts come from (web
session, request, pool, seats, register of duties) and nothing about rules.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from auth.models import Identity, WebSession
from broker.basis import Answer
from broker.catalogue import Catalogue
from broker.duties.service import DutyService
from broker.models import DesktopSession, Pool, Seats
from broker.registry import LiveSession
from broker.sessions import SessionService
from broker.states import SEATED, SessionState
from broker.worked_days import WorkedDays
from common.audit import AuditEvent, Detail
from common.clock import Clock
from common.drift import MOST
from common.errors import ErrorCode, KakehashiError, StoreUnavailable
from common.ids import PoolId, SessionId, WebSessionId
from gateway.audit_names import GatewayAudit
from gateway.clock_watch import ClockWatch
from gateway.facts import factor, resource, subject
from gateway.load import machine_load_percent
from policy.bcp.injects import reason_of
from policy.bcp.returning import Kept
from policy.bcp.service import BcpService, Judged
from policy.calendar import local, monday
from policy.engine import Engine
from policy.model import Action, Context, Decision, FactorKind, Grant, Reason, ReasonCode, Request, Subject
from policy.service import PolicyService

_LEARN_SECONDS: Final = 0.5
_WAIT_SECONDS: Final = 60.0
"""How long whoever is at work goes on by the rules before, when new ones count days that cannot be read."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision on a pool, and what it rests on."""

    pool: Pool
    seats: Seats
    judged: Judged

    @property
    def decision(self) -> Decision:
        """The decision itself."""
        return self.judged.decision

    @property
    def reason(self) -> Reason:
        """Why, for the person: a drill that pretends says so itself."""
        inject = self.judged.inject
        return reason_of(inject) if inject and not self.decision.allowed else self.decision.reason

    @property
    def grant(self) -> Grant:
        """The grant of an allowed decision. Raises KakehashiError(FORBIDDEN) for any other."""
        if self.decision.grant is None:
            raise KakehashiError(f"{self.decision.reason.code} by {self.decision.rule_ids}", code=ErrorCode.FORBIDDEN)
        return self.decision.grant

    @property
    def basis(self) -> Mapping[str, Detail]:
        """For the audit: would normal policy have allowed this, and if not, by which declarations was it widened?"""
        return _basis(self.judged)

    def denial(self, who: Identity, source: str) -> AuditEvent:
        """What the audit keeps of a session that was asked for and refused."""
        return AuditEvent(
            GatewayAudit.DENY_SESSION,
            who.tenant_id,
            actor=who.user_id,
            subject=who.username,
            source=source or None,
            outcome="denied",
            details={
                "pool_id": self.pool.id,
                "code": self.reason.code,
                "rules": ",".join(self.decision.rule_ids),
                "policy_version": self.decision.policy_version,
                **self.basis,
            },
        )


class Judge:
    """Stateless but for the facts of web sessions whose viewers are attached here, the pools as they were last read,
    the rules by which live sessions are judged, and what the last judgement of a session found."""

    def __init__(
        self,
        policy: PolicyService,
        bcp: BcpService,
        catalogue: Catalogue,
        sessions: SessionService,
        days: WorkedDays,
        clock: Clock,
        duties: DutyService,
        clock_watch: ClockWatch,
    ) -> None:
        self._policy = policy
        self._bcp = bcp
        self._catalogue = catalogue
        self._sessions = sessions
        self._days = days
        self._clock = clock
        self._duties = duties
        self._clock_watch = clock_watch
        self._rules = self._rules_before = policy.current
        """By which live sessions are judged: those of the last `learn_days`, and those before them."""
        self._changed_at = clock.monotonic()
        self._kept: dict[SessionId, Kept] = {}
        self._judged: dict[SessionId, Judged] = {}
        self._signed_in: dict[WebSessionId, WebSession] = {}
        self._stock: Sequence[tuple[Pool, Seats]] = ()

    async def decide_for(self, pool_id: PoolId, session: WebSession, source: str) -> Judgement:
        """May this person open a session in this pool now, from here?

        Raises NotFound, KakehashiError(CLOCK_WRONG): who does not know the time decides nothing.
        """
        who = session.identity
        pool, seats = await self._catalogue.pool_and_seats(who.tenant_id, pool_id)
        others = await self._sessions.list_for_user(who.tenant_id, who.user_id)
        return next(self._decide(session, source, [(pool, seats)], others, await self._days_worked(who)))

    async def decide_all(self, session: WebSession, source: str, others: Sequence[DesktopSession]) -> list[Judgement]:
        """The same question for every pool that is switched on. `others`: the person's live sessions."""
        stock = await self._catalogue.stock(session.identity.tenant_id)
        self._stock = enabled = [(pool, seats) for pool, seats in stock if pool.enabled]
        who, days, now = session.identity, await self._days_worked(session.identity), self._clock.now()
        found = list(self._decide(session, source, enabled, others, days))
        # Whether today is used up matters, and is read, only for who might be let in earlier this week if it is not.
        matters = days is not None and any(_opens_after_this_week(one.decision, now) for one in found)
        if matters and await self._days.worked_today((who.tenant_id, who.user_id)) is False:
            found = list(self._decide(session, source, enabled, others, days, worked_today=False))
        return found

    def allowed_by_memory(
        self, session: WebSession, source: str, others: Sequence[DesktopSession]
    ) -> frozenset[PoolId]:
        """What `decide_all` would allow now if neither seats nor sessions had changed since it was last asked. No I/O.

        For the order in which pages are told, never for a right. Raises KakehashiError(CLOCK_WRONG).
        """
        base, who = self._policy.current, session.identity
        days = self._days.known((who.tenant_id, who.user_id)) if self._bcp.counts_days(base) else None
        return frozenset(
            pool.id
            for pool, _seats, seat_here, asked in self._questions(session, source, self._stock, others, days)
            if (
                self._bcp.allows(base, asked)
                if seat_here is None
                else self._with_grace(base, seat_here, asked).decision.allowed
            )
        )

    def _decide(
        self,
        session: WebSession,
        source: str,
        stock: Sequence[tuple[Pool, Seats]],
        others: Sequence[DesktopSession],
        days_worked: int | None,
        worked_today: bool | None = None,
    ) -> Iterator[Judgement]:
        base = self._policy.current
        for pool, seats, seat_here, asked in self._questions(session, source, stock, others, days_worked, worked_today):
            judged = self._bcp.judge(base, asked) if seat_here is None else self._with_grace(base, seat_here, asked)
            yield Judgement(pool, seats, judged)

    def _questions(
        self,
        session: WebSession,
        source: str,
        stock: Sequence[tuple[Pool, Seats]],
        others: Sequence[DesktopSession],
        days_worked: int | None,
        worked_today: bool | None = None,
    ) -> Iterator[tuple[Pool, Seats, SessionId | None, Request]]:
        """Each pool with the question about it, and the session at whose desktop the person is at work there. Asked for
        all pools by every open page: circumstances that are the same at several pools are put together once."""
        self._clock_watch.require()
        now = self._clock.now()
        person, kind, load = subject(session.identity, self._duties), factor(session), machine_load_percent()
        password_age, totp_age = _age(now, session.password_at), _age(now, session.totp_at)
        address = ip_address(source) if source else None
        known: dict[tuple[int, int, int, bool], Context] = {}
        for pool, seats in stock:
            here = [other for other in others if other.pool_id == pool.id] if others else ()
            seat_here = next((other for other in here if other.state in SEATED), None)
            special = seats.used, seats.total, len(others) - len(here), seat_here is not None
            context = known.get(special)
            if context is None:
                context = known[special] = Context(
                    now=now,
                    source=address,
                    password_age=password_age,
                    totp_age=totp_age,
                    factor=kind,
                    seats_used=seats.used,
                    seats_total=seats.total,
                    gateway_load_percent=load,
                    user_sessions=len(others) - len(here),
                    days_worked=days_worked,
                    worked_today=worked_today,
                    live=seat_here is not None,
                )
            at_work = seat_here.id if seat_here and seat_here.state is not SessionState.ENDING else None
            yield pool, seats, at_work, Request(person, Action.CONNECT, resource(pool), context)

    async def _days_worked(self, who: Identity) -> int | None:
        """Asked for only where a rule counts them."""
        if not self._bcp.counts_days(self._policy.current):
            return None
        return await self._days.before_today((who.tenant_id, who.user_id))

    def _with_grace(self, base: Engine, session_id: SessionId, asked: Request) -> Judged:
        """Whoever is at work by a declaration that is gone goes on for its grace (safe return, not a pulled plug), also
        after a lost line, in another browser or at another node."""
        judged = self._bcp.judge(base, asked)
        found = None if judged.decision.allowed else self._bcp.keeps(base, asked)
        if found is None:
            self._kept.pop(session_id, None)
            return judged
        judged, self._kept[session_id] = found
        return judged

    def _last_known(self, person: Subject) -> Subject:
        """Somebody whose web session is not at hand: whether they are suspended is unknown, the register is not."""
        return replace(person, duties=self._duties.duties_of(person.username), suspended=None)

    async def hypothetical(
        self, identity: Identity, pool_id: PoolId, *, at: datetime | None, source: str | None, days_worked: int | None
    ) -> Request:
        """The question of somebody who has just signed in with both factors, for administrators to have explained.
        `days_worked`: on how many days of that week before; None: those that were. `at` is aware.

        Raises NotFound (no such pool), KakehashiError(BAD_REQUEST) (not an address).
        """
        pool, seats = await self._catalogue.pool_and_seats(identity.tenant_id, pool_id)
        now = at or self._clock.now()
        try:
            address = ip_address(source) if source else None
        except ValueError as error:
            raise KakehashiError("source is not an address", code=ErrorCode.BAD_REQUEST) from error
        if days_worked is None:
            days_worked = await self._days.before((identity.tenant_id, identity.user_id), now)
        person, target = subject(identity, self._duties), resource(pool)
        context = Context(
            now=now,
            source=address,
            password_age=timedelta(0),
            totp_age=timedelta(0),
            factor=FactorKind.TOTP,
            seats_used=seats.used,
            seats_total=seats.total,
            gateway_load_percent=machine_load_percent(),
            user_sessions=0,
            days_worked=days_worked,
        )
        return self._bcp.in_force(Request(person, Action.CONNECT, target, context))

    def keep(self, session: WebSession) -> None:
        """Remember the facts of a web session whose viewer is attached, for `again`."""
        self._signed_in[session.id] = session

    def attached(self, session_id: SessionId, judgement: Judgement, session: WebSession) -> None:
        """A viewer is let in by this; a later judgement of its session counts more, an earlier one no longer."""
        self._judged[session_id] = judgement.judged
        self.keep(session)

    def signed_in_until(self, live: LiveSession) -> datetime:
        """When the log-in behind a viewer ends for good, as known here."""
        known = self._signed_in.get(live.web_session_id)
        return known.expires_at if known else datetime.max.replace(tzinfo=UTC)

    def forget_all_but(self, live: Sequence[LiveSession]) -> None:
        """Drop what is known of sessions without a viewer."""
        for gone in self._signed_in.keys() - {viewer.web_session_id for viewer in live}:
            del self._signed_in[gone]
        for left in self._judged.keys() - {viewer.session_id for viewer in live}:
            del self._judged[left]
        now = self._clock.now()
        for over in [session_id for session_id, kept in self._kept.items() if kept.until <= now]:
            del self._kept[over]

    async def learn_days(self, live: Sequence[LiveSession]) -> None:
        """Before `again`, which goes by the rules in force now until this is called again: the days of those of whom
        they are not known, where a rule has come to count them. Waits no longer than a judgement may; what cannot be
        told then is unknown."""
        if (rules := self._policy.current) is not self._rules:
            self._rules, self._rules_before, self._changed_at = rules, self._rules, self._clock.monotonic()
        if not self._bcp.counts_days(rules):
            return
        with suppress(TimeoutError, StoreUnavailable):
            async with asyncio.timeout(_LEARN_SECONDS):
                await self._days.learn((one.tenant_id, one.user_id) for one in live)

    def again(self, live: LiveSession) -> Answer:
        """May this session go on? Uses the newest known groups; the time of the last factor is that of its login.

        A session that lost the declaration it rested on may go on for the plan's grace. One that lacks nothing but the
        count of its person's days, which nobody needed a moment ago, goes on by the rules before for `_WAIT_SECONDS`.
        """
        asked = live.grant.request
        known = self._signed_in.get(live.web_session_id)
        now = self._clock.now()
        counted = self._bcp.counts_days(self._rules)
        days = self._days.known((live.tenant_id, live.user_id)) if counted else None
        question = replace(
            asked,
            subject=subject(known.identity, self._duties) if known else self._last_known(asked.subject),
            context=_later(asked.context, now, known, days),
        )
        judged = self._with_grace(self._rules, live.session_id, question)
        if counted and days is None and not judged.decision.allowed and self._may_wait(question):
            judged = self._with_grace(self._rules_before, live.session_id, question)
        self._judged[live.session_id] = judged
        return Answer(judged.decision, _basis(judged))

    def clipboard_basis(self, session_id: SessionId, attached: Judgement, *, inward: bool) -> Mapping[str, Detail]:
        """What a text rests on that passed, or was held back, at a viewer that was let in by `attached` and may have
        been judged again since."""
        judged = self._judged.get(session_id, attached.judged)
        normal = judged.normal_terms
        chars = 0 if normal is None else normal.clipboard_in_chars if inward else normal.clipboard_out_chars
        return {"normal_allowed": chars > 0, "declarations": " ".join(judged.overlay_ids) or None}

    def _may_wait(self, question: Request) -> bool:
        first_day = replace(question, context=replace(question.context, days_worked=0))
        recent = self._clock.monotonic() - self._changed_at < _WAIT_SECONDS
        return recent and self._bcp.allows(self._rules, first_day)

    def grace(self, session_id: SessionId) -> Kept | None:
        """When a session that goes on by grace alone is cut, and what it rested on, as judged here last; None for all
        others."""
        kept = self._kept.get(session_id)
        return kept if kept and kept.until > self._clock.now() else None


def _basis(judged: Judged) -> dict[str, Detail]:
    return {
        "normal_allowed": judged.normal_allowed,
        "declarations": " ".join(judged.overlay_ids) or None,
        "inject": judged.inject,
        "drill": True if judged.drill or judged.inject else None,
    }


def _opens_after_this_week(decision: Decision, now: datetime) -> bool:
    if decision.allowed or decision.reason.code is ReasonCode.DAYS_USED_UP:
        return False
    opens = decision.reason.available_from
    return opens is not None and monday(local(opens)[0]) > monday(local(now)[0])


def _later(context: Context, now: datetime, known: WebSession | None, days_worked: int | None) -> Context:
    """The same circumstances now: ages have grown, or are those of a newer step-up."""
    password_at = known.password_at if known else context.now - context.password_age if context.password_age else None
    totp_at = known.totp_at if known else context.now - context.totp_age if context.totp_age else None
    return replace(
        context,
        now=now,
        password_age=_age(now, password_at),
        totp_age=_age(now, totp_at),
        factor=factor(known) if known else context.factor,
        days_worked=days_worked,
        worked_today=None,
        live=True,
        overlays=(),
    )


def _age(now: datetime, then: datetime | None) -> timedelta | None:
    """Nodes' clocks may differ by as much as is not yet wrong: what another node saw a moment ago may lie ahead."""
    if then is None:
        return None
    return timedelta() if -MOST <= now - then < timedelta() else now - then
