"""The situations in which two policies can differ: states of the clock, places, facts that changed rules ask for. Pure.

Counterparts: `policy.what_if` and `policy.bcp.what_if`, which compare decisions in each of them. States of the clock
and places are those that either policy can tell apart, one example each; of the other facts one is out of the ordinary
at a time.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import chain, islice, pairwise, product
from typing import Any, Final

from common.errors import ErrorCode, KakehashiError
from policy.alike import parts
from policy.calendar import DAYS_A_WEEK, at, local, monday
from policy.engine import Engine
from policy.leaves import Address, ranges
from policy.model import Context, FactorKind
from policy.refusals import SEARCH_DAYS
from policy.schema import Age, Threshold, When, duration_text

MOST: Final = 20_000
"""Situations. A city's policies have hundreds; a text made to have millions must not fill the gateway's memory."""
MOST_EVERYDAY: Final = 1_000
"""The same before a signature, where somebody waits."""
ELSEWHERE: Final = ip_address("203.0.113.1")
_FAR: Final = 3660
"""Days ahead within which dates are looked at."""
_MINUTE: Final = timedelta(minutes=1)
_AGES: Final = {
    "totp_age": ("ワンタイムコードの確認から{}超", "one-time code older than {}"),
    "password_age": ("パスワードの確認から{}超", "password checked more than {} ago"),
}
_COUNTS: Final = {
    "user_sessions": ("本人のセッションがほかに{}", "{} other sessions of the person"),
    "seats_used_percent": ("席の使用率{}％", "{} % of the seats used"),
    "gateway_load_percent": ("ゲートウェイの負荷{}％", "gateway load {} %"),
}
_FACTORS: Final = {
    FactorKind.TEMPORARY: ("一時的な認証アプリ", "temporary authenticator"),
    FactorKind.RECOVERY: ("復旧コードでログイン", "signed in with a recovery code"),
}


_Fact = tuple[dict[str, Any], str | None, str | None]
"""What of the context is other than usual, and how that is called."""
_ORDINARY: Final[_Fact] = ({}, None, None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person may come from; names of networks, or that it is none of them."""

    source: Address
    name_ja: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Situation:
    """When, from where, and what is out of the ordinary (None: nothing)."""

    context: Context
    place: Place
    fact_ja: str | None
    fact_en: str | None


class Cancelled(Exception):
    """The question was withdrawn."""


def ordinary(moment: datetime) -> Context:
    """From home, factors just checked, room enough, no other session.

    The device is unknown, as it is to the gateway in this version: nothing may be promised that nobody will get.
    """
    return Context(
        now=moment,
        source=ELSEWHERE,
        password_age=_MINUTE,
        totp_age=_MINUTE,
        factor=FactorKind.TOTP,
        seats_used=0,
        seats_total=100,
        gateway_load_percent=0,
        user_sessions=0,
        days_worked=0,
    )


def situations(
    old: Engine, new: Engine, now: datetime, stopped: Callable[[], bool] = lambda: False
) -> tuple[Situation, ...]:
    """Everything to try, from `now` on; the most ordinary first.

    Raises KakehashiError(TOO_LARGE) for more than `MOST`, and Cancelled soon after `stopped` says so.
    """
    facts, places = _facts(old, new), _places(old, new)
    moments = _moments(old, new, now, MOST // (len(facts) * len(places)), stopped)
    return tuple(
        Situation(replace(ordinary(moment), source=place.source, **unusual), place, name_ja, name_en)
        for (unusual, name_ja, name_en), moment, place in product(facts, moments, places)
    )


def everyday(
    old: Engine, new: Engine, now: datetime, until: datetime, turns: Iterable[datetime] = ()
) -> tuple[tuple[Situation, ...], datetime]:
    """From `now` until before `until`, in the order of time, nothing out of the ordinary but the days of the week that
    a rule allows used up; and the moment up to which all of that time is covered: earlier than `until` when there would
    be more than `MOST_EVERYDAY` situations. After each of `turns` every state of the clocks is looked at afresh:
    something else is different from then on."""
    days = range(local(now)[0], local(until)[0] + 1)
    latest = max((day - monday(day) for day in days if at(day, 0) < until), default=0)
    used_up = [unusual for unusual in _days_used_up(old, new) if unusual[0]["days_worked"] <= latest]
    facts, places, found = [_ORDINARY, *used_up], _places(old, new), list[Situation]()
    for begin, end in pairwise((now, *sorted({turn for turn in turns if now < turn < until}), until)):
        for moment in _states(old, new, begin, days):
            if moment >= end:
                break
            if len(found) + len(facts) * len(places) > MOST_EVERYDAY:
                return tuple(found), moment
            found += [
                Situation(replace(ordinary(moment), source=place.source, **unusual), place, name_ja, name_en)
                for (unusual, name_ja, name_en), place in product(facts, places)
            ]
    return tuple(found), until


def _moments(old: Engine, new: Engine, now: datetime, most: int, stopped: Callable[[], bool]) -> list[datetime]:
    """Now, and the first moment of each other state of both clocks: within 14 days, and at days that a policy names."""
    today, _minute = local(now)
    days = {*range(today, today + SEARCH_DAYS + 1), *(day for day in _dates(old, new) if today < day < today + _FAR)}
    found = list(islice(_states(old, new, now, sorted(days), stopped), most + 1))
    if len(found) > most:
        raise KakehashiError(f"more than {MOST} situations to try", code=ErrorCode.TOO_LARGE)
    return found


def _states(
    old: Engine, new: Engine, now: datetime, days: Iterable[int], stopped: Callable[[], bool] = lambda: False
) -> Iterator[datetime]:
    """`now`, and the first moment of each other state of both clocks on these days (ascending), in the order of time.
    Raises Cancelled."""
    edges = sorted({0, *old.edges, *new.edges})
    known: set[tuple[int, int]] = set()
    for moment in chain((now,), (at(day, edge) for day in days for edge in edges)):
        if stopped():
            raise Cancelled
        state = old.clock(moment), new.clock(moment)
        if moment >= now and state not in known:
            known.add(state)
            yield moment


def _dates(old: Engine, new: Engine) -> Iterator[int]:
    for dates in (part.dates for part in _whens(old, new) if part.dates):
        if dates.from_:
            yield dates.from_.toordinal()
        if dates.until:
            yield dates.until.toordinal() + 1
    before, after = old.document.calendar, new.document.calendar
    for day in {*before.workdays, *before.holidays, *after.workdays, *after.holidays}:
        yield from (day.toordinal(), day.toordinal() + 1)


def _places(old: Engine, new: Engine) -> list[Place]:
    """Elsewhere, and an address for each other set of networks around it."""
    found: dict[frozenset[tuple[int, str]], Place] = {}
    documents = old.document, new.document
    for kind, network, largest in ((IPv4Address, IPv4Network, 2**32), (IPv6Address, IPv6Network, 2**128)):
        known = [ranges(document.networks, network) for document in documents]
        numbers = {start for starts, _inside in known for start in starts if start < largest}
        for number in (*([int(ELSEWHERE)] if kind is IPv4Address else []), *sorted(numbers)):
            around = frozenset(
                (i, name) for i, (starts, inside) in enumerate(known) for name in inside[bisect_right(starts, number)]
            )
            names = {name: documents[i].networks[name].name for i, name in sorted(around)}
            found.setdefault(
                around,
                Place(
                    kind(number),
                    "・".join(name.ja for name in names.values()) or "その他の場所",
                    ", ".join(name.en for name in names.values()) or "elsewhere",
                ),
            )
    return list(found.values())


def _facts(old: Engine, new: Engine) -> list[_Fact]:
    """Nothing out of the ordinary, each fact at which a rule that is not in both policies begins to differ, and the
    days of the week used up: a new rule without a cap opens only those beside one that stays."""
    found: dict[str | None, _Fact] = {None: _ORDINARY}
    for part in _whens(old, new, changed=True):
        for facts, name_ja, name_en in _unusual(part):
            found.setdefault(name_en, (facts, name_ja, name_en))
    return [*found.values(), *_days_used_up(old, new)]


def _days_used_up(old: Engine, new: Engine) -> list[_Fact]:
    """For each number of days a week that a rule of either allows: so many are behind the person. Seven never are."""
    caps = sorted({part.days_a_week for part in _whens(old, new) if part.days_a_week})
    return [
        ({"days_worked": cap}, f"今週すでに{cap}日利用", f"{cap} {'day' if cap == 1 else 'days'} of the week used")
        for cap in caps
        if cap < DAYS_A_WEEK
    ]


def _unusual(when: When) -> Iterator[tuple[dict[str, Any], str, str]]:
    for key, value in when.given().items():
        if isinstance(value, Age):
            limit = value.at_most or value.over or timedelta()
            shown = duration_text(limit)
            yield {key: limit + _MINUTE}, _AGES[key][0].format(shown), _AGES[key][1].format(shown)
        elif isinstance(value, Threshold):
            bound = value.at_least if value.at_least is not None else value.below
            field = "seats_used" if key == "seats_used_percent" else key
            yield {field: bound}, _COUNTS[key][0].format(bound), _COUNTS[key][1].format(bound)
    for factor in when.factors or ():
        if factor in _FACTORS:
            yield {"factor": FactorKind(factor)}, *_FACTORS[FactorKind(factor)]


def _whens(old: Engine, new: Engine, *, changed: bool = False) -> Iterator[When]:
    """All conditions of both policies, nested ones too; `changed`: of the rules that are not in both alike."""
    ours, theirs = old.document.rules, new.document.rules
    for rule in (*ours, *theirs):
        if not (changed and rule in ours and rule in theirs):
            yield from parts(rule.when)
