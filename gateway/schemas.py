"""Bodies of requests and answers: the API's contract, from which the OpenAPI document is made. Pure.

Requests refuse unknown fields; answers list exactly what is shown, so nothing new leaks by being added elsewhere.
"""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from auth.models import LoginErrorCode, LoginStep
from broker.duties.models import Priority
from broker.models import AddressKind, EndReason, Keyboard, PoolKind, TargetSecurity
from broker.states import SessionState
from broker.triage.room import QueueReason
from policy.model import QualityProfile, ReasonCode, Zone


class Body(BaseModel):
    """A request body."""

    largest: ClassVar[int] = 64 * 1024
    """Bytes that its JSON may have."""
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Answer(BaseModel):
    """An answer body."""

    model_config = ConfigDict(extra="forbid")


Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=100)]


class PasswordBody(Body):
    """The first factor."""

    username: str = Field(min_length=1, max_length=256)
    password: str = Field(min_length=1, max_length=1024)


class CodeBody(Body):
    """A code from the authenticator, or a recovery code."""

    code: str = Field(min_length=1, max_length=64)


class NewPasswordBody(Body):
    """A new password in place of an expired one."""

    new_password: str = Field(min_length=1, max_length=1024)


class LoginErrorAnswer(Answer):
    """Why the last step did not move the login on."""

    code: LoginErrorCode
    text_ja: str
    text_en: str
    retry_after_seconds: int | None = None


class LoginStateAnswer(Answer):
    """Where the login stands."""

    step: LoginStep
    error: LoginErrorAnswer | None = None
    display_name: str | None = None
    recovery_codes: list[str] | None = None
    degraded: bool = False
    """The directory is out of reach: recovery and activation codes do not lead on."""
    temporary_factor: bool = False
    """The authenticator being set up is a temporary one."""


class EnrolmentAnswer(Answer):
    """What the authenticator app needs, once."""

    secret: str
    otpauth_uri: str
    qr_svg: str


class UserAnswer(Answer):
    """The person."""

    id: str
    username: str
    display_name: str
    department: str | None


class TenantAnswer(Answer):
    """The municipality."""

    id: str
    name_ja: str
    name_en: str


class WebSessionTimes(Answer):
    """When this browser is signed out, and when the person last proved the second factor."""

    idle_expires_at: datetime
    expires_at: datetime
    totp_at: datetime | None
    degraded: bool = False
    """Signed in while the directory was out of reach."""
    temporary_factor: bool = False
    """Rests on a temporary authenticator."""


class BannerAnswer(Answer):
    """What the caller must know of this session all the time."""

    text_ja: str
    text_en: str


class MeAnswer(Answer):
    """Who is signed in here."""

    user: UserAnswer
    tenant: TenantAnswer
    csrf_token: str
    roles: list[str]
    web_session: WebSessionTimes
    recovery_codes_left: int
    banners: list[BannerAnswer] = Field(default_factory=list)


class WebSessionAnswer(Answer):
    """One signed-in browser of the caller."""

    id: str
    current: bool
    created_at: datetime
    last_seen_at: datetime
    source: str
    label: str


class WebSessionsAnswer(Answer):
    """The caller's signed-in browsers."""

    items: list[WebSessionAnswer]


class RecoveryCodesAnswer(Answer):
    """New recovery codes, shown once; or why there are none."""

    recovery_codes: list[str] | None
    error: LoginErrorAnswer | None = None
    csrf_token: str


class StepUpAnswer(Answer):
    """A fresh second factor inside a session, or why not."""

    error: LoginErrorAnswer | None = None
    csrf_token: str


class ObligationsAnswer(Answer):
    """The terms of a session."""

    clipboard_in_chars: int
    clipboard_out_chars: int
    view_only: bool
    watermark: bool
    idle_limit_seconds: int
    total_limit_seconds: int
    quality: QualityProfile


class ReasonAnswer(Answer):
    """Why something may not be used now, and from when it may."""

    code: ReasonCode
    text_ja: str
    text_en: str
    available_from: datetime | None


class QueueAnswer(Answer):
    """Where the caller stands in a queue."""

    place: int
    """From one."""
    ahead: int
    estimate_seconds: int | None
    """Probably so long still; None when nothing tells."""
    reason: QueueReason
    priority: Priority


class WarningAnswer(Answer):
    """The session is to give up its seat."""

    kind: Literal["preemption"]
    at: datetime
    reason_ja: str
    reason_en: str
    phone_ja: str | None
    phone_en: str | None


class SessionAnswer(Answer):
    """A desktop session of the caller."""

    id: str
    pool_id: str
    name_ja: str
    name_en: str
    state: SessionState
    stage_ja: str
    stage_en: str
    end_reason: EndReason | None
    end_text_ja: str | None
    end_text_en: str | None
    short_code: str
    created_at: datetime
    active_seconds: int
    obligations: ObligationsAnswer
    expires_at: datetime
    held_elsewhere: bool
    """Another browser's viewer is attached: a lost viewer must not take the desktop back by itself."""
    ends_at: datetime | None
    """The declaration this session rested on is over: it is disconnected then. None for all others."""
    queue: QueueAnswer | None
    """While it waits for a seat."""
    held_until: datetime | None
    """The turn has come: the seat is the caller's until then, if others wait."""
    warning: WarningAnswer | None
    """The seat is needed for urgent work."""


class SessionsAnswer(Answer):
    """The caller's desktop sessions."""

    items: list[SessionAnswer]


class SeatsAnswer(Answer):
    """How full a pool is."""

    used: int
    total: int


class UnreachableAnswer(Answer):
    """A fixed desktop that did not answer when it was last tried, and what to use instead."""

    since: datetime
    text_ja: str
    text_en: str
    instead_pool_id: str | None


class DesktopAnswer(Answer):
    """A pool as this caller sees it now."""

    pool_id: str
    name_ja: str
    name_en: str
    zone: Zone | None
    zone_ja: str
    zone_en: str
    kind: PoolKind
    allowed: bool
    reason: ReasonAnswer | None
    obligations: ObligationsAnswer | None
    session: SessionAnswer | None
    seats: SeatsAnswer
    unreachable: UnreachableAnswer | None


class DeclaredAnswer(Answer):
    """A declaration that covers the caller, in a few words."""

    kind: str
    text_ja: str
    text_en: str
    until: datetime | None


class ViewedSessionAnswer(SessionAnswer):
    """A desktop session of the caller, and what is declared for it: all that a viewer's page shows."""

    notices: list[DeclaredAnswer]


class DesktopsAnswer(Answer):
    """All pools that concern the caller, and what is declared for them."""

    items: list[DesktopAnswer]
    notices: list[DeclaredAnswer]


class SessionBody(Body):
    """Which pool to work in."""

    pool_id: Identifier


class TicketAnswer(Answer):
    """A one-use ticket for the viewer's WebSocket."""

    ticket: str
    expires_in_seconds: int


class PoolBody(Body):
    """A pool, as an administrator defines it."""

    name_ja: Text
    name_en: Text
    kind: PoolKind
    pool_class: Identifier = "office"
    zone: Zone | None = None
    site: Identifier | None = None
    max_desktops: int = Field(ge=0, le=10_000)
    max_queued: int = Field(default=50, ge=0, le=10_000)
    user_session_limit: int = Field(default=3, ge=1, le=20)
    keep_disconnected_minutes: int = Field(default=120, ge=0, le=1440)
    geometry: str = Field(default="1280x800", pattern=r"^[1-9][0-9]{2,3}x[1-9][0-9]{2,3}$")
    keyboard: Keyboard = Keyboard.JP
    enabled: bool = True


class PoolAnswer(PoolBody):
    """A pool with its id."""

    id: str


class PoolsAnswer(Answer):
    """All pools."""

    items: list[PoolAnswer]


class TargetBody(Body):
    """An existing RFB server, as an administrator defines it."""

    pool_id: Identifier
    name_ja: Text
    name_en: Text
    address_kind: AddressKind
    host: str = Field(min_length=1, max_length=255)
    port: int | None = Field(default=None, ge=1, le=65535)
    security: list[TargetSecurity] = Field(min_length=1, max_length=4)
    ca_pem: str | None = Field(default=None, max_length=50_000)
    tls_name: str | None = Field(default=None, max_length=255)
    assigned_user_id: str | None = Field(default=None, max_length=64)
    enabled: bool = True


class TargetAnswer(TargetBody):
    """A static target with its id; its credential is never shown."""

    id: str
    has_credential: bool


class TargetsAnswer(Answer):
    """All static targets."""

    items: list[TargetAnswer]


class CredentialBody(Body):
    """What the gateway logs in to a static target with."""

    username: str | None = Field(default=None, max_length=256)
    password: str = Field(min_length=1, max_length=1024)


class AdminSessionAnswer(Answer):
    """A desktop session as administrators see it."""

    id: str
    user_id: str
    username: str
    display_name: str
    pool_id: str
    state: SessionState
    end_reason: EndReason | None
    short_code: str
    created_at: datetime
    active_seconds: int


class AdminSessionsAnswer(Answer):
    """All live desktop sessions."""

    items: list[AdminSessionAnswer]


class PolicyAnswer(Answer):
    """The rules in force."""

    version: str


class HealthAnswer(Answer):
    """Whether the gateway runs."""

    status: Literal["ok", "not_ready"]
    checks: dict[str, bool] = Field(default_factory=dict)


class ExplainBody(Body):
    """A question to the policy."""

    username: str = Field(min_length=1, max_length=256)
    pool_id: Identifier
    at: AwareDatetime | None = Field(
        default=None, ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)
    )
    """In this century: weeks and openings around it are days that calendars have."""
    source: str | None = Field(default=None, max_length=64)
    days_worked: int | None = Field(default=None, ge=0, le=6)
    """On how many days of that week before; null: as recorded."""


class ExplanationAnswer(Answer):
    """Every rule with what it lacked, as printable text."""

    allowed: bool
    text_ja: str
    text_en: str
