"""The rows of auth's tables as values. Pure. Counterpart: `auth/store.py` reads and writes them."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from auth.login_flow import Factor, Flow
from auth.models import Identity, WebSession
from common.ids import TenantId, UserId, WebSessionId


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has signed in at least once or was named by somebody, as the directory last described them."""

    identity: Identity
    directory_key: str
    disabled: bool
    refreshed_at: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whose password can be checked without the directory."""

    identity: Identity
    directory_key: str
    sealed_verifier: str = field(repr=False)
    verified_at: datetime
    """When the directory last accepted the password."""
    enrolled: bool
    """Has a confirmed authenticator."""


@dataclass(frozen=True, slots=True)
class TotpRow:
    """A confirmed authenticator."""

    sealed_secret: str
    last_counter: int


@dataclass(frozen=True, slots=True)
class VouchRow:
    """A vouch that runs, and the temporary authenticator once there is one."""

    id: str
    user_id: UserId
    opened_by: UserId
    opened_at: datetime
    confirmed_by: UserId | None
    code_used_at: datetime | None
    sealed_secret: str | None = field(repr=False)
    last_counter: int | None
    enrolled_at: datetime | None
    expires_at: datetime
    """Of the present step: confirmation, activation code, set-up, and at last the authenticator itself."""


@dataclass(frozen=True, slots=True)
class LoginRow:
    """A login in progress. It exists only after a right password, so strangers cannot fill the table."""

    token_hash: str
    user_id: UserId
    flow: Flow
    password_at: datetime
    expires_at: datetime
    totp_at: datetime | None = None
    sealed_totp: str | None = None
    """The authenticator being set up."""
    sealed_password: str | None = None
    """The old password where its change needs it; see `auth/vault.py`."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A web session without its person."""

    id: WebSessionId
    token_hash: str
    user_id: UserId
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    password_at: datetime
    totp_at: datetime | None
    source: str
    user_agent_label: str
    degraded: bool = False
    temporary_factor: bool = False

    def joined(self, identity: Identity, idle: timedelta) -> WebSession:
        """The value for callers."""
        return WebSession(
            id=self.id,
            identity=identity,
            created_at=self.created_at,
            last_seen_at=self.last_seen_at,
            idle_expires_at=min(self.last_seen_at + idle, self.expires_at),
            expires_at=self.expires_at,
            password_at=self.password_at,
            totp_at=self.totp_at,
            source=self.source,
            user_agent_label=self.user_agent_label,
            degraded=self.degraded,
            temporary_factor=self.temporary_factor,
        )


def flow_text(flow: Flow) -> str:
    """The one spelling of a flow, so that it can be compared in the database."""
    return json.dumps(
        {
            "user_id": flow.user_id,
            "factors": sorted(flow.factors),
            "enrolled": flow.enrolled,
            "must_change_password": flow.must_change_password,
            "must_enrol": flow.must_enrol,
            "codes_to_show": flow.codes_to_show,
            "degraded": flow.degraded,
            "temporary": flow.temporary,
        },
        sort_keys=True,
    )


def flow_from(text: str) -> Flow:
    """Inverse of `flow_text`."""
    stored = json.loads(text)
    return Flow(
        user_id=stored["user_id"],
        factors=frozenset(Factor(name) for name in stored["factors"]),
        enrolled=stored["enrolled"],
        must_change_password=stored["must_change_password"],
        must_enrol=stored["must_enrol"],
        codes_to_show=stored["codes_to_show"],
        degraded=stored.get("degraded", False),
        temporary=stored.get("temporary", False),
    )


def groups_text(groups: frozenset[str]) -> str:
    """Sorted JSON, so that equal sets are equal texts."""
    return json.dumps(sorted(groups), ensure_ascii=False)


def identity_of(
    tenant_id: TenantId,
    user_id: str,
    username: str,
    display_name: str,
    department: str | None,
    employment: str | None,
    groups: str,
) -> Identity:
    """A person's identity from the columns."""
    return Identity(
        user_id=UserId(user_id),
        tenant_id=tenant_id,
        username=username,
        display_name=display_name,
        department=department,
        groups=frozenset(json.loads(groups)),
        employment=employment,
    )
