"""Reserves, lines, gate and estimates at their edges; the laws stand in `tests/property/test_triage.py`."""

from datetime import UTC, datetime, time, timedelta

import pytest

from broker.duties.models import Priority
from broker.triage.estimate import LONGEST, estimate
from broker.triage.order import Waiting
from broker.triage.room import (
    QueueReason,
    Reserve,
    Room,
    blocked,
    claims,
    full_lines,
    gate_allows,
    gate_applies,
    line_load,
    reserve,
    sites_loaded,
)
from common.ids import SessionId

NOW = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # 08:30 in Tokyo


def one(priority: Priority, **over: object) -> Waiting:
    values: dict[str, object] = {"session_id": SessionId("ses_1"), "priority": priority, "since": NOW, "asked": NOW}
    return Waiting(**(values | over))  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("seats", "people", "declared", "expected"),
    [
        (400, 100, 0, Reserve(20, 20)),
        (400, 100, 30, Reserve(20, 120)),
        (400, 3, 30, Reserve(3, 23)),  # nobody else would come
        (40, 100, 30, Reserve(5, 12)),
        (6, 100, 30, Reserve(1, 2)),  # five of six seats kept free would help nobody
        (3, 100, 30, Reserve(0, 0)),
        (400, 0, 0, Reserve(0, 0)),  # a city without a register
    ],
)
def test_reserve(seats: int, people: int, declared: int, expected: Reserve) -> None:
    urgent = people + (100 if people == 100 else 20 if people else 0)
    assert (
        reserve(seats, p0_percent=5, p0_least=5, p0_people=people, urgent_percent=declared, urgent_people=urgent)
        == expected
    )


def test_seats_in_use_by_a_class_fill_its_reserve() -> None:
    room = Room(total=10, used={Priority.P0: 2, Priority.P4: 5}, reserve=Reserve(3, 3))
    assert blocked(one(Priority.P4), room) is None
    assert blocked(one(Priority.P4), Room(total=10, used={Priority.P0: 2, Priority.P4: 7}, reserve=Reserve(3, 3)))
    assert blocked(one(Priority.P0), Room(total=10, used={Priority.P4: 9}, reserve=Reserve(3, 3))) is None


def test_a_line_is_full_when_one_more_session_does_not_fit_and_has_no_limit_when_nobody_entered_one() -> None:
    budget = {"hq": 1.0, "branch": 0.4, "new": 0.0}
    assert full_lines({"hq": 0.5, "new": 99.0}, budget, session_mbps=0.5) == {"branch"}
    assert full_lines({"hq": 0.6}, budget, session_mbps=0.5) == {"hq", "branch"}


def test_a_session_takes_of_the_line_of_the_person_and_of_that_of_the_desktop() -> None:
    assert line_load([("branch", "hq", 0.5), (None, "hq", 1.0), ("hq", "hq", 0.25), ("branch", None, 2.0)]) == {
        "branch": 2.5,
        "hq": 1.75,
    }
    assert line_load([(None, None, 0.5)]) == {}
    full = Room(total=9, used={}, reserve=Reserve(), full_lines=frozenset({"hq"}))
    assert blocked(one(Priority.P1, sites=sites_loaded("branch", "hq")), full) is QueueReason.SITE_LINE
    assert blocked(one(Priority.P1, sites=sites_loaded("branch", None)), full) is None
    assert blocked(one(Priority.P0, sites=sites_loaded("branch", "hq")), full) is None


def test_the_gate_is_of_tokyo_time_and_of_portions() -> None:
    assert gate_applies(NOW, time(8, 15), time(9, 0))
    assert not gate_applies(NOW + timedelta(minutes=30), time(8, 15), time(9, 0))
    assert not gate_applies(NOW, time(8, 15), time(8, 15))
    assert [gate_allows(started, 60) for started in (0, 9, 10)] == [True, True, False]
    assert gate_allows(0, 1)
    closed = Room(total=9, used={}, reserve=Reserve(), gate_open=False)
    assert blocked(one(Priority.P1), closed) is QueueReason.START_GATE
    assert blocked(one(Priority.P1, returning=True), closed) is None
    assert blocked(one(Priority.P0), closed) is None


def test_who_waits_for_a_line_claims_no_seat_but_p0() -> None:
    queue = (
        one(Priority.P1, claims=True, sites=frozenset({"hq"})),
        one(Priority.P0, claims=True, sites=frozenset({"hq"})),
        one(Priority.P1, claims=True, own=True),
        one(Priority.P2),
    )
    assert claims(queue, frozenset({"hq"})) == (queue[1],)
    assert claims(queue, frozenset()) == queue[:2]


def guess(reason: QueueReason | None, ahead: int, **over: object) -> int | None:
    values: dict[str, object] = {
        "now": NOW, "free": 0, "leaving_at": (), "freed_last_hour": 0, "starts_per_minute": 60,
    }  # fmt: skip
    return estimate(reason, ahead, **(values | over))  # type: ignore[arg-type]  # fields by name


def test_estimates() -> None:
    assert guess(None, 5) == 0
    assert guess(QueueReason.START_GATE, 9) == 10
    assert guess(QueueReason.SITE_LINE, 0, freed_last_hour=60) is None
    assert guess(QueueReason.SEAT, 0) is None
    assert guess(QueueReason.SEAT, 2, freed_last_hour=60) == 180
    assert guess(QueueReason.SEAT, 300, freed_last_hour=60) is None  # more than anybody plans by
    assert guess(QueueReason.SEAT, 239, freed_last_hour=60) == LONGEST
    leaving = (NOW + timedelta(minutes=10), NOW + timedelta(minutes=3))
    assert [guess(QueueReason.SEAT, ahead, leaving_at=leaving) for ahead in (0, 1, 2)] == [180, 600, None]
