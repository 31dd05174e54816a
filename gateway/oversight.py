"""Watches over the viewers that live: judged again every second and at once when rules or people change.

Counterpart: `gateway/viewers.py`, which holds the relays. A grant that no longer holds acts on the wire within this
time; nobody stays on because something could not be asked. Judging needs only what is in memory: it must not wait for
the database, which may be away, so what has to do with it runs beside.
"""

import asyncio
import contextlib
from datetime import datetime
from typing import Final

from auth.models import TOPIC_USER_CHANGED, TOPIC_WEB_SESSION_ENDED
from auth.service import AuthService
from broker.models import EndReason
from broker.registry import LiveRegistry
from broker.sessions import SessionService
from broker.worked_days import WorkedDays
from common.bus import MISSED, EventBus
from common.clock import Clock
from common.errors import StoreUnavailable
from common.ids import SessionId, TenantId, WebSessionId
from common.log import get_logger
from common.tasks import TaskScope
from gateway.changes import Changes, Topic
from gateway.judge import Judge
from gateway.viewers import Attached, Viewers

JUDGE_SECONDS: Final = 1.0
_TOUCH_SECONDS: Final = 30.0
_log = get_logger(__name__)


class Oversight:
    """Runs beside the relays from `start` to `close`."""

    def __init__(
        self,
        *,
        tenant_id: TenantId,
        viewers: Viewers,
        sessions: SessionService,
        registry: LiveRegistry,
        auth: AuthService,
        days: WorkedDays,
        judge: Judge,
        changes: Changes,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._tenant_id = tenant_id
        self._viewers = viewers
        self._sessions = sessions
        self._registry = registry
        self._auth = auth
        self._days = days
        self._judge = judge
        self._changes = changes
        self._bus = bus
        self._clock = clock
        self._scope = TaskScope()
        self._unread: set[WebSessionId] = set()
        self._reading = asyncio.Lock()
        self._now = asyncio.Event()
        self._graces: dict[SessionId, datetime] = {}

    def start(self) -> None:
        """Begin to watch."""
        self._bus.subscribe(TOPIC_USER_CHANGED, self._person_changed)
        self._bus.subscribe(TOPIC_WEB_SESSION_ENDED, self._signed_out)
        self._scope.spawn(self._watch(), name="oversight")
        self._scope.spawn(self._keep_regularly(), name="oversight of log-ins")

    async def close(self) -> None:
        """Tell every viewer that this gateway stops (they come back to the same desktops), and stop watching."""
        await self._scope.close()
        self._registry.cut_all(EndReason.GATEWAY_STOPPING)

    def judge_soon(self) -> None:
        """The rules changed: do not wait for the next round."""
        self._now.set()

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(JUDGE_SECONDS):
                    await self._now.wait()
            self._now.clear()
            try:
                await self._round()
            except Exception as error:  # noqa: BLE001 - supervision must outlive any fault: the next round tries again
                _log.error("oversight round failed", exc_info=error)

    async def _round(self) -> None:
        self._cut_overdue()
        await self._judge.learn_days(self._registry.live())
        if findings := await self._sessions.rejudge(self._judge.again):
            self._scope.spawn(self._sessions.write_down(findings), name="terms written down")
        self._tell_of_grace()

    async def _keep_regularly(self) -> None:
        """Whatever fails in one step, the others are done; counting comes last, it delays nobody's end."""
        while True:
            await asyncio.sleep(_TOUCH_SECONDS)
            for step in (self._read_owed, self._keep_signed_in, self._note_input, self._note_days):
                try:
                    await step()
                except StoreUnavailable:
                    _log.warning("oversight waits: the database is away", step=step.__name__)
                except Exception as error:  # noqa: BLE001 - supervision must outlive any fault: the next round tries again
                    _log.error("oversight failed", step=step.__name__, exc_info=error)

    def _tell_of_grace(self) -> None:
        """A session that lost its declaration, or has one again: its person's pages show until when it goes on."""
        live = self._registry.live()
        graces = {one.session_id: kept.until for one in live if (kept := self._judge.grace(one.session_id))}
        changed = {one.user_id for one in live if graces.get(one.session_id) != self._graces.get(one.session_id)}
        if changed:
            self._changes.tell(changed, Topic.SESSIONS)
        self._graces = graces

    def _cut_overdue(self) -> None:
        """Limits that are known here act here, also while the table cannot be read."""
        now = self._clock.now()
        for live in self._registry.live():
            attached, terms = self._viewers.of(live.session_id), live.grant.obligations
            if attached is None:
                continue
            if self._idle_seconds(attached) >= terms.idle_limit.total_seconds():
                self._registry.cut_viewer(live, EndReason.IDLE)
            elif attached.viewer.session.created_at + terms.total_limit <= now:
                self._registry.cut_viewer(live, EndReason.TOTAL_LIMIT)
            elif self._judge.signed_in_until(live) <= now:
                self._registry.cut_viewer(live, EndReason.SIGNED_OUT)

    def _idle_seconds(self, attached: Attached) -> float:
        return self._clock.monotonic() - attached.relay.last_input_at

    async def _note_input(self) -> None:
        attached = ((viewer, self._viewers.of(viewer.session_id)) for viewer in self._registry.live())
        idle = [(viewer, self._idle_seconds(one)) for viewer, one in attached if one is not None]
        await self._sessions.note_input(idle)

    async def _note_days(self) -> None:
        """Whoever is still at work after midnight works on the new day, too."""
        for live in self._registry.live():
            if self._viewers.of(live.session_id):
                self._days.note((live.tenant_id, live.user_id))
        await self._days.settle()

    async def _keep_signed_in(self) -> None:
        """Work in the viewer is activity of the web session; a web session that is over takes its viewers along."""
        live = self._registry.live()
        self._judge.forget_all_but(live)
        for viewer in live:
            attached = self._viewers.of(viewer.session_id)
            if attached is None or self._idle_seconds(attached) > 2 * _TOUCH_SECONDS:
                continue
            if not await self._auth.touch(viewer.web_session_id):
                await self._signed_out(viewer.web_session_id)

    async def _person_changed(self, user_id: str) -> None:
        self._unread |= {one.web_session_id for one in self._registry.live() if user_id in (MISSED, one.user_id)}
        await self._read_owed()
        self.judge_soon()

    async def _read_owed(self) -> None:
        """Read what has changed, one after the other: of two readings the newer must be kept. What cannot be read now
        stays owed, and so does what changes while it is read: the next look tries again."""
        async with self._reading:
            while self._unread:
                web_session_id = self._unread.pop()
                try:
                    await self._read_again(web_session_id)
                except BaseException:
                    self._unread.add(web_session_id)
                    raise

    async def _read_again(self, web_session_id: WebSessionId) -> None:
        session = await self._auth.web_session(web_session_id)
        if session is None:
            await self._signed_out(web_session_id)
        else:
            self._judge.keep(session)

    async def _signed_out(self, web_session_id: str) -> None:
        if web_session_id == MISSED:
            for live in self._registry.live():
                await self._read_again(live.web_session_id)
            return
        await self._sessions.web_session_ended(self._tenant_id, WebSessionId(web_session_id))
