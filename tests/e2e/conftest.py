"""One running city and one browser for all end-to-end tests; every test takes people of its own."""

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.administrator import Administrator
from tests.e2e.bcp_plan import PlanFile
from tests.e2e.policy_file import PolicyFile
from tests.e2e.visitor import Visits
from tests.support.browser import chromium
from tests.support.city import City, run_city

_FAILED: Final = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note on the test that it failed, for the fixtures that close after it."""
    report = yield
    for node in (item, item.parent):
        if node is not None and report.failed:
            node.stash[_FAILED] = True
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Last comes what adopts a plan in the console: from then on it counts in that city, whatever the file says."""
    items.sort(key=lambda item: item.path.name == "test_plans.py")


@pytest.fixture(scope="session")
def city() -> Iterator[City]:
    """The whole product, started once. Not under pytest's folder: the gateway runs as somebody who may not enter it."""
    with TemporaryDirectory(prefix="kakehashi-") as folder:
        Path(folder).chmod(0o755)
        with run_city(Path(folder) / "demo") as running:
            yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Real Chromium."""
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def administrator(city: City) -> AsyncIterator[Administrator]:
    """Somebody at the gateway's own machine."""
    person = Administrator(city)
    yield person
    await person.close()


@asynccontextmanager
async def _people(
    city: City, browser: Browser, administrator: Administrator, request: pytest.FixtureRequest
) -> AsyncIterator[Visits]:
    people = Visits(city, browser, administrator)
    yield people
    if request.node.stash.get(_FAILED, False):
        await people.shoot(f"failed-{request.node.name.rpartition('/')[2]}")
    assert await people.close() == []


@pytest_asyncio.fixture(loop_scope="session")
async def visits(
    city: City, browser: Browser, administrator: Administrator, request: pytest.FixtureRequest
) -> AsyncIterator[Visits]:
    """The people of one test. At its end their desktops are ended, and no browser may have complained.

    When the test failed, what the people saw last lies among the screenshots.
    """
    async with _people(city, browser, administrator, request) as people:
        yield people


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def staying(
    city: City, browser: Browser, administrator: Administrator, request: pytest.FixtureRequest
) -> AsyncIterator[Visits]:
    """People who stay for all tests of a module: a desktop costs seconds."""
    async with _people(city, browser, administrator, request) as people:
        yield people


@pytest_asyncio.fixture(loop_scope="session")
async def policy(city: City, administrator: Administrator) -> AsyncIterator[PolicyFile]:
    """The policy file, put back at the end."""
    file = PolicyFile(city, administrator)
    yield file
    await file.restore()


@pytest_asyncio.fixture(loop_scope="session")
async def plan(city: City, visits: Visits) -> AsyncIterator[PlanFile]:  # after `visits`: it looks through their eyes
    """The city's plan has a grace of seconds and gives no pool more seats."""
    file = PlanFile(city)
    file.put()
    yield file
    await file.restore()
