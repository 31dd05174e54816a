"""Ways to set a new password with the old one as proof: Password Modify (RFC 3062), and Active Directory's unicodePwd.

Counterpart: `auth/ldap_directory.py` chooses the way and leases the connection. Never retried: a change whose answer
was lost may have happened.
"""

from collections.abc import Callable

import ldap
from ldap.controls.ppolicy import PasswordPolicyControl

from auth.directory import Cause, Changed, ChangeResult
from auth.ldap_outcome import ABOUT_THE_PERSON, cause_of, change_refused
from auth.ldap_pool import Connection

ChangeWay = Callable[[Connection, str, str, str, str], ChangeResult | None]
"""(connection, server name, DN, old, new)."""


def change_as_person(connection: Connection, endpoint: str, dn: str, old: str, new: str) -> ChangeResult | None:
    """With the person's own rights; None when the old password no longer binds although it is right (expired)."""
    try:
        connection.bind(dn, old, [PasswordPolicyControl()])
    except ldap.INVALID_CREDENTIALS as error:
        return None if cause_of(error, endpoint).sub_code == "ppolicy:0" else change_refused(error, endpoint)
    except ABOUT_THE_PERSON as error:
        return change_refused(error, endpoint)
    return change_as_service(connection, endpoint, dn, old, new)


def change_as_service(connection: Connection, endpoint: str, dn: str, old: str, new: str) -> ChangeResult:
    """With the rights of whoever the connection is bound as; the directory checks the old password."""
    try:
        connection.change_password(dn, old, new, [PasswordPolicyControl()])
    except (*ABOUT_THE_PERSON, ldap.OTHER) as error:
        return change_refused(error, endpoint)
    return Changed(Cause("password changed", 0, None, endpoint))


def change_unicode_pwd(connection: Connection, endpoint: str, dn: str, old: str, new: str) -> ChangeResult:
    """Active Directory: delete the old and add the new value in one Modify; any bound connection may do it."""
    changes = [
        (ldap.MOD_DELETE, "unicodePwd", [unicode_pwd(old)]),
        (ldap.MOD_ADD, "unicodePwd", [unicode_pwd(new)]),
    ]
    try:
        connection.modify(dn, changes)
    except (*ABOUT_THE_PERSON, ldap.OTHER) as error:
        return change_refused(error, endpoint)
    return Changed(Cause("password changed", 0, None, endpoint))


def unicode_pwd(password: str) -> bytes:
    """Active Directory's form of a password: quoted, UTF-16, little-endian."""
    return f'"{password}"'.encode("utf-16-le")
