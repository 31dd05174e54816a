"""New rules that begin to count days: a round judges by the rules it has read the days for, and whoever is at work
waits a minute for a database that is away, by the rules before."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from broker.registry import LiveSession
from broker.store.worked_days import WorkedDayStore
from broker.worked_days import WorkedDays
from common.db import Database
from common.ids import DesktopId, SessionId, WebSessionId
from common.secret import Keyring
from gateway.judge import Judge
from policy.model import Decision, Grant
from tests.support import bcp as kit
from tests.support.clock import FakeClock
from tests.support.policy import policy, request

WEDNESDAY = date(2026, 4, 1)
FREE: dict[str, Any] = {"id": "T-01", "when": {"users": ["sato"]}}
CAPPED: dict[str, Any] = {"id": "T-01", "when": {"users": ["sato"], "days_a_week": 2}}
CLOSED: dict[str, Any] = {"id": "T-01", "when": {"users": ["suzuki"], "days_a_week": 2}}


class Office:
    """One viewer at work, and a policy that the test changes."""

    def __init__(self, node: kit.Node, file: Path, database: kit.LostDatabase, clock: FakeClock) -> None:
        self.node, self.database, self._file, self._clock = node, database, file, clock
        parts: dict[str, Any] = dict.fromkeys(("catalogue", "sessions", "clock_watch"), SimpleNamespace())
        nobody = SimpleNamespace(member=lambda _username: None)
        parts["duties"] = SimpleNamespace(book=nobody, duties_of=lambda _username: frozenset())
        self.store = WorkedDayStore(database)
        days = WorkedDays(self.store, clock)
        self.judge = Judge(node.policy, node.bcp, days=days, clock=clock, **parts)
        asked = request(now=clock.now())
        self.person = asked.subject.tenant_id, asked.subject.user_id
        identity = SimpleNamespace(
            tenant_id=asked.subject.tenant_id, user_id=asked.subject.user_id, username="sato", department=None,
            groups=asked.subject.groups, employment=None,
        )  # fmt: skip
        signed_in: Any = SimpleNamespace(
            id="web_1", identity=identity, password_at=clock.now(), totp_at=clock.now(), temporary_factor=False
        )
        self.judge.keep(signed_in)
        decision = node.policy.current.decide(asked)
        assert decision.grant
        self.live = LiveSession(
            asked.subject.tenant_id, SessionId("ses_1"), asked.subject.user_id, asked.resource.pool_id,
            DesktopId("dsk_1"), WebSessionId("web_1"), 1, decision.grant, clock.now(),
        )  # fmt: skip

    async def rules(self, rule: dict[str, Any]) -> str:
        """Put others in force; their version."""
        self._file.write_text(json.dumps(policy([rule])), "utf-8")
        await self.node.policy.reload()
        return self.node.policy.current.version

    async def round(self) -> Grant | None:
        """What the next round gives the viewer."""
        await self.judge.learn_days([self.live])
        return self.again()

    def again(self) -> Grant | None:
        decision: Decision = self.judge.again(self.live).decision
        return decision.grant


@pytest.fixture
async def office(tmp_path: Path, sqlite_database: Database, clock: FakeClock) -> AsyncIterator[Office]:
    folder, keyring = tmp_path / "node", Keyring.load_or_create(tmp_path / "keys.json")
    folder.mkdir()
    (folder / "policy.yaml").write_text(json.dumps(policy([FREE])), "utf-8")
    lost = kit.LostDatabase(f"sqlite:///{tmp_path / 'kakehashi.db'}")
    async with kit.node(folder, sqlite_database, clock, keyring=keyring) as node:
        yield Office(node, folder / "policy.yaml", lost, clock)
    await lost.close()


def version(grant: Grant | None) -> str | None:
    return grant.policy_version if grant else None


async def test_rules_that_come_in_the_middle_of_a_round_wait_for_the_next(office: Office) -> None:
    before = office.node.policy.current.version
    await office.round()
    after = await office.rules(CAPPED)
    assert version(office.again()) == before
    assert version(await office.round()) == after


@pytest.mark.parametrize("spent", [False, True])
async def test_whoever_is_at_work_waits_a_minute_for_the_count(office: Office, clock: FakeClock, spent: bool) -> None:
    worked = (1, 2) if spent else (1,)
    await office.store.add([(office.person, WEDNESDAY - timedelta(days=back)) for back in worked])
    before = version(await office.round())
    office.database.away = True
    after = await office.rules(CAPPED)
    assert version(await office.round()) == before
    clock.advance(59)
    assert version(await office.round()) == before
    office.database.away = False
    assert version(await office.round()) == (None if spent else after)


async def test_after_the_minute_what_cannot_be_counted_ends(office: Office, clock: FakeClock) -> None:
    await office.round()
    office.database.away = True
    await office.rules(CAPPED)
    assert await office.round()
    clock.advance(60)
    assert await office.round() is None


async def test_nobody_waits_whom_the_new_rules_refuse_anyway(office: Office) -> None:
    await office.round()
    office.database.away = True
    await office.rules(CLOSED)
    assert await office.round() is None
