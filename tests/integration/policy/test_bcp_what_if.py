"""The effect before a signature, of a whole service on a real database."""

from datetime import timedelta
from pathlib import Path

from common.db import Database
from common.secret import Keyring
from policy.bcp.model import Level
from tests.integration.policy.test_bcp_service import code, keyring
from tests.support import bcp as kit
from tests.support.clock import FakeClock

__all__ = ["keyring"]


async def test_what_if_says_what_this_signature_changes_beside_what_is_declared(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        everybody = await node.bcp.what_if(kit.proposal())
        now = clock.now()
        made = await node.bcp.declare(kit.proposal(ends_at=now + timedelta(hours=30)), kit.signer("mayor", now))
        made = await node.bcp.approve(made.id, kit.approver("deputy", made, now))
        assert (await node.bcp.what_if(kit.proposal(ends_at=now + timedelta(hours=30)))).gains == ()
        higher = await node.bcp.what_if(kit.proposal(level=Level.SECOND, ends_at=now + timedelta(hours=30)))
        assert higher.gainers == ("staff3",)
        assert higher.losses == 0
        # what goes on after the end of the other, what takes its place, and the declaration itself
        longer = await node.bcp.what_if(kit.proposal(ends_at=now + timedelta(hours=40)))
        assert longer.digest == everybody.digest
        assert {longer.tried[place].context.now for gain in longer.gains for place in gain.situations} >= {made.ends_at}
        assert min(longer.tried[place].context.now for one in longer.gains for place in one.situations) == made.ends_at
        assert (await node.bcp.what_if(kit.proposal(supersedes=made.id))).digest == everybody.digest
        assert (await node.bcp.what_if(made)).digest == everybody.digest


async def test_what_if_says_who_gains_what_and_what_stays_forbidden(
    sqlite_database: Database, tmp_path: Path, keyring: Keyring, clock: FakeClock
) -> None:
    async with kit.node(tmp_path / "a", sqlite_database, clock, keyring=keyring) as node:
        first = await node.bcp.what_if(kit.proposal())
        draft = await node.bcp.draft(kit.proposal(level=Level.SECOND), kit.signer("chief", clock.now()))
        second = await node.bcp.what_if(draft)
        assert first.gainers == ("staff1", "staff2")
        assert set(second.gainers) == {"staff1", "staff2", "staff3"}
        assert second.gainers_by_pool == {"drill": 3, "office": 3}
        assert {item.guardrail for item in first.still_forbidden} >= {"GR-MY-NUMBER", "GR-ZONE", "GR-SUSPENDED"}
        assert first.losses == second.losses == 0
        assert first.digest == (await node.bcp.what_if(kit.proposal())).digest != second.digest
        assert (await node.bcp.what_if(kit.proposal(level=Level.ALERT))).gainers == ()
        east = await node.bcp.what_if(kit.proposal(scope=kit.EAST))
        assert east.gainers == ("staff1",)
        drill = await node.bcp.what_if(kit.proposal(drill=True))
        assert drill.gainers_by_pool == {"drill": 2}
        assert await code(node.bcp.what_if(kit.proposal(plan_id="none"))) == "plan_unknown"
