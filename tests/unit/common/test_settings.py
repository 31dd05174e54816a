"""Settings: file plus variables, and no misspelt key goes unnoticed."""

from pathlib import Path

import pytest
from pydantic import Field

from common.errors import ConfigError
from common.secret import Secret
from common.settings import Section, load


class Ldap(Section):
    base_dn: str = Field(description="where people are")
    servers: list[str] = Field(default_factory=list, description="in order")
    password: Secret[str] = Field(default=Secret(""), description="of the service account")


class Place(Section):
    name: str = Field(description="name")


class Whole(Section):
    ldap: Ldap = Field(description="directory")
    port: int = Field(default=8443, ge=1, le=65535, description="port")
    places: dict[str, Place] = Field(default_factory=dict, description="sites")


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "kakehashi.toml"
    path.write_text(text, "utf-8")
    return path


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, 'port = 1\n[ldap]\nbase_dn = "dc=a"\n[places.hq]\nname = "本庁"\n')
    env = {"KAKEHASHI_PORT": "9000", "KAKEHASHI_LDAP__SERVERS": '["ldaps://a"]', "HOME": "/x", "KAKEHASHI_CONFIG": "x"}
    settings = load(Whole, path, env)
    assert (settings.port, settings.ldap.base_dn, settings.ldap.servers) == (9000, "dc=a", ["ldaps://a"])
    assert settings.places["hq"].name == "本庁"


@pytest.mark.parametrize(
    ("toml", "env", "says"),
    [
        ('[ldap]\nbase_dn="x"\nserver=[]', {}, "ldap.server: unknown setting; did you mean 'servers'?"),
        ('prot=1\n[ldap]\nbase_dn="x"', {}, "prot: unknown setting; did you mean 'port'?"),
        ('[ldap]\nbase_dn="x"', {"KAKEHASHI_LDAP__BASEDN": "y"}, "did you mean 'base_dn'?"),
        ('[ldap]\nbase_dn="x"', {"KAKEHASHI_ZZZZ": "y"}, "known here: ldap, port, places"),
        ('[ldap]\nbase_dn="x"\n[places.hq]\nnmae="y"\nname="z"', {}, "did you mean 'name'?"),
        ('port=70000\n[ldap]\nbase_dn="x"', {}, "port: Input should be less than or equal to 65535"),
        ("", {}, "ldap: Field required"),
        ("port = = 1", {}, "not valid TOML"),
        ("port = 1", {"KAKEHASHI_PORT__X": "1"}, "port is not a table"),
    ],
)
def test_faults_say_where_and_what(tmp_path: Path, toml: str, env: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(Whole, _file(tmp_path, toml), env)
    assert says in caught.value.detail


def test_faults_do_not_show_values(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(Whole, _file(tmp_path, 'port = "hunter2"\n[ldap]\nbase_dn="x"'), {})
    assert "hunter2" not in caught.value.detail


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(Whole, tmp_path / "none.toml", {})


def test_a_secret_does_not_print(tmp_path: Path) -> None:
    settings = load(Whole, None, {"KAKEHASHI_LDAP__BASE_DN": "x", "KAKEHASHI_LDAP__PASSWORD": "hunter2"})
    assert settings.ldap.password.reveal() == "hunter2"
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()
