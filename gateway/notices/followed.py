"""How far the people of a declaration have come, by duty and by class: whom a coordinator has to telephone. Pure.

Counterparts: `gateway.notices.store` (deliveries, receipts, answers), the register of duties, the sessions that run.
Reached is whoever a message was handed on to or who was seen here; a message under way has reached nobody yet.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from broker.duties.book import DutyBook, Held
from broker.duties.models import Duty, Part, Priority
from gateway.notices.model import Ability, Reach, Reached

SHOWN: Final = 300
"""Names in one list: more than one office can telephone before it looks again."""


class Standing(StrEnum):
    """What is known of one person, weakest first."""

    FAILED = "failed"
    """Every way that was tried has failed, or there is none."""
    WAITING = "waiting"
    """The message is on its way, or will be tried again."""
    TOLD = "told"
    """Handed on to the next system; no sign from the person."""
    READ = "read"
    """Confirmed the notice, or signed the declaration."""
    ANSWERED = "answered"
    WORKING = "working"
    """Has a desktop on the screen now."""


_NOT_REACHED: Final = (Standing.FAILED, Standing.WAITING)
_ORDER: Final = {standing: number for number, standing in enumerate(Standing)}


@dataclass(frozen=True, slots=True)
class Follow:
    """One person. `held` are their duties, highest class first."""

    reached: Reached
    standing: Standing
    held: tuple[Held, ...]
    priority: Priority | None
    """The highest class of their own duties; of those they stand in for only when they have none."""

    @property
    def ability(self) -> Ability | None:
        """The newest answer."""
        return self.reached.answer.ability if self.reached.answer else None


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a group. `people` is `reached` and `not_reached` together; who is working has been reached."""

    people: int
    reached: int
    read: int
    working: int
    can: int
    partly: int
    cannot: int

    @property
    def not_reached(self) -> int:
        """To be telephoned first."""
        return self.people - self.reached

    @property
    def silent(self) -> int:
        """Told, but neither read nor at work."""
        return self.reached - self.read


@dataclass(frozen=True, slots=True)
class CallList:
    """The most urgent names of those concerned, and how many more there are."""

    people: tuple[Follow, ...]
    more: int


def follow(reach: Reach, book: DutyBook, *, working: Collection[str], signers: Collection[str]) -> tuple[Follow, ...]:
    """Everybody whom the declaration is for. `working` are the user names with a desktop on the screen, `signers` those
    who signed it: nobody has to tell them."""
    at_work, signed = ({name.casefold() for name in names} for names in (working, signers))
    return tuple(_follow(one, book, _standing(one, at_work, signed)) for one in reach.people)


def _follow(one: Reached, book: DutyBook, standing: Standing) -> Follow:
    held = book.held_by(one.username)
    own = [h.duty.priority for h in held if h.part is Part.MAIN] or [h.duty.priority for h in held]
    return Follow(one, standing, held, min(own, default=None))


def _standing(one: Reached, working: Collection[str], signers: Collection[str]) -> Standing:
    name = one.username.casefold()
    if name in working:
        return Standing.WORKING
    if one.answer:
        return Standing.ANSWERED
    if one.read_at or name in signers:
        return Standing.READ
    if one.sent:
        return Standing.TOLD
    return Standing.FAILED if one.failed else Standing.WAITING


def tally(people: Iterable[Follow]) -> Tally:
    """The counts of these people."""
    found = list(people)
    answers = [one.ability for one in found]
    return Tally(
        people=len(found),
        reached=sum(one.standing not in _NOT_REACHED for one in found),
        read=sum(_signed_of_life(one) for one in found),
        working=sum(one.standing is Standing.WORKING for one in found),
        can=answers.count(Ability.CAN),
        partly=answers.count(Ability.PARTLY),
        cannot=answers.count(Ability.CANNOT),
    )


def _signed_of_life(one: Follow) -> bool:
    return _ORDER[one.standing] >= _ORDER[Standing.READ]


def by_class(people: Collection[Follow]) -> tuple[tuple[Priority | None, Tally], ...]:
    """Highest class first; None is for those without a duty. Classes without people are left out."""
    groups: dict[Priority | None, list[Follow]] = {}
    for one in people:
        groups.setdefault(one.priority, []).append(one)
    order = [*Priority, None]
    return tuple((priority, tally(groups[priority])) for priority in order if priority in groups)


def by_duty(people: Collection[Follow]) -> tuple[tuple[Duty, Tally], ...]:
    """Every duty that somebody of these has a part in, highest class first. A person of two duties counts in both."""
    groups: dict[str, tuple[Duty, list[Follow]]] = {}
    for one in people:
        for held in one.held:
            groups.setdefault(held.duty.id, (held.duty, []))[1].append(one)
    ordered = sorted(groups.values(), key=lambda group: (group[0].priority, group[0].id))
    return tuple((duty, tally(members)) for duty, members in ordered)


def of_duty(people: Iterable[Follow], duty_id: str) -> tuple[Follow, ...]:
    """The people of one duty, in the order in which somebody would call them."""
    return _urgent(one for one in people if any(held.duty.id == duty_id for held in one.held))


def not_reached(people: Iterable[Follow]) -> CallList:
    """Whom no message has reached and who was not seen here."""
    return _first(one for one in people if one.standing in _NOT_REACHED)


def silent(people: Iterable[Follow]) -> CallList:
    """Whom a message was handed on to, without any sign since."""
    return _first(one for one in people if one.standing is Standing.TOLD)


def limited(people: Iterable[Follow]) -> CallList:
    """Who answered that they can work in part, or not at all."""
    return _first(one for one in people if one.ability in (Ability.PARTLY, Ability.CANNOT))


def _first(people: Iterable[Follow]) -> CallList:
    ordered = _urgent(people)
    return CallList(ordered[:SHOWN], max(0, len(ordered) - SHOWN))


def _urgent(people: Iterable[Follow]) -> tuple[Follow, ...]:
    def key(one: Follow) -> tuple[str, int, str]:
        return one.priority or "P9", _ORDER[one.standing], one.reached.username

    return tuple(sorted(people, key=key))
