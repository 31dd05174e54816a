"""One viewer from its ticket to its end: redeem, ask policy again, attach, log in to the desktop, relay.

Counterparts: `gateway/relay.py` moves bytes, `broker/attachments.py` attaches viewers, `gateway/oversight.py` watches
over those that live. A refusal after the upgrade becomes a close code, which the page can read.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from auth.models import WebSession
from broker.access import DesktopTarget
from broker.attachments import Attachments
from broker.models import DesktopSession, EndReason, Redeemed, TargetSecurity, Viewer
from broker.worked_days import WorkedDays
from common.audit import AuditEvent, AuditSink, Detail
from common.clock import Clock
from common.errors import AuditUnavailable, ErrorCode, KakehashiError, TargetError, TargetRefused
from common.ids import SessionId, TenantId
from common.log import get_logger
from common.tasks import spawn
from gateway.audit_names import GatewayAudit
from gateway.closing import CLOSE_CODES, end_reason
from gateway.judge import Judge, Judgement
from gateway.metrics import Metrics
from gateway.relay import Relay, RelayEnd
from gateway.rfb.handshake import TargetLogin
from gateway.rfb.link import ClipboardBlocked, ClipboardPassed, RfbEvent
from gateway.rfb.rules import RfbRules
from gateway.settings import RelaySettings
from gateway.target_connection import TargetConnection
from gateway.unreachable import Unreachable
from gateway.websocket import ViewerConnection
from policy.model import Grant, QualityProfile

_JPEG_LEVELS: Final[Mapping[QualityProfile, int]] = {
    QualityProfile.HIGH: 9,
    QualityProfile.STANDARD: 6,
    QualityProfile.SLOW: 2,
}
"""The best level of each profile; web_client/src/viewer/quality.ts asks for the same."""
_log = get_logger(__name__)


@dataclass(slots=True)
class _Terms:
    """What one viewer may do now: the newest grant, and whether its picture is lowered to make room."""

    grant: Grant
    lowered: bool


@dataclass(frozen=True, slots=True)
class Attached:
    """One live relay and the viewer it serves."""

    relay: Relay
    viewer: Viewer
    terms: _Terms


class Viewers:
    """All live relays of this gateway, by session."""

    def __init__(
        self,
        *,
        tenant_id: TenantId,
        settings: RelaySettings,
        attachments: Attachments,
        judge: Judge,
        days: WorkedDays,
        audit: AuditSink,
        clock: Clock,
        metrics: Metrics,
        unreachable: Unreachable,
    ) -> None:
        self._tenant_id = tenant_id
        self._settings = settings
        self._attachments = attachments
        self._judge = judge
        self._days = days
        self._audit = audit
        self._clock = clock
        self._metrics = metrics
        self._unreachable = unreachable
        self._attached: dict[SessionId, Attached] = {}
        self._running: set[Relay] = set()
        """Also those that were just taken over, until they are closed."""
        self._past_bytes = (0, 0)

    def of(self, session_id: SessionId) -> Attached | None:
        """The live relay of a session here, if any."""
        return self._attached.get(session_id)

    def follow(self, session: DesktopSession) -> None:
        """A session may have changed: its picture is lowered or given back at once."""
        attached = self._attached.get(session.id)
        if attached and attached.viewer.number == session.viewer and attached.terms.lowered is not session.lowered:
            attached.terms.lowered = session.lowered
            attached.relay.set_rules(self._rules(attached.terms))

    def totals(self) -> tuple[int, int, int]:
        """Viewers now, and the bytes of all since the start: up to desktops, down to browsers."""
        up, down = self._past_bytes
        for relay in self._running:
            up, down = up + relay.bytes_up, down + relay.bytes_down
        return len(self._running), up, down

    async def serve(
        self, connection: ViewerConnection, *, session_id: SessionId, ticket: str, web_session: WebSession, source: str
    ) -> None:
        """Serve this browser until the end of its viewer; the WebSocket is closed when this returns."""
        try:
            redeemed = await self._attachments.redeem(
                ticket,
                tenant_id=self._tenant_id,
                session_id=session_id,
                user_id=web_session.identity.user_id,
                web_session_id=web_session.id,
            )
            judgement = await self._judge.decide_for(redeemed.session.pool_id, web_session, source)
            await self._attach(connection, redeemed, judgement, web_session)
        except KakehashiError as error:
            _log.info("viewer refused", session_id=session_id, code=error.code, detail=error.detail)
            await connection.close(error.public.ws_close, error.code)
        except Exception as error:  # noqa: BLE001 - after the upgrade nobody else can answer; the browser must not hang
            _log.error("viewer failed", session_id=session_id, exc_info=error)
            await connection.close(1011, ErrorCode.INTERNAL)

    async def _attach(
        self, connection: ViewerConnection, redeemed: Redeemed, judgement: Judgement, web_session: WebSession
    ) -> None:
        session, grant = redeemed.session, judgement.grant
        self._judge.attached(session.id, judgement, web_session)
        terms = _Terms(grant, session.lowered)
        relay = Relay(
            rules=self._rules(terms),
            clock=self._clock,
            on_event=lambda event: self._passed(relay, redeemed, judgement, event),
        )

        def regrant(changed: Grant) -> None:
            terms.grant = changed
            relay.set_rules(self._rules(terms))

        viewer = await self._attachments.activate(
            redeemed,
            grant,
            cut=lambda reason: relay.cut(reason, CLOSE_CODES[reason]),
            regrant=regrant,
            basis=judgement.basis,
        )
        reason: EndReason | None = EndReason.DESKTOP_FAILED
        try:
            wire = await self._connect(viewer, terms)
            self._days.note((session.tenant_id, session.user_id))
            attached = self._attached[session.id] = Attached(relay, viewer, terms)
            try:
                self._running.add(relay)
                end = await relay.run(connection, wire)
            finally:
                if self._attached.get(session.id) is attached:
                    del self._attached[session.id]
                self._running.discard(relay)
                up, down = self._past_bytes
                self._past_bytes = (up + relay.bytes_up, down + relay.bytes_down)
            reason = end_reason(end)
            await self._ended(viewer, end, reason)
        except TargetError as error:
            reason = EndReason.TARGET_UNREACHABLE
            await self._note(GatewayAudit.REFUSE_DESKTOP, viewer, code=error.code, cause=error.detail)
            raise
        except asyncio.CancelledError:
            reason = EndReason.GATEWAY_STOPPING
            raise
        finally:
            await asyncio.shield(spawn(self._attachments.viewer_lost(viewer, reason), name="viewer lost"))

    async def _connect(self, viewer: Viewer, terms: _Terms) -> TargetConnection:
        """A desktop that is logged in to. Raises TargetError."""
        target = await self._attachments.desktop_target(viewer)
        wire, trust = TargetConnection(self._rules(terms)), await asyncio.to_thread(_tls, target)
        try:
            await target.connector.open(lambda: wire)
            await wire.handshake(_login(target), tls=trust, server_hostname=target.tls_name)
        except TargetRefused:  # it did answer
            raise
        except TargetError:
            self._unreachable.failed(viewer.session, own=target.own)
            raise
        self._unreachable.answered(viewer.session)
        return wire

    def _rules(self, terms: _Terms) -> RfbRules:
        granted = terms.grant.obligations
        return RfbRules(
            view_only=granted.view_only,
            clipboard_in_chars=granted.clipboard_in_chars,
            clipboard_out_chars=granted.clipboard_out_chars,
            max_width=self._settings.max_width,
            max_height=self._settings.max_height,
            max_quality=_JPEG_LEVELS[QualityProfile.SLOW if terms.lowered else granted.quality],
        )

    async def _ended(self, viewer: Viewer, end: RelayEnd, reason: EndReason | None) -> None:
        self._metrics.viewer_ends.labels(end.reason).inc()
        _log.info(
            "viewer ended",
            session_id=viewer.session.id,
            reason=end.reason,
            detail=end.detail,
            bytes_up=end.bytes_up,
            bytes_down=end.bytes_down,
        )
        if reason is EndReason.PROTOCOL_VIOLATION:
            await self._note(GatewayAudit.BREAK_PROTOCOL, viewer, cause=end.detail)
        elif reason is EndReason.DESKTOP_FAILED:
            await self._note(GatewayAudit.FAIL_DESKTOP, viewer, cause=end.detail)

    def _passed(self, relay: Relay, redeemed: Redeemed, judgement: Judgement, event: RfbEvent) -> None:
        """Clipboard use is recorded by count, never by content; what cannot be recorded may not go on."""
        match event:
            case ClipboardPassed(inward=inward, chars=chars):
                basis = self._judge.clipboard_basis(redeemed.session.id, judgement, inward=inward)
                record = self._event(GatewayAudit.PASS_CLIPBOARD, redeemed, inward=inward, chars=chars, **basis)
            case ClipboardBlocked(inward=inward, why=why):
                basis = self._judge.clipboard_basis(redeemed.session.id, judgement, inward=inward)
                record = self._event(GatewayAudit.BLOCK_CLIPBOARD, redeemed, inward=inward, why=why, **basis)
            case _:
                return
        spawn(self._record_or_cut(relay, record), name="clipboard audit")

    async def _record_or_cut(self, relay: Relay, event: AuditEvent) -> None:
        try:
            await self._audit.record(event)
        except AuditUnavailable:
            relay.cut(EndReason.AUDIT_UNAVAILABLE, CLOSE_CODES[EndReason.AUDIT_UNAVAILABLE])

    async def _note(self, name: GatewayAudit, viewer: Viewer, **details: str | None) -> None:
        """An ending happens whether or not it can be recorded."""
        session = viewer.session
        event = AuditEvent(
            name=name,
            tenant_id=self._tenant_id,
            actor=session.username,
            subject=session.pool_id,
            session_id=session.id,
            outcome="failed",
            details=details,
        )
        try:
            await self._audit.record(event)
        except AuditUnavailable as error:
            _log.error("ending not recorded", session_id=session.id, event_name=name, detail=error.detail)

    def _event(self, name: GatewayAudit, redeemed: Redeemed, **details: Detail) -> AuditEvent:
        session = redeemed.session
        return AuditEvent(
            name=name,
            tenant_id=self._tenant_id,
            actor=session.username,
            subject=session.pool_id,
            session_id=session.id,
            outcome="ok" if name is GatewayAudit.PASS_CLIPBOARD else "denied",
            details=details,
        )


def _login(target: DesktopTarget) -> TargetLogin:
    credential = target.credential
    return TargetLogin(
        username=credential.username if credential else None,
        password=credential.password.reveal() if credential else None,
        allow_x509=TargetSecurity.X509 in target.security,
        allow_anonymous_tls=TargetSecurity.TLS_ANONYMOUS in target.security,
        allow_vnc_auth=TargetSecurity.VNC_AUTH in target.security,
        allow_none=TargetSecurity.NONE in target.security,
    )


def _tls(target: DesktopTarget) -> ssl.SSLContext | None:
    """Trust for VeNCrypt X509: the target's own CA, else the machine's store."""
    if TargetSecurity.X509 not in target.security:
        return None
    context = ssl.create_default_context(cadata=target.ca_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
