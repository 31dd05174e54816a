"""The values that auth hands to its callers: who a person is, which web session they have, where a login stands.

Counterpart: `auth/service.py` makes them, the HTTP handlers turn them into JSON and cookies. Nothing here decides what
a person may reach; that is policy's.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from common.ids import TenantId, UserId, WebSessionId
from common.secret import Secret

NEVER_SIGNED_IN: Final = UserId("never-signed-in")
"""Of whom the directory knows and we do not: they have no id yet."""

TOPIC_USER_CHANGED: Final = "user:changed"
"""Bus topic; key = UserId. Groups, attributes or the disabled state of a person changed: judge their grants again."""
TOPIC_WEB_SESSION_ENDED: Final = "web_session:ended"
"""Bus topic; key = WebSessionId. Logged out, revoked or run out: cut everything that hangs on it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as the directory last described them. `user_id` is ours and stays; everything else may change."""

    user_id: UserId
    tenant_id: TenantId
    username: str
    """As the directory spells it, not as it was typed."""
    display_name: str
    department: str | None
    groups: frozenset[str]
    """Names of all groups, nested ones included."""
    employment: str | None


@dataclass(frozen=True, slots=True)
class WebSession:
    """One signed-in browser. Times are aware UTC."""

    id: WebSessionId
    identity: Identity
    created_at: datetime
    last_seen_at: datetime
    """Exact to half a minute."""
    idle_expires_at: datetime
    expires_at: datetime
    """Absolute end, whatever the person does."""
    password_at: datetime
    totp_at: datetime | None
    """None when the second factor was a recovery code."""
    source: str
    user_agent_label: str
    degraded: bool = False
    """Signed in without the directory: groups are those of the last time it was read."""
    temporary_factor: bool = False
    """A temporary authenticator, vouched for by two officials, stood in for the person's own one."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from: the address that the gateway believes, and a short label of the browser."""

    address: str
    user_agent_label: str = ""


class LoginStep(StrEnum):
    """What the login page shows next."""

    PASSWORD = "password"  # noqa: S105 - the name of a step
    TOTP = "totp"
    """Also accepts a recovery code."""
    CHANGE_PASSWORD = "change_password"  # noqa: S105 - the name of a step
    ENROL = "enrol"
    RECOVERY_CODES = "recovery_codes"
    DONE = "done"


class LoginErrorCode(StrEnum):
    """Why the last submission did not move the login on. Deliberately coarse; the audit has the exact cause."""

    LOGIN_FAILED = "login_failed"
    """User name or password wrong, account locked or disabled: indistinguishable from outside."""
    CODE_WRONG = "code_wrong"
    CODE_REUSED = "code_reused"
    RECOVERY_CODE_WRONG = "recovery_code_wrong"
    THROTTLED = "throttled"
    DIRECTORY_UNAVAILABLE = "directory_unavailable"
    DEGRADED_LOGIN_FAILED = "degraded_login_failed"
    """The directory is out of reach, and this name with this password does not get in without it."""
    NOT_WHILE_DEGRADED = "not_while_degraded"
    """Needs the directory: recovery codes, enrolment, new codes."""
    ACTIVATION_CODE_WRONG = "activation_code_wrong"
    NOT_WITH_TEMPORARY_FACTOR = "not_with_temporary_factor"
    """Needs the person's own authenticator."""
    LOGIN_EXPIRED = "login_expired"
    WRONG_STEP = "wrong_step"
    ENROLMENT_NOT_HERE = "enrolment_not_here"
    PASSWORD_CHANGE_UNAVAILABLE = "password_change_unavailable"  # noqa: S105 - a code
    PASSWORD_TOO_SHORT = "password_too_short"  # noqa: S105 - a code
    PASSWORD_TOO_LONG = "password_too_long"  # noqa: S105 - a code
    PASSWORD_TOO_SIMPLE = "password_too_simple"  # noqa: S105 - a code
    PASSWORD_USED_BEFORE = "password_used_before"  # noqa: S105 - a code
    PASSWORD_TOO_YOUNG = "password_too_young"  # noqa: S105 - a code
    PASSWORD_REFUSED = "password_refused"  # noqa: S105 - a code


@dataclass(frozen=True, slots=True)
class LoginError:
    """A code and its public text (`auth/messages.py`)."""

    code: LoginErrorCode
    text_ja: str
    text_en: str
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class LoginView:
    """Exactly what the JSON LoginState carries."""

    step: LoginStep
    error: LoginError | None = None
    display_name: str | None = None
    """Only after the password was right."""
    recovery_codes: tuple[str, ...] | None = field(default=None, repr=False)
    """Only in the one answer that shows new codes."""
    degraded: bool = False
    """The directory is out of reach: only the authenticator's code leads on."""
    temporary_factor: bool = False
    """The authenticator being set up is a temporary one."""


class CookieChange(StrEnum):
    """What the handler does with a cookie."""

    KEEP = "keep"
    SET = "set"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class LoginOutcome:
    """A step's result: what to show, and what to do with the cookies. Only SET comes with a value."""

    view: LoginView
    login_cookie: CookieChange = CookieChange.KEEP
    login_value: Secret[str] | None = None
    session_cookie: CookieChange = CookieChange.KEEP
    session_value: Secret[str] | None = None
    web_session: WebSession | None = None
    """Present when the step is DONE."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the enrolment page shows, once. `qr_svg` is a plain SVG element without script or style."""

    secret: Secret[str]
    """Base32 in groups of four, for typing."""
    otpauth_uri: Secret[str]
    qr_svg: Secret[str]


@dataclass(frozen=True, slots=True)
class StepUp:
    """Result of a fresh second factor inside a session: a new cookie value, or the error."""

    error: LoginError | None = None
    session_value: Secret[str] | None = None
    web_session: WebSession | None = None
    recovery_codes: tuple[str, ...] | None = field(default=None, repr=False)
    """Only from `regenerate_recovery_codes`."""


class IdentityCheck(StrEnum):
    """How an official made sure who the person is. Only the audit keeps it: the second one shall look, not copy."""

    IN_PERSON = "in_person"
    """Face to face."""
    CALL_BACK = "call_back"
    """By calling back the number that the personnel register has."""
    VIDEO = "video"
    """On a video call."""


class VouchState(StrEnum):
    """How far the help for a person without authenticator has come."""

    OPEN = "open"
    """One official vouched; a second one is needed."""
    CONFIRMED = "confirmed"
    """Two did; the person has the activation code."""
    ACTIVATED = "activated"
    """The code was used; the authenticator is being set up."""
    ENROLLED = "enrolled"
    """The temporary authenticator works until `expires_at`."""


@dataclass(frozen=True, slots=True)
class Vouch:
    """Help for one person without authenticator, as officials see it."""

    id: str
    state: VouchState
    user_id: UserId
    username: str
    display_name: str
    opened_by: str
    """User name of the first official."""
    confirmed_by: str | None
    opened_at: datetime
    expires_at: datetime
    """When the present state ends by itself."""


MOST_VOUCHES: Final = 20
"""That run and that one official opened, and as many that the same official confirmed. Each runs for a day at most, so
it is what one person answers for in a day: two accounts that are misused do not open the whole city."""


class VouchRefusal(StrEnum):
    """Why an official's step was not taken."""

    NOT_ENTITLED = "not_entitled"
    TOTP_NOT_FRESH = "totp_not_fresh"
    OWN_FACTOR_NEEDED = "own_factor_needed"
    """The official's session is degraded, or itself rests on a temporary authenticator."""
    UNKNOWN_PERSON = "unknown_person"
    ONESELF = "oneself"
    SAME_OFFICIAL = "same_official"
    NO_AUTHENTICATOR = "no_authenticator"
    """The person never had one: the next login sets one up anyway."""
    ONE_RUNS_ALREADY = "one_runs_already"
    TOO_MANY = "too_many"
    """The official has as many under way as one person can answer for."""
    OVER = "over"
    """Lapsed, ended or confirmed by somebody else meanwhile."""


@dataclass(frozen=True, slots=True)
class VouchStep:
    """Result of an official's step."""

    refusal: VouchRefusal | None = None
    vouch: Vouch | None = None
    activation_code: Secret[str] | None = None
    """Only after the confirmation, this once: to be told to the person."""


@dataclass(frozen=True, slots=True)
class EmergencyCard:
    """A printed card in force; its codes are the person's recovery codes."""

    number: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class HeldCard:
    """A card in force and whose it is."""

    user_id: UserId
    username: str
    display_name: str
    number: str
    issued_at: datetime
