"""Plans in the console on both databases: two persons adopt, every node follows, what was tampered with is not used."""

import asyncio
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from common.bus import LocalBus
from common.clock import SystemClock
from common.db import Database
from common.errors import AuditUnavailable, StoreUnavailable
from common.secret import Keyring
from policy.bcp import rules
from policy.bcp.model import DeclarationState, Level, Refused
from policy.bcp.plan_store import bcp_plan_version
from policy.bcp.plan_text import text_of
from policy.bcp.plan_versions import PlanState, PlanVersion
from tests.support import bcp as kit
from tests.support.clock import FakeClock
from tests.support.policy import policy


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.load_or_create(tmp_path / "keys.json")


async def code(call: Awaitable[object]) -> str:
    with pytest.raises(Refused) as error:
        await call
    return kit.code_of(error.value)


def written(version: int = 2, **over: Any) -> str:
    return kit.plan_file(kit.plan_dict(version=version, **over))


async def propose(node: kit.Node, clock: FakeClock, plan: str, who: str = "clerk") -> PlanVersion:
    return await node.bcp.plan_desk.propose(plan, "見直し", kit.signer(who, clock.now()))


async def adopt(node: kit.Node, clock: FakeClock, made: PlanVersion, who: str = "chief") -> PlanVersion:
    signer = kit.signer(who, clock.now(), seen_digest=made.plan.digest)
    return await node.bcp.plan_desk.adopt(made.plan.id, made.plan.version, signer)


async def adopted(node: kit.Node, clock: FakeClock, version: int = 2, **over: Any) -> PlanVersion:
    return await adopt(node, clock, await propose(node, clock, written(version, **over)))


def versions(node: kit.Node) -> dict[str, int]:
    return {plan.id: plan.version for plan in node.bcp.plans}


async def test_two_persons_adopt_and_the_file_gives_way(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        desk = node.bcp.plan_desk
        assert versions(node) == {"quake": 1}
        declared = await kit.declare(node, clock)
        made = await propose(node, clock, written())
        assert (made.state, versions(node)) == (PlanState.PROPOSED, {"quake": 1})  # nothing yet
        assert await code(adopt(node, clock, made, "clerk")) == "same_person"
        taken = await adopt(node, clock, made)
        assert taken.adopted is not None
        assert (taken.proposed.username, taken.adopted.username) == ("clerk", "chief")
        assert versions(node) == {"quake": 2}
        assert [plan.version for plan in desk.written] == [1]
        # what is declared keeps the version that was signed
        assert (await node.bcp.plan_of(declared)).version == 1
        assert node.bcp.active()[0].plan.version == 1
        # a new plan that the file never had, and a way back: the old content as a new version
        await adopted(node, clock, 1, id="flood")
        back = await adopted(node, clock, 3, grace="20m")
        assert versions(node) == {"quake": 3, "flood": 1}
        assert await code(propose(node, clock, written(2))) == "plan_version_old"
        assert await desk.next_version("quake") == 4
        assert [(v.plan.id, v.plan.version, v.state) for v in await desk.versions()] == [
            ("flood", 1, "adopted"),
            ("quake", 3, "adopted"),
            ("quake", 2, "adopted"),
        ]
        assert text_of(back.plan).startswith("format: 1")
        names = node.audit.names()
        assert (names.count("propose-plan"), names.count("adopt-plan")) == (4, 4)
        refused = [e for e in node.audit.events if e.name in ("propose-plan", "adopt-plan") and e.outcome == "denied"]
        assert [event.details["code"] for event in refused] == ["same_person", "plan_version_old"]
    async with kit.node(tmp_path / "b", database, clock, keyring=keyring) as restarted:
        assert versions(restarted) == {"quake": 3, "flood": 1}


async def test_every_node_has_it_within_two_seconds(database: Database, tmp_path: Path, keyring: Keyring) -> None:
    clock, bus = SystemClock(), LocalBus()
    async with (
        kit.node(tmp_path / "a", database, clock, keyring=keyring, bus=bus) as one,
        kit.node(tmp_path / "b", database, clock, keyring=keyring, bus=bus) as two,
    ):
        made = await one.bcp.plan_desk.propose(written(), "見直し", kit.signer("clerk", clock.now()))
        signer = kit.signer("chief", clock.now(), seen_digest=made.plan.digest)
        await two.bcp.plan_desk.adopt("quake", 2, signer)
        async with asyncio.timeout(2):
            while versions(one) != {"quake": 2}:  # noqa: ASYNC110 - what it waits for has no event
                await asyncio.sleep(0.02)


async def test_of_two_who_adopt_or_reject_at_once_one_wins(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with (
        kit.node(tmp_path / "a", database, clock, keyring=keyring) as one,
        kit.node(tmp_path / "b", database, clock, keyring=keyring) as two,
    ):
        made = await propose(one, clock, written())
        both = await asyncio.gather(
            propose(one, clock, written(3)), propose(two, clock, written(3)), return_exceptions=True
        )
        assert sorted(type(each).__name__ for each in both) == ["PlanVersion", "Refused"]
        steps = (adopt(one, clock, made), adopt(two, clock, made, "mayor"), one.bcp.plan_desk.reject(
            "quake", 2, kit.signer("risk", clock.now())))  # fmt: skip
        done = await asyncio.gather(*steps, return_exceptions=True)
        won = [each for each in done if isinstance(each, PlanVersion)]
        assert len(won) == 1, done
        codes = {kit.code_of(each) for each in done if isinstance(each, Refused)}
        assert codes <= {"other_was_faster", "plan_not_waiting"}


async def test_bad_plans_change_nothing(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        desk, now = node.bcp.plan_desk, clock.now()
        beyond = written(2, first=[kit.widening(targets={"pools": ["office"], "zones": ["my_number"]})], second=[])
        for bad in ("", "format: 1", beyond, kit.plan_file(kit.plan_dict(), kit.plan_dict(id="flood"))):
            with pytest.raises(Refused) as error:
                await desk.propose(bad, "見直し", kit.signer("clerk", now))
            assert kit.code_of(error.value) == "plan_faulty"
        assert await code(desk.propose(written(1), "見直し", kit.signer("clerk", now))) == "plan_version_old"
        assert await code(desk.propose(written(2), " ", kit.signer("clerk", now))) == "reason_missing"
        stale = kit.signer("clerk", now, totp_at=None)
        assert await code(desk.propose(written(2), "見直し", stale)) == "totp_not_fresh"
        assert await code(desk.adopt("quake", 7, kit.signer("chief", now))) == "plan_version_unknown"
        assert await desk.versions() == ()
        assert versions(node) == {"quake": 1}
        # and what is not on record does not happen
        made = await propose(node, clock, written())
        node.audit.broken = True
        with pytest.raises(AuditUnavailable):
            await propose(node, clock, written(3))
        with pytest.raises(AuditUnavailable):
            await adopt(node, clock, made)
        node.audit.broken = False
        assert [version.state for version in await desk.versions()] == [PlanState.PROPOSED]


async def test_what_was_tampered_with_cannot_be_declared(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    rows = bcp_plan_version.c
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        made = await propose(node, clock, written())
        async with database.transaction() as connection:  # one person alone, at the database
            await connection.execute(
                update(bcp_plan_version).values(
                    state="adopted",
                    content=text('replace(content, \'"state":"proposed"\', \'"state":"adopted"\')'),
                )
            )
        await node.bcp.reload_plans()
        assert versions(node) == {}
        assert await node.bcp.plan_desk.versions() == ()
        assert node.audit.names().count("distrust-plan") == 1
        async with database.transaction() as connection:
            await connection.execute(delete(bcp_plan_version))
        await adopted(node, clock, 2)
        await adopted(node, clock, 3)
        async with database.transaction() as connection:  # the old one shall count again
            await connection.execute(delete(bcp_plan_version).where(rows.version == 3))
        await node.bcp.reload_plans()
        assert versions(node) == {}
        assert node.audit.names().count("distrust-plan") == 2
        assert made.plan.version == 2
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        assert versions(node) == {}, "a restart does not forget what was adopted"
        assert node.audit.names().count("distrust-plan") == 1
        async with database.transaction() as connection:
            await connection.execute(delete(bcp_plan_version))
        await node.bcp.reload_plans()
        assert versions(node) == {}, "nor is the file's plan used in place of a missing one"
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        assert versions(node) == {}, "nor after another restart"
        assert await code(propose(node, clock, written(2))) == "plan_version_old", "a number means one text for ever"
        await adopted(node, clock, 4)
        assert versions(node) == {"quake": 4}, "two persons mend it in one step"


async def test_one_person_cannot_use_up_the_versions(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_PROPOSALS", 2)
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        desk = node.bcp.plan_desk
        for version in (2, 3):
            await desk.propose(written(version), "見直し", kit.signer("clerk", clock.now()))
            await desk.reject("quake", version, kit.signer("clerk", clock.now()))
        fourth = desk.propose(written(4), "見直し", kit.signer("clerk", clock.now()))
        assert await code(fourth) == "too_many_proposals"
        for _ in range(2):
            made = await node.bcp.declare(kit.proposal(), kit.signer("clerk", clock.now()))
            await node.bcp.reject(made.id, kit.signer("clerk", clock.now()), note="")
        assert await code(node.bcp.declare(kit.proposal(), kit.signer("clerk", clock.now()))) == "too_many_proposals"
        await desk.propose(written(4), "見直し", kit.signer("chief", clock.now()))
        assert (await kit.declare(node, clock)).state is DeclarationState.ACTIVE


async def test_the_effect_is_shown_before_anybody_adopts(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        found = await node.bcp.plan_desk.check(written())
        assert found.plan is not None
        first = await node.bcp.plan_desk.what_if(found.plan, Level.FIRST)
        second = await node.bcp.plan_desk.what_if(found.plan, Level.SECOND)
        assert 0 < len(first.gainers) < len(second.gainers)
        assert first.losses == second.losses == 0
        assert versions(node) == {"quake": 1}


async def test_a_policy_that_no_longer_bears_an_adopted_plan_takes_it_away(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        place = kit.widening(places={"networks": ["east"]})
        await adopted(node, clock, 2, first=[place], second=[], drill=None)
        assert versions(node) == {"quake": 2}
        rules = node.folder / "policy.yaml"
        rules.write_text(json.dumps(policy(kit.RULES), ensure_ascii=False))
        for _ in range(2):  # a change counts once two looks agree
            await node.policy.reload()
        await node.bcp.reload_plans()
        assert versions(node) == {}
        assert any(problem.rule_id == "quake/W1" for problem in node.bcp.health().problems)


async def test_without_the_database_the_plans_before_stay(
    tmp_path: Path, sqlite_database: Database, keyring: Keyring, clock: FakeClock
) -> None:
    lost = kit.LostDatabase(f"sqlite:///{tmp_path / 'kakehashi.db'}")
    async with kit.node(tmp_path / "a", lost, clock, keyring=keyring) as node:
        await adopted(node, clock, 2)
        lost.away = True
        await node.bcp.reload_plans()
        assert versions(node) == {"quake": 2}
        with pytest.raises(StoreUnavailable):
            await propose(node, clock, written(3))
    await lost.close()
