"""The machine's clock is stepped under a gateway at work: nothing begins that rests on the time, what goes on goes on,
declarations never last longer, and all is well again with the clock.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from common.audit_store import read
from common.db import Database, upgrade
from gateway import clock_watch
from tests.e2e.attacker import closed_with, desktop, ticket, viewer
from tests.integration.gateway.test_bcp import Scene, open_scene, town
from tests.support.clock import SteppedClock
from tests.support.gateway import Running, run_gateway, settings
from tests.support.person import Person
from tests.support.slapd import Slapd

__all__ = ["town"]  # a fixture


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SteppedClock:
    monkeypatch.setattr(clock_watch, "LOOK_SECONDS", 0.1)
    return SteppedClock()


def _at_work(folder: Path, town: Slapd, url: str, clock: SteppedClock) -> AbstractAsyncContextManager[Scene]:
    """ikeda and mori may declare; kato may work when they have."""
    return open_scene(folder, town, url, more={}, clock=clock, who=("ikeda", "mori", "kato"))


async def _checks(running: Running, person: Person) -> dict[str, bool]:
    async with person.client.get(f"{running.url}/readyz") as answer:
        found: dict[str, bool] = (await answer.json())["checks"]
        assert answer.status == (200 if all(found.values()) else 503)
        return found


async def _until_clock_is(running: Running, person: Person, right: bool) -> None:
    async with asyncio.timeout(10):
        while (await _checks(running, person))["clock"] is not right:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("minutes", [-3, 3], ids=["back", "ahead"])
async def test_nothing_begins_by_a_wrong_clock(
    tmp_path: Path, town: Slapd, database_url: str, clock: SteppedClock, minutes: int
) -> None:
    """With PostgreSQL its clock says that ours is wrong, with SQLite the step does."""
    async with _at_work(tmp_path / "gateway", town, database_url, clock) as scene:
        kato, running = scene["kato"], scene.running
        await scene.declare()
        session = await desktop(kato, "section")
        given = await ticket(kato, session["id"])
        async with viewer(kato, session["id"], given) as opened:
            await opened.start()
            await opened.update()
            clock.step = timedelta(minutes=minutes)
            await _until_clock_is(running, kato, right=False)
            steps: list[tuple[str, str, str, object]] = [
                ("kato", "POST", "/sessions", {"pool_id": "section"}),
                ("kato", "GET", "/desktops", None),
                ("kato", "POST", "/login", {"username": "kato", "password": "kato-pw-2026"}),
                ("mori", "POST", "/bcp/declarations", {"proposal": {}}),
            ]
            for who, method, path, content in steps:
                status, problem = await scene[who].call(method, path, content)
                assert (status, problem["code"]) == (503, "clock_wrong"), path
                assert "時計" in problem["text_ja"]
            await opened.update()
            await asyncio.sleep(0.5)  # several looks of the watch
            clock.step = timedelta(seconds=30)
            await _until_clock_is(running, kato, right=True)
            await asyncio.sleep(0.5)
            await opened.update()
            assert (await desktop(kato, "section"))["id"] == session["id"]
        database = Database(database_url)
        names = [chained.event.name async for chained in read(database, "test")]
        await database.close()
        assert [name for name in names if name.endswith("-clock")] == ["distrust-clock", "trust-clock"]


async def test_a_new_viewer_is_told_why_it_is_not_let_in(
    tmp_path: Path, town: Slapd, database_url: str, clock: SteppedClock
) -> None:
    async with _at_work(tmp_path / "gateway", town, database_url, clock) as scene:
        await scene.declare()
        session = await desktop(scene["kato"], "section")
        given = await ticket(scene["kato"], session["id"])
        # Only one look apart from the truth: the judge itself must not decide by this clock.
        clock.step = timedelta(seconds=-70)
        async with viewer(scene["kato"], session["id"], given) as opened:
            code, reason = await closed_with(opened)
        assert (code, reason) in [(1013, "clock_wrong"), (4401, "ticket_invalid")]
        assert reason == "clock_wrong"


@pytest.mark.parametrize("step", [timedelta(hours=-2), timedelta(seconds=-50)], ids=["far", "unnoticed"])
async def test_a_declaration_ends_when_it_was_signed_to_end(
    tmp_path: Path, town: Slapd, database_url: str, clock: SteppedClock, step: timedelta
) -> None:
    """However the clock is set back, also by less than anybody notices."""
    async with _at_work(tmp_path / "gateway", town, database_url, clock) as scene:
        kato = scene["kato"]
        ends_at = datetime.now(UTC) + timedelta(seconds=15)  # noqa: TID251 - true time, which the step leaves
        await scene.declare(ends_at=ends_at.isoformat())
        session = await desktop(kato, "section")
        async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
            await opened.start()
            await opened.update()
            clock.step = step
            assert (await closed_with(opened, within=60))[0] == 4403
        late = (datetime.now(UTC) - ends_at).total_seconds()  # noqa: TID251
        assert 2.5 < late < 13, "the signed end and the plan's grace of three seconds"


async def test_a_node_that_starts_by_a_wrong_clock_begins_nothing(
    tmp_path: Path, directory: Slapd, database_url: str, clock: SteppedClock
) -> None:
    """With several nodes, the database's clock is everybody's. Alone with SQLite there is nothing to compare with."""
    await upgrade(database_url)
    clock.step = timedelta(hours=1)
    alone = database_url.startswith("sqlite")
    async with (
        run_gateway(settings(tmp_path / "gateway", directory, database_url), clock=clock) as running,
        Person(running.url, "sato", "sato-pw-2026") as sato,
    ):
        assert (await _checks(running, sato))["clock"] is alone
        status, _ = await sato.call("POST", "/login", {"username": "sato", "password": "sato-pw-2026"})
        assert status == (200 if alone else 503)
