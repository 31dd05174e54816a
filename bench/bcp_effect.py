"""From the second signature to its effect on 3,000 live viewers of one node: `python -m bench.bcp_effect`.

The parts are the gateway's own (database, audit chain, policy, declarations, broker, judge, oversight); only browsers
and desktops are missing: each viewer is a row, a place in the registry and a callback that notes when it was reached.
The viewers are people of the synthetic city at their own office PCs, with the duties of its register, all of them for
this once in the emergency headquarters: its plan has to change the terms of everybody, and nobody may have a grace.
Wall clock, because waiting for the database is part of it.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import trustme

from auth.models import Identity, WebSession
from auth.service import AuthService
from auth.settings import AuthSettings
from bench.policy_bench import CITY, Row, show
from broker.assembly import Broker, build_broker, build_duties
from broker.duties.book import DutyBook
from broker.duties.service import DutyService
from broker.models import DesktopSession, EndReason, Pool, PoolKind
from broker.registry import LiveSession
from broker.settings import BrokerSettings
from broker.states import SessionState
from broker.store.rows import session_row
from broker.store.tables import desktop_session
from common.audit_log import AuditLog, load_or_create_signing_key
from common.audit_spool import Spool
from common.bus import LocalBus
from common.clock import SystemClock
from common.db import Database, upgrade
from common.ids import DesktopId, PoolId, SessionId, UserId, WebSessionId
from common.secret import Keyring
from gateway.changes import Changes
from gateway.clock_watch import ClockWatch, SteadyClock
from gateway.demo import city, synthetic
from gateway.demo.run import POLICY
from gateway.facts import resource, subject
from gateway.judge import Judge
from gateway.metrics import Metrics
from gateway.oversight import Oversight
from gateway.settings import RelaySettings
from gateway.surroundings import GatewaySurroundings
from gateway.unreachable import Unreachable
from gateway.viewers import Viewers
from policy.bcp.canonical import digest
from policy.bcp.model import WHOLE_TENANT, Cause, Declaration, Level, Proposal, Signer
from policy.bcp.plan_store import PlanStore
from policy.bcp.service import BcpService
from policy.bcp.settings import BcpSettings, OfficialSettings
from policy.bcp.store import BcpStore
from policy.model import Action, Context, FactorKind, Grant, Request, Zone
from policy.service import PolicyService
from policy.settings import PolicySettings

VIEWERS: Final = 3_000
ROUNDS: Final = 3
GOAL: Final = 2.0
POOL: Final = PoolId("office-desktop")
OFFICE: Final = Pool(CITY, POOL, "庁内", "Office", PoolKind.STATIC, "office", Zone.LGWAN, None, max_desktops=VIEWERS)
TOWN: Final = synthetic.generate(VIEWERS * 6 // 5)
"""Nine of ten have a PC; with these there is one for each viewer."""
PLANS: Final = TOWN.plans.replace("grace: 30m", "grace: 0m")


@dataclass
class Reached:
    """When viewers were told of other terms, and when they were cut."""

    regrants: list[float] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)

    def regrant(self, _grant: Grant) -> None:
        """A viewer's callback."""
        self.regrants.append(time.perf_counter())

    def cut(self, _reason: EndReason) -> None:
        """A viewer's callback."""
        self.cuts.append(time.perf_counter())


@dataclass(frozen=True)
class Node:
    """One gateway without its listeners."""

    database: Database
    policy: PolicyService
    bcp: BcpService
    broker: Broker
    duties: DutyService
    judge: Judge
    reached: Reached
    clock: SystemClock


@asynccontextmanager
async def node(folder: Path) -> AsyncIterator[Node]:
    """Wired as `gateway/app.py` does, on SQLite. The directory does not answer: nobody asks it here."""
    clock, bus, url = SystemClock(), LocalBus(), f"sqlite:///{folder / 'kakehashi.db'}"
    (folder / "plans.yaml").write_text(PLANS, "utf-8")
    trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
    await upgrade(url)
    async with AsyncExitStack() as stack:
        database = Database(url)
        stack.push_async_callback(database.close)
        key = load_or_create_signing_key(folder / "audit.pem")
        spool = Spool(folder / "spool.jsonl", limit_bytes=2**26)
        audit = AuditLog(database, clock, node_id="bench", tenant_id=CITY, key=key, spool=spool)
        await audit.start()
        stack.push_async_callback(audit.close)
        keyring = Keyring.load_or_create(folder / "keys.json")
        policy = PolicyService(PolicySettings(path=POLICY), tenant_id=CITY, clock=clock, audit=audit)
        await policy.start()
        stack.push_async_callback(policy.close)
        auth = AuthService.create(
            AuthSettings.model_validate({"ldap": {
                "servers": [{"host": "localhost", "port": 1}], "ca_file": folder / "ca.pem", "bind_dn": "cn=none",
                "bind_password": "none", "base_dn": "dc=none", "group_base_dn": "dc=none", "decoy_dn": "cn=none",
            }}),
            tenant_id=CITY, tenant_name="測定", database=database, keyring=keyring, audit=audit, bus=bus, clock=clock,
        )  # fmt: skip
        broker = build_broker(
            database=database, keyring=keyring, clock=clock, audit=audit, bus=bus, settings=BrokerSettings(), node="b"
        )
        await broker.start()
        stack.push_async_callback(broker.close)
        duties = build_duties(
            tenant_id=CITY, database=database, catalogue=broker.catalogue, audit=audit, bus=bus, clock=clock
        )
        await duties.start()
        officials = [OfficialSettings(username="mayor", rank=1, title_ja="市長", title_en="Mayor")]
        bcp = BcpService(
            BcpSettings(
                plans_file=folder / "plans.yaml", bundle_file=folder / "bundle.json", officials=officials
            ),
            tenant_id=CITY, store=BcpStore(database), plan_store=PlanStore(database), keyring=keyring, policy=policy,
            surroundings=GatewaySurroundings(CITY, auth, broker.catalogue, duties, clock),
            clock=clock, audit=audit, bus=bus,
        )  # fmt: skip
        await bcp.start()
        stack.push_async_callback(bcp.close)
        clock_watch = ClockWatch(database, SteadyClock(clock), audit, tenant_id=CITY, node="b")
        judge = Judge(policy, bcp, broker.catalogue, broker.sessions, broker.days, clock, duties, clock_watch)
        viewers = Viewers(
            tenant_id=CITY, settings=RelaySettings(), attachments=broker.attachments, judge=judge, days=broker.days,
            audit=audit, clock=clock, metrics=Metrics(), unreachable=Unreachable(broker.silent),
        )  # fmt: skip

        async def owner_of(_session_id: SessionId) -> UserId | None:
            return None

        oversight = Oversight(
            tenant_id=CITY, viewers=viewers, sessions=broker.sessions, registry=broker.registry, auth=auth,
            days=broker.days, judge=judge, changes=Changes(bus, clock, owner_of, tuple), bus=bus, clock=clock,
        )  # fmt: skip
        oversight.start()
        stack.push_async_callback(asyncio.sleep, 1)  # what was just being written when it ended ends, too
        stack.push_async_callback(oversight.close)
        bcp.on_change(oversight.judge_soon)
        yield Node(database, policy, bcp, broker, duties, judge, Reached(), clock)


async def attach(at: Node, count: int, *groups: str) -> None:
    """So many viewers of people in these groups, as if they had come through tickets and WebSockets."""
    now, rows = at.clock.now(), []
    people = {person.number: person for person in TOWN.people if not person.retired}
    at_work = [(people[pc.staff_number], DesktopId(pc.id)) for pc in TOWN.pcs if pc.staff_number in people]
    if len(at_work) < count:
        raise RuntimeError(f"the city has {len(at_work)} PCs for {count} viewers")
    for person, desktop_id in at_work[:count]:
        number = person.number
        who = Identity(
            user_id=UserId(f"usr_{number}"), tenant_id=CITY, username=person.uid, display_name=person.display_name,
            department=person.department, employment=person.employment, groups=frozenset(groups),
        )  # fmt: skip
        web = WebSession(
            id=WebSessionId(f"web_{number}"), identity=who, created_at=now, last_seen_at=now,
            idle_expires_at=now + timedelta(hours=1), expires_at=now + timedelta(hours=12), password_at=now,
            totp_at=now, source="203.0.113.7", user_agent_label="bench",
        )  # fmt: skip
        at.judge.keep(web)
        grant = granted(at, web)
        session = DesktopSession(
            tenant_id=CITY, id=SessionId(f"ses_{number}"), user_id=who.user_id, username=who.username,
            display_name=who.display_name, pool_id=POOL, desktop_id=desktop_id,
            state=SessionState.REQUESTED, end_reason=None, short_code="ABCD", web_session_id=web.id, viewer=1, node="b",
            obligations=grant.obligations, created_at=now, state_since=now, active_since=None, seen_at=now,
            keep_until=None, expires_at=now + grant.obligations.total_limit, ended_at=None, worked_seconds=0.0,
        )  # fmt: skip
        rows.append(session_row(session))
        live = LiveSession(CITY, session.id, who.user_id, POOL, desktop_id, web.id, 1, grant, now)
        at.broker.registry.register(live, cut=at.reached.cut, regrant=at.reached.regrant)
    async with at.database.transaction() as connection:
        await connection.execute(desktop_session.insert(), rows)
        # The schema knows no other way to the state than the steps.
        for state in (SessionState.QUEUED, SessionState.STARTING, SessionState.READY, SessionState.ACTIVE):
            since = now if state is SessionState.ACTIVE else None
            await connection.execute(desktop_session.update().values(state=state, active_since=since))


def granted(at: Node, web: WebSession) -> Grant:
    """What this person is allowed now. Raises RuntimeError when it is nothing: the bench would measure nothing."""
    now = at.clock.now()
    context = Context(
        now=now, source=ip_address(web.source), password_age=timedelta(), totp_age=timedelta(), factor=FactorKind.TOTP,
        seats_used=0, seats_total=VIEWERS, gateway_load_percent=0, user_sessions=0,
    )  # fmt: skip
    request = Request(subject(web.identity, at.duties), Action.CONNECT, resource(OFFICE), context)
    grant = at.bcp.judge(at.policy.current, request).decision.grant
    if grant is None:
        raise RuntimeError("nobody is allowed what this measures")
    return grant


def signer(at: Node, name: str, seen: str | None = None) -> Signer:
    """An official or a coordinator with a fresh code."""
    return Signer(UserId(f"usr_{name}"), name, name, totp_at=at.clock.now(), seen_digest=seen)


async def until(reached: list[float], count: int) -> None:
    """Wait until so many were reached."""
    async with asyncio.timeout(120):
        while len(reached) < count:  # noqa: ASYNC110 - the callbacks under measurement stay as light as they are
            await asyncio.sleep(0.01)


async def approved(at: Node) -> tuple[float, Declaration]:
    """The second signature, and when it was given."""
    waiting = await at.bcp.declare(
        Proposal(WHOLE_TENANT, Level.FIRST, "quake", Cause.EARTHQUAKE, "bench"), signer(at, "chief")
    )
    began = time.perf_counter()
    return began, await at.bcp.approve(waiting.id, signer(at, "mayor", digest(waiting)))


async def widened_and_back(viewers: int) -> tuple[float, float]:
    """Everybody has other terms after the second signature, and the old ones after lifting, which follows at once:
    while what the first changed is still being written down."""
    async with started() as at:
        await attach(at, viewers, city.TELEWORK, city.BCP_HQ)
        began, signed = await approved(at)
        await until(at.reached.regrants, viewers)
        first = at.reached.regrants[viewers - 1] - began
        again = time.perf_counter()
        await at.bcp.lift(signed.id, signer(at, "mayor"))
        await until(at.reached.regrants, 2 * viewers)
        return first, at.reached.regrants[2 * viewers - 1] - again


async def cut(viewers: int) -> float:
    """Everybody rests on the declaration alone (its plan has no grace): from lifting to the last cut."""
    async with started() as at:
        _, signed = await approved(at)
        await attach(at, viewers, city.BCP_HQ)
        await asyncio.sleep(3)  # a round of oversight has seen what they rest on
        began = time.perf_counter()
        await at.bcp.lift(signed.id, signer(at, "mayor"))
        await until(at.reached.cuts, viewers)
        return at.reached.cuts[viewers - 1] - began


@asynccontextmanager
async def started() -> AsyncIterator[Node]:
    """A fresh node with its pool and the city's register."""
    with tempfile.TemporaryDirectory() as folder:
        async with node(Path(folder)) as at:
            await at.broker.catalogue.put_pool(OFFICE, actor="bench")
            at.duties.book = DutyBook(TOWN.register)
            yield at


def row(name: str, figures: list[float]) -> Row:
    """A line of the table."""
    return Row(f"{VIEWERS:,} live viewers: {name}", min(figures), statistics.median(figures), "s", GOAL)


def run() -> list[Row]:
    """All figures."""
    rounds = [asyncio.run(widened_and_back(VIEWERS)) for _ in range(ROUNDS)]
    cuts = [asyncio.run(cut(VIEWERS)) for _ in range(ROUNDS)]
    return [
        row("second signature to the last new terms", [first for first, _ in rounds]),
        row("lifting at once after it to the last old terms", [second for _, second in rounds]),
        row("lifting to the last cut", cuts),
    ]


def main() -> int:
    """Print the table."""
    show("bcp: from signature to effect, one node, SQLite", run(), width=72)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
