"""One running city and one browser for all end-to-end tests; every test takes people of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import chromium
from tests.support.city import City, run_city


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
