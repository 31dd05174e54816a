"""Speed of policy decisions on the sample policy of a city: `python -m bench.policy`.

Counterpart: `policy.engine`. The people are those of the synthetic city. Every decision judges another person, moment
and address, so that nothing is flattered by the engine's small memories. Figures are processor time of this thread
(other programs' pauses do not count): the best of several rounds, with the median beside it.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from common.ids import PoolId, TenantId
from gateway.demo import city, synthetic
from policy.checks import load
from policy.engine import Engine
from policy.model import Action, Context, FactorKind, Request, Resource, Subject, Zone

POLICY: Final = Path(__file__).parents[1] / "deploy" / "policy.sample.yaml"
PEOPLE: Final = 2_000
ROUNDS: Final = 9
NOON: Final = datetime(2026, 6, 3, 3, 0, tzinfo=UTC)
NIGHT: Final = datetime(2026, 6, 5, 14, 0, tzinfo=UTC)
CITY: Final = TenantId("city")
TOWN: Final = synthetic.generate(PEOPLE)
STAFF: Final = TOWN.subjects(CITY)
_REFUSED: Final = [person for person in STAFF if person.groups <= {city.DAY_SHIFT, city.NIGHT_SHIFT}]
_ALLOWED: Final = [person for person in STAFF if city.TELEWORK in person.groups and not person.suspended]


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure: `best` and `median` in `unit`, and the goal it is held against, if there is one."""

    name: str
    best: float
    median: float
    unit: str
    goal: float | None = None


def pools(count: int) -> list[Resource]:
    """`count` pools; the first two are those that the sample policy names."""
    names = ["office-desktop", "internet-desktop", *(f"pool-{i}" for i in range(2, count))]
    return [
        Resource(CITY, PoolId(name), "standard", Zone.INTERNET if i % 4 == 1 else Zone.LGWAN, None)
        for i, name in enumerate(names)
    ]


def asked(now: datetime, subjects: Sequence[Subject], resource: Resource) -> list[Request]:
    """One request a person, each with its own moment and address."""
    return [
        Request(
            subject,
            Action.CONNECT,
            resource,
            Context(
                now=now + timedelta(milliseconds=i),
                source=IPv4Address(0xCB007100 + i % 250),
                device_kind="managed",
                device_registered=True,
                password_age=timedelta(minutes=i % 60),
                totp_age=timedelta(minutes=i % 60),
                factor=FactorKind.TOTP,
                seats_used=i % 80,
                seats_total=100,
                gateway_load_percent=30,
                user_sessions=0,
                days_worked=i % 4,
            ),
        )
        for i, subject in enumerate(subjects)
    ]


def _timed(name: str, call: Callable[[Request], object], requests: list[Request], goal: float | None = None) -> Row:
    """Microseconds a call, the loop's own cost taken off."""
    call(requests[0])
    figures = []
    gc.collect()
    gc.disable()  # as timeit does
    for _ in range(ROUNDS):
        began = time.thread_time_ns()
        for request in requests:
            call(request)
        middle = time.thread_time_ns()
        for _request in requests:
            pass
        ended = time.thread_time_ns()
        figures.append(((middle - began) - (ended - middle)) / len(requests) / 1000)
    gc.enable()
    return Row(name, min(figures), statistics.median(figures), "us", goal)


def _what_if(engine: Engine) -> Row:
    """May each of 2,000 people connect to each of 20 pools, in 8 situations: 320,000 decisions."""
    situations = [asked(moment, STAFF[:1], pools(1)[0])[0] for moment in (NOON, NIGHT) * 4]
    began = time.thread_time()
    allowed = sum(
        engine.decide(replace(situation, subject=subject, resource=resource)).allowed
        for situation in situations
        for resource in pools(20)
        for subject in STAFF
    )
    seconds = time.thread_time() - began
    return Row(f"what-if, 320,000 decisions with their requests ({allowed:,} allowed)", seconds, seconds, "s")


def run() -> list[Row]:
    """All figures, in the order in which they are printed."""
    content = POLICY.read_bytes()
    began = time.thread_time()
    engine = Engine(load(content, today=date(2026, 6, 3))[0])
    loaded = (time.thread_time() - began) * 1000
    office = pools(1)[0]
    day, night = asked(NOON, _ALLOWED, office), asked(NIGHT, _ALLOWED, office)
    strangers = asked(NOON, _REFUSED, office)
    one = [day[0]] * PEOPLE
    if not all(engine.decide(request).allowed for request in day):
        raise RuntimeError("the sample policy no longer allows what this measures")
    if any(engine.decide(request).allowed for request in strangers):
        raise RuntimeError("the sample policy no longer refuses what this measures")
    return [
        _timed("an empty call, for comparison", lambda _: None, day),
        _timed("decide, allowed with grant", engine.decide, one, 3),
        _timed("decide, every time a new moment and address", engine.decide, day, 3),
        _timed("decide, refused: no rule for this person", engine.decide, strangers, 3),
        _timed("explain, every condition of every rule", engine.explain, day, 25),
        _timed("refused with reason and next opening", lambda r: engine.decide(r).reason, night[:50]),
        Row("load and check the file", loaded, loaded, "ms"),
        _what_if(engine),
    ]


def main() -> int:
    """Print the table."""
    show(f"policy: {POLICY.name}", run(), width=60)
    return 0


def show(title: str, rows: Iterable[Row], *, width: int) -> None:
    """Print a table; names take `width` columns."""
    print(f"{title}, python {sys.version.split()[0]}")
    print(f"{'':{width}}{'best':>10}{'median':>10}{'goal':>8}")
    for row in rows:
        goal = f"{row.goal:g}" if row.goal is not None else ""
        print(f"{row.name:{width}}{row.best:>10.2f}{row.median:>10.2f}{goal:>8} {row.unit}")


if __name__ == "__main__":
    raise SystemExit(main())
