"""Answers of directories that no test can start: Active Directory's sub-codes, 389 Directory's codes."""

from typing import Any

import ldap
import pytest
from ldap.controls.ppolicy import PasswordPolicyControl

from auth.directory import (
    ChangeRefusal,
    Disabled,
    Entry,
    Locked,
    MustChange,
    PasswordExpired,
    Verified,
    WrongPassword,
)
from auth.ldap_outcome import bind_accepted, bind_refused, cause_of, change_refused, policy_answer
from auth.ldap_password import unicode_pwd

ENTRY = Entry("key", "uid=sato", "sato", "佐藤")


def invalid(info: str = "", ctrls: list[Any] | None = None) -> ldap.INVALID_CREDENTIALS:
    return ldap.INVALID_CREDENTIALS({"desc": "Invalid credentials", "result": 49, "info": info, "ctrls": ctrls or []})


@pytest.mark.parametrize(
    ("sub_code", "kind"),
    [
        ("525", WrongPassword),
        ("52e", WrongPassword),
        ("530", Disabled),
        ("531", Disabled),
        ("532", PasswordExpired),
        ("533", Disabled),
        ("701", Disabled),
        ("773", MustChange),
        ("775", Locked),
        ("9999", WrongPassword),
    ],
)
def test_active_directory_sub_codes(sub_code: str, kind: type) -> None:
    info = f"80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data {sub_code.upper()}, v2580"
    result = bind_refused(ENTRY, invalid(info), "dc1:636", can_change=True)
    assert type(result) is kind
    assert result.cause.sub_code == sub_code
    assert result.cause.code == 49


def test_only_answers_for_a_right_password_continue_a_login() -> None:
    for info in ("", "data", "data 53", "data 5321234", "nodata 532"):
        assert isinstance(bind_refused(ENTRY, invalid(info), "d", can_change=True), WrongPassword)


def test_other_directories_codes() -> None:
    assert isinstance(bind_refused(ENTRY, ldap.CONSTRAINT_VIOLATION({"result": 19}), "d", can_change=True), Locked)
    assert isinstance(bind_refused(ENTRY, ldap.UNWILLING_TO_PERFORM({"result": 53}), "d", can_change=True), Disabled)
    assert isinstance(bind_refused(ENTRY, ldap.NO_SUCH_OBJECT({"result": 32}), "d", can_change=True), WrongPassword)


def test_ppolicy_controls_as_raw_bytes_and_decoded() -> None:
    oid = PasswordPolicyControl.controlType
    locked = (oid, 0, bytes.fromhex("3003810101"))
    assert policy_answer([locked]).error == 1
    assert policy_answer([("1.2.3", 0, b"x"), locked]).error == 1
    assert policy_answer([(oid, 0, b"\xff\xff")]).error is None
    assert policy_answer([(oid, 0, None)]).error is None
    assert policy_answer([]).error is None
    assert isinstance(bind_refused(ENTRY, invalid(ctrls=[locked]), "d", can_change=False), Locked)
    grace = PasswordPolicyControl()
    grace.graceAuthNsRemaining = 0
    assert isinstance(bind_accepted(ENTRY, [grace], "d", can_change=True), PasswordExpired)
    warning = PasswordPolicyControl()
    warning.timeBeforeExpiration = 3600
    assert isinstance(bind_accepted(ENTRY, [warning], "d", can_change=True), Verified)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ldap.CONSTRAINT_VIOLATION({"info": "0000052D: AtrErr: DSID-03191083"}), ChangeRefusal.TOO_SIMPLE),
        (ldap.INSUFFICIENT_ACCESS({}), ChangeRefusal.NOT_ALLOWED),
        (ldap.OTHER({}), ChangeRefusal.OTHER),
        (ldap.CONSTRAINT_VIOLATION(), ChangeRefusal.TOO_SIMPLE),
    ],
)
def test_refused_changes(error: ldap.LDAPError, reason: ChangeRefusal) -> None:
    assert change_refused(error, "d").reason is reason


def test_a_cause_survives_errors_without_facts() -> None:
    assert cause_of(ldap.LDAPError(), "d").text == "LDAPError"
    assert cause_of(ldap.SERVER_DOWN({"desc": "down"}), "d").code is None


def test_unicode_pwd_is_quoted_utf_16() -> None:
    assert unicode_pwd("aあ") == b'"\0a\0\x42\x30"\0'
