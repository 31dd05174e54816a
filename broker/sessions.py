"""Desktop sessions as people use them: request, look, ticket, attach, leave, end. The gateway's handlers call this.

Counterparts: `broker/lifecycle.py` (the steps), `broker/launcher.py` (desktops), `broker/registry.py` (live viewers). A
request and an attachment need a `Grant`, which only the policy engine mints; here it is checked to be about this very
person, pool and moment. What belongs to somebody else is answered like what does not exist.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from broker.access import DesktopAccess, DesktopTarget
from broker.aftermath import Aftermath, aftermath
from broker.audit_names import BrokerAudit
from broker.chronicle import NO_BASIS, Chronicle, grant_source
from broker.codes import short_code
from broker.launcher import Launcher
from broker.lifecycle import Lifecycle
from broker.limits import worked
from broker.models import DesktopSession, EndReason, Redeemed, Viewer
from broker.registry import Cut, LiveRegistry, LiveSession, Regrant, Rejudged, Verdict
from broker.settings import SessionSettings
from broker.states import ATTACHABLE, INITIAL, SessionEvent, SessionState
from broker.store import SessionStore
from broker.store.rows import obligations_json
from broker.store.sessions import OpenRefusal
from broker.tickets import Tickets
from broker.triage.service import Triage
from common.audit import Detail
from common.clock import Clock
from common.errors import (
    AuditUnavailable,
    ErrorCode,
    InvalidTransition,
    KakehashiError,
    NotFound,
    StoreUnavailable,
    TicketInvalid,
)
from common.ids import SessionId, TenantId, UserId, WebSessionId, new_id
from policy.model import Action, Decision, Grant

_OPENING: Final = frozenset({Action.CONNECT, Action.VIEW})
_CLOCK_SLACK: Final = timedelta(seconds=5)
_TRIES: Final = 20


class SessionService:
    """One method per wish. All ids are checked against tenant and person."""

    def __init__(
        self,
        *,
        store: SessionStore,
        tickets: Tickets,
        lifecycle: Lifecycle,
        launcher: Launcher,
        triage: Triage,
        access: DesktopAccess,
        registry: LiveRegistry,
        chronicle: Chronicle,
        clock: Clock,
        settings: SessionSettings,
        node: str,
    ) -> None:
        self._store = store
        self._tickets = tickets
        self._lifecycle = lifecycle
        self._launcher = launcher
        self._triage = triage
        self._access = access
        self._registry = registry
        self._chronicle = chronicle
        self._clock = clock
        self._settings = settings
        self._node = node
        self.when_changed: Callable[[DesktopSession], None] = lambda _session: None
        """Called for a session whose viewer is here and stays, after it may have changed. Must not block."""
        self._unwritten: list[tuple[Viewer, EndReason | None, datetime]] = []
        self.when_in_doubt: Callable[[DesktopSession], None] = lambda _session: None
        """Called for a kept session whose desktop seems to be gone: ask its host soon. Must not block."""

    async def request(
        self,
        grant: Grant,
        *,
        web_session_id: WebSessionId,
        display_name: str = "",
        basis: Mapping[str, Detail] = NO_BASIS,
    ) -> DesktopSession:
        """The person's live session in the granted pool (back in the queue if it had given its seat up), else a new one
        whose desktop starts in the background.

        Raises NotFound (no such pool, or switched off), KakehashiError(BUSY) (pool, queue or person's limit),
        KakehashiError(FORBIDDEN) (a grant that is old or for something else), AuditUnavailable.
        """
        self._check_grant(grant)
        fresh = self._fresh(grant, web_session_id, display_name)
        session = await self._store.open(fresh)
        if isinstance(session, OpenRefusal):
            raise await self._refused(session, fresh, grant)
        if session.id != fresh.id and session.state is not SessionState.PARKED:
            return session
        try:
            await self._chronicle.record(
                BrokerAudit.REQUEST_SESSION,
                session,
                actor=session.user_id,
                grant=grant,
                web_session_id=web_session_id,
                basis=basis,
            )
        except AuditUnavailable:
            if session.id == fresh.id:
                await self._lifecycle.end(session, EndReason.AUDIT_UNAVAILABLE)
            raise
        queued, done = await self._lifecycle.move(
            session.tenant_id,
            session.id,
            SessionEvent.QUEUE,
            lambda _seen, _now: {"keep_until": None, "end_reason": None},
        )
        if done:
            await self._chronicle.note(
                BrokerAudit.QUEUE_SESSION,
                queued,
                actor=queued.user_id,
                priority=queued.priority,
                site=queued.source_site,
                credited=queued.credited_since is not None,
                returning=queued.desktop_id is not None,
            )
        await self._launcher.admit(session.tenant_id, session.pool_id)
        return await self._known(session.tenant_id, session.id)

    async def get(self, tenant_id: TenantId, session_id: SessionId, *, user_id: UserId | None) -> DesktopSession:
        """One session, ended ones included. Other people's raise NotFound; `user_id=None`: an administrator looks."""
        session = await self._store.get(tenant_id, session_id)
        if session is None or (user_id is not None and session.user_id != user_id):
            raise NotFound(f"session {session_id}")
        return session

    async def list_for_user(self, tenant_id: TenantId, user_id: UserId) -> tuple[DesktopSession, ...]:
        """A person's live sessions, oldest first."""
        return await self._store.live_of(tenant_id, user_id)

    async def list_all(self, tenant_id: TenantId) -> tuple[DesktopSession, ...]:
        """Every session of the tenant that has not ended, oldest first: for administrators."""
        return await self._store.unended_of(tenant_id)

    async def issue_ticket(
        self, tenant_id: TenantId, session_id: SessionId, *, user_id: UserId, web_session_id: WebSessionId
    ) -> str:
        """A one-use ticket for this person's web session. Raises NotFound, InvalidTransition (desktop not ready),
        AuditUnavailable."""
        session = await self.get(tenant_id, session_id, user_id=user_id)
        if not session.attachable:
            raise InvalidTransition(session.state, "ticket")
        await self._chronicle.record(BrokerAudit.ISSUE_TICKET, session, actor=user_id, web_session_id=web_session_id)
        return await self._tickets.issue(session, web_session_id)

    async def redeem(
        self,
        ticket: str,
        *,
        tenant_id: TenantId,
        session_id: SessionId,
        user_id: UserId,
        web_session_id: WebSessionId,
    ) -> Redeemed:
        """Use a ticket up. Exactly one caller gets the proof; everybody else TicketInvalid. Raises AuditUnavailable."""
        try:
            session = await self._tickets.redeem(
                ticket,
                tenant_id=tenant_id,
                session_id=session_id,
                user_id=user_id,
                web_session_id=web_session_id,
            )
        except TicketInvalid as error:
            await self._chronicle.note_plain(
                BrokerAudit.REFUSE_TICKET,
                tenant_id,
                actor=user_id,
                session_id=session_id,
                outcome="denied",
                detail=error.detail,
                web_session_id=web_session_id,
            )
            raise TicketInvalid(error.detail) from error
        await self._chronicle.record(BrokerAudit.REDEEM_TICKET, session, actor=user_id, web_session_id=web_session_id)
        return Redeemed(session, user_id, web_session_id)

    async def activate(
        self, redeemed: Redeemed, grant: Grant, *, cut: Cut, regrant: Regrant, basis: Mapping[str, Detail] = NO_BASIS
    ) -> Viewer:
        """Attach a viewer: the session is `ACTIVE`, an older viewer is cut with `TAKEN_OVER`, this one can be cut.

        `cut` and `regrant` run on the event loop and must not block; `cut` may come before this returns (somebody was
        faster still). Raises KakehashiError(FORBIDDEN), InvalidTransition (no longer attachable), AuditUnavailable.
        """
        self._check_grant(grant, redeemed)
        session, taken_over = await self._attach(redeemed, grant)
        viewer = Viewer(session, session.viewer, grant)
        live = _live(viewer, since=self._clock.now())
        if not self._registry.register(live, cut=cut, regrant=regrant):
            cut(EndReason.TAKEN_OVER)
        try:
            await self._chronicle.record(
                BrokerAudit.TAKE_OVER_SESSION if taken_over else BrokerAudit.ATTACH_VIEWER,
                session,
                actor=session.user_id,
                grant=grant,
                viewer=session.viewer,
                web_session_id=redeemed.web_session_id,
                basis=basis,
            )
        except AuditUnavailable:
            await self.viewer_lost(viewer, EndReason.AUDIT_UNAVAILABLE)
            raise
        # Whoever ended or took over between the move and the registration found nothing to cut.
        await self.look_again(session.id)
        return viewer

    async def desktop_target(self, viewer: Viewer) -> DesktopTarget:
        """The way to the viewer's desktop, with its credential. Raises TargetUnreachable, SecretUnreadable."""
        return await self._access.target(viewer.session)

    async def viewer_lost(self, viewer: Viewer, reason: EndReason | None = None) -> DesktopSession:
        """The relay is over: call once for each `activate`, whatever the reason (None: the line was lost).

        Whether the desktop is kept is the choice of `broker/aftermath.py`. The end of a viewer that was taken over
        changes nothing. While the database is away it is recorded, and written down when the database is back.
        """
        self._registry.remove(viewer.session.id, viewer.number)
        try:
            return await self._part(viewer, reason, self._clock.now())
        except StoreUnavailable:
            self._unwritten.append((viewer, reason, self._clock.now()))
            await self._chronicle.note(
                BrokerAudit.LOSE_VIEWER, viewer.session, reason=reason, viewer=viewer.number, detail="database away"
            )
            return viewer.session

    async def settle(self) -> None:
        """Carry out the ends of viewers that came while the database was away. Raises StoreUnavailable."""
        while self._unwritten:
            await self._part(*self._unwritten[0])
            del self._unwritten[0]

    async def _part(self, viewer: Viewer, reason: EndReason | None, at: datetime) -> DesktopSession:
        session = viewer.session
        after = aftermath(reason, on_host=await self._access.is_on_host(session))
        if reason is None or after is not Aftermath.END:
            kept = await self._lifecycle.lose_viewer(session, number=viewer.number, reason=reason, until=at)
            if after is Aftermath.CHECK:
                self.when_in_doubt(kept)
            return kept
        seen = await self._known(session.tenant_id, session.id)
        if seen.viewer != viewer.number:
            return seen
        return await self._lifecycle.end(seen, reason)

    async def end(
        self,
        tenant_id: TenantId,
        session_id: SessionId,
        reason: EndReason,
        *,
        user_id: UserId | None,
        actor: str | None = None,
    ) -> DesktopSession:
        """Log off (`user_id` given: only the own) or end as administrator: the viewer is cut now, the desktop stops in
        the background. Ending what has ended is no error. An administrator's word cuts a viewer here also while the
        database is away; the session itself must then be ended later. Raises NotFound, StoreUnavailable."""
        try:
            session = await self.get(tenant_id, session_id, user_id=user_id)
        except StoreUnavailable:
            if user_id is None:  # whose it is need not be asked for an administrator: the screen goes dark at least
                live = self._registry.get(session_id)
                if live is not None and live.tenant_id == tenant_id and self._registry.cut_viewer(live, reason):
                    await self._chronicle.note_live(BrokerAudit.CUT_VIEWER, live, actor=actor, reason=reason)
            raise
        return await self._lifecycle.end(session, reason, actor=actor or user_id)

    async def web_session_ended(
        self,
        tenant_id: TenantId,
        web_session_id: WebSessionId,
        reason: EndReason = EndReason.SIGNED_OUT,
    ) -> int:
        """A web session is over: its viewers are cut, its tickets void, the desktops kept; how many were cut."""
        await self._tickets.void_for_web_session(tenant_id, web_session_id)
        return self._registry.cut(reason, tenant_id=tenant_id, web_session_id=web_session_id)

    async def rejudge(self, decide: Callable[[LiveSession], Decision]) -> tuple[Rejudged, ...]:
        """Ask policy again for every live viewer here: on a changed policy, changed groups, and every second.

        Viewers are cut, and told of other terms, before this returns. What was done is for `write_down`, which takes
        longer by far when thousands of sessions changed: the next judgement must not wait for it.
        """
        return await self._registry.rejudge(decide)

    async def write_down(self, findings: Sequence[Rejudged]) -> None:
        """Record what `rejudge` did, and keep the new terms. While the database is away the record alone: the table
        then has the old terms until the viewer comes again, which asks policy afresh."""
        for found in findings:  # one after the other: writers that crowd SQLite only wait for each other
            try:
                await self._write_down(found)
            except StoreUnavailable:
                cut, why = found.verdict is Verdict.CUT, found.reason
                await self._chronicle.note_live(
                    BrokerAudit.CUT_VIEWER if cut else BrokerAudit.CHANGE_GRANT,
                    found.live,
                    reason=EndReason.POLICY if cut else None,
                    code=why.code if why else None,
                    rule=why.rule_id if why else None,
                )

    async def note_input(self, idle: Sequence[tuple[LiveSession, float]]) -> None:
        """For how many seconds viewers here have done nothing. Kept only while others may need their seats."""
        if not self._triage.situation.widening():
            await self._store.forget_input(self._node)
            return
        now = self._clock.now()
        seen = [
            (live.tenant_id, live.session_id, live.number, now - timedelta(seconds=seconds)) for live, seconds in idle
        ]
        await self._store.note_input(seen)

    async def look_again(self, session_id: SessionId) -> None:
        """A session may have changed, here or on another node: cut a viewer here that is no longer its viewer."""
        live = self._registry.get(session_id)
        if live is None:
            return
        session = await self._store.get(live.tenant_id, session_id)
        if session is None or session.state in (SessionState.ENDING, SessionState.ENDED):
            reason = session.end_reason if session is not None else None
            self._registry.cut_viewer(live, reason or EndReason.ADMIN)
        elif session.state is SessionState.PARKED:
            self._registry.cut_viewer(live, EndReason.PREEMPTED)
        elif session.viewer != live.number:
            self._registry.cut_viewer(live, EndReason.TAKEN_OVER)
        elif session.state is not SessionState.ACTIVE:
            # Another node took this gateway for dead; the viewer reconnects.
            self._registry.cut_viewer(live, EndReason.GATEWAY_STOPPING)
        else:
            self.when_changed(session)

    async def _attach(self, redeemed: Redeemed, grant: Grant) -> tuple[DesktopSession, bool]:
        """Move to `ACTIVE` with the next viewer number; whether somebody was attached before."""
        seen = key = redeemed.session  # seen a moment ago; compare-and-set finds out if that is too long
        for attempt in range(_TRIES):
            if attempt:
                seen = await self.get(key.tenant_id, key.id, user_id=redeemed.user_id)
            if seen.state not in ATTACHABLE:
                raise InvalidTransition(seen.state, SessionEvent.ACTIVATE)
            taking = seen.state is SessionState.ACTIVE
            now = self._clock.now()
            moved = await self._store.move(
                seen,
                SessionEvent.TAKE_OVER if taking else SessionEvent.ACTIVATE,
                now,
                viewer=seen.viewer + 1,
                node=self._node,
                active_since=now,
                worked_seconds=worked(seen, now),
                seen_at=now,
                keep_until=None,
                hold_until=None,
                end_reason=None,
                source_site=self._site(grant),
                web_session_id=redeemed.web_session_id,
                obligations=obligations_json(grant.obligations),
                expires_at=seen.created_at + grant.obligations.total_limit,
            )
            if moved is not None:
                return moved, taking
        raise KakehashiError(f"session {key.id} changes too fast", code=ErrorCode.CONFLICT)

    def _check_grant(self, grant: Grant, redeemed: Redeemed | None = None) -> None:
        """The grant is to open a desktop, fresh, of one tenant, and about the redeemed session's person and pool."""
        age = self._clock.now() - grant.decided_at
        fits = (
            grant.action in _OPENING
            and -_CLOCK_SLACK <= age <= timedelta(seconds=self._settings.grant_max_age_seconds)
            and grant.subject.tenant_id == grant.resource.tenant_id
        )
        if fits and redeemed is not None:
            session = redeemed.session
            fits = (
                grant.subject.user_id == redeemed.user_id == session.user_id
                and grant.resource.pool_id == session.pool_id
                and grant.resource.tenant_id == session.tenant_id
            )
        if not fits:
            raise KakehashiError("the grant is old or for something else", code=ErrorCode.FORBIDDEN)

    def _fresh(self, grant: Grant, web_session_id: WebSessionId, display_name: str) -> DesktopSession:
        now = self._clock.now()
        return DesktopSession(
            tenant_id=grant.resource.tenant_id,
            id=SessionId(new_id("ses")),
            user_id=grant.subject.user_id,
            username=grant.subject.username,
            display_name=display_name or grant.subject.username,
            pool_id=grant.resource.pool_id,
            desktop_id=None,
            state=INITIAL,
            end_reason=None,
            short_code=short_code(),
            web_session_id=web_session_id,
            viewer=0,
            node=None,
            obligations=grant.obligations,
            created_at=now,
            state_since=now,
            active_since=None,
            seen_at=None,
            keep_until=None,
            expires_at=now + grant.obligations.total_limit,
            ended_at=None,
            worked_seconds=0.0,
            priority=self._triage.situation.priority(grant.subject.username, grant.resource.pool_id),
            source_site=self._site(grant),
        )

    def _site(self, grant: Grant) -> str | None:
        return self._triage.situation.site_at(grant.request.context.source)

    async def _refused(self, refusal: OpenRefusal, fresh: DesktopSession, grant: Grant) -> KakehashiError:
        await self._chronicle.note_plain(
            BrokerAudit.REFUSE_SESSION,
            fresh.tenant_id,
            actor=fresh.user_id,
            subject=fresh.username,
            source=grant_source(grant),
            outcome="denied",
            pool_id=fresh.pool_id,
            cause=refusal,
        )
        if refusal is OpenRefusal.NO_POOL:
            return NotFound(f"pool {fresh.pool_id}")
        return KakehashiError(refusal, code=ErrorCode.BUSY)

    async def _known(self, tenant_id: TenantId, session_id: SessionId) -> DesktopSession:
        return await self.get(tenant_id, session_id, user_id=None)

    async def _write_down(self, found: Rejudged) -> None:
        # Of two judgements whose writing overlaps, the newer terms stay.
        live = self._registry.get(found.live.session_id) or found.live
        session = await self._store.get(live.tenant_id, live.session_id)
        if session is None or session.viewer != live.number:
            return
        if found.verdict is Verdict.CUT:
            await self._chronicle.note(
                BrokerAudit.CUT_VIEWER,
                session,
                outcome="denied",
                reason=EndReason.POLICY,
                code=None if found.reason is None else found.reason.code,
                rule=None if found.reason is None else found.reason.rule_id,
            )
            return
        changed = await self._store.set_terms(
            session,
            obligations_json=obligations_json(live.grant.obligations),
            expires_at=session.created_at + live.grant.obligations.total_limit,
        )
        await self._chronicle.note(BrokerAudit.CHANGE_GRANT, changed or session, grant=live.grant)


def _live(viewer: Viewer, *, since: datetime) -> LiveSession:
    session = viewer.session
    if session.desktop_id is None:
        raise InvalidTransition(session.state, SessionEvent.ACTIVATE)
    return LiveSession(
        tenant_id=session.tenant_id,
        session_id=session.id,
        user_id=session.user_id,
        pool_id=session.pool_id,
        desktop_id=session.desktop_id,
        web_session_id=session.web_session_id,
        number=viewer.number,
        grant=viewer.grant,
        since=since,
    )
