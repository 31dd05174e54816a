"""What the broker speaks of: pools, static targets, desktops, desktop sessions, viewers. Pure values.

Counterparts: `broker/store/` makes them of rows, `broker/lifecycle.py` moves them through `broker/states.py`, the
gateway renders them. No credential and no ticket is ever a field here, so any of these may be logged or listed.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from agents.messages import Keyboard
from broker.duties.models import Priority
from broker.states import ATTACHABLE, SessionState
from common.ids import DesktopId, PoolId, SessionId, TenantId, UserId, WebSessionId
from policy.model import Grant, Obligations, QualityProfile, Zone

__all__ = [
    "AddressKind",
    "Desktop",
    "DesktopSession",
    "EndReason",
    "Keyboard",
    "Pool",
    "PoolKind",
    "Redeemed",
    "Seats",
    "StaticTarget",
    "TargetSecurity",
    "Viewer",
]


class EndReason(StrEnum):
    """Why a viewer or a whole session ended. Stable names: the WebSocket's close text and the API carry them."""

    USER_LOGGED_OUT = "user_logged_out"
    """The person logged the desktop off."""
    SIGNED_OUT = "signed_out"
    """The viewer's web session is over: signed out, revoked, or run out."""
    TAKEN_OVER = "taken_over"
    IDLE = "idle"
    TOTAL_LIMIT = "total_limit"
    ADMIN = "admin"
    POLICY = "policy"
    DESKTOP_ENDED = "desktop_ended"
    DESKTOP_FAILED = "desktop_failed"
    TARGET_UNREACHABLE = "target_unreachable"
    PROTOCOL_VIOLATION = "protocol_violation"
    GATEWAY_STOPPING = "gateway_stopping"
    AUDIT_UNAVAILABLE = "audit_unavailable"
    PREEMPTED = "preempted"
    """Made room for urgent work under a declaration."""
    HOLD_LAPSED = "hold_lapsed"
    """The turn came, the seat was held, and nobody connected while others waited."""


class PoolKind(StrEnum):
    """How a pool gets its desktops."""

    AGENT = "agent"
    """A session host starts one desktop per person."""
    STATIC = "static"
    """A list of existing RFB servers (static targets)."""


class AddressKind(StrEnum):
    """How a static target is reached."""

    TCP = "tcp"
    TLS = "tls"
    """TLS from the first byte (stunnel before the RFB server); VeNCrypt is `TCP` with a security of `X509`."""
    UNIX = "unix"


class TargetSecurity(StrEnum):
    """RFB security that we accept from a target, strongest first (wire.md A2). What is not listed for it is refused."""

    X509 = "x509"
    """VeNCrypt X509*: certificate checked against the target's CA (or the machine's store)."""
    TLS_ANONYMOUS = "tls_anonymous"
    """VeNCrypt TLS*: encrypted, but the target cannot prove who it is. Opt-in."""
    VNC_AUTH = "vnc_auth"
    """A password of eight characters over a clear stream."""
    NONE = "none"
    """No login at all: unix sockets, or by explicit choice."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A set of like desktops that a person may be given one of."""

    tenant_id: TenantId
    id: PoolId
    name_ja: str
    name_en: str
    kind: PoolKind
    pool_class: str
    """What policy rules call it, e.g. `office`, `kiosk`."""
    zone: Zone | None
    site: str | None
    max_desktops: int
    """Seats: sessions that may hold a desktop at once. A static pool has no more seats than enabled targets."""
    max_queued: int = 50
    """How many may wait for a seat; one more is answered with `busy`."""
    user_session_limit: int = 3
    """How many live sessions, over all pools, a person may hold when opening one here."""
    keep_disconnected_minutes: int = 120
    """How long a desktop without a viewer is kept."""
    geometry: str = "1280x800"
    keyboard: Keyboard = Keyboard.JP
    enabled: bool = True
    """A disabled pool takes no new session; those that live go on."""


@dataclass(frozen=True, slots=True)
class StaticTarget:
    """An existing RFB server that a static pool offers."""

    tenant_id: TenantId
    id: DesktopId
    pool_id: PoolId
    name_ja: str
    name_en: str
    address_kind: AddressKind
    host: str
    """Host name or literal address; for `UNIX` the path of the socket."""
    port: int | None
    security: tuple[TargetSecurity, ...]
    """What the target may ask for, in our order of preference."""
    ca_pem: str | None = None
    """CA pinned for this target; None trusts the machine's store."""
    tls_name: str | None = None
    """Name in its certificate; None means `host`."""
    assigned_user_id: UserId | None = None
    """This person's own PC: nobody else is given it."""
    enabled: bool = True
    has_credential: bool = False


@dataclass(frozen=True, slots=True)
class Desktop:
    """One person's desktop in an agent pool: the same row for ever, so a reconnect lands on the same one."""

    tenant_id: TenantId
    id: DesktopId
    pool_id: PoolId
    user_id: UserId
    username: str
    display_name: str


@dataclass(frozen=True, slots=True)
class DesktopSession:
    """One person's use of one desktop, from the request to the end, over any number of viewers."""

    tenant_id: TenantId
    id: SessionId
    user_id: UserId
    username: str
    display_name: str
    pool_id: PoolId
    desktop_id: DesktopId | None
    """None until a seat was given."""
    state: SessionState
    end_reason: EndReason | None
    """Set when `ENDING` is entered, or why the last viewer was cut while the desktop is kept."""
    short_code: str
    """Four characters to say over the phone; also in the watermark."""
    web_session_id: WebSessionId
    """The web session that requested it, later the one whose viewer is or was attached."""
    viewer: int
    """Counts viewers. Only the newest one's end counts: an old viewer that was taken over changes nothing."""
    node: str | None
    """The gateway that starts the desktop or holds the viewer."""
    obligations: Obligations
    """Of the newest grant."""
    created_at: datetime
    state_since: datetime
    active_since: datetime | None
    seen_at: datetime | None
    """Last sign of life of `node`'s hold on this session."""
    keep_until: datetime | None
    """When a desktop without a viewer is given up."""
    expires_at: datetime
    """Total limit: the session ends then in any state."""
    ended_at: datetime | None
    worked_seconds: float
    """Working time of the viewers that are gone; see `active_seconds`."""
    priority: Priority = Priority.P4
    """The person's class in this pool; follows the register while the session lives."""
    credited_since: datetime | None = None
    """A queue credit: waits as if since then."""
    source_site: str | None = None
    """The site from whose network the person connects."""
    seated_at: datetime | None = None
    """When the seat was given (last); None without one."""
    hold_until: datetime | None = None
    """Until when a ready seat is held for its person while others wait."""
    input_at: datetime | None = None
    """Roughly when the viewer last did something; only kept while a declaration widens."""
    lowered: bool = False
    """Picture quality is lowered to make room."""
    leaves_at: datetime | None = None
    """When the seat is to be given up, as the person was told."""
    asked_to_leave_at: datetime | None = None
    """When that was decided; stays, so that the limit a minute can be counted."""

    @property
    def waits_since(self) -> datetime:
        """Since when the waiting counts."""
        return self.credited_since or self.created_at

    def active_seconds(self, now: datetime) -> int:
        """Working time so far, with a viewer attached, in whole seconds."""
        running = (now - self.active_since).total_seconds() if self.active_since else 0.0
        return int(self.worked_seconds + max(0.0, running))

    @property
    def terms(self) -> Obligations:
        """The grant's obligations, with the picture as it is lowered now."""
        return replace(self.obligations, quality=QualityProfile.SLOW) if self.lowered else self.obligations

    @property
    def attachable(self) -> bool:
        """Whether a ticket can be had and a viewer attached now."""
        return self.state in ATTACHABLE


@dataclass(frozen=True, slots=True)
class Seats:
    """A pool's seats now."""

    used: int
    total: int
    queued: int


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Proof that a ticket was just redeemed by this person in this web session. Made by `Attachments.redeem`."""

    session: DesktopSession
    user_id: UserId
    web_session_id: WebSessionId


@dataclass(frozen=True, slots=True)
class Viewer:
    """One attached viewer: the handle that the gateway gives back when its end comes."""

    session: DesktopSession
    """As of the attachment: `ACTIVE`, `desktop_id` set."""
    number: int
    grant: Grant
