"""What a decision is about and what it says: subject, action, resource, context in; decision, grant, obligations out.

Counterpart: `policy.engine` decides, everyone else only reads these values. Pure: no clock, no I/O. Nothing here may
decide anything, and only the engine mints a `Grant` (through `policy.minting`; a test reads the source for it).

The shape follows AuthZEN 1.0 (subject, action, resource, context). A fact that is `None` is *unknown*, which is
never the same as "no": an unknown fact cannot make a permit match and cannot keep a forbid from matching.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Protocol

from common.ids import PoolId, RuleId, TenantId, UserId

DEFAULT_IDLE_LIMIT: Final = timedelta(minutes=15)
DEFAULT_TOTAL_LIMIT: Final = timedelta(hours=8)
IDLE_LIMIT_CAP: Final = timedelta(minutes=30)
TOTAL_LIMIT_CAP: Final = timedelta(hours=12)
CLIPBOARD_CAP_CHARS: Final = 100_000


class Zone(StrEnum):
    """The three network zones of a municipality (三層の対策). A session touches exactly one."""

    MY_NUMBER = "my_number"
    LGWAN = "lgwan"
    INTERNET = "internet"

    @property
    def name_ja(self) -> str:
        """The name that the ministry's guideline uses."""
        return _ZONE_NAMES[self][0]

    @property
    def name_en(self) -> str:
        """English name for screens."""
        return _ZONE_NAMES[self][1]


_ZONE_NAMES: Final[dict[Zone, tuple[str, str]]] = {
    Zone.MY_NUMBER: ("マイナンバー利用事務系", "My Number administration"),
    Zone.LGWAN: ("LGWAN接続系", "LGWAN"),
    Zone.INTERNET: ("インターネット接続系", "Internet"),
}


class DeviceKind(StrEnum):
    """What the person sits at."""

    MANAGED = "managed"
    THIN = "thin"
    BYOD = "byod"
    TABLET = "tablet"


class FactorKind(StrEnum):
    """What the second factor of a web session was."""

    TOTP = "totp"
    """The person's own authenticator."""
    TEMPORARY = "temporary"
    """One that two officials vouched for, for a day."""
    RECOVERY = "recovery"
    """A recovery code, and no authenticator since."""


class QualityProfile(StrEnum):
    """The best picture quality that a viewer may ask the desktop for; a lower one is always open."""

    HIGH = "high"
    STANDARD = "standard"
    SLOW = "slow"


class Action(StrEnum):
    """What the person wants to do. Rules decide on a desktop session; the other actions are views on that one decision,
    so that they can never contradict it."""

    CONNECT = "desktop:connect"
    """Open or keep a session, on whatever terms the rules give (perhaps only to look)."""
    VIEW = "desktop:view"
    """Look only: allowed like CONNECT, but the grant is always view-only."""
    CONTROL = "desktop:control"
    """Keyboard and pointer: allowed when the session is allowed and not view-only."""
    CLIPBOARD_IN = "clipboard:in"
    """Text from the viewer to the desktop: allowed when the terms give more than 0 characters."""
    CLIPBOARD_OUT = "clipboard:out"
    """Text from the desktop to the viewer: allowed when the terms give more than 0 characters."""


class BcpLevel(IntEnum):
    """Level of a declaration. Order is strength: a rule for FIRST also holds in SECOND. ALERT (警戒) widens nothing."""

    ALERT = 1
    FIRST = 2
    SECOND = 3


@dataclass(frozen=True, slots=True)
class ActiveOverlay:
    """A signed declaration that covers this person and target. The engine itself checks `ends_at` (aware)."""

    overlay_id: str
    plan: str
    level: BcpLevel
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """A person as the directory knows them. `groups` and `duties` are complete; `suspended=None` means unknown."""

    tenant_id: TenantId
    user_id: UserId
    username: str
    groups: frozenset[str]
    department: str | None
    duties: frozenset[str]
    employment: str | None
    suspended: bool | None
    site: str | None = None
    """Where the person usually works; None when not recorded. Only the scope of a BCP declaration asks for it."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A pool (or a single desktop that is its own pool). A zone of None is unknown and therefore unreachable."""

    tenant_id: TenantId
    pool_id: PoolId
    pool_class: str
    zone: Zone | None
    site: str | None


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances, all taken at one moment. `now` is aware. Ages count from the last successful check.

    `live=True` asks whether a session that already holds its seat may go on: refusals of the capacity layer do not
    count then (a full pool must not end the session that filled it); its limits do.
    """

    now: datetime
    source: IPv4Address | IPv6Address | None = None
    device_kind: str | None = None
    device_registered: bool | None = None
    password_age: timedelta | None = None
    totp_age: timedelta | None = None
    factor: FactorKind | None = None
    seats_used: int | None = None
    seats_total: int | None = None
    gateway_load_percent: int | None = None
    user_sessions: int | None = None
    """Sessions that the person already has (in any state but ended), this one not counted."""
    days_worked: int | None = None
    """Days of this week (Monday to Sunday in Tokyo) before today on which the person was at work on a desktop."""
    worked_today: bool | None = None
    """Whether today is such a day already. Decides nothing: only the next opening that is told depends on it."""
    live: bool = False
    overlays: tuple[ActiveOverlay, ...] = ()

    def under(self, overlays: tuple[ActiveOverlay, ...]) -> "Context":
        """The same under these overlays: a third of the price of `dataclasses.replace`, for every decision pays it."""
        return Context(
            self.now,
            self.source,
            self.device_kind,
            self.device_registered,
            self.password_age,
            self.totp_age,
            self.factor,
            self.seats_used,
            self.seats_total,
            self.gateway_load_percent,
            self.user_sessions,
            self.days_worked,
            self.worked_today,
            self.live,
            overlays,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the engine."""

    subject: Subject
    action: Action
    resource: Resource
    context: Context

    def under(self, overlays: tuple[ActiveOverlay, ...]) -> "Request":
        """The same question under these overlays."""
        return Request(self.subject, self.action, self.resource, self.context.under(overlays))


@dataclass(frozen=True, slots=True)
class Obligations:
    """What the gateway must enforce while the session lasts. Defaults are the safest useful values."""

    clipboard_in_chars: int = 0
    clipboard_out_chars: int = 0
    view_only: bool = False
    watermark: bool = True
    idle_limit: timedelta = DEFAULT_IDLE_LIMIT
    total_limit: timedelta = DEFAULT_TOTAL_LIMIT
    quality: QualityProfile = QualityProfile.STANDARD


class ReasonCode(StrEnum):
    """Why, as a stable name. The first group comes from guardrails, the second from the policy file."""

    ALLOWED = "allowed"

    ZONE_UNREACHABLE = "zone_unreachable"
    ZONE_UNKNOWN = "zone_unknown"
    OTHER_TENANT = "other_tenant"
    SUSPENDED = "suspended"
    TOTP_REQUIRED = "totp_required"
    TEMPORARY_FACTOR = "temporary_factor"
    PASSWORD_TOO_OLD = "password_too_old"  # noqa: S105 - a code, not a secret

    FORBIDDEN_BY_RULE = "forbidden_by_rule"
    CAPACITY = "capacity"
    NOT_ASSIGNED = "not_assigned"
    OUTSIDE_HOURS = "outside_hours"
    NOT_FROM_HERE = "not_from_here"
    DEVICE_NOT_ALLOWED = "device_not_allowed"
    DAYS_USED_UP = "days_used_up"
    DAYS_UNKNOWN = "days_unknown"
    VIEW_ONLY = "view_only"
    CLIPBOARD_OFF = "clipboard_off"
    POLICY_ERROR = "policy_error"

    DRILL_PRETENDS = "drill_pretends"
    """A drill would have given it, but for what that drill pretends (`policy.bcp.injects`)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason that the person may read. `available_from` (aware, UTC) is the next moment, within 14 days, at which the
    clock alone would allow it; None when time would not help."""

    code: ReasonCode
    text_ja: str
    text_en: str
    available_from: datetime | None = None
    rule_id: RuleId | None = None


ALLOWED: Final = Reason(ReasonCode.ALLOWED, "利用できます。", "You may use this.")


@dataclass(frozen=True, slots=True)
class Basis:
    """What an allowed decision rests on. Shared between equal decisions, so it holds nothing of one request."""

    obligations: Obligations
    rule_ids: tuple[RuleId, ...]
    policy_version: str
    reason: Reason = ALLOWED


class Refusal(Protocol):
    """What a refused decision rests on; the engine works it out when somebody asks (dearer than the decision)."""

    @property
    def rule_ids(self) -> tuple[RuleId, ...]:
        """Every rule that forbids; empty when no rule permits."""

    @property
    def policy_version(self) -> str:
        """Of the engine that refused."""

    @property
    def reason(self) -> Reason:
        """The reason to show."""


@dataclass(frozen=True, slots=True, init=False)
class Grant:
    """Proof that the engine allowed this request; the broker takes nothing else. Cannot be built or altered elsewhere:
    the constructor and `dataclasses.replace` raise TypeError."""

    request: Request
    basis: Basis

    def __init__(self) -> None:
        raise TypeError("only the policy engine mints a grant")

    @property
    def policy_version(self) -> str:
        """By which version of the policy."""
        return self.basis.policy_version

    @property
    def subject(self) -> Subject:
        """Who was allowed."""
        return self.request.subject

    @property
    def action(self) -> Action:
        """What was allowed."""
        return self.request.action

    @property
    def resource(self) -> Resource:
        """On which pool."""
        return self.request.resource

    @property
    def obligations(self) -> Obligations:
        """On which terms."""
        return self.basis.obligations

    @property
    def rule_ids(self) -> tuple[RuleId, ...]:
        """Every permit that matched and every limit that bound, sorted."""
        return self.basis.rule_ids

    @property
    def decided_at(self) -> datetime:
        """The `now` of the request."""
        return self.request.context.now


@dataclass(frozen=True, slots=True, init=False)
class Decision:
    """The engine's answer. `reason` and `rule_ids` of a refusal are worked out on first use (well under 1 ms)."""

    grant: Grant | None
    outcome: Basis | Refusal

    def __init__(self) -> None:
        raise TypeError("only the policy engine makes decisions")

    @property
    def allowed(self) -> bool:
        """True exactly when there is a grant."""
        return self.grant is not None

    @property
    def policy_version(self) -> str:
        """Of the engine that decided."""
        return self.outcome.policy_version

    @property
    def rule_ids(self) -> tuple[RuleId, ...]:
        """All rules that decided, sorted: permits and limits when allowed, forbids when refused."""
        return self.outcome.rule_ids

    @property
    def reason(self) -> Reason:
        """Why, with Japanese and English text."""
        return self.outcome.reason
