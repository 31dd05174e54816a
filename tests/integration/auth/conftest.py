"""Real directories for the tests of auth. One shared slapd for tests that only read, own ones for the rest."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from auth.ldap_directory import LdapDirectory
from auth.settings import LdapEndpoint, LdapSettings
from common.clock import Clock, SystemClock
from common.secret import Secret
from tests.support.slapd import DECOY_DN, GROUPS_DN, PEOPLE_DN, SERVICE_DN, SERVICE_PASSWORD, Slapd, run_slapd


def endpoint(slapd: Slapd, security: str = "ldaps") -> LdapEndpoint:
    """How to reach a test directory."""
    port = slapd.ldaps_port if security == "ldaps" else slapd.ldap_port
    return LdapEndpoint.model_validate({"host": slapd.host, "port": port, "security": security})


def ldap_settings(*directories: Slapd, security: str = "ldaps", **over: Any) -> LdapSettings:
    """Settings for test directories that share a CA."""
    values: dict[str, Any] = {
        "servers": tuple(endpoint(slapd, security) for slapd in directories),
        "ca_file": directories[0].ca_file,
        "bind_dn": SERVICE_DN,
        "bind_password": Secret(SERVICE_PASSWORD),
        "base_dn": PEOPLE_DN,
        "group_base_dn": GROUPS_DN,
        "decoy_dn": DECOY_DN,
    }
    return LdapSettings.model_validate(values | over)


Opener = Callable[..., LdapDirectory]


@pytest.fixture(scope="session")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """The sample staff. Shared: do not change it."""
    with run_slapd(tmp_path_factory.mktemp("slapd") / "staff") as slapd:
        yield slapd


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Slapd]:
    """The sample staff in a directory of this test alone."""
    with run_slapd(tmp_path / "slapd") as slapd:
        yield slapd


@pytest.fixture
async def directory() -> AsyncIterator[Opener]:
    """Opens directory clients and closes them at the end: `directory(slapd, ..., setting=value)`."""
    opened: list[LdapDirectory] = []

    def open_one(*directories: Slapd, clock: Clock | None = None, **over: Any) -> LdapDirectory:
        opened.append(LdapDirectory(ldap_settings(*directories, **over), clock or SystemClock()))
        return opened[-1]

    yield open_one
    for client in opened:
        await client.close()
