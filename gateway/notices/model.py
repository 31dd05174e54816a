"""What is told to people about a declaration, to whom, and what came back: values. Pure.

Counterparts: `gateway.notices.due` (when something is to be told), `gateway.notices.texts` (in which words),
`gateway.notices.store` (where it waits). Must not decide who may do what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from common.ids import TenantId
from policy.bcp.model import Cause, DeclarationState, Level, Role, Scope

NOBODY: Final = "*"
"""Recipient of a webhook that announces a notice as such, to nobody by name."""
LIST: Final = "mailto:"
"""Begins the recipient of a mail to an address that is nobody's in particular."""
RETRY_FIRST: Final = timedelta(seconds=30)
RETRY_LONGEST: Final = timedelta(minutes=15)


class NoticeKind(StrEnum):
    """What happened."""

    APPROVAL_WANTED = "approval_wanted"
    EXTENSION_WANTED = "extension_wanted"
    TURNED_DOWN = "turned_down"
    """Refused, or nobody gave the second signature in time."""
    REMINDER = "reminder"
    """It ends within 24, 4 or 1 hours."""
    BEGUN = "begun"
    EXTENDED = "extended"
    RATIFIED = "ratified"
    NARROWED = "narrowed"
    RECOVERY = "recovery"
    ENDED = "ended"


class Audience(StrEnum):
    """Who is told."""

    OFFICIALS = "officials"
    """Those who may sign, and those who did."""
    EVERYBODY = "everybody"
    """They and all people of the scope."""


AUDIENCE: Final[dict[NoticeKind, Audience]] = {
    NoticeKind.APPROVAL_WANTED: Audience.OFFICIALS,
    NoticeKind.EXTENSION_WANTED: Audience.OFFICIALS,
    NoticeKind.TURNED_DOWN: Audience.OFFICIALS,
    NoticeKind.REMINDER: Audience.OFFICIALS,
    NoticeKind.BEGUN: Audience.EVERYBODY,
    NoticeKind.EXTENDED: Audience.EVERYBODY,
    NoticeKind.RATIFIED: Audience.OFFICIALS,
    NoticeKind.NARROWED: Audience.EVERYBODY,
    NoticeKind.RECOVERY: Audience.EVERYBODY,
    NoticeKind.ENDED: Audience.EVERYBODY,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """A signature as people read it. The titles are empty for a person who is not on the list of officials."""

    name: str
    department: str | None
    title_ja: str
    title_en: str
    role: Role
    at: datetime
    acting: bool


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that a notice says, as it stood when it was made."""

    kind: NoticeKind
    declaration_id: str
    drill: bool
    break_glass: bool
    level: Level
    state: DeclarationState
    cause: Cause
    reason: str
    scope_ja: str
    scope_en: str
    plan_ja: str
    plan_en: str
    actors: tuple[Actor, ...]
    at: datetime
    starts_at: datetime | None
    ends_at: datetime
    lapses_at: datetime | None
    wanted_end: datetime | None
    """The end that an extension asks for."""
    remaining: timedelta | None
    gave_way: bool
    """Ended because a real declaration began (a drill) or another one took its place."""
    note: str
    allowed_ja: str
    allowed_en: str
    forbidden_ja: str
    forbidden_en: str
    contact_ja: str
    contact_en: str
    grace: timedelta


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. Its id follows from what it tells, so that every node makes the same."""

    id: str
    tenant_id: TenantId
    declaration_id: str
    kind: NoticeKind
    audience: Audience
    scope: Scope
    at: datetime
    content: Content


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be told. `address` is a mail address; None when none is known."""

    username: str
    name: str
    address: str | None = None


class ChannelName(StrEnum):
    """By which way a notice goes out."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    """Where a delivery stands. The last three are ends."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"
    """What it would have told is over."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice for one recipient on one channel. `reachable` is False when the channel has no address for them: it is
    kept as failed, so that the coordinator sees who was not told."""

    channel: ChannelName
    person: Person
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class Parcel:
    """A notice on its way to one recipient, for one attempt. `attempts` counts those before."""

    notice: Notice
    channel: ChannelName
    person: Person
    attempts: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The next system has taken it over."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """It was not taken. `final`: another try would end the same way."""

    why: str
    final: bool = False


Outcome = Sent | NotSent


class Ability(StrEnum):
    """The quick answer: can the person work?"""

    CAN = "can"
    PARTLY = "partly"
    CANNOT = "cannot"

    @property
    def name_ja(self) -> str:
        """As the buttons say it."""
        return {Ability.CAN: "業務可", Ability.PARTLY: "一部可", Ability.CANNOT: "不可"}[self]

    @property
    def name_en(self) -> str:
        """English name for screens."""
        return {Ability.CAN: "Can work", Ability.PARTLY: "Can work in part", Ability.CANNOT: "Cannot work"}[self]


@dataclass(frozen=True, slots=True)
class Answered:
    """A person's newest answer to a declaration."""

    username: str
    ability: Ability
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reached:
    """How far one person of the audience has been reached."""

    username: str
    name: str
    sent: bool
    failed: bool
    """Every way that was tried has failed."""
    read_at: datetime | None
    answer: Answered | None


@dataclass(frozen=True, slots=True)
class Reach:
    """All of a declaration's audience, for the coordinator."""

    people: tuple[Reached, ...]

    @property
    def told(self) -> int:
        """To whom a message was handed on, or who read it here."""
        return sum(person.sent or person.read_at is not None for person in self.people)

    @property
    def read(self) -> int:
        """Who confirmed or answered."""
        return sum(person.read_at is not None or person.answer is not None for person in self.people)

    @property
    def failed(self) -> int:
        """Whom no message reached and who has not been seen here either."""
        return sum(person.failed and person.read_at is None for person in self.people)

    def answers(self, ability: Ability | None) -> int:
        """How many gave this answer; None counts those who gave none."""
        return sum((person.answer.ability if person.answer else None) is ability for person in self.people)


def deliveries(
    people: Sequence[Person], channels: Sequence[ChannelName], lists: Sequence[str] = ()
) -> tuple[Delivery, ...]:
    """Who is told by which way: each person by the first channel that can, lists by mail, and the webhook once for all.

    `channels` are those that are set up, the first one first.
    """
    made: dict[tuple[ChannelName, str], Delivery] = {}

    def put(delivery: Delivery) -> None:
        made.setdefault((delivery.channel, delivery.person.username), delivery)

    for person in people:
        able = [c for c in channels if c is ChannelName.WEBHOOK or person.address is not None]
        put(Delivery(able[0], person) if able else Delivery(ChannelName.MAIL, person, reachable=False))
    if ChannelName.MAIL in channels:
        for address in lists:
            put(Delivery(ChannelName.MAIL, Person(LIST + address, "", address)))
    if ChannelName.WEBHOOK in channels:
        put(Delivery(ChannelName.WEBHOOK, Person(NOBODY, "")))
    return tuple(made.values())


def retry_after(attempts: int) -> timedelta:
    """How long to wait after this many failed attempts: twice as long each time, up to a quarter of an hour."""
    doubled: int = 2 ** min(max(0, attempts - 1), 10)
    return min(RETRY_LONGEST, RETRY_FIRST * doubled)


_CONTENT: Final = TypeAdapter(Content)


def encode(content: Content) -> Any:
    """The content as JSON values."""
    return _CONTENT.dump_python(content, mode="json")


def decode(value: Any) -> Content:
    """What `encode` wrote. Raises ValueError."""
    try:
        return _CONTENT.validate_python(value)
    except ValidationError as error:
        raise ValueError(f"not a notice: {error.error_count()} faults") from None
