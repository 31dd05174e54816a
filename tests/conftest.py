"""Fixtures for all tests: a migrated database on both back ends, a clock, an audit sink."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from common.db import Database, upgrade
from common.ids import new_id
from tests.support.audit import MemoryAudit
from tests.support.clock import FakeClock
from tests.support.postgres import Postgres, run_postgres

EMERGENCIES: Final = ("bcp", "bcp_records", "lost_access", "office_down", "plans", "triage")
"""End-to-end tests of what an emergency brings, about half of them by time."""


class _Shares(LoadScopeScheduling):
    """What parallel workers share out: whole files, and the end-to-end tests in two halves, each with its own city."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder, _, name = file.rpartition("/test_")
        if folder != "tests/e2e":
            return file
        return f"{folder}, {'emergencies' if name.removesuffix('.py') in EMERGENCIES else 'every day'}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Shares:
    """With `-n`: the end-to-end tests, which take longest, begin at once."""
    config.option.loadscopereorder = False  # by count they would come late; by name they are among the first
    return _Shares(config, log)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One real PostgreSQL for the whole run; each test takes its own database on it."""
    with TemporaryDirectory(prefix="kakehashi-") as folder, run_postgres(Path(folder)) as server:
        yield server  # not under pytest's own folder: that is for its owner alone, and PostgreSQL runs as another


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database to copy: the migrations take longer than most tests."""
    file = tmp_path_factory.mktemp("migrated") / "kakehashi.db"
    asyncio.run(upgrade(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> str:
    """The name of a migrated database on PostgreSQL, to make others from."""
    postgres.sql("create database migrated")
    asyncio.run(upgrade(postgres.url("migrated")))
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database: every test that takes it runs on SQLite and on PostgreSQL. It is empty, unless the test
    takes `database` as well, which is the same one."""
    migrated = "database" in request.fixturenames
    if request.param == "sqlite":
        file = tmp_path / "kakehashi.db"
        if migrated:
            shutil.copy(request.getfixturevalue("migrated_file"), file)
        yield f"sqlite:///{file}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = new_id("test")
    template = f" template {request.getfixturevalue('migrated_template')}" if migrated else ""
    server.sql(f"create database {name}{template}")
    yield server.url(name)
    server.sql(f"drop database {name} with (force)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(tmp_path: Path, migrated_file: Path) -> AsyncIterator[Database]:
    """A migrated SQLite database, for tests whose subject is not the database."""
    file = tmp_path / "kakehashi.db"
    shutil.copy(migrated_file, file)
    opened = Database(f"sqlite:///{file}")
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> FakeClock:
    """Wednesday 2026-04-01 09:00 in Tokyo, until a test moves it."""
    return FakeClock()


@pytest.fixture
def audit() -> MemoryAudit:
    """Keeps the events that a service records."""
    return MemoryAudit()
