"""A declaration leaves nothing behind: every decision about a whole city, to the last term and reason, is as before.

City and plans are the synthetic ones of 3,000 people, rules are those of the demo.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from common.db import Database
from common.ids import PoolId
from common.secret import Keyring
from gateway.demo import city, synthetic
from gateway.demo.pools import POOLS
from gateway.demo.run import POLICY
from policy.bcp.model import Level
from policy.bcp.service import Judged
from policy.model import Action, Request, Resource, Subject
from tests.support import bcp as kit
from tests.support.clock import FakeClock
from tests.support.policy import context

pytestmark = pytest.mark.slow

EVENING = datetime(2026, 6, 3, 10, 0, tzinfo=UTC)
"""19:00 in Tokyo on a Wednesday: most of the city may not work."""
TOWN = synthetic.generate()
PEOPLE = TOWN.subjects()
SOME = PEOPLE[::20]
KINDS = tuple({(p.groups, p.employment, p.suspended, p.department, p.site): p for p in PEOPLE}.values())
"""One of all those whom no rule of the demo, no line of its plan and no scope but of duties tells apart."""
TARGETS = tuple(
    Resource(tenant_id=city.TENANT, pool_id=PoolId(name), pool_class=pool.pool_class, zone=pool.zone, site=None)
    for name, pool in POOLS.items()
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(EVENING)


@pytest.fixture
async def node(tmp_path: Path, sqlite_database: Database, clock: FakeClock) -> AsyncIterator[kit.Node]:
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / "policy.yaml").write_bytes(POLICY.read_bytes())
    (folder / "plans.yaml").write_text(TOWN.plans, "utf-8")
    keyring = Keyring.load_or_create(tmp_path / "keys.json")
    async with kit.node(folder, sqlite_database, clock, keyring=keyring, tenant=city.TENANT) as started:
        yield started


def questions(now: datetime, people: Sequence[Subject]) -> Iterator[Request]:
    """These people at every target, from a device that nobody knows."""
    asked = context(now=now, device_kind=None, device_registered=None)
    for person, target, action in product(people, TARGETS, Action):
        yield Request(person, action, target, asked)


def said(judged: Judged) -> tuple[object, ...]:
    """All that a decision says."""
    decision = judged.decision
    terms = decision.grant and decision.grant.obligations
    return decision.allowed, terms, decision.rule_ids, decision.reason, decision.policy_version, judged.overlay_ids


def fingerprint(node: kit.Node, now: datetime, people: Sequence[Subject] = PEOPLE) -> list[tuple[object, ...]]:
    """Of all decisions about them, as the gateway makes them."""
    return [said(node.bcp.judge(node.policy.current, asked)) for asked in questions(now, people)]


def allowed(found: list[tuple[object, ...]]) -> int:
    """How many of the questions were answered with yes."""
    return sum(answer[0] is True for answer in found)


async def test_after_lifting_every_decision_is_the_one_before(node: kit.Node, clock: FakeClock) -> None:
    base, before = node.policy.current, fingerprint(node, EVENING)
    widened = [allowed(fingerprint(node, EVENING, SOME))]
    for level in (Level.FIRST, Level.SECOND):
        made = await kit.declare(node, clock, level=level)
        widened.append(allowed(fingerprint(node, EVENING, SOME)))
        await node.bcp.lift(made.id, kit.signer("chief", clock.now()))
        assert fingerprint(node, EVENING) == before
    assert widened[0] < widened[1] < widened[2]
    assert node.policy.current is base
    assert node.bcp.engine(base) is base


async def test_after_expiry_too_although_nobody_did_anything(node: kit.Node, clock: FakeClock) -> None:
    made = await kit.declare(node, clock, level=Level.SECOND)
    later = made.ends_at + timedelta(seconds=1)
    clock.set(later)
    normal = [node.policy.current.decide(asked) for asked in questions(later, KINDS)]
    alone = [said(Judged(decision, (), decision.allowed)) for decision in normal]
    assert fingerprint(node, later, KINDS) == alone
