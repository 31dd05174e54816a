"""Conditions compiled to closures with three answers: True, False, None (unknown). Pure.

Counterpart: `policy.schema.When` (what is written), `policy.wording` (how it reads), `policy.leaves` (single
conditions), `policy.program` (who asks).

INVARIANT (strong Kleene logic): taking a fact away may turn an answer into None and never True into False or False
into True. `any_of`, `all_of` and `not` keep that by construction, so it suffices that each single condition does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from policy import wording
from policy.calendar import Calendar, Schedule
from policy.leaves import FACTORIES, Answer, Check, Clock, opposite, within, within_dates
from policy.model import Request
from policy.schema import Dates, Hours, PolicyDocument, When


class Kind(StrEnum):
    """What a condition is about: decides which refusal a person reads, and what can be judged ahead of a request."""

    TARGET = "target"
    PERSON = "person"
    PLACE = "place"
    DEVICE = "device"
    FACTOR = "factor"
    CLOCK = "clock"
    WEEK = "week"
    """What the person has used up of this week: time brings it back, as with the clock, but not for all alike."""
    BCP = "bcp"
    LOAD = "load"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One compiled condition. `kinds` are those of all parts; `edges` the minutes of the day at which it may change."""

    key: str
    kinds: frozenset[Kind]
    check: Check
    text_ja: str
    text_en: str
    edges: frozenset[int] = frozenset()


KINDS: Final[Mapping[str, Kind]] = {
    "pools": Kind.TARGET,
    "pool_classes": Kind.TARGET,
    "zones": Kind.TARGET,
    "zone_known": Kind.TARGET,
    "sites": Kind.TARGET,
    "same_tenant": Kind.PERSON,
    "groups": Kind.PERSON,
    "departments": Kind.PERSON,
    "duties": Kind.PERSON,
    "employment": Kind.PERSON,
    "users": Kind.PERSON,
    "suspended": Kind.PERSON,
    "bcp": Kind.BCP,
    "device_kinds": Kind.DEVICE,
    "device_registered": Kind.DEVICE,
    "networks": Kind.PLACE,
    "factors": Kind.FACTOR,
    "totp_age": Kind.FACTOR,
    "password_age": Kind.FACTOR,
    "hours": Kind.CLOCK,
    "dates": Kind.CLOCK,
    "days_a_week": Kind.WEEK,
    "seats_used_percent": Kind.LOAD,
    "gateway_load_percent": Kind.LOAD,
    "user_sessions": Kind.LOAD,
    "any_of": Kind.SHAPE,
    "all_of": Kind.SHAPE,
    "not_": Kind.SHAPE,
}
"""Every condition there is, cheapest and most telling first: rules test them in this order."""


_MIDNIGHT: Final = frozenset({0})
"""The edge of conditions that may change with the day."""


class Compiler:
    """Compiles the conditions of one document; knows its networks and calendar."""

    def __init__(self, document: PolicyDocument) -> None:
        self._within: Final = within(document.networks)
        overrides = dict.fromkeys(document.calendar.workdays, True)
        overrides |= dict.fromkeys(document.calendar.holidays, False)
        self._calendar: Final = Calendar(overrides)
        self._clocks: Final[dict[Hours | Dates, tuple[Clock, frozenset[int]]]] = {}

    def clocks(self) -> tuple[Clock, ...]:
        """The hours and dates of all conditions compiled so far, equal ones once. They are never unknown, and all that
        the moment decides but the end of a declaration follows from them."""
        return tuple(clock for clock, _edges in self._clocks.values())

    def conditions(self, when: When) -> tuple[Condition, ...]:
        """All conditions of a rule, in testing order."""
        given = when.given()
        return tuple(self._condition(key, given[key]) for key in KINDS if key in given)

    def _condition(self, key: str, value: object) -> Condition:
        text_ja, text_en = wording.describe(key, value)
        if KINDS[key] is Kind.SHAPE:
            return self._shape(key, value, text_ja, text_en)
        check, edges = self._leaf(key, value)
        return Condition(key, frozenset({KINDS[key]}), check, text_ja, text_en, edges)

    def _shape(self, key: str, value: object, text_ja: str, text_en: str) -> Condition:
        alternatives = value if isinstance(value, tuple) else (value,)
        parts = [self.conditions(part) for part in alternatives if isinstance(part, When)]
        checks = [conjunction(part) for part in parts]
        check = {"any_of": _any_of, "all_of": _all_of, "not_": _not}[key](checks)
        inner = [condition for part in parts for condition in part]
        kinds = frozenset(kind for condition in inner for kind in condition.kinds)
        edges = frozenset(edge for condition in inner for edge in condition.edges)
        return Condition(key, kinds, check, text_ja, text_en, edges)

    def _leaf(self, key: str, value: object) -> tuple[Check, frozenset[int]]:
        nothing: frozenset[int] = frozenset()
        match key, value:
            case "networks", tuple():
                return self._within(value), nothing
            case _, Hours() | Dates():
                return self._timed(value)
            case "days_a_week", _:
                return FACTORIES[key](value), _MIDNIGHT
            case _:
                return FACTORIES[key](value), nothing

    def _timed(self, value: Hours | Dates) -> tuple[Check, frozenset[int]]:
        """Rules often share their hours, so equal ones share a clock."""
        if value not in self._clocks:
            if isinstance(value, Dates):
                self._clocks[value] = within_dates(value), _MIDNIGHT
            else:
                schedule = Schedule(value.windows, value.days, self._calendar)
                self._clocks[value] = schedule.covers, schedule.edges
        holds, edges = self._clocks[value]
        return lambda request: holds(request.context.now), edges


def conjunction(conditions: tuple[Condition, ...]) -> Check:
    """All must hold: False as soon as one is False, else unknown if one is unknown."""
    if len(conditions) == 1:
        return conditions[0].check
    if len(conditions) == 2:
        return _both(conditions[0].check, conditions[1].check)
    return _all_of([condition.check for condition in conditions])


def _both(first: Check, second: Check) -> Check:
    """`_all_of` two, which is what most rules have left to test: without a loop it costs half."""

    def check(request: Request) -> Answer:
        one = first(request)
        if one is False:
            return False
        other = second(request)
        return other if one or other is False else None

    return check


def _all_of(checks: list[Check]) -> Check:
    def check(request: Request) -> Answer:
        answer: Answer = True
        for part in checks:
            found = part(request)
            if found is False:
                return False
            if found is None:
                answer = None
        return answer

    return check


def _any_of(checks: list[Check]) -> Check:
    def check(request: Request) -> Answer:
        answer: Answer = False
        for part in checks:
            found = part(request)
            if found is True:
                return True
            if found is None:
                answer = None
        return answer

    return check


def _not(checks: list[Check]) -> Check:
    return opposite(checks[0])
