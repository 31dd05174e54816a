"""Files that an administrator copies: the example settings load, the units start what exists and stay hardened."""

import configparser
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from agents.settings import AgentSettings
from common.settings import Section, load
from gateway.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[3]
DEPLOY: Final = ROOT / "deploy"


class AgentFile(Section):
    agent: AgentSettings


class Repeated(dict[str, Any]):
    """systemd keys may repeat: keep all values, newest last."""

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and key in self and isinstance(self[key], list):
            value = [*self[key], *value]
        super().__setitem__(key, value)


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, dict_type=Repeated, interpolation=None, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys of a unit are case-sensitive
    parser.read_string((DEPLOY / "systemd" / name).read_text())
    return parser


def test_the_gateways_example_loads() -> None:
    settings = load(Settings, DEPLOY / "gateway.example.toml", env={})
    assert settings.broker.agent.socket == load(AgentFile, DEPLOY / "agent.example.toml", env={}).agent.socket_path


def test_a_secret_can_come_from_the_environment_file() -> None:
    settings = load(
        Settings, DEPLOY / "gateway.example.toml", env={"KAKEHASHI_AUTH__LDAP__BIND_PASSWORD": "from the environment"}
    )
    assert settings.auth.ldap.bind_password.reveal() == "from the environment"


def test_examples_hold_no_real_secret() -> None:
    assert tomllib.loads((DEPLOY / "gateway.example.toml").read_text())["auth"]["ldap"]["bind_password"] == "change-me"


@pytest.mark.parametrize("name", ["kakehashi-gateway.service", "kakehashi-agent.service"])
def test_a_unit_starts_a_command_that_the_package_installs(name: str) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    command = unit(name)["Service"]["ExecStart"].split()
    assert Path(command[0]).name in scripts


def test_the_gateways_unit_gives_it_nothing() -> None:
    service = unit("kakehashi-gateway.service")["Service"]
    assert service["User"] == "kakehashi"
    assert service["CapabilityBoundingSet"] == ""
    for key in ("NoNewPrivileges", "ProtectHome", "PrivateDevices", "RestrictNamespaces", "RestrictSUIDSGID"):
        assert service[key] == "yes"
    assert service["ProtectSystem"] == "strict"


def test_the_agents_unit_listens_on_no_network_by_itself_and_names_its_rights() -> None:
    service = unit("kakehashi-agent.service")["Service"]
    assert service["Delegate"] == "yes"
    assert "CAP_NET_BIND_SERVICE" not in service["CapabilityBoundingSet"]
    assert "CAP_SYS_MODULE" not in service["CapabilityBoundingSet"]
    assert service["NoNewPrivileges"] == "yes"


def test_units_and_examples_agree_on_paths() -> None:
    gateway = unit("kakehashi-gateway.service")["Service"]
    example = (DEPLOY / "gateway.example.toml").read_text()
    assert f"/var/lib/{gateway['StateDirectory']}/" in example
    assert f"/run/{gateway['RuntimeDirectory']}/" in example
    agent = unit("kakehashi-agent.service")["Service"]
    agent_example = (DEPLOY / "agent.example.toml").read_text()
    for folder in agent["StateDirectory"].split():
        assert f"/var/lib/{folder}" in agent_example
    assert f"/run/{agent['RuntimeDirectory']}/" in agent_example
