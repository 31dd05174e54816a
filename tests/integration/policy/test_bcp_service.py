"""Declarations end to end: on both databases, several nodes, with the database away, restarts, tampering, races."""

from pathlib import Path

import pytest

from common.db import Database
from common.secret import Keyring
from policy.bcp.model import DeclarationState
from policy.model import Action, Request
from tests.support import bcp as kit
from tests.support.clock import FakeClock
from tests.support.policy import context


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.load_or_create(tmp_path / "keys.json")


def ask(node: kit.Node, who: int, pool: int, clock: FakeClock) -> Request:
    return Request(kit.people()[who], Action.CONNECT, kit.pools()[pool], context(now=clock.now()))


async def test_two_persons_declare_and_it_ends_by_itself(
    database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", database, clock, keyring=keyring) as node:
        base = node.policy.current
        assert not node.bcp.judge(base, ask(node, 1, 0, clock)).decision.allowed
        declared = await kit.declare(node, clock)
        assert declared.state is DeclarationState.ACTIVE
        judged = node.bcp.judge(base, ask(node, 1, 0, clock))
        assert judged.decision.allowed
        assert judged.overlay_ids == (declared.id,)
        assert not judged.normal_allowed
        clock.set(declared.ends_at)
        assert not node.bcp.judge(base, ask(node, 1, 0, clock)).decision.allowed
        await node.bcp.sweep()
        assert (await node.bcp.get(declared.id)).state is DeclarationState.EXPIRED
        assert node.bcp.engine(base) is base
