"""Declarations as a state machine: any order of calls, clock steps both ways, restarts, two nodes, a real database.

A model beside it keeps true time (the monotonic clock, which no step moves) and judges from outside: it reads only
what the services say is active. The properties are those of the domain: nobody alone reaches the second level or a
first one for more than four hours, nothing outlives the time it was signed for, a drill opens nothing real, another
tenant notices nothing, and what is over stays over. The nodes sweep whenever time moves, as their watch does every few
seconds; the clock is stepped while at least one of them has its database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
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

from common.db import upgrade
from common.errors import StoreUnavailable
from common.ids import new_id
from common.secret import Keyring
from policy.bcp.canonical import digest, extension_digest
from policy.bcp.model import Declaration, DeclarationState, Level, Proposal, Refused
from policy.bcp.rules import fault, same_person
from policy.model import Action, Request
from tests.support import bcp as kit
from tests.support.clock import FakeClock
from tests.support.policy import context
from tests.support.postgres import Postgres

HOUR: Final = timedelta(hours=1)
PEOPLE: Final = ["chief", "clerk", "mayor", "deputy", "risk", "branch"]
START: Final = datetime(2026, 6, 3, 3, 0, tzinfo=UTC)
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
        self.stacks: list[AsyncExitStack] = []
        self.nodes: list[kit.Node] = []
        for index in range(3):
            stack, node = self.run(self.started(index))
            self.stacks.append(stack)
            self.nodes.append(node)
        base = self.nodes[2].policy.current
        self.town_before = self.decisions(self.nodes[2], base)

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

    def one(self, pick: int, state: DeclarationState) -> Declaration | None:
        """Some declaration that was last seen in this state."""
        found = [made for made in self.known.values() if made.state is state]
        return found[pick % len(found)] if found else None

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

    @rule(node=nodes, who=people, pick=picks, blind=st.booleans())
    def approve(self, node: int, who: str, pick: int, blind: bool) -> None:
        """Second signature; a blind one has seen something else."""
        if made := self.one(pick, DeclarationState.AWAITING_APPROVAL):
            seen = "x" if blind else digest(made)
            self.step(
                self.nodes[node].bcp.approve(made.id, kit.signer(who, self.clock.now(), seen_digest=seen, absent=True))
            )

    @rule(node=nodes, who=people, pick=picks)
    def ratify(self, node: int, who: str, pick: int) -> None:
        """Stand in for a break-glass."""
        if made := self.one(pick, DeclarationState.ACTIVE):
            self.step(self.nodes[node].bcp.ratify(made.id, kit.approver(who, made, self.clock.now())))

    @rule(node=nodes, first=people, second=people, pick=picks, hours=st.sampled_from([1, 48, 13 * 24]))
    def extend(self, node: int, first: str, second: str, pick: int, hours: int) -> None:
        """Two signatures on a later end."""
        if made := self.one(pick, DeclarationState.ACTIVE):
            now, later = self.clock.now(), made.ends_at + hours * HOUR
            if self.step(self.nodes[node].bcp.propose_extension(made.id, later, kit.signer(first, now))):
                seen = extension_digest(made, later)
                signer = kit.signer(second, now, seen_digest=seen, absent=True)
                self.step(self.nodes[1 - node].bcp.approve_extension(made.id, signer))

    @rule(node=nodes, pick=picks, how=st.sampled_from(["lift", "recover", "alert", "first", "east", "sooner"]))
    def narrow(self, node: int, pick: int, how: str) -> None:
        """Less, by anybody."""
        made = self.one(pick, DeclarationState.ACTIVE)
        if made is None:
            return
        bcp, who = self.nodes[node].bcp, kit.signer("clerk", self.clock.now(), totp_at=None)
        match how:
            case "lift":
                self.step(bcp.lift(made.id, who))
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

    @rule(node=nodes)
    def sweep(self, node: int) -> None:
        """What the watch does by itself."""
        self.run(self.nodes[node].bcp.sweep())

    @rule(node=nodes)
    def the_database_goes_or_comes(self, node: int) -> None:
        """For one node."""
        self.databases[node].away = not self.databases[node].away

    @rule(node=nodes)
    def restart(self, node: int) -> None:
        """A node stops and starts again on its own folder."""
        self.run(self.stacks[node].aclose())
        self.stacks[node], self.nodes[node] = self.run(self.started(node))

    # ---- what must always hold -------------------------------------------------------------------------------------

    def decisions(self, node: kit.Node, base: Any) -> list[bool]:
        """Every decision about the town, at a fixed moment of its own."""
        return [
            node.bcp.judge(base, Request(person, Action.CONNECT, pool, context(now=START))).decision.allowed
            for person in kit.people(kit.TOWN)
            for pool in kit.pools(kit.TOWN)
        ]

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
                        drills = {active[found].drill for found in judged.overlay_ids}
                        assert drills == {not real}
                        assert real or pool.pool_id == "drill"

    @precondition(lambda self: hasattr(self, "nodes"))
    @invariant()
    def the_town_notices_nothing(self) -> None:
        """Another tenant on the same database."""
        town = self.nodes[2]
        assert town.bcp.active() == ()
        assert self.decisions(town, town.policy.current) == self.town_before


class OnPostgresql(Declarations):
    """The same on PostgreSQL; the test sets the URL."""


BOUNDS: Final[dict[str, Any]] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
}


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_declarations_on_sqlite() -> None:
    run_state_machine_as_test(Declarations, settings=settings(max_examples=25, stateful_step_count=25, **BOUNDS))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_declarations_on_postgresql(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    def fresh(_folder: Path) -> str:
        name = new_id("test")
        postgres.sql(f"create database {name}")
        return postgres.url(name)

    monkeypatch.setattr(OnPostgresql, "database_url", staticmethod(fresh))
    run_state_machine_as_test(OnPostgresql, settings=settings(max_examples=6, stateful_step_count=20, **BOUNDS))
