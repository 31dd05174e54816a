"""Desktop sessions as people order and end them: request, look, log off; and the terms of those that live.

Counterparts: `broker/attachments.py` (viewers come and go), `broker/lifecycle.py` (the steps), `broker/launcher.py`
(desktops), `broker/registry.py` (live viewers). The gateway's handlers call this. A request needs a `Grant`, which only
the policy engine mints. What belongs to somebody else is answered like what does not exist.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from broker.audit_names import BrokerAudit
from broker.basis import NO_BASIS, Answer
from broker.chronicle import Chronicle, grant_source
from broker.codes import short_code
from broker.grants import check_grant
from broker.launcher import Launcher
from broker.lifecycle import Lifecycle
from broker.models import DesktopSession, EndReason
from broker.registry import LiveRegistry, LiveSession, Rejudged, Verdict
from broker.settings import SessionSettings
from broker.states import INITIAL, SessionEvent, SessionState
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
    KakehashiError,
    NotFound,
    StoreUnavailable,
)
from common.ids import SessionId, TenantId, UserId, WebSessionId, new_id
from policy.model import Grant


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
        self._registry = registry
        self._chronicle = chronicle
        self._clock = clock
        self._settings = settings
        self._node = node

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
        check_grant(grant, self._clock.now(), self._settings)
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

    async def rejudge(self, decide: Callable[[LiveSession], Answer]) -> tuple[Rejudged, ...]:
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
        await self._chronicle.note(BrokerAudit.CHANGE_GRANT, changed or session, grant=live.grant, basis=live.basis)
