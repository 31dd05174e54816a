"""Names, messages, vault, breaker, settings, groups: the parts that need nothing but themselves."""

import uuid

import pytest
from pydantic import ValidationError

from auth.ldap_breaker import Breaker
from auth.ldap_groups import binary_filter_value, primary_group_sid
from auth.login_flow import Factor, Flow
from auth.messages import TEXTS, login_error
from auth.models import LoginErrorCode
from auth.names import normalise_username, throttle_name
from auth.rows import flow_from, flow_text
from auth.settings import AuthSettings, LdapEndpoint, LdapSettings, SecondFactorSettings, WebSessionSettings
from auth.vault import open_sealed, seal
from common.ids import UserId
from common.secret import Secret

SATO = UserId("usr_sato")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("sato", "sato"),
        (" ｓａｔｏ　", "sato"),
        ("佐藤", "佐藤"),
        ("ｻﾄｳ", "サトウ"),
        ("", None),
        ("   ", None),
        ("a\0b", None),
        ("a\nb", None),
        ("\ud800", None),
        ("x" * 257, None),
        ("ﷺ" * 100, None),  # grows beyond the limit by normalising
    ],
)
def test_user_names(typed: str, name: str | None) -> None:
    assert normalise_username(typed) == name


def test_one_name_for_throttling() -> None:
    assert throttle_name(" Sato  Hanako ") == throttle_name("SATO HANAKO") == throttle_name("ｓａｔｏ hanako")
    assert len(throttle_name("x" * 10_000)) == 256


@pytest.mark.parametrize("code", LoginErrorCode)
def test_every_code_has_both_texts(code: LoginErrorCode) -> None:
    text = login_error(code, retry_after_seconds=5)
    assert text.text_ja
    assert text.text_en
    assert text.retry_after_seconds == 5
    assert set(TEXTS) == set(LoginErrorCode)


def test_the_vault_opens_with_the_same_cookie_and_person_only() -> None:
    sealed = seal(Secret("合言葉"), "cookie", SATO)
    opened = open_sealed(sealed, "cookie", SATO)
    assert opened is not None
    assert opened.reveal() == "合言葉"
    assert open_sealed(sealed, "other", SATO) is None
    assert open_sealed(sealed, "cookie", UserId("usr_suzuki")) is None
    assert open_sealed("AAAA" + sealed[4:], "cookie", SATO) is None
    assert seal(Secret("合言葉"), "cookie", SATO) != sealed


def test_breaker_opens_at_once_and_spares_the_next_person_in_proportion() -> None:
    breaker = Breaker()
    assert breaker.closed
    breaker.failed(100.0, cost=3.0)
    assert not breaker.closed
    assert not breaker.admit_trial(108.9)
    assert breaker.admit_trial(109.0)
    assert not breaker.admit_trial(109.1)  # one caller at a time
    breaker.failed(110.0, cost=0.0)
    assert breaker.admit_trial(111.0)
    breaker.succeeded()
    assert breaker.closed


def test_flow_spelling_is_stable() -> None:
    flow = Flow(SATO, frozenset({Factor.TOTP, Factor.PASSWORD}), enrolled=True, codes_to_show=True)
    assert flow_from(flow_text(flow)) == flow
    assert flow_text(flow) == flow_text(flow_from(flow_text(flow)))


def test_primary_group_sid_replaces_the_last_part() -> None:
    user = bytes.fromhex("010500000000000515000000" + "01000000" * 3 + "50040000")
    assert primary_group_sid(user, 513).hex() == "010500000000000515000000" + "01000000" * 3 + "01020000"


def test_binary_filter_values_escape_every_byte() -> None:
    assert binary_filter_value(b"a*\0\xff") == "\\61\\2a\\00\\ff"
    assert len(binary_filter_value(uuid.uuid4().bytes_le)) == 48


def ldap_section(**over: object) -> LdapSettings:
    return LdapSettings.model_validate(
        {"servers": [{"host": "ldap.example"}], "bind_dn": "cn=x", "bind_password": "secret-pw", "base_dn": "dc=x"}
        | over
    )


def test_settings_defaults_are_the_safe_ones() -> None:
    settings = AuthSettings(ldap=ldap_section())
    assert settings.ldap.servers[0] == LdapEndpoint(host="ldap.example", port=636, security="ldaps")
    assert not settings.ldap.insecure_loopback_test
    assert settings.web_session.idle_seconds == 1800
    assert settings.web_session.absolute_seconds == 43_200
    assert settings.throttle.account_tries == 8
    assert "secret-pw" not in repr(settings)


@pytest.mark.parametrize("over", [{"idle_seconds": 1801}, {"idle_seconds": 299}, {"absolute_seconds": 43_201}])
def test_session_limits_cannot_be_widened(over: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        WebSessionSettings(**over)


def test_plain_is_a_fault_of_the_settings() -> None:
    with pytest.raises(ValidationError, match="in clear"):
        ldap_section(servers=[{"host": "127.0.0.1", "port": 389, "security": "plain"}])


@pytest.mark.parametrize(
    ("address", "allowed"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.2.0.1", False), ("2001:db8::1", False), ("unix", False)],
)
def test_enrolment_networks(address: str, allowed: bool) -> None:
    settings = SecondFactorSettings.model_validate({"enrolment_networks": ["10.1.0.0/16"]})
    assert settings.allows_enrolment_from(address) == allowed
    assert SecondFactorSettings().allows_enrolment_from(address)
