"""One directory for all tests of the gateway; a gateway for each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.gateway import Running, run_gateway, settings
from tests.support.person import Person
from tests.support.slapd import STAFF, Slapd, group, person_dn, run_slapd


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """sato and suzuki work from home; suzuki is also in IT."""
    ldif = STAFF + group("it", person_dn("suzuki"))
    with run_slapd(tmp_path_factory.mktemp("slapd") / "gateway", ldif) as slapd:
        yield slapd


@pytest.fixture
async def gateway(tmp_path: Path, directory: Slapd) -> AsyncIterator[Running]:
    """Serving TLS, with an SQLite database of its own."""
    folder = tmp_path / "gateway"
    async with run_gateway(settings(folder, directory, f"sqlite:///{tmp_path / 'kakehashi.db'}")) as running:
        yield running


@pytest.fixture
async def sato(gateway: Running) -> AsyncIterator[Person]:
    """Not signed in yet."""
    async with Person(gateway.url, "sato", "sato-pw-2026") as person:
        yield person


@pytest.fixture
async def suzuki(gateway: Running) -> AsyncIterator[Person]:
    """Of the IT section; not signed in yet."""
    async with Person(gateway.url, "suzuki", "suzuki-pw-2026") as person:
        yield person
