"""LDAP answers turned into our results: ppolicy controls, Active Directory sub-codes, refused password changes.

Counterpart: `auth/ldap_directory.py` does the operations, `auth/directory.py` has the result types. Does no I/O.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import ldap
from ldap.controls.ppolicy import PasswordPolicyControl
from pyasn1.error import PyAsn1Error  # type: ignore[import-untyped]  # publishes no stubs

from auth.directory import (
    Cause,
    ChangeRefusal,
    ChangeRefused,
    DirectoryResult,
    Disabled,
    Entry,
    Locked,
    MustChange,
    PasswordExpired,
    Verified,
    WrongPassword,
)

_PPOLICY: Final = PasswordPolicyControl.controlType
_AD_SUB_CODE: Final = re.compile(r"\bdata ([0-9a-f]{3,4})\b", re.IGNORECASE)

_EXPIRED: Final = 0
_CHANGE_AFTER_RESET: Final = 2
_AD_DISABLED: Final = frozenset({"530", "531", "533", "701"})  # hours, workstation, disabled, account expired

ABOUT_THE_PERSON: Final = (
    ldap.INVALID_CREDENTIALS,
    ldap.INAPPROPRIATE_AUTH,
    ldap.CONSTRAINT_VIOLATION,
    ldap.UNWILLING_TO_PERFORM,
    ldap.NO_SUCH_OBJECT,
    ldap.INVALID_DN_SYNTAX,
    ldap.INSUFFICIENT_ACCESS,
)
"""What a bind may answer about whoever binds; anything else is no answer about a password."""

_POLICY_REFUSALS: Final = {
    3: ChangeRefusal.NOT_ALLOWED,
    5: ChangeRefusal.TOO_SIMPLE,
    6: ChangeRefusal.TOO_SHORT,
    7: ChangeRefusal.TOO_YOUNG,
    8: ChangeRefusal.USED_BEFORE,
    9: ChangeRefusal.TOO_LONG,
}


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What the password policy control said. `grace` counts logins left with an expired password."""

    error: int | None = None
    grace: int | None = None


def policy_answer(controls: Sequence[Any]) -> PolicyAnswer:
    """From response controls as python-ldap gives them: decoded on success, raw triples in an error."""
    for control in controls:
        if isinstance(control, PasswordPolicyControl):
            return PolicyAnswer(control.error, control.graceAuthNsRemaining)
        if isinstance(control, tuple) and control[0] == _PPOLICY and control[2]:
            decoded = PasswordPolicyControl()
            try:
                decoded.decodeControlValue(control[2])
            except PyAsn1Error:
                return PolicyAnswer()
            return PolicyAnswer(decoded.error, decoded.graceAuthNsRemaining)
    return PolicyAnswer()


def cause_of(error: ldap.LDAPError, endpoint: str) -> Cause:
    """Code, sub-code and text of an LDAP error, for the audit."""
    facts = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    info = str(facts.get("info") or "")
    policy = policy_answer(facts.get("ctrls") or ())
    found = _AD_SUB_CODE.search(info)
    sub_code = found[1].lower() if found else None if policy.error is None else f"ppolicy:{policy.error}"
    text = " ".join(part for part in (str(facts.get("desc") or type(error).__name__), info) if part)
    return Cause(text, facts.get("result"), sub_code, endpoint)


def bind_accepted(entry: Entry, controls: Sequence[Any], endpoint: str, *, can_change: bool) -> DirectoryResult:
    """A bind that succeeded may still demand a new password first: after a reset, or on a grace login."""
    policy = policy_answer(controls)
    if policy.error == _CHANGE_AFTER_RESET:
        return MustChange(entry, can_change, Cause("password was reset", 0, "ppolicy:2", endpoint))
    if policy.grace is not None or policy.error == _EXPIRED:
        text = f"password expired, {policy.grace} grace logins left"
        return PasswordExpired(entry, can_change, Cause(text, 0, "ppolicy:grace", endpoint))
    return Verified(entry, Cause("bind accepted", 0, None, endpoint))


def bind_refused(entry: Entry, error: ldap.LDAPError, endpoint: str, *, can_change: bool) -> DirectoryResult:
    """Why a bind was refused. `can_change`: whether a password that no longer binds can still be changed by us.

    INVARIANT: results that continue the login (expired, must change) come only from answers that a directory gives when
    the password was right.
    """
    cause = cause_of(error, endpoint)
    if isinstance(error, ldap.INVALID_CREDENTIALS):
        match cause.sub_code:
            case "ppolicy:0" | "532":
                return PasswordExpired(entry, can_change, cause)
            case "ppolicy:2" | "773":
                return MustChange(entry, can_change, cause)
            case "ppolicy:1" | "775":
                return Locked(entry, cause)
            case sub_code if sub_code in _AD_DISABLED:
                return Disabled(entry, cause)
            case _:
                return WrongPassword(entry, cause)
    if isinstance(error, ldap.CONSTRAINT_VIOLATION):  # 389 Directory: retry limit exceeded
        return Locked(entry, cause)
    if isinstance(error, ldap.UNWILLING_TO_PERFORM):  # 389 Directory: account inactivated
        return Disabled(entry, cause)
    return WrongPassword(entry, cause)


def change_refused(error: ldap.LDAPError, endpoint: str) -> ChangeRefused:
    """Why a new password was not taken."""
    cause = cause_of(error, endpoint)
    facts = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    policy = policy_answer(facts.get("ctrls") or ())
    if policy.error in _POLICY_REFUSALS:
        return ChangeRefused(_POLICY_REFUSALS[policy.error], cause)
    if isinstance(error, ldap.INSUFFICIENT_ACCESS | ldap.UNWILLING_TO_PERFORM | ldap.INVALID_CREDENTIALS):
        return ChangeRefused(ChangeRefusal.NOT_ALLOWED, cause)
    if isinstance(error, ldap.CONSTRAINT_VIOLATION):  # AD 0000052D: length, complexity, history or age, undivided
        return ChangeRefused(ChangeRefusal.TOO_SIMPLE, cause)
    return ChangeRefused(ChangeRefusal.OTHER, cause)
