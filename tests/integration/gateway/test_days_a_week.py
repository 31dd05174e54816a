"""A cap of days a week through the whole gateway: who has used it up waits until Monday, unless a plan lifts it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker.store.worked_days import WorkedDayStore
from common.clock import TOKYO, SystemClock
from common.db import Database
from common.ids import TenantId, UserId
from common.tasks import spawn
from gateway.services import SERVICES
from tests.e2e.attacker import closed_with, desktop, ticket, viewer
from tests.integration.gateway.test_bcp import PROPOSAL, TOWN, Scene, open_scene
from tests.support.clock import SteppedClock
from tests.support.slapd import Slapd, run_slapd

RULES = """
format: 1
name: {{ja: 試験, en: Test}}
rules:
  - id: T-01
    effect: permit
    name: {{ja: 在宅勤務, en: Telework}}
    when: {{groups: [day-shift]{more}}}
"""
CAPPED = RULES.format(more=", days_a_week: 4")
MONDAY = date(2026, 12, 7)
THURSDAY, FRIDAY = (MONDAY + timedelta(days=days) for days in (3, 4))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """kato works the day shift; ikeda and mori decide."""
    with run_slapd(tmp_path_factory.mktemp("slapd") / "days", TOWN) as slapd:
        yield slapd


@pytest.fixture
def url(tmp_path: Path) -> str:
    """SQLite: where nodes share a database, they go by its clock and not by the test's."""
    return f"sqlite:///{tmp_path / 'kakehashi.db'}"


class Office(Scene):
    """The same scene at a day of the test's choice, with kato's days."""

    url: str
    policy: Path
    kato_id: UserId

    async def worked(self, *offsets: int) -> None:
        """Kato was at work on these days after Monday."""
        async with self.days() as store:
            await store.add([(self.kato_key, MONDAY + timedelta(days=offset)) for offset in offsets])

    @property
    def kato_key(self) -> tuple[TenantId, UserId]:
        return TenantId("city"), self.kato_id

    @asynccontextmanager
    async def days(self) -> AsyncIterator[WorkedDayStore]:
        """What the database has."""
        database = Database(self.url)
        try:
            yield WorkedDayStore(database)
        finally:
            await database.close()

    def remembered(self) -> int | None:
        """What the gateway knows of kato's week without asking the database."""
        return self.running.listeners._runner.app[SERVICES].judge._days.known(self.kato_key)

    async def kept(self) -> frozenset[date]:
        """Kato's days since Monday."""
        async with self.days() as store:
            return (await store.since([self.kato_key], MONDAY))[self.kato_key]

    async def reason(self) -> tuple[str, str | None] | None:
        """Why the desktop is closed to kato and from when it is open; None when it is open."""
        _, found = await self["kato"].call("GET", "/desktops")
        (item,) = found["items"]
        told = item["reason"]
        return None if item["allowed"] else (told["code"], told["available_from"])


@asynccontextmanager
async def office(
    folder: Path, town: Slapd, url: str, now: datetime, rules: str = CAPPED, who: Sequence[str] = ("kato",)
) -> AsyncIterator[Office]:
    clock = SteppedClock()
    clock.step = now - SystemClock().now()
    policy = folder / "policy.yaml"
    policy.write_text(rules, "utf-8")
    more = {"policy": {"path": policy}}
    async with open_scene(folder / "gateway", town, url, more=more, clock=clock, ahead=clock.step, who=who) as scene:
        made = Office(scene.running, scene.people)
        made.url, made.policy = url, policy
        made.kato_id = UserId((await made["kato"].call("GET", "/me"))[1]["user"]["id"])
        yield made


async def _goes_on_or_is_cut(end: "asyncio.Task[tuple[int, str]]", goes_on: bool) -> None:
    """The policy may have changed a moment ago, or may in a second."""
    await asyncio.wait({end}, timeout=4)
    assert end.done() is not goes_on
    if not goes_on:
        assert end.result() == (4403, "policy")
    end.cancel()


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """In Tokyo."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=TOKYO)


async def test_the_fifth_day_waits_for_monday_unless_a_declared_plan_lifts_the_cap(
    tmp_path: Path, town: Slapd, url: str
) -> None:
    async with office(tmp_path, town, url, at(FRIDAY, 10), who=("ikeda", "mori", "kato")) as scene:
        await scene.worked(0, 1, 2, 3)
        monday = at(MONDAY + timedelta(days=7), 0).astimezone(UTC)
        refused = ("days_used_up", monday.isoformat().replace("+00:00", "Z"))
        assert await scene.reason() == refused
        status, answer = await scene["kato"].call("POST", "/sessions", {"pool_id": "section"})
        assert (status, answer["code"]) == (403, "forbidden")
        effect = (await scene["mori"].call("POST", "/bcp/what-if", PROPOSAL))[1]
        (gain,) = effect["gains"]
        assert (gain["people"], gain["now"], gain["used_up"], gain["later_at"]) == (1, 0, 1, None)

        signed = await scene.declare()
        kato = scene["kato"]
        session = await desktop(kato, "section")
        async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
            await opened.start()
            await opened.full()
            await scene["mori"].call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": ""})
            assert await closed_with(opened) == (4403, "policy")  # when its grace is over
        assert await scene.reason() == refused
        assert FRIDAY in await scene.kept(), "a day under a declaration is a day of work, too"


async def test_an_evening_without_work_leaves_the_next_day_open(tmp_path: Path, town: Slapd, url: str) -> None:
    """Three days are behind; whether Thursday was the fourth is read, for another node may know."""
    hours = RULES.format(more=', days_a_week: 4, hours: {windows: ["08:30-17:15"]}')
    async with office(tmp_path, town, url, at(THURSDAY, 22), hours) as scene:
        await scene.worked(0, 1, 2)
        for opens in (FRIDAY, MONDAY + timedelta(days=7)):
            told = at(opens, 8, 30).astimezone(UTC).isoformat().replace("+00:00", "Z")
            assert await scene.reason() == ("outside_hours", told)
            await scene.worked(3)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "goes_on"), [((0, 1), True), ((0, 1, 2), False)])
async def test_work_past_midnight_is_a_new_day(
    tmp_path: Path, town: Slapd, url: str, before: tuple[int, ...], goes_on: bool
) -> None:
    async with office(tmp_path, town, url, at(THURSDAY, 23, 59, 45)) as scene:
        await scene.worked(*before)
        kato = scene["kato"]
        session = await desktop(kato, "section")
        async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
            await opened.start()
            await opened.full()
            left = (at(FRIDAY, 0) - (SystemClock().now() + kato.ahead)).total_seconds()
            assert left > 3, "the machine was too slow for this test"
            end = spawn(closed_with(opened, within=60), name="end of the viewer")
            await asyncio.sleep(left - 1)
            assert not end.done()
            await _goes_on_or_is_cut(end, goes_on)
        assert (await scene.reason() is None) is goes_on


@pytest.mark.parametrize(("before", "goes_on"), [((0, 1, 2), True), ((0, 1, 2, 3), False)])
async def test_a_new_cap_counts_for_whoever_is_at_work(
    tmp_path: Path, town: Slapd, url: str, before: tuple[int, ...], goes_on: bool
) -> None:
    """Nobody had read their days: they are read before anybody is judged by them."""
    async with office(tmp_path, town, url, at(FRIDAY, 10), RULES.format(more="")) as scene:
        await scene.worked(*before)
        kato = scene["kato"]
        session = await desktop(kato, "section")
        async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
            await opened.start()
            await opened.full()
            assert await scene.reason() is None
            assert scene.remembered() is None, "no rule counts days, so nobody has read them"
            scene.policy.write_text(CAPPED, "utf-8")
            await _goes_on_or_is_cut(spawn(closed_with(opened, within=60), name="end of the viewer"), goes_on)
        assert (await scene.reason() is None) is goes_on
