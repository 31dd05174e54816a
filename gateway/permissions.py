"""What a route asks of its caller. Deny is the default: a route without a permission cannot be written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from auth.models import WebSession


class Permission(StrEnum):
    """Exactly one stands on every route."""

    PUBLIC = "public"
    """Anybody; the handler shows nothing of anyone."""
    LOGIN = "login"
    """Anybody on our own pages: the steps of the login itself."""
    SIGNED_IN = "signed_in"
    """A finished login with its second factor; the handler shows only the caller's own things."""
    ADMIN = "admin"
    """Members of the administrators' groups, or the local socket."""
    BCP_READ = "bcp_read"
    """Coordinators, approvers and auditors of BCP mode."""
    BCP_ACT = "bcp_act"
    """Coordinators and approvers: propose, narrow, lift."""
    BCP_APPROVE = "bcp_approve"
    """Approvers: the second signature."""
    VOUCH = "vouch"
    """Officials who vouch, two together, for somebody who lost the authenticator."""


class Role(StrEnum):
    """What a caller is, beyond being signed in."""

    ADMIN = "admin"
    COORDINATOR = "coordinator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    VOUCHER = "voucher"


_ROLES: Final[Mapping[Permission, frozenset[Role]]] = {
    Permission.ADMIN: frozenset({Role.ADMIN}),
    Permission.BCP_READ: frozenset({Role.COORDINATOR, Role.APPROVER, Role.AUDITOR}),
    Permission.BCP_ACT: frozenset({Role.COORDINATOR, Role.APPROVER}),
    Permission.BCP_APPROVE: frozenset({Role.APPROVER}),
    Permission.VOUCH: frozenset({Role.VOUCHER}),
}


def separated(roles: frozenset[Role]) -> frozenset[Role]:
    """Separation of duty: who administers the system neither declares nor approves (domain guardrail 8)."""
    return roles - {Role.COORDINATOR, Role.APPROVER} if Role.ADMIN in roles else roles


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends this request. At most one of the two is set; neither is a stranger."""

    web_session: WebSession | None = None
    cookie: str | None = None
    """The session cookie's value, for the CSRF token that is derived from it."""
    local_account: str | None = None
    """Operating-system account on the other end of the local socket."""
    roles: frozenset[Role] = frozenset()

    @property
    def name(self) -> str:
        """For the audit: who did it."""
        if self.web_session:
            return self.web_session.identity.username
        return f"local:{self.local_account}" if self.local_account else "anonymous"


STRANGER: Final = Caller()


def permitted(caller: Caller, permission: Permission) -> bool:
    """The one place that decides whether a caller may use a route."""
    match permission:
        case Permission.PUBLIC | Permission.LOGIN:
            return True
        case Permission.SIGNED_IN:
            return caller.web_session is not None
        case Permission.ADMIN:
            return not caller.roles.isdisjoint(_ROLES[permission])
        case Permission.BCP_READ | Permission.BCP_ACT | Permission.BCP_APPROVE | Permission.VOUCH:
            return caller.web_session is not None and not caller.roles.isdisjoint(_ROLES[permission])
