"""How viewers come to a desktop session and leave it: ticket, redemption, attachment, the way to the desktop, the end.

Counterparts: `broker/sessions.py` (ordering and ending sessions), `broker/tickets.py`, `broker/registry.py` (live
viewers), the gateway's viewers, which call this. An attachment needs a `Grant`, which only the policy engine mints;
here it is checked to be about this very person, pool and moment.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from broker.access import DesktopAccess, DesktopTarget
from broker.aftermath import ASKING_HOST, Aftermath, aftermath
from broker.audit_names import BrokerAudit
from broker.basis import NO_BASIS
from broker.chronicle import Chronicle
from broker.grants import check_grant
from broker.lifecycle import Lifecycle
from broker.limits import worked
from broker.models import DesktopSession, EndReason, Redeemed, Viewer
from broker.registry import Cut, LiveRegistry, LiveSession, Regrant
from broker.settings import SessionSettings
from broker.states import ATTACHABLE, SessionEvent, SessionState
from broker.store import SessionStore
from broker.store.rows import obligations_json
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
from common.ids import SessionId, TenantId, UserId, WebSessionId
from policy.model import Grant

_TRIES: Final = 20


class Attachments:
    """One method per step. All ids are checked against tenant and person."""

    def __init__(
        self,
        *,
        store: SessionStore,
        tickets: Tickets,
        lifecycle: Lifecycle,
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
        self._triage = triage
        self._access = access
        self._registry = registry
        self._chronicle = chronicle
        self._clock = clock
        self._settings = settings
        self._node = node
        self._unwritten: list[tuple[Viewer, EndReason | None, datetime]] = []
        self.when_changed: Callable[[DesktopSession], None] = lambda _session: None
        """Called for a session whose viewer is here and stays, after it may have changed. Must not block."""
        self.when_in_doubt: Callable[[DesktopSession], None] = lambda _session: None
        """Called for a kept session whose desktop seems to be gone: ask its host soon. Must not block."""

    async def issue_ticket(
        self, tenant_id: TenantId, session_id: SessionId, *, user_id: UserId, web_session_id: WebSessionId
    ) -> str:
        """A one-use ticket for this person's web session. Raises NotFound, InvalidTransition (desktop not ready),
        AuditUnavailable."""
        session = await self._store.get(tenant_id, session_id)
        if session is None or session.user_id != user_id:
            raise NotFound(f"session {session_id}")
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
        check_grant(grant, self._clock.now(), self._settings, redeemed)
        session, taken_over = await self._attach(redeemed, grant)
        viewer = Viewer(session, session.viewer, grant)
        live = _live(viewer, since=self._clock.now(), basis=basis)
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
        after = aftermath(reason, on_host=reason in ASKING_HOST and await self._access.is_on_host(session))
        if reason is None or after is not Aftermath.END:
            kept = await self._lifecycle.lose_viewer(session, number=viewer.number, reason=reason, until=at)
            if after is Aftermath.CHECK:
                self.when_in_doubt(kept)
            return kept
        seen = await self._store.get(session.tenant_id, session.id)
        if seen is None or seen.viewer != viewer.number:
            return seen or session
        return await self._lifecycle.end(seen, reason)

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
                seen = await self._again(key)
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
                source_site=self._triage.situation.site_at(grant.request.context.source),
                web_session_id=redeemed.web_session_id,
                obligations=obligations_json(grant.obligations),
                expires_at=seen.created_at + grant.obligations.total_limit,
            )
            if moved is not None:
                return moved, taking
        raise KakehashiError(f"session {key.id} changes too fast", code=ErrorCode.CONFLICT)

    async def _again(self, session: DesktopSession) -> DesktopSession:
        found = await self._store.get(session.tenant_id, session.id)
        if found is None:
            raise NotFound(f"session {session.id}")
        return found


def _live(viewer: Viewer, *, since: datetime, basis: Mapping[str, Detail]) -> LiveSession:
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
        basis=basis,
    )
