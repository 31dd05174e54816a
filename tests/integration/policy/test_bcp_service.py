"""Declarations end to end: on both databases, several nodes, with the database away, restarts, tampering, races."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from common.bus import LocalBus
from common.clock import SystemClock
from common.db import Database
from common.errors import AuditUnavailable, StoreUnavailable
from common.ids import UserId
from common.secret import Keyring
from policy.bcp.canonical import encode, extension_digest, spelled
from policy.bcp.chronicle import BcpEvent
from policy.bcp.injects import Injects
from policy.bcp.model import (
    BUNDLE_VALID,
    Declaration,
    DeclarationState,
    Level,
    Refused,
    Role,
    Scope,
    ScopeKind,
)
from policy.bcp.shelf import PlansLoaded, PlansRejected, PlansUnchanged
from policy.bcp.store import bcp_declaration
from policy.model import Action, Request
from tests.support import bcp as kit
from tests.support.audit import node_log
from tests.support.clock import FakeClock
from tests.support.policy import context

HOUR = timedelta(hours=1)
SHELTER, OFFICE, STRANGER = 1, 0, 5


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.load_or_create(tmp_path / "keys.json")


@pytest.fixture
def lost(tmp_path: Path, sqlite_database: Database) -> kit.LostDatabase:
    """The migrated SQLite database, which can be made to be away."""
    return kit.LostDatabase(f"sqlite:///{tmp_path / 'kakehashi.db'}")


def ask(clock: FakeClock, who: int = SHELTER, pool: int = OFFICE) -> Request:
    return Request(kit.people()[who], Action.CONNECT, kit.pools()[pool], context(now=clock.now()))


def may(node: kit.Node, clock: FakeClock, who: int = SHELTER, pool: int = OFFICE) -> bool:
    return decided(node, ask(clock, who, pool))


def decided(node: kit.Node, request: Request) -> bool:
    """Whether it is allowed, by both ways to ask."""
    allowed = node.bcp.judge(node.policy.current, request).decision.allowed
    assert node.bcp.allows(node.policy.current, request) is allowed
    return allowed


def at_work(node: kit.Node, clock: FakeClock, who: int = SHELTER, pool: int = OFFICE) -> datetime | None:
    """Until when somebody with a desktop goes on by grace."""
    kept = node.bcp.keeps(node.policy.current, ask(clock, who, pool))
    return kept[1].until if kept else None


async def code(call: Awaitable[object]) -> str:
    with pytest.raises(Refused) as error:
        await call
    return kit.code_of(error.value)


async def test_two_persons_declare_and_it_ends_by_itself(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        base = node.policy.current
        assert not node.bcp.judge(base, ask(clock)).decision.allowed
        declared = await kit.declare(node, clock)
        assert declared.state is DeclarationState.ACTIVE
        judged = node.bcp.judge(base, ask(clock))
        assert judged.decision.allowed
        assert judged.overlay_ids == (declared.id,)
        assert not judged.normal_allowed
        clock.set(declared.ends_at)
        assert not node.bcp.judge(base, ask(clock)).decision.allowed
        await node.bcp.sweep()
        assert (await node.bcp.get(declared.id)).state is DeclarationState.EXPIRED
        assert node.bcp.engine(base) is base


async def test_two_nodes_agree_and_the_bus_is_enough(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    bus = LocalBus()
    async with (
        kit.node(tmp_path / "a", database, clock, keyring=keyring, bus=bus) as one,
        kit.node(tmp_path / "b", database, clock, keyring=keyring, bus=bus) as two,
    ):
        told = asyncio.Event()
        two.bcp.on_change(told.set)
        made = await kit.declare(one, clock, level=Level.SECOND)
        await asyncio.wait_for(told.wait(), 2)
        assert may(two, clock)
        assert two.bcp.level() is Level.SECOND
        told.clear()
        await two.bcp.narrow(
            made.id, kit.signer("clerk", clock.now()), block=frozenset({kit.people()[SHELTER].user_id})
        )
        await one.bcp.sweep()
        assert not may(one, clock)
        assert not may(two, clock)
        await two.bcp.lift(made.id, kit.signer("clerk", clock.now()), note="終息")
        await one.bcp.sweep()
        assert one.bcp.active() == two.bcp.active() == ()
        assert not at_work(one, clock)
    await bus.close()


async def test_who_is_at_work_keeps_the_desktop_for_the_grace_on_every_node_and_after_a_restart(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    bus = LocalBus()
    async with (
        kit.node(tmp_path / "a", database, clock, keyring=keyring, bus=bus) as one,
        kit.node(tmp_path / "b", database, clock, keyring=keyring, bus=bus) as two,
    ):
        made = await kit.declare(one, clock)
        await two.bcp.sweep()
        clock.advance(timedelta(hours=1))
        await two.bcp.lift(made.id, kit.signer("clerk", clock.now()), note="終息")
        await one.bcp.sweep()
        ends = clock.now() + timedelta(minutes=30)
        for node in (one, two):
            assert not may(node, clock)
            assert at_work(node, clock) == ends
            assert at_work(node, clock, STRANGER) is None
        await one.bcp.sweep()
    clock.advance(timedelta(minutes=10))
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as again:
        assert not may(again, clock)
        assert at_work(again, clock) == ends
        clock.advance(timedelta(minutes=20))
        assert at_work(again, clock) is None
    await bus.close()


async def test_days_are_counted_for_a_plan_that_limits_them_while_it_is_declared_and_for_its_grace(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    (tmp_path / "a").mkdir()
    capped = kit.widening("W1", days_a_week=4)
    (tmp_path / "a" / "plans.yaml").write_text(kit.plan_file(kit.plan_dict(first=[capped], second=[], drill=None)))

    def third_and_fourth() -> list[bool]:
        asked = [replace(ask(clock), context=context(now=clock.now(), days_worked=days)) for days in (3, 4, None)]
        return [decided(node, request) for request in asked]

    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        base = node.policy.current
        assert not node.bcp.counts_days(base)
        made = await kit.declare(node, clock)
        assert node.bcp.counts_days(base)
        assert third_and_fourth() == [True, False, False]
        await node.bcp.lift(made.id, kit.signer("clerk", clock.now()), note="終息")
        assert third_and_fourth() == [False, False, False]
        assert at_work(node, clock)
        assert node.bcp.counts_days(base), "whoever is at work goes on by it"
        clock.advance(timedelta(minutes=31))
        await node.bcp.sweep()
        assert not node.bcp.counts_days(base)


async def test_the_grace_is_never_longer_than_that_of_the_signed_end(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        made = await kit.declare(node, clock)
        ends = made.ends_at + timedelta(minutes=30)
        clock.advance(timedelta(hours=71))
        await node.bcp.sweep()
        clock.advance(timedelta(hours=1, minutes=1))
        assert not may(node, clock)
        assert at_work(node, clock) == ends, "before anybody has written the end down"
        await node.bcp.sweep()
        assert at_work(node, clock) == ends
        clock.set(made.ends_at - timedelta(hours=1))
        clock.advance(timedelta(minutes=30))
        assert at_work(node, clock) is None, "a clock set back lengthens nothing"


async def test_a_restart_long_after_a_lifting_gives_no_new_grace(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as one:
        made = await kit.declare(one, clock)
        await one.bcp.sweep()
    async with kit.node(tmp_path / "b", database, clock, keyring=keyring) as two:
        clock.advance(timedelta(hours=2))
        await two.bcp.lift(made.id, kit.signer("clerk", clock.now()), note="終息")
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as again:
        assert not may(again, clock)
        assert at_work(again, clock) is None


async def test_of_two_approvals_at_once_exactly_one_wins(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with (
        kit.node(tmp_path / "a", database, clock, keyring=keyring) as one,
        kit.node(tmp_path / "b", database, clock, keyring=keyring) as two,
    ):
        made = await one.bcp.declare(kit.proposal(), kit.signer("chief", clock.now()))
        outcomes = await asyncio.gather(
            one.bcp.approve(made.id, kit.approver("deputy", made, clock.now())),
            two.bcp.approve(made.id, kit.approver("risk", made, clock.now())),
            two.bcp.reject(made.id, kit.signer("chief", clock.now())),
            return_exceptions=True,
        )
        won = [outcome for outcome in outcomes if isinstance(outcome, Declaration)]
        assert len(won) == 1
        assert all(isinstance(outcome, Declaration | Refused) for outcome in outcomes)
        kept = await two.bcp.get(made.id)
        assert kept == won[0]
        names = one.audit.names() + two.audit.names()
        done = [
            event.name
            for event in (*one.audit.events, *two.audit.events)
            if event.outcome == "ok" and event.name in ("approve-declaration", "reject-declaration")
        ]
        assert len(done) == 1, names


async def test_bad_input_changes_nothing(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        now, bcp = clock.now(), node.bcp
        me = kit.signer("chief", now)
        cases: list[tuple[dict[str, Any], str]] = [
            ({"plan_id": "none"}, "plan_unknown"),
            ({"scope": Scope(ScopeKind.SITE, frozenset({"east", "atlantis"}))}, "scope_unknown"),
            ({"scope": Scope(ScopeKind.DEPARTMENT, frozenset({"魔法課"}))}, "scope_unknown"),
            ({"scope": Scope(ScopeKind.DUTY, frozenset({"magic"}))}, "scope_unknown"),
            ({"ends_at": now - HOUR}, "ends_in_past"),
            ({"supersedes": "bcp_none"}, "supersedes_unknown"),
        ]
        for over, expected in cases:
            assert await code(bcp.declare(kit.proposal(**over), me)) == expected
        assert await code(bcp.approve("bcp_none", me)) == "not_found"
        assert await bcp.history() == ()
        denied = [event for event in node.audit.events if event.outcome == "denied"]
        assert len(denied) == len(cases) + 1
        assert {event.actor for event in denied} == {"chief"}
        made = await bcp.declare(kit.proposal(), me)
        assert await code(bcp.approve(made.id, kit.approver("chief", made, now))) == "same_person"
        assert await code(bcp.approve(made.id, kit.approver("clerk", made, now))) == "nobody_listed"
        assert (
            await code(bcp.approve(made.id, kit.approver("deputy", made, now, totp_at=now - HOUR))) == "totp_not_fresh"
        )
        assert await bcp.get(made.id) == made
        assert bcp.active() == ()


async def test_a_directory_that_is_down_does_not_hold_up_a_declaration(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        node.town.away = True
        assert (await kit.declare(node, clock, scope=kit.EAST)).state is DeclarationState.ACTIVE


async def test_a_draft_is_shown_signed_or_discarded(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        me = kit.signer("chief", clock.now())
        first = await node.bcp.draft(kit.proposal(), me)
        assert first.signatures == ()
        assert (await node.bcp.propose(first.id, me)).state is DeclarationState.AWAITING_APPROVAL
        second = await node.bcp.draft(kit.proposal(), me)
        assert (await node.bcp.reject(second.id, me, note="不要")).state is DeclarationState.REJECTED
        assert {d.id for d in await node.bcp.history()} == {first.id, second.id}
        assert (await node.bcp.plan_of(first)).id == "quake"


async def test_drill_ends_when_it_becomes_real(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        drill = await node.bcp.declare(kit.proposal(drill=True), kit.signer("chief", clock.now()))
        assert drill.state is DeclarationState.ACTIVE
        assert may(node, clock, SHELTER, 2)
        assert not may(node, clock, SHELTER, OFFICE)
        await node.bcp.declare(kit.proposal(level=Level.ALERT), kit.signer("chief", clock.now()))
        assert (await node.bcp.get(drill.id)).state is DeclarationState.LIFTED
        assert not may(node, clock, SHELTER, 2)
        assert at_work(node, clock, SHELTER, 2) is None, "it makes way at once"
        assert (
            await code(node.bcp.declare(kit.proposal(drill=True), kit.signer("chief", clock.now())))
            == "real_one_active"
        )
        assert "give-way" in node.audit.names()


async def test_a_drill_has_its_grace_on_its_own_pools_and_what_it_pretends_stays_away(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    me = kit.signer("chief", clock.now())
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        drill = await node.bcp.declare(kit.proposal(drill=True), me)
        await node.bcp.lift(drill.id, me, note="終わり")
        assert not may(node, clock, SHELTER, 2)
        assert at_work(node, clock, SHELTER, 2) == clock.now() + timedelta(minutes=30)
        assert at_work(node, clock, SHELTER, OFFICE) is None
        clock.advance(timedelta(minutes=30))
        halved = kit.proposal(drill=True, injects=Injects(half_capacity=True))
        await node.bcp.declare(halved, kit.signer("chief", clock.now()))
        free = ask(clock, SHELTER, 2)
        full = replace(free, context=replace(free.context, seats_used=9))
        for asked, given in ((free, True), (full, False)):
            assert decided(node, asked) is given
            assert (node.bcp.keeps(node.policy.current, asked) is not None) is given


async def test_superseding_ends_the_one_before_in_the_same_moment(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        first = await kit.declare(node, clock)
        second = await kit.declare(node, clock, level=Level.SECOND, supersedes=first.id)
        assert [item.declaration.id for item in node.bcp.active()] == [second.id]
        assert (await node.bcp.get(first.id)).end_note == second.id


async def test_break_glass_lives_four_hours_and_is_ratified_by_another(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        glass = await node.bcp.declare(
            kit.proposal(break_glass=True, scope=kit.EAST), kit.signer("risk", clock.now(), absent=True)
        )
        assert may(node, clock)
        clock.advance(4 * HOUR)
        assert not may(node, clock)
        await node.bcp.sweep()
        again = kit.proposal(break_glass=True)
        assert (
            await code(node.bcp.declare(again, kit.signer("deputy", clock.now(), absent=True))) == "break_glass_again"
        )
        assert (await node.bcp.get(glass.id)).state is DeclarationState.EXPIRED
        clock.advance(68 * HOUR)
        second = await node.bcp.declare(again, kit.signer("deputy", clock.now(), absent=True))
        kept = await node.bcp.ratify(second.id, kit.approver("mayor", second, clock.now()))
        assert kept.signatures[-1].role is Role.RATIFIED
        clock.advance(5 * HOUR)
        assert may(node, clock)


async def test_extension_and_recovery(database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        made = await kit.declare(node, clock)
        clock.set(made.ends_at - HOUR)
        later = made.ends_at + 24 * HOUR
        seen = extension_digest(made, later)
        await node.bcp.propose_extension(made.id, later, kit.signer("chief", clock.now()))
        await node.bcp.reject(made.id, kit.signer("deputy", clock.now(), seen_digest=seen))
        await node.bcp.propose_extension(made.id, later, kit.signer("chief", clock.now()))
        longer = await node.bcp.approve_extension(
            made.id, kit.signer("deputy", clock.now(), seen_digest=seen, absent=True)
        )
        assert longer.ends_at == later
        clock.advance(2 * HOUR)
        assert may(node, clock)
        back = await node.bcp.recover(made.id, kit.signer("clerk", clock.now(), totp_at=None))
        assert back.level is node.bcp.level() is Level.RECOVERY
        assert not may(node, clock)


async def test_nothing_is_widened_that_cannot_be_recorded(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        made = await node.bcp.declare(kit.proposal(), kit.signer("chief", clock.now()))
        node.audit.broken = True
        with pytest.raises(AuditUnavailable):
            await node.bcp.approve(made.id, kit.approver("deputy", made, clock.now()))
        with pytest.raises(AuditUnavailable):
            await node.bcp.declare(kit.proposal(), kit.signer("chief", clock.now()))
        node.audit.broken = False
        assert await node.bcp.history() == (made,)
        active = await node.bcp.approve(made.id, kit.approver("deputy", made, clock.now()))
        node.audit.broken = True
        assert (await node.bcp.lift(active.id, kit.signer("x", clock.now()))).state is DeclarationState.LIFTED
        assert not may(node, clock)


async def test_reminders_and_steps_are_events_on_one_node_only(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with (
        kit.node(tmp_path / "a", database, clock, keyring=keyring) as one,
        kit.node(tmp_path / "b", database, clock, keyring=keyring) as two,
    ):
        heard: list[BcpEvent] = []

        def broken(_event: BcpEvent) -> None:
            raise RuntimeError("a listener's fault")

        for node in (one, two):
            node.bcp.subscribe(broken)
            node.bcp.subscribe(heard.append)
        made = await kit.declare(one, clock)
        for left in (24, 4, 1, 0):
            clock.set(made.ends_at - left * HOUR)
            for node in (one, two, one):
                await node.bcp.sweep()
        assert [event.name for event in heard] == [
            "propose-declaration",
            "approve-declaration",
            "remind-declaration",
            "remind-declaration",
            "remind-declaration",
            "expire-declaration",
        ]
        assert [event.remaining for event in heard[2:5]] == [24 * HOUR, 4 * HOUR, HOUR]


async def test_one_tenants_declaration_changes_nothing_for_another(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with (
        kit.node(tmp_path / "a", database, clock, keyring=keyring) as city,
        kit.node(tmp_path / "b", database, clock, keyring=keyring, tenant=kit.TOWN) as town,
    ):
        made = await kit.declare(city, clock, level=Level.SECOND)
        await town.bcp.sweep()
        assert town.bcp.active() == ()
        assert await town.bcp.history() == ()
        assert await code(town.bcp.lift(made.id, kit.signer("mayor", clock.now()))) == "not_found"
        base = town.policy.current
        for person in kit.people(kit.TOWN):
            for pool in kit.pools(kit.TOWN):
                request = Request(person, Action.CONNECT, pool, context(now=clock.now()))
                assert (
                    town.bcp.judge(base, request).decision == base.decide(request) or not base.decide(request).allowed
                )
                assert city.bcp.overlays_for(person, pool, clock.now()) == ()
        assert town.bcp.engine(base) is base
        drill = await town.bcp.declare(kit.proposal(drill=True), kit.signer("chief", clock.now()))
        assert drill.state is DeclarationState.ACTIVE


async def test_steps_refusals_and_alarms_go_with_the_real_audit_on_the_same_database(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    """The audit writes in transactions of its own: none may wait for one that a step holds open."""
    log = node_log(database, clock, tenant_id=kit.CITY)
    await log.start()
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring, sink=log) as node:
        began = SystemClock().monotonic()
        made = await kit.declare(node, clock)
        assert await code(node.bcp.ratify(made.id, kit.approver("mayor", made, clock.now()))) == "not_break_glass"
        async with database.transaction() as connection:
            await connection.execute(text("update bcp_declaration set seal = 'AAAA'"))
        assert await code(node.bcp.lift(made.id, kit.signer("clerk", clock.now()))) == "not_found"
        async with database.transaction() as connection:
            found = await connection.execute(text("select name, outcome from audit_event order by seq"))
            events = [tuple(row) for row in found]
        assert events == [
            ("load-bcp-plans", "ok"),
            ("sign-declaration", "ok"),
            ("propose-declaration", "ok"),
            ("sign-declaration", "ok"),
            ("approve-declaration", "ok"),
            ("ratify-declaration", "denied"),
            ("distrust-declaration", "failed"),
            ("lift-declaration", "denied"),
        ]
        assert SystemClock().monotonic() - began < 5
    await log.close()


# ---- broken infrastructure -----------------------------------------------------------------------------------------


async def test_decisions_go_on_without_the_database_and_end_in_time(
    lost: kit.LostDatabase, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", lost, clock, keyring=keyring) as node:
        made = await kit.declare(node, clock, ends_at=clock.now() + 48 * HOUR)
        lost.away = True
        await node.bcp.sweep()
        assert node.bcp.health().cut_off
        assert may(node, clock)
        with pytest.raises(StoreUnavailable):
            await node.bcp.lift(made.id, kit.signer("clerk", clock.now()))
        clock.advance(47 * HOUR)
        assert may(node, clock)
    async with kit.node(tmp_path / "a", lost, clock, keyring=keyring) as again:
        assert again.bcp.health().cut_off
        assert may(again, clock)
        clock.set(clock.now() - 24 * HOUR)
        assert may(again, clock)
        clock.advance(HOUR - timedelta(seconds=1))
        assert may(again, clock)
        clock.advance(1)
        assert not may(again, clock)
        await again.bcp.sweep()
        lost.away = False
        await again.bcp.sweep()
        assert (await again.bcp.get(made.id)).state is DeclarationState.EXPIRED
    await lost.close()


async def test_a_restart_under_a_stepped_clock_lengthens_nothing(
    lost: kit.LostDatabase, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", lost, clock, keyring=keyring) as node:
        made = await kit.declare(node, clock)
        clock.set(made.ends_at - HOUR)
        await node.bcp.sweep()
    clock.set(made.ends_at - 70 * HOUR)
    for away in (True, False):
        lost.away = away
        async with kit.node(tmp_path / "a", lost, clock, keyring=keyring) as node:
            assert may(node, clock)
            clock.advance(HOUR / 2)
            await node.bcp.sweep()
    async with kit.node(tmp_path / "fresh", lost, clock, keyring=keyring) as node:
        assert not may(node, clock)
        await node.bcp.sweep()
        assert (await node.bcp.get(made.id)).state is DeclarationState.EXPIRED
    await lost.close()


async def test_an_island_goes_on_for_three_days_at_most(
    lost: kit.LostDatabase, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", lost, clock, keyring=keyring) as node:
        await kit.declare(node, clock, ends_at=clock.now() + 10 * 24 * HOUR)
        lost.away = True
        clock.advance(BUNDLE_VALID - HOUR)
        assert may(node, clock)
        clock.advance(HOUR)
        assert not may(node, clock)
        assert node.bcp.active() == ()
        lost.away = False
        await node.bcp.sweep()
        assert may(node, clock)
    await lost.close()


@pytest.mark.parametrize("harm", ["date", "mode", "gone"])
async def test_a_harmed_bundle_is_not_active_and_raises_the_alarm(
    harm: str, lost: kit.LostDatabase, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", lost, clock, keyring=keyring) as node:
        made = await kit.declare(node, clock)
        bundle = node.folder / "bundle.json"
    if harm == "date":
        bundle.write_text(bundle.read_text().replace(made.ends_at.strftime("%Y-%m-%d"), "2026-04-30"))
    if harm == "mode":
        bundle.chmod(0o644)
    if harm == "gone":
        bundle.unlink()
    lost.away = True
    async with kit.node(tmp_path / "a", lost, clock, keyring=keyring) as node:
        assert not may(node, clock)
        assert ("distrust-bundle" in node.audit.names()) is (harm != "gone")
        lost.away = False
        await node.bcp.sweep()
        assert may(node, clock)
    await lost.close()


def altered(made: Declaration, **over: Any) -> dict[str, Any]:
    """A row as somebody would write it who can write the database and has no key."""
    other = replace(made, **over)
    return {
        "content": spelled(encode(other)).decode(),
        "ends_at": other.ends_at,
        "version": other.version,
        "state": str(other.state),
    }


FORGERIES: list[Callable[[Declaration], dict[str, Any]]] = [
    lambda made: altered(made, level=Level.SECOND),
    lambda made: altered(made, ends_at=made.ends_at + 24 * HOUR),
    lambda made: altered(made, version=made.version + 1),
    lambda made: altered(made, blocked=frozenset({UserId("usr_x")})),
    lambda _made: {"content": "{}"},
    lambda _made: {"content": "no json"},
    lambda _made: {"seal": "AAAA"},
    lambda _made: {"version": 99},
]


@pytest.mark.parametrize("forge", FORGERIES)
async def test_a_row_altered_in_the_database_is_not_active(
    forge: Callable[[Declaration], dict[str, Any]],
    sqlite_database: Database,
    tmp_path: Path,
    keyring: Keyring,
    clock: FakeClock,
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        made = await kit.declare(node, clock)
        async with sqlite_database.transaction() as connection:
            await connection.execute(
                update(bcp_declaration).where(bcp_declaration.c.id == made.id).values(**forge(made))
            )
        await node.bcp.sweep()
        await node.bcp.sweep()
        assert not may(node, clock)
        assert node.audit.names().count("distrust-declaration") == 1
        assert await code(node.bcp.lift(made.id, kit.signer("clerk", clock.now()))) == "not_found"


async def test_an_old_row_put_back_is_not_active_again(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        made = await kit.declare(node, clock)
        async with sqlite_database.transaction() as connection:
            row = (await connection.execute(text("select * from bcp_declaration"))).mappings().one()
        await node.bcp.lift(made.id, kit.signer("clerk", clock.now()))
        async with sqlite_database.transaction() as connection:
            await connection.execute(text("delete from bcp_declaration"))
            names = ", ".join(row.keys())
            places = ", ".join(f":{name}" for name in row)
            await connection.execute(text(f"insert into bcp_declaration ({names}) values ({places})"), dict(row))  # noqa: S608 - the row's own column names
        await node.bcp.sweep()
        assert not may(node, clock)
        assert "distrust-declaration" in node.audit.names()


async def test_a_plan_altered_in_the_database_is_not_active(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        await kit.declare(node, clock)
        wider = json.dumps(kit.plan_dict(first=[kit.widening(who={"groups": ["telework", "shelter"]})]))
        async with sqlite_database.transaction() as connection:
            await connection.execute(text("update bcp_plan set content = :content"), {"content": wider})
        await node.bcp.sweep()
        assert not may(node, clock)
        assert "distrust-declaration" in node.audit.names()


async def test_another_key_ring_is_worth_nothing(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        await kit.declare(node, clock)
    other = Keyring.load_or_create(tmp_path / "other.json")
    async with kit.node(tmp_path / "b", sqlite_database, clock, keyring=other) as node:
        assert not may(node, clock)
        assert "distrust-declaration" in node.audit.names()


# ---- plans ---------------------------------------------------------------------------------------------------------


async def test_a_changed_plan_does_not_change_what_was_signed(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        made = await kit.declare(node, clock)
        narrow = kit.plan_dict(version=2, first=[kit.widening(who={"groups": ["nobody"]})], second=[], drill=None)
        node.plans.write_text(kit.plan_file(narrow))
        assert isinstance(await node.bcp.reload_plans(), PlansLoaded)
        await node.bcp.sweep()
        assert may(node, clock)
        second = await kit.declare(node, clock, supersedes=made.id)
        assert second.plan_version == 2
        assert not may(node, clock)


async def test_a_declared_version_cannot_be_rewritten_and_faults_leave_the_plans_before(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        await kit.declare(node, clock)
        for content in (
            kit.plan_file(kit.plan_dict(grace="5m")),
            kit.plan_file(kit.plan_dict(version=2, first=[])),
            "plans: [",
            "",
        ):
            node.plans.write_text(content)
            outcome = await node.bcp.reload_plans()
            assert isinstance(outcome, PlansRejected)
            assert outcome.problems[0].text_ja
            assert [plan.version for plan in node.bcp.plans] == [1]
        node.plans.unlink()
        assert isinstance(await node.bcp.reload_plans(), PlansRejected)
        node.plans.write_text(kit.plan_file())
        assert isinstance(await node.bcp.reload_plans(), PlansUnchanged)
        assert node.audit.names().count("reject-bcp-plans") == 5
        assert may(node, clock)


async def test_a_faulty_file_at_start_does_not_keep_declarations_from_working(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        made = await kit.declare(node, clock)
        before = await node.bcp.what_if(made)
        node.plans.write_text("nonsense")
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        assert node.bcp.plans == ()
        assert node.bcp.health().problems
        assert may(node, clock)
        shown = await node.bcp.what_if(made)
        assert shown.gainers
        assert shown.digest == before.digest


# ---- the watch by itself -------------------------------------------------------------------------------------------


async def test_the_watch_ends_a_declaration_without_being_asked(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring
) -> None:
    clock = SystemClock()
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring, poll_seconds=30) as node:
        ended = asyncio.Event()
        node.bcp.subscribe(lambda event: ended.set() if event.name == "expire-declaration" else None)
        made = await node.bcp.declare(
            kit.proposal(ends_at=clock.now() + timedelta(seconds=3)), kit.signer("chief", clock.now())
        )
        await node.bcp.approve(made.id, kit.approver("deputy", made, clock.now()))
        assert node.bcp.active()
        await asyncio.wait_for(ended.wait(), 10)
        assert node.bcp.active() == ()
        assert clock.now() - made.ends_at < timedelta(seconds=5)


async def test_what_is_signed_promises_nothing_that_needs_a_known_device(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    """The gateway knows no device in this version, so a widening that names one gives nothing, and the diff says so."""
    folder = tmp_path / "a"
    folder.mkdir()
    named = kit.widening("W1", devices={"registered": True})
    (folder / "plans.yaml").write_text(kit.plan_file(kit.plan_dict(first=[named], second=[], drill=None)))
    async with kit.node(folder, sqlite_database, clock, keyring=keyring) as node:
        assert (await node.bcp.what_if(kit.proposal())).gains == ()
        await kit.declare(node, clock)
        for known, allowed in (({"device_kind": None, "device_registered": None}, False), ({}, True)):
            asked = Request(
                kit.people()[SHELTER], Action.CONNECT, kit.pools()[OFFICE], context(now=clock.now(), **known)
            )
            assert decided(node, asked) is allowed
