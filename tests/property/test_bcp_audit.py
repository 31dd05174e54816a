"""Every widened access names its declaration in the audit, in any order of declarations, hours, people and viewers.

Policy, declarations, broker and judge are the real ones on a real database; only the relay and the desktop are absent:
a viewer is its two callbacks. An engine beside them says what normal policy alone would have given.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from auth.models import Identity, WebSession
from broker.assembly import build_broker, build_duties
from broker.models import AddressKind, EndReason, Pool, PoolKind, StaticTarget, TargetSecurity, Viewer
from broker.registry import LiveSession
from broker.settings import BrokerSettings
from common.audit import AuditEvent
from common.bus import LocalBus
from common.db import Database, upgrade
from common.errors import KakehashiError
from common.ids import DesktopId, PoolId, UserId, WebSessionId
from common.secret import Keyring
from gateway.clock_watch import ClockWatch, SteadyClock
from gateway.facts import subject
from gateway.judge import Judge, Judgement
from policy.bcp.model import Level
from policy.engine import Engine
from policy.model import Action, Decision, Request, Zone
from tests.support import bcp as kit
from tests.support.clock import FakeClock
from tests.support.policy import context, resource
from tests.support.policy_strategies import no_wider

AFTERNOON: Final = datetime(2026, 6, 3, 5, 0, tzinfo=UTC)
"""14:00 in Tokyo on a Wednesday: whoever may by normal policy may until 18:00."""
OFFICE: Final = PoolId("office")
GROUPS: Final = {
    "normal": frozenset({"telework"}),
    "declared": frozenset({"shelter"}),
    "both": frozenset({"telework", "shelter"}),
}
PLAN: Final = kit.plan_dict(
    grace="30m",
    first=[kit.widening("W1", terms={"total_limit": "10h"})],
    second=[kit.widening("W2", terms={"clipboard_in_chars": 500})],
    drill={"pools": ["office"], "first": ["W1"], "second": ["W2"]},
)
GIVING: Final = frozenset({"request-session", "attach-viewer", "take-over-session", "change-grant"})
"""The events that say what somebody may do from now on."""
people = st.sampled_from(sorted(GROUPS))


class Work(RuleBasedStateMachine):
    """Three people at one pool of one gateway."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory(prefix="kakehashi-")
        self.stack = AsyncExitStack()
        self.clock = FakeClock(AFTERNOON)
        self.declared: list[str] = []
        self.viewers: dict[str, tuple[Viewer, Judgement]] = {}

    def run(self, work: Awaitable[Any]) -> Any:
        """On the machine's own loop, bounded."""
        return self.loop.run_until_complete(asyncio.wait_for(work, 30))

    @initialize()
    def begin(self) -> None:
        """A gateway's services, as its composition root joins them, and whoever may at work."""
        self.run(self.start(Path(self.folder.name)))
        for who in GROUPS:
            self.come(who)

    async def start(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'kakehashi.db'}"
        await upgrade(url)
        database = Database(url)
        self.stack.push_async_callback(database.close)
        bus, keyring = LocalBus(), Keyring.load_or_create(folder / "keys.json")
        self.stack.push_async_callback(bus.close)
        (folder / "node").mkdir()
        (folder / "node" / "plans.yaml").write_text(kit.plan_file(PLAN), "utf-8")
        self.node = await self.stack.enter_async_context(
            kit.node(folder / "node", database, self.clock, keyring=keyring, bus=bus)
        )
        self.broker = build_broker(
            database=database, keyring=keyring, clock=self.clock, audit=self.node.audit, bus=bus,
            settings=BrokerSettings(), node="gw-1",
        )  # fmt: skip
        self.stack.push_async_callback(self.broker.close)
        pool = Pool(
            tenant_id=kit.CITY, id=OFFICE, name_ja="庁内", name_en="Office", kind=PoolKind.STATIC,
            pool_class="standard", zone=Zone.LGWAN, site=None, max_desktops=len(GROUPS),
        )  # fmt: skip
        await self.broker.catalogue.put_pool(pool, actor="test")
        for who in GROUPS:
            target = StaticTarget(
                tenant_id=kit.CITY, id=DesktopId(f"pc-{who}"), pool_id=OFFICE, name_ja="端末", name_en="PC",
                address_kind=AddressKind.TCP, host="pc.city.example", port=5900, security=(TargetSecurity.NONE,),
            )  # fmt: skip
            await self.broker.catalogue.put_target(target, actor="test")
        self.duties = build_duties(
            tenant_id=kit.CITY, database=database, catalogue=self.broker.catalogue, audit=self.node.audit, bus=bus,
            clock=self.clock,
        )  # fmt: skip
        steady = SteadyClock(self.clock)
        watch = ClockWatch(database, steady, self.node.audit, tenant_id=kit.CITY, node="gw-1")
        self.judge = Judge(
            self.node.policy, self.node.bcp, self.broker.catalogue, self.broker.sessions, self.broker.days, steady,
            self.duties, watch,
        )  # fmt: skip
        self.normal = Engine(self.node.policy.current.document)

    def teardown(self) -> None:
        """Stop everything."""
        try:
            self.run(self.stack.aclose())
        finally:
            self.loop.close()
            self.folder.cleanup()

    # ---- what happens ----------------------------------------------------------------------------------------------

    @rule(level=st.sampled_from([Level.FIRST, Level.SECOND]), drill=st.booleans())
    def declare(self, level: Level, drill: bool) -> None:
        """As it should be; beside what is declared already."""
        now = self.clock.now()
        proposal = kit.proposal(level=level, drill=drill)
        try:
            made = self.run(self.node.bcp.declare(proposal, kit.signer("chief", now)))
            if not drill:
                made = self.run(self.node.bcp.approve(made.id, kit.approver("mayor", made, now)))
        except KakehashiError:
            return
        self.declared.append(made.id)
        self.judge_again()

    @precondition(lambda self: self.declared)
    @rule(pick=st.integers(0, 9))
    def lift(self, pick: int) -> None:
        """Whoever rests on it has 30 minutes."""
        wanted = self.declared[pick % len(self.declared)]
        try:
            self.run(self.node.bcp.lift(wanted, kit.signer("chief", self.clock.now())))
        except KakehashiError:
            return
        self.judge_again()

    @rule(minutes=st.sampled_from([10, 31, 250]))
    def time_passes(self, minutes: int) -> None:
        """Hours close and open, graces and declarations run out."""
        self.clock.advance(minutes * 60)
        self.run(self.node.bcp.sweep())
        self.judge_again()

    @rule(who=people)
    def come(self, who: str) -> None:
        """Ask for a desktop and attach a viewer, as the handlers do."""
        self.run(self.opened(who))

    async def opened(self, who: str) -> None:
        now, user_id, web_id = self.clock.now(), UserId(f"usr_{who}"), WebSessionId(f"web_{who}")
        identity = Identity(user_id, kit.CITY, who, who.title(), "総務課", GROUPS[who], "permanent")
        web = WebSession(
            id=web_id, identity=identity, created_at=now, last_seen_at=now, idle_expires_at=now + timedelta(hours=1),
            expires_at=now + timedelta(hours=12), password_at=now, totp_at=now, source="203.0.113.7",
            user_agent_label="test",
        )  # fmt: skip
        judgement = await self.judge.decide_for(OFFICE, web, web.source)
        if judgement.decision.grant is None:
            await self.node.audit.record(judgement.denial(identity, web.source))
            return
        session = await self.broker.sessions.request(judgement.grant, web_session_id=web_id, basis=judgement.basis)
        await self.broker.launcher.idle()
        key: dict[str, Any] = {"user_id": user_id, "web_session_id": web_id}
        ticket = await self.broker.attachments.issue_ticket(kit.CITY, session.id, **key)
        redeemed = await self.broker.attachments.redeem(ticket, tenant_id=kit.CITY, session_id=session.id, **key)
        again = await self.judge.decide_for(OFFICE, web, web.source)
        self.judge.attached(session.id, again, web)
        viewer = await self.broker.attachments.activate(
            redeemed, again.grant, cut=lambda _reason: None, regrant=lambda _grant: None, basis=again.basis
        )
        if before := self.viewers.pop(who, None):
            await self.broker.attachments.viewer_lost(before[0], EndReason.TAKEN_OVER)
        self.viewers[who] = (viewer, again)

    @precondition(lambda self: self.viewers)
    @rule(pick=st.integers(0, 9), logs_off=st.booleans())
    def leave(self, pick: int, logs_off: bool) -> None:
        """A lost line, or the end of work."""
        viewer, _ = self.viewers.pop(sorted(self.viewers)[pick % len(self.viewers)])
        self.run(self.broker.attachments.viewer_lost(viewer, EndReason.USER_LOGGED_OUT if logs_off else None))

    def judge_again(self) -> None:
        """What the oversight does within a second."""
        findings = self.run(self.broker.sessions.rejudge(self.judge.again))
        self.run(self.broker.sessions.write_down(findings))
        live = {one.session_id for one in self.broker.registry.live()}
        for who, (viewer, _) in tuple(self.viewers.items()):
            if viewer.session.id not in live:
                del self.viewers[who]
                self.run(self.broker.attachments.viewer_lost(viewer, EndReason.POLICY))

    # ---- what must always hold -------------------------------------------------------------------------------------

    def alone(self, live: LiveSession) -> Decision:
        """What normal policy alone gives this person now."""
        who = Identity(
            live.user_id, kit.CITY, live.grant.subject.username, "", "総務課", live.grant.subject.groups, "permanent"
        )
        asked = context(now=self.clock.now(), device_kind=None, device_registered=None, seats_used=1, seats_total=3)
        target = resource(tenant_id=kit.CITY, pool_id=OFFICE)
        return self.normal.decide(Request(subject(who, self.duties), Action.CONNECT, target, asked))

    @precondition(lambda self: hasattr(self, "normal"))
    @invariant()
    def whoever_has_more_than_normal_policy_gives_is_on_record_with_the_declarations(self) -> None:
        """By the newest event that says what they may do; texts that pass at this moment likewise."""
        events: list[AuditEvent] = self.node.audit.events
        for live in self.broker.registry.live():
            alone, given = self.alone(live), live.grant.obligations
            said = [event for event in events if event.session_id == live.session_id and event.name in GIVING][-1]
            assert said.details["normal_allowed"] is alone.allowed
            if alone.grant is None or not no_wider(given, alone.grant.obligations):
                self.require_named(said.details["declarations"])
            attached = next(judged for viewer, judged in self.viewers.values() if viewer.session.id == live.session_id)
            normal_chars = alone.grant.obligations.clipboard_in_chars if alone.grant else 0
            text = self.judge.clipboard_basis(live.session_id, attached, inward=True)
            assert text["normal_allowed"] is (normal_chars > 0)
            if given.clipboard_in_chars > normal_chars:
                self.require_named(text["declarations"])

    def require_named(self, named: object) -> None:
        """Known declarations, and at least one that is in force or in its grace."""
        assert named, "widened, and the audit names no declaration"
        ids = set(str(named).split())
        assert ids <= set(self.declared)
        now = self.clock.now()
        lasting = {item.declaration.id for item in self.node.bcp.active()}
        for declaration_id in self.declared:
            found = self.run(self.node.bcp.get(declaration_id))
            if (found.ended_at or found.ends_at) + timedelta(minutes=30) > now:
                lasting.add(declaration_id)
        assert ids & lasting


TestWork = pytest.mark.slow(Work.TestCase)
TestWork.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
