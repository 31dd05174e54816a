"""Declarations as a state machine: any order of calls, clock steps both ways, restarts, two nodes, a real database.

A model beside it keeps true time (the monotonic clock, which no step moves) and judges from outside: it reads only
what the services say is active. The nodes sweep whenever time moves, as their watch does every few seconds; the clock
is stepped while at least one of them has its database. The eight properties of the domain, and where each is tested:

1. No sequence of calls reaches the second level with one person, or a first one for more than four hours: here.
2. Ends hold with the database or the directory away and the clock stepped; what is over stays over: here.
3. Effective rights lie within the guardrails: here for what is declared in any order, `test_bcp_overlays.py` for random
   plans and policies, `test_policy_engine.py` for random policies.
4. What is over leaves every decision as it was before: here, and to the last term in `test_bcp_overlays.py` and
   (a whole city) `tests/integration/policy/test_bcp_restores.py`.
5. A drill widens nothing but its own pools: here, and `test_bcp_overlays.py` for random plans.
6. P0 is admitted whenever a seat of P2 to P4 can be freed: here for whom declarations in any order let claim one,
   `test_triage.py` for random queues and seats.
7. One tenant's declaration changes nothing for another: here, on one database.
8. Every widened access names its declaration: here in the decision, `test_bcp_audit.py` in the audit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from broker.duties.book import DutyBook
from broker.duties.models import Priority, ResumeWithin
from broker.models import Pool, PoolKind
from broker.settings import TriageSettings
from broker.triage.clearing import ClearingRules, Seated, StepKind, clearing
from broker.triage.order import Waiting
from broker.triage.situation import Situation
from common.db import upgrade
from common.errors import StoreUnavailable
from common.ids import PoolId, SessionId, UserId, new_id
from common.secret import Keyring
from policy.bcp.canonical import digest, extension_digest
from policy.bcp.model import WHOLE_TENANT, Declaration, DeclarationState, Level, Proposal, Refused
from policy.bcp.rules import fault, same_person
from policy.engine import Engine
from policy.model import IDLE_LIMIT_CAP, TOTAL_LIMIT_CAP, Action, Context, Decision, FactorKind, Request, Zone
from tests.support import bcp as kit
from tests.support.clock import FakeClock
from tests.support.policy import context
from tests.support.postgres import Postgres
from tests.support.register import duty, member, register

HOUR: Final = timedelta(hours=1)
PEOPLE: Final = ["chief", "clerk", "mayor", "deputy", "risk", "branch"]
START: Final = datetime(2026, 6, 3, 3, 0, tzinfo=UTC)
BOOK: Final = DutyBook(
    register(
        duty("hq", priority=Priority.P0, resume_within=ResumeWithin.HOURS_3, people=("0201", "0202"), substitutes=()),
        staff=(member("0201", "east", site="east"), member("0202", "hall")),
    )
)
FULL: Final = Pool(kit.CITY, PoolId("office"), "庁内", "Office", PoolKind.AGENT, "office", Zone.LGWAN, None, 3)
_MINUTE: Final = timedelta(minutes=1)
CLEARING: Final = ClearingRules(
    idle=10 * _MINUTE, protected=30 * _MINUTE, gone=_MINUTE, warning=10 * _MINUTE, warning_p0=3 * _MINUTE
)
people = st.sampled_from(PEOPLE)
nodes = st.integers(0, 1)
picks = st.integers(0, 30)


class Declarations(RuleBasedStateMachine):
    """Two nodes of one city and one of a town on the same database."""

    database_url: Callable[[Path], str] = staticmethod(lambda folder: f"sqlite:///{folder / 'kakehashi.db'}")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory(prefix="kakehashi-")
        self.path = Path(self.folder.name)
        self.clock = FakeClock(START)
        self.known: dict[str, Declaration] = {}
        self.lasts_until: dict[str, dict[int, float]] = {}
        """True time until which each version of a declaration may be active, by what was signed and when."""
        self.before: list[set[str]] = [set(), set()]
        self.over: list[set[str]] = [set(), set()]
        """What was active on each node, and what it has called over."""

    def run(self, work: Awaitable[Any]) -> Any:
        """On the machine's own loop, bounded."""
        return self.loop.run_until_complete(asyncio.wait_for(work, 30))

    @initialize()
    def begin(self) -> None:
        """A migrated database and three nodes."""
        url = type(self).database_url(self.path)
        self.run(upgrade(url))
        self.databases = [kit.LostDatabase(url) for _ in range(3)]
        self.keyring = Keyring.load_or_create(self.path / "keys.json")
        self.towns = [kit.Town(), kit.Town(), kit.Town(kit.TOWN)]
        self.stacks: list[AsyncExitStack] = []
        self.nodes: list[kit.Node] = []
        for index in range(3):
            stack, node = self.run(self.started(index))
            self.stacks.append(stack)
            self.nodes.append(node)
        self.before_all = Engine(self.nodes[0].policy.current.document)
        """Normal policy of city and town, as it was before anybody declared anything."""

    async def started(self, index: int) -> tuple[AsyncExitStack, kit.Node]:
        """A node on its own folder and connections."""
        stack = AsyncExitStack()
        node = await stack.enter_async_context(
            kit.node(
                self.path / f"node{index}",
                self.databases[index],
                self.clock,
                keyring=self.keyring,
                tenant=kit.TOWN if index == 2 else kit.CITY,
                town=self.towns[index],
            )
        )
        return stack, node

    def teardown(self) -> None:
        """Stop everything."""
        try:
            for stack in getattr(self, "stacks", []):
                self.run(stack.aclose())
            for database in getattr(self, "databases", []):
                self.run(database.close())
        finally:
            self.loop.close()
            self.folder.cleanup()

    # ---- what people do --------------------------------------------------------------------------------------------

    def step(self, work: Awaitable[Declaration]) -> Declaration | None:
        """A step that may be refused; a refused one must have left everything as it was."""
        try:
            done: Declaration = self.run(work)
        except (Refused, StoreUnavailable):
            return None
        self.known[done.id] = done
        if done.state is DeclarationState.ACTIVE:
            left = (done.ends_at - max(self.clock.now(), done.seen_at)).total_seconds()
            self.lasts_until.setdefault(done.id, {})[done.version] = self.clock.monotonic() + left
        return done

    def some(self, state: DeclarationState) -> list[Declaration]:
        """All that were last seen in this state."""
        return [made for made in self.known.values() if made.state is state]

    def one(self, pick: int, state: DeclarationState) -> Declaration:
        """One of them, the newest most easily."""
        found = self.some(state)
        return found[-1 - pick % len(found)]

    @rule(
        node=nodes,
        who=people,
        level=st.sampled_from([Level.ALERT, Level.FIRST, Level.SECOND]),
        kind=st.sampled_from(["plain", "plain", "drill", "glass"]),
        hours=st.sampled_from([None, 1, 5, 30, 14 * 24]),
        east=st.booleans(),
    )
    def declare(self, node: int, who: str, level: Level, kind: str, hours: int | None, east: bool) -> None:
        """First signature."""
        now = self.clock.now()
        proposal: Proposal = kit.proposal(
            level=level,
            drill=kind == "drill",
            break_glass=kind == "glass",
            ends_at=None if hours is None else now + hours * HOUR,
            **({"scope": kit.EAST} if east else {}),
        )
        self.step(self.nodes[node].bcp.declare(proposal, kit.signer(who, now, absent=True)))

    @rule(
        node=nodes,
        level=st.sampled_from([Level.FIRST, Level.SECOND]),
        hours=st.sampled_from([None, 1, 5]),
        east=st.booleans(),
    )
    def two_persons_declare(self, node: int, level: Level, hours: int | None, east: bool) -> None:
        """As it should be: much follows only from what is in force."""
        now, scope = self.clock.now(), kit.EAST if east else WHOLE_TENANT
        ends_at = None if hours is None else now + hours * HOUR
        proposal = kit.proposal(level=level, ends_at=ends_at, scope=scope)
        if made := self.step(self.nodes[node].bcp.declare(proposal, kit.signer("chief", now))):
            self.step(self.nodes[1 - node].bcp.approve(made.id, kit.approver("mayor", made, now)))

    @precondition(lambda self: self.some(DeclarationState.AWAITING_APPROVAL))
    @rule(node=nodes, who=people, pick=picks, blind=st.booleans())
    def approve(self, node: int, who: str, pick: int, blind: bool) -> None:
        """Second signature; a blind one has seen something else."""
        made = self.one(pick, DeclarationState.AWAITING_APPROVAL)
        seen = "x" if blind else digest(made)
        signer = kit.signer(who, self.clock.now(), seen_digest=seen, absent=True)
        self.step(self.nodes[node].bcp.approve(made.id, signer))

    @precondition(lambda self: self.some(DeclarationState.ACTIVE))
    @rule(node=nodes, who=people, pick=picks)
    def ratify(self, node: int, who: str, pick: int) -> None:
        """Stand in for a break-glass."""
        made = self.one(pick, DeclarationState.ACTIVE)
        self.step(self.nodes[node].bcp.ratify(made.id, kit.approver(who, made, self.clock.now())))

    @precondition(lambda self: self.some(DeclarationState.ACTIVE))
    @rule(node=nodes, first=people, second=people, pick=picks, hours=st.sampled_from([1, 48, 13 * 24]))
    def extend(self, node: int, first: str, second: str, pick: int, hours: int) -> None:
        """Two signatures on a later end."""
        made = self.one(pick, DeclarationState.ACTIVE)
        now, later = self.clock.now(), made.ends_at + hours * HOUR
        if self.step(self.nodes[node].bcp.propose_extension(made.id, later, kit.signer(first, now))):
            seen = extension_digest(made, later)
            signer = kit.signer(second, now, seen_digest=seen, absent=True)
            self.step(self.nodes[1 - node].bcp.approve_extension(made.id, signer))

    @precondition(lambda self: self.some(DeclarationState.ACTIVE))
    @rule(node=nodes, pick=picks)
    def lift(self, node: int, pick: int) -> None:
        """The end, by anybody."""
        made = self.one(pick, DeclarationState.ACTIVE)
        self.step(self.nodes[node].bcp.lift(made.id, kit.signer("clerk", self.clock.now(), totp_at=None)))

    @precondition(lambda self: self.some(DeclarationState.ACTIVE))
    @rule(node=nodes, pick=picks, how=st.sampled_from(["recover", "alert", "first", "east", "sooner"]))
    def narrow(self, node: int, pick: int, how: str) -> None:
        """Less, by anybody."""
        made = self.one(pick, DeclarationState.ACTIVE)
        bcp, who = self.nodes[node].bcp, kit.signer("clerk", self.clock.now(), totp_at=None)
        match how:
            case "recover":
                self.step(bcp.recover(made.id, who))
            case "alert" | "first":
                self.step(bcp.narrow(made.id, who, level=Level(how)))
            case "east":
                self.step(bcp.narrow(made.id, who, scope=kit.EAST))
            case _:
                self.step(bcp.narrow(made.id, who, ends_at=self.clock.now() + HOUR))

    # ---- what the world does ---------------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 10, 40, 61, 241, 24 * 60, 73 * 60]))
    def time_passes(self, minutes: int) -> None:
        """True time."""
        self.clock.advance(minutes * 60)
        self.sweep_all()

    def sweep_all(self) -> None:
        """What the watches do by themselves."""
        for node in self.nodes[:2]:
            self.run(node.bcp.sweep())

    @rule(hours=st.sampled_from([-100, -24, -2, 2, 24, 100]))
    def the_clock_is_stepped(self, hours: int) -> None:
        """No time passes, but the wall clock says so."""
        if all(database.away for database in self.databases[:2]):
            self.databases[0].away = False
        self.sweep_all()
        self.clock.set(self.clock.now() + hours * HOUR)
        self.sweep_all()

    @rule(node=nodes, what=st.sampled_from(["database", "directory", "restart"]))
    def something_goes_or_comes(self, node: int, what: str) -> None:
        """For one node: its database; whoever could say which people and pools there are; or the node itself, which
        starts again on its own folder."""
        match what:
            case "database":
                self.databases[node].away = not self.databases[node].away
            case "directory":
                self.towns[node].away = not self.towns[node].away
            case _:
                self.run(self.stacks[node].aclose())
                self.stacks[node], self.nodes[node] = self.run(self.started(node))

    # ---- what must always hold -------------------------------------------------------------------------------------

    def judged(self, node: kit.Node, facts: Context) -> Iterator[tuple[Request, Decision]]:
        """Every decision that the node makes about its own people and pools in these circumstances."""
        for person in kit.people(node.town.tenant):
            for pool in kit.pools(node.town.tenant):
                asked = Request(person, Action.CONNECT, pool, facts)
                yield asked, node.bcp.judge(node.policy.current, asked).decision

    def require_untouched(self, node: kit.Node) -> None:
        """Every decision is, to the last term, rule and reason, that of normal policy before all."""
        for asked, decision in self.judged(node, context(now=self.clock.now())):
            assert said(decision) == said(self.before_all.decide(asked))

    @precondition(lambda self: hasattr(self, "nodes"))
    @invariant()
    def what_is_active_was_signed_for_and_has_time_left(self) -> None:
        """Two persons, or one for four hours of true time at most; never longer than signed; over stays over."""
        mono = self.clock.monotonic()
        for index, node in enumerate(self.nodes[:2]):
            active = {item.declaration.id: item.declaration for item in node.bcp.active()}
            for found in active.values():
                assert fault(found) is None
                assert mono < self.limit(found) + 1e-3, "it outlived what was signed"
                if found.level.widens and not found.drill:
                    signed = found.signatures
                    two = any(not same_person(one, other) for one in signed for other in signed)
                    assert two or (found.level is Level.FIRST and found.ends_at - signed[0].at <= 4 * HOUR)
                    assert any(s.listed_rank for s in signed)
                assert found.id not in self.over[index], "it came back"
            if not self.databases[index].away:
                self.over[index] |= self.before[index] - active.keys()
            self.before[index] = set(active)

    def limit(self, found: Declaration) -> float:
        """By the newest version that a person made; what the clock alone did since has lengthened nothing."""
        versions = self.lasts_until[found.id]
        return versions[max(version for version in versions if version <= found.version)]

    @precondition(lambda self: hasattr(self, "nodes"))
    @invariant()
    def widened_access_names_its_declaration_and_drills_open_drill_pools_only(self) -> None:
        """For the people and pools of the kit."""
        now = self.clock.now()
        for node in self.nodes[:2]:
            base = node.policy.current
            active = {item.declaration.id: item.declaration for item in node.bcp.active()}
            real = any(not made.drill for made in active.values())
            for person in kit.people()[1:4]:
                for pool in kit.pools()[:3]:
                    judged = node.bcp.judge(base, Request(person, Action.CONNECT, pool, context(now=now)))
                    if judged.decision.allowed and not judged.normal_allowed:
                        assert judged.overlay_ids
                        assert set(judged.overlay_ids) <= active.keys()
                        east = "east" in (person.site, pool.site)
                        assert east or {active[found].scope for found in judged.overlay_ids} == {WHOLE_TENANT}
                        drills = {active[found].drill for found in judged.overlay_ids}
                        assert drills == {not real}
                        assert real or pool.pool_id == "drill"

    @precondition(lambda self: hasattr(self, "nodes"))
    @invariant()
    def p0_is_given_a_seat_by_what_covers_them_and_by_nothing_else(self) -> None:
        """Two of P0, at the east branch and at the city hall, want a full pool; lower classes have left their desks."""
        now = self.clock.now()
        for node in self.nodes[:2]:
            real = [a.declaration for a in node.bcp.active() if not a.declaration.drill and a.declaration.level.widens]
            whole, east = WHOLE_TENANT in (made.scope for made in real), bool(real)
            situation = Situation(TriageSettings())
            situation.bind(kit.CITY, book=lambda: BOOK, active=node.bcp.active)
            queue = [
                Waiting(
                    SessionId(f"ses_{name}"),
                    situation.priority(name, FULL.id),
                    now,
                    now,
                    claims=situation.claims(UserId(f"usr_{name}"), name, Priority.P0, FULL),
                )
                for name in ("east", "hall")
            ]
            assert {one.priority for one in queue} == {Priority.P0}
            left = [
                Seated(SessionId(f"ses_{low}"), low, attached=False, idle_since=now - HOUR, seated_at=now - 2 * HOUR)
                for low in (Priority.P2, Priority.P3, Priority.P4)
            ]
            steps = clearing(
                [one for one in queue if one.claims], left, parking_left=2, budget=2, now=now, rules=CLEARING
            )
            served = {step.claim.session_id for step in steps if step.claim and step.kind is StepKind.PARK}
            assert served == {f"ses_{name}" for name, covered in (("east", east), ("hall", whole)) if covered}

    @precondition(lambda self: hasattr(self, "nodes"))
    @invariant()
    def what_is_over_has_left_nothing_behind(self) -> None:
        """However it ended: lifted, expired, lapsed, given way; on every node by itself."""
        for node in self.nodes[:2]:
            if not node.bcp.active():
                self.require_untouched(node)

    @precondition(lambda self: hasattr(self, "nodes"))
    @invariant()
    def nothing_passes_a_guardrail(self) -> None:
        """Written from domain words: the zone, the person, the second factor, the terms."""
        now = self.clock.now()
        for node in self.nodes[:2]:
            for asked, decision in self.judged(node, context(now=now)):
                if decision.grant is None:
                    continue
                given = decision.grant.obligations
                assert asked.subject.suspended is False
                assert asked.resource.zone in (Zone.LGWAN, Zone.INTERNET)
                assert given.watermark
                assert given.idle_limit <= IDLE_LIMIT_CAP
                assert given.total_limit <= TOTAL_LIMIT_CAP
                assert asked.resource.zone is Zone.INTERNET or given.clipboard_out_chars == 0
                for forbidden in (
                    context(now=now, totp_age=None),
                    context(now=now, totp_age=13 * HOUR),
                    context(now=now, password_age=13 * HOUR),
                    context(now=now, factor=FactorKind.TEMPORARY),
                ):
                    again = replace(asked, context=forbidden)
                    assert not node.bcp.judge(node.policy.current, again).decision.allowed

    @precondition(lambda self: hasattr(self, "nodes"))
    @invariant()
    def the_town_notices_nothing(self) -> None:
        """Another tenant on the same database."""
        assert self.nodes[2].bcp.active() == ()
        self.require_untouched(self.nodes[2])


def said(decision: Decision) -> tuple[object, ...]:
    """All of a decision that anybody could notice."""
    terms = decision.grant and decision.grant.obligations
    return decision.allowed, terms, decision.rule_ids, decision.reason, decision.policy_version


class OnPostgresql(Declarations):
    """The same on PostgreSQL; the test sets the URL."""


BOUNDS: Final[dict[str, Any]] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_declarations_on_sqlite() -> None:
    run_state_machine_as_test(Declarations, settings=settings(max_examples=12, stateful_step_count=40, **BOUNDS))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_declarations_on_postgresql(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    def fresh(_folder: Path) -> str:
        name = new_id("test")
        postgres.sql(f"create database {name}")
        return postgres.url(name)

    monkeypatch.setattr(OnPostgresql, "database_url", staticmethod(fresh))
    run_state_machine_as_test(OnPostgresql, settings=settings(max_examples=3, stateful_step_count=30, **BOUNDS))
