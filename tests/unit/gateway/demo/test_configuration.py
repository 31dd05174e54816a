"""The demo's settings files are read by the same loader as anybody's, and say what the demo means."""

from pathlib import Path

import pytest

from common.settings import load
from gateway.demo import configuration, folder
from gateway.demo.children import Account
from gateway.demo.configuration import Addresses
from gateway.demo.folder import DemoFolder
from gateway.settings import Settings

ADDRESSES = Addresses("127.0.0.1", ("localhost", "127.0.0.1"), 8450, 16_361)


@pytest.fixture
def place(tmp_path: Path) -> DemoFolder:
    made = DemoFolder(tmp_path / 'odd "name" 見本', Account(60_801), Account(60_802))
    made.root.mkdir()
    folder.prepare(made, fresh=False)
    return made


def test_the_gateway_reads_what_was_meant(place: DemoFolder) -> None:
    files = configuration.write_gateway(place, ADDRESSES, service_password='a"b\\c', with_agent=True)
    settings = load(Settings, files.settings, env={})
    assert settings.http.port == 8450
    assert settings.http.origins == ("https://localhost:8450", "https://127.0.0.1:8450")
    assert settings.auth.ldap.bind_password.reveal() == 'a"b\\c'
    assert settings.auth.ldap.servers[0].security == "ldaps"
    assert settings.broker.agent.socket == configuration.agent_socket(place)
    assert files.settings.stat().st_mode & 0o777 == 0o600


def test_without_an_agent_none_is_named(place: DemoFolder) -> None:
    files = configuration.write_gateway(place, ADDRESSES, service_password="x", with_agent=False)
    assert load(Settings, files.settings, env={}).broker.agent.socket is None


def test_the_agent_obeys_only_the_gateways_account(place: DemoFolder) -> None:
    written = load(configuration.AgentFile, configuration.write_agent(place), env={}).agent
    assert written.socket_owner_uid == 60_801
    assert place.root in written.homes_dir.parents
    assert place.root in written.runtime_dir.parents
