"""Settings of login, second factors, throttling and web sessions: `[auth]` in the settings file.

Counterpart: `common/settings.py` loads them, the gateway composes them. No value here can widen what policy allows.
"""

from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from common.secret import Secret
from common.settings import Section


class LdapEndpoint(Section):
    """One directory server. They are tried in the order of the file."""

    host: str = Field(min_length=1, description="DNS name or IP address; must be in the server's certificate.")
    port: int = Field(default=636, ge=1, le=65535, description="TCP port.")
    security: Literal["ldaps", "starttls", "plain"] = Field(
        default="ldaps",
        description=(
            "How the connection is protected. `plain` is refused unless `insecure_loopback_test` is on and the "
            "address is loopback."
        ),
    )


class LdapSettings(Section):
    """How to reach and read the directory."""

    servers: tuple[LdapEndpoint, ...] = Field(min_length=1, description="Directory servers in order of preference.")
    ca_file: Path | None = Field(
        default=None, description="PEM file of the CA that signed the servers' certificates; none: the system's CAs."
    )
    client_certificate_file: Path | None = Field(
        default=None, description="PEM file with certificate and key that we show to the directory."
    )
    insecure_loopback_test: bool = Field(
        default=False, description="Allow `plain` to a loopback address. For tests only; refused for any other address."
    )
    bind_dn: str = Field(min_length=1, description="DN of the service account that searches. Needs read rights only.")
    bind_password: Secret[str] = Field(description="Password of the service account.")
    base_dn: str = Field(min_length=1, description="Where people are searched.")
    group_base_dn: str | None = Field(default=None, description="Where groups are searched; none: `base_dn`.")
    user_attribute: str = Field(
        default="uid",
        pattern=r"^[A-Za-z][A-Za-z0-9-]*$",
        description="Attribute that a typed user name must match exactly; on AD `sAMAccountName`.",
    )
    user_filter: str = Field(
        default="(objectClass=person)", description="Further condition on people; joined with the user name by AND."
    )
    disabled_filter: str = Field(
        default="",
        description=(
            "An entry that matches this filter is disabled; on AD `(userAccountControl:1.2.840.113556.1.4.803:=2)`."
        ),
    )
    key_attribute: str = Field(
        default="entryUUID",
        pattern=r"^[A-Za-z][A-Za-z0-9-]*$",
        description="Immutable attribute that identifies a person for ever; on AD `objectGUID`.",
    )
    display_name_attribute: str = Field(default="displayName", description="Shown on the pages and in the watermark.")
    department_attribute: str = Field(default="ou", description="The person's department.")
    employment_attribute: str = Field(default="employeeType", description="Kind of employment.")
    group_name_attribute: str = Field(default="cn", description="A group's name as the policy writes it.")
    member_attribute: str = Field(
        default="member",
        pattern=r"^[A-Za-z][A-Za-z0-9-]*$",
        description="Attribute of a group that lists DNs of members.",
    )
    nested_groups: bool = Field(
        default=True, description="Follow groups in groups (AD: by its matching rule; elsewhere level by level)."
    )
    password_change: Literal["none", "user", "service"] = Field(
        default="user",
        description=(
            "Who changes an expired password: `none` (the help desk), `user` (the person's own connection: needs a "
            "reset password or grace logins), `service` (the service account with the person's old password)."
        ),
    )
    decoy_dn: str | None = Field(
        default=None,
        description=(
            "DN of an entry nobody uses, hashed like everybody's, with a random password. Unknown user names are "
            "checked against it so that they take as long as known ones."
        ),
    )
    server_timeout_seconds: float = Field(default=3.0, gt=0, le=30, description="Longest wait for one server.")
    login_timeout_seconds: float = Field(default=8.0, gt=0, le=60, description="Longest directory work of one login.")
    idle_recycle_seconds: float = Field(default=300.0, gt=0, description="A connection idle for longer is replaced.")
    probe_seconds: float = Field(default=5.0, gt=0, description="How often a failed server is tried again.")
    worker_threads: int = Field(default=8, ge=1, le=64, description="Threads for directory work.")

    @model_validator(mode="after")
    def _plain_only_in_tests(self) -> Self:
        if not self.insecure_loopback_test and any(endpoint.security == "plain" for endpoint in self.servers):
            raise ValueError("security = plain would send passwords in clear; use ldaps or starttls")
        return self


class ThrottleSettings(Section):
    """How guessing is slowed down."""

    free_tries: int = Field(
        default=5,
        ge=1,
        le=20,
        description="Wrong tries before waiting starts, per account and address, code or recovery code.",
    )
    first_wait_seconds: int = Field(default=30, ge=1, description="First wait; doubles with each further wrong try.")
    longest_wait_seconds: int = Field(default=3600, ge=1, description="The wait stops growing here.")
    forget_after_seconds: int = Field(default=43200, ge=60, description="Wrong tries this long ago no longer count.")
    directory_lockout_tries: int = Field(
        default=10, ge=0, description="After how many wrong passwords the directory locks an account; 0: it never does."
    )
    directory_lockout_window_seconds: int = Field(
        default=1800, ge=60, description="How long the directory remembers wrong passwords."
    )
    lockout_margin: int = Field(
        default=2, ge=1, description="We stop this many tries before the directory's lock-out, whatever the address."
    )
    known_address_reserve: int = Field(
        default=2,
        ge=0,
        description="Tries of an account that are kept for addresses where its owner signed in lately.",
    )
    known_address_days: int = Field(
        default=30, ge=1, le=365, description="How long an address stays known after a login from it."
    )
    address_tries: int = Field(
        default=60,
        ge=0,
        description=(
            "Wrong passwords from one address (IPv6: one /64), whatever the accounts, before everybody waits there who "
            "did not sign in from it lately; right ones are not counted, and one is forgotten each time the window's "
            "share of it has passed. Generous, because an office has one address for all; 0: no limit."
        ),
    )
    address_window_seconds: int = Field(
        default=900, ge=60, description="In this time so many may be wrong; a quiet one forgets all of them."
    )
    address_longest_wait_seconds: int = Field(
        default=300,
        ge=1,
        description="The wait of an address starts as any first wait, doubles, and stops growing here.",
    )
    checks_per_address: int = Field(
        default=4,
        ge=1,
        le=64,
        description=(
            "Passwords from one address (IPv6: one /64) that are checked at once, but never by more than half of the "
            "directory's worker threads; more of them queue for a moment, then they are throttled."
        ),
    )
    check_queue_seconds: float = Field(default=3.0, gt=0, le=30, description="How long such a password queues.")
    answer_floor_milliseconds: int = Field(
        default=400, ge=0, le=5000, description="A refused login is not answered sooner, so that timing tells nothing."
    )

    @model_validator(mode="after")
    def _limit_below_lockout(self) -> Self:
        used = self.lockout_margin + self.known_address_reserve
        if self.directory_lockout_tries and self.directory_lockout_tries <= used:
            raise ValueError("lockout_margin + known_address_reserve must be smaller than directory_lockout_tries")
        return self

    @property
    def account_tries(self) -> int | None:
        """Wrong passwords for one account from all addresses before we stop asking the directory; None: no limit."""
        return self.directory_lockout_tries - self.lockout_margin if self.directory_lockout_tries else None

    @property
    def stranger_tries(self) -> int | None:
        """How many of `account_tries` may come from unknown addresses."""
        return self.account_tries - self.known_address_reserve if self.account_tries is not None else None


class SecondFactorSettings(Section):
    """TOTP and recovery codes."""

    issuer: str = Field(
        default="Kakehashi",
        min_length=1,
        max_length=60,
        pattern=r"^[^:]+$",
        description="Name shown in the authenticator app.",
    )
    enrolment_networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="Addresses from which a second factor may be set up; empty: anywhere."
    )
    recovery_requires_enrolment: bool = Field(
        default=True, description="After a recovery code the person sets up a new authenticator at once."
    )

    def allows_enrolment_from(self, address: str) -> bool:
        """Is this address inside the enrolment networks? Something that is no address never is."""
        if not self.enrolment_networks:
            return True
        try:
            here = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(here, "ipv4_mapped", None)
        return any((mapped or here) in network for network in self.enrolment_networks)


class WebSessionSettings(Section):
    """Life of a signed-in browser."""

    idle_seconds: int = Field(default=1800, ge=300, le=1800, description="Ends after this long without activity.")
    absolute_seconds: int = Field(default=43200, ge=600, le=43200, description="Ends after this long in any case.")
    login_seconds: int = Field(default=600, ge=60, le=1800, description="A login must be finished within this time.")


class DegradedSettings(Section):
    """Login while no directory server can be reached."""

    groups: tuple[str, ...] = Field(
        default=(),
        description=(
            "Roster groups: only their members can sign in while every directory server is unreachable; empty: nobody."
        ),
    )
    after_minutes: int = Field(
        default=5,
        ge=1,
        le=1440,
        description=(
            "Degraded login opens after an outage of this length without a break; at once while a declaration of "
            "level 警戒 or above is in force."
        ),
    )
    valid_hours: int = Field(
        default=72, ge=1, le=72, description="How long after the last good login a password can be checked without it."
    )
    recheck_minutes: int = Field(
        default=15,
        ge=1,
        le=1440,
        description="How often the directory is asked about people who could sign in without it.",
    )
    hash_threads: int = Field(
        default=2, ge=1, le=8, description="Argon2id computations at once; each takes 46 MiB for a tenth of a second."
    )


class VouchSettings(Section):
    """Help for people who lost their authenticator."""

    groups: tuple[str, ...] = Field(
        default=(),
        description="Groups of officials who may vouch, two together, for a person who lost the authenticator.",
    )
    factor_hours: int = Field(
        default=24, ge=1, le=24, description="How long the temporary authenticator of such a person works."
    )


class EmergencyCardSettings(Section):
    """The printed card with recovery codes."""

    contact_ja: str = Field(
        default="", max_length=100, description="Whom to call, printed on the card: name and telephone number."
    )
    contact_en: str = Field(default="", max_length=100, description="The same in English; empty: the Japanese text.")
    font_file: Path | None = Field(
        default=None, description="Font of the card; none: Noto Sans CJK or another known Japanese font."
    )
    bold_font_file: Path | None = Field(default=None, description="Its bold face; none: the same file.")


class AuthSettings(Section):
    """Everything of `[auth]`."""

    ldap: LdapSettings = Field(description="The directory.")
    throttle: ThrottleSettings = Field(default_factory=ThrottleSettings, description="Guessing limits.")
    second_factor: SecondFactorSettings = Field(
        default_factory=SecondFactorSettings, description="TOTP and recovery codes."
    )
    web_session: WebSessionSettings = Field(default_factory=WebSessionSettings, description="Signed-in browsers.")
    degraded: DegradedSettings = Field(
        default_factory=DegradedSettings, description="Login while no directory server can be reached."
    )
    vouch: VouchSettings = Field(default_factory=VouchSettings, description="Help after a lost authenticator.")
    emergency_card: EmergencyCardSettings = Field(
        default_factory=EmergencyCardSettings, description="The printed card with recovery codes."
    )
    refresh_seconds: int = Field(
        default=60, ge=5, le=3600, description="How often groups and state of signed-in people are read again."
    )
