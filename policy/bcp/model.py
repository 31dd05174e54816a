"""The words of BCP mode as frozen values: scope, level, declaration, signature, official, refusal. Pure.

Counterparts: `policy.bcp.declaration` (how a declaration moves), `policy.bcp.store` (where it is kept), the gateway's
API and notices (how it is shown). Must not decide anything and must not know a clock.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from common.errors import ErrorCode, KakehashiError
from common.ids import TenantId, UserId
from policy.bcp.injects import NONE, Injects
from policy.model import BcpLevel, Resource, Subject

TOPIC: Final = "bcp"
"""Bus topic of everything that changes a declaration or a plan; the key is the declaration's id (or the plan's)."""

TOTP_FRESH: Final = timedelta(minutes=5)
MOST_PROPOSALS: Final = 20
"""Of one person in an hour; of declarations and of versions of plans, each for itself."""
APPROVAL_WINDOW: Final = timedelta(minutes=30)
DEFAULT_DURATION: Final = timedelta(hours=72)
MAX_DURATION: Final = timedelta(days=14)
MAX_ALERT: Final = timedelta(days=7)
MAX_DRILL: Final = timedelta(hours=8)
BREAK_GLASS: Final = timedelta(hours=4)
BREAK_GLASS_REST: Final = timedelta(hours=72)
"""After a break-glass that nobody ratified: no second one by the same person or for an overlapping scope this long,
counted from its start. Without it one person could chain them."""
EXTEND_FROM: Final = timedelta(hours=24)
"""A declaration can be extended when it has at most this long to go."""
REMINDERS: Final = (timedelta(hours=24), timedelta(hours=4), timedelta(hours=1))
BUNDLE_VALID: Final = timedelta(hours=72)
"""How long a node goes on with what it read last while the database is unreachable (a lifting cannot reach it)."""


SUBSTITUTE: Final = "#substitute"
"""Behind a duty's name in `Subject.duties` of those who stand in for it (応援職員)."""


DRILL_MARK: Final = "#drill"
"""Behind a plan's name in the rules of its drill."""


class ScopeKind(StrEnum):
    """What a declaration is held for."""

    TENANT = "tenant"
    SITE = "site"
    DEPARTMENT = "department"
    DUTY = "duty"


@dataclass(frozen=True, slots=True)
class Scope:
    """People and targets that a declaration covers. `ids` is empty for the whole tenant and never empty otherwise."""

    kind: ScopeKind
    ids: frozenset[str] = frozenset()

    def covers(self, subject: Subject, resource: Resource) -> bool:
        """Whether it reaches this person at this target. A duty covers those who stand in for it, too. A site covers
        its people wherever they connect, and its targets whoever connects. Tenants are compared by whoever asks."""
        match self.kind:
            case ScopeKind.TENANT:
                return True
            case ScopeKind.SITE:
                return subject.site in self.ids or resource.site in self.ids
            case ScopeKind.DEPARTMENT:
                return subject.department in self.ids
            case ScopeKind.DUTY:
                return any(duty.removesuffix(SUBSTITUTE) in self.ids for duty in subject.duties)

    def contains(self, other: "Scope") -> bool:
        """Whether whatever `other` covers is sure to be covered by this one."""
        return self.kind is ScopeKind.TENANT or (self.kind is other.kind and other.ids <= self.ids)

    def overlaps(self, other: "Scope") -> bool:
        """Whether both may cover the same person: scopes of different kinds always may."""
        return self.kind is not other.kind or self.kind is ScopeKind.TENANT or not self.ids.isdisjoint(other.ids)


WHOLE_TENANT: Final = Scope(ScopeKind.TENANT)


class Level(StrEnum):
    """How far a declaration goes. Only FIRST and SECOND widen anything."""

    ALERT = "alert"
    FIRST = "first"
    SECOND = "second"
    RECOVERY = "recovery"

    @property
    def name_ja(self) -> str:
        """As the coordinators say it."""
        return _LEVEL_NAMES[self][0]

    @property
    def name_en(self) -> str:
        """English name for screens."""
        return _LEVEL_NAMES[self][1]

    @property
    def widens(self) -> BcpLevel | None:
        """The level as the rules know it; None for those that widen nothing."""
        return {Level.FIRST: BcpLevel.FIRST, Level.SECOND: BcpLevel.SECOND}.get(self)

    @property
    def rank(self) -> int:
        """Order of strength: recovery, alert, first, second."""
        return (Level.RECOVERY, Level.ALERT, Level.FIRST, Level.SECOND).index(self)


_LEVEL_NAMES: Final[dict[Level, tuple[str, str]]] = {
    Level.ALERT: ("警戒", "Alert"),
    Level.FIRST: ("発動（第1次）", "Activation, level 1"),
    Level.SECOND: ("発動（第2次）", "Activation, level 2"),
    Level.RECOVERY: ("復旧", "Recovery"),
}


class Cause(StrEnum):
    """Why a declaration is made."""

    EARTHQUAKE = "earthquake"
    STORM_FLOOD = "storm_flood"
    HEAVY_SNOW = "heavy_snow"
    INFECTION = "infection"
    OUTAGE = "outage"
    OTHER = "other"

    @property
    def name_ja(self) -> str:
        """As the plan of the city names it."""
        return _CAUSE_NAMES[self][0]

    @property
    def name_en(self) -> str:
        """English name for screens."""
        return _CAUSE_NAMES[self][1]


_CAUSE_NAMES: Final[dict[Cause, tuple[str, str]]] = {
    Cause.EARTHQUAKE: ("地震", "Earthquake"),
    Cause.STORM_FLOOD: ("風水害", "Storm or flood"),
    Cause.HEAVY_SNOW: ("豪雪", "Heavy snow"),
    Cause.INFECTION: ("感染症", "Infectious disease"),
    Cause.OUTAGE: ("停電・システム障害", "Power or system failure"),
    Cause.OTHER: ("その他", "Other"),
}


class DeclarationState(StrEnum):
    """Where a declaration stands. The last four are ends."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    ACTIVE = "active"
    LIFTED = "lifted"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    REJECTED = "rejected"


OPEN: Final = frozenset({DeclarationState.DRAFT, DeclarationState.AWAITING_APPROVAL, DeclarationState.ACTIVE})


@dataclass(frozen=True, slots=True)
class Official:
    """A 発動権者: `rank` 1 stands first in the 代行順位. May sign for scopes that one of `scopes` contains, and not
    any more from `until` (aware) on."""

    username: str
    rank: int
    title_ja: str
    title_en: str
    scopes: tuple[Scope, ...] = (WHOLE_TENANT,)
    until: datetime | None = None

    def may_sign_for(self, scope: Scope, now: datetime) -> bool:
        """Whether this person is on the list for the scope."""
        in_office = self.until is None or now < self.until
        return in_office and any(own.contains(scope) for own in self.scopes)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who acts now, as auth knows them. `totp_at` is the last successful one-time code of this web session; `absent`
    says that the higher-ranked officials cannot be reached and the signer acts in their place (職務代行).

    `seen_digest` is `Declaration.digest` (or `PendingExtension.digest`) of what the screen showed: an approval of
    anything else is refused. `seen_diff` is the digest of the what-if result shown with it, for the record.
    """

    user_id: UserId
    username: str
    display_name: str
    department: str | None = None
    totp_at: datetime | None = None
    absent: bool = False
    seen_digest: str | None = None
    seen_diff: str | None = None


class Role(StrEnum):
    """What a signature was for."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLARED = "declared"
    """Alone: alert, drill or break-glass."""
    RATIFIED = "ratified"
    EXTENSION_PROPOSED = "extension_proposed"
    EXTENSION_APPROVED = "extension_approved"
    NARROWED = "narrowed"
    RECOVERED = "recovered"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's act on a declaration. `listed_rank` is None for a person who is not on the list for the scope;
    `acting` is 職務代行 (a higher rank was stated to be absent); `digest` is what was signed."""

    user_id: UserId
    person: str
    username: str
    department: str | None
    role: Role
    at: datetime
    totp_at: datetime | None
    listed_rank: int | None
    acting: bool
    digest: str
    seen_diff: str | None = None


@dataclass(frozen=True, slots=True)
class PendingExtension:
    """A longer end that waits for its second person until `lapses_at`."""

    ends_at: datetime
    proposed: Signature
    lapses_at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a coordinator fills in. `ends_at` (aware) None takes the default of the level. `supersedes` names an active
    declaration that ends in the moment this one begins. `injects` is what a drill pretends."""

    scope: Scope
    level: Level
    plan_id: str
    cause: Cause
    reason: str
    ends_at: datetime | None = None
    drill: bool = False
    break_glass: bool = False
    supersedes: str | None = None
    injects: Injects = NONE

    @property
    def drill_name(self) -> str:
        """What decides who plays absent; the same for the declaration that becomes of it."""
        return drill_name(self.plan_id, self.reason)


def drill_name(plan_id: str, reason: str) -> str:
    """One plan and one reason are one drill, however often it is asked about before it begins."""
    return f"{plan_id}|{reason.strip()}"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration at one moment of its life. Every change makes a new value with `version` one higher.

    `ends_at` is the signed end; an unratified break-glass ends after four hours and has the end it was declared for in
    `planned_end`. `seen_at` is the latest moment that is certain to have passed (the clock may step back later).
    `lapses_at` is set while it waits for the second person. `blocked` people get nothing from it.
    """

    id: str
    tenant_id: TenantId
    scope: Scope
    level: Level
    plan_id: str
    plan_version: int
    plan_digest: str
    cause: Cause
    reason: str
    drill: bool
    break_glass: bool
    created_by: UserId
    created_at: datetime
    ends_at: datetime
    state: DeclarationState
    version: int
    seen_at: datetime
    starts_at: datetime | None = None
    lapses_at: datetime | None = None
    planned_end: datetime | None = None
    ended_at: datetime | None = None
    end_note: str = ""
    supersedes: str | None = None
    signatures: tuple[Signature, ...] = ()
    blocked: frozenset[UserId] = field(default_factory=frozenset)
    pending: PendingExtension | None = None
    injects: Injects = NONE

    @property
    def drill_name(self) -> str:
        """See `Proposal.drill_name`."""
        return drill_name(self.plan_id, self.reason)

    @property
    def overlay_plan(self) -> str:
        """The name under which its rules stand in the engine: plan, version, and whether it is a drill."""
        return overlay_plan(self.plan_id, self.plan_version, drill=self.drill)


def overlay_plan(plan_id: str, version: int, *, drill: bool) -> str:
    """ "quake@3", or "quake@3#drill": a drill can never meet the real profile's rules."""
    return f"{plan_id}@{version}{DRILL_MARK if drill else ''}"


class RefusalCode(StrEnum):
    """Why a step was not taken, as a stable name."""

    NOT_POSSIBLE_NOW = "not_possible_now"
    SAME_PERSON = "same_person"
    NOBODY_LISTED = "nobody_listed"
    HIGHER_RANK = "higher_rank"
    TOTP_NOT_FRESH = "totp_not_fresh"
    TOO_MANY_PROPOSALS = "too_many_proposals"
    TOO_MANY_REPORTS = "too_many_reports"
    LAPSED = "lapsed"
    OVER = "over"
    CONTENT_CHANGED = "content_changed"
    ENDS_IN_PAST = "ends_in_past"
    TOO_LONG = "too_long"
    TOO_EARLY_TO_EXTEND = "too_early_to_extend"
    NOT_LONGER = "not_longer"
    NOT_NARROWER = "not_narrower"
    SCOPE_UNKNOWN = "scope_unknown"
    SCOPE_EMPTY = "scope_empty"
    LEVEL_NOT_DECLARABLE = "level_not_declarable"
    BREAK_GLASS_LEVEL = "break_glass_level"
    BREAK_GLASS_SCOPE = "break_glass_scope"
    BREAK_GLASS_AGAIN = "break_glass_again"
    NOT_BREAK_GLASS = "not_break_glass"
    RATIFY_FIRST = "ratify_first"
    NEEDS_NEW = "needs_new"
    REAL_ONE_ACTIVE = "real_one_active"
    PLAN_UNKNOWN = "plan_unknown"
    PLAN_HAS_NO_DRILL = "plan_has_no_drill"
    PLAN_VERSION_REUSED = "plan_version_reused"
    PLAN_VERSION_OLD = "plan_version_old"
    PLAN_VERSION_UNKNOWN = "plan_version_unknown"
    PLAN_NOT_WAITING = "plan_not_waiting"
    PLAN_FAULTY = "plan_faulty"
    SUPERSEDES_UNKNOWN = "supersedes_unknown"
    REASON_MISSING = "reason_missing"
    INJECTS_NOT_IN_DRILL = "injects_not_in_drill"
    INJECTS_TOO_MANY = "injects_too_many"
    RESTORE_TOO_EARLY = "restore_too_early"
    RESTORE_NEEDS_DIRECTORY = "restore_needs_directory"
    OTHER_WAS_FASTER = "other_was_faster"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused step in words that the coordinator can act on."""

    code: RefusalCode
    text_ja: str
    text_en: str


class Refused(KakehashiError):
    """A step that was not taken; nothing has changed. `refusal` is shown to the person as it is."""

    def __init__(self, refusal: Refusal, *, code: ErrorCode = ErrorCode.CONFLICT) -> None:
        super().__init__(f"{refusal.code}: {refusal.text_en}", code=code)
        self.refusal = refusal
