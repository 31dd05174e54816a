"""Laws of triage: one total order, reserves hold, nobody waits into P0, P0 gets in while anybody can leave."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import assume, given
from hypothesis import strategies as st

from broker.duties.models import Priority
from broker.triage.clearing import ClearingRules, Seated, StepKind, clearing
from broker.triage.order import URGENT, Waiting, in_order, lifted
from broker.triage.room import QueueReason, Reserve, Room, blocked, reserve
from common.ids import SessionId

NOW: Final = datetime(2026, 11, 25, 0, 0, tzinfo=UTC)
AGING: Final = timedelta(minutes=30)
RULES: Final = ClearingRules(
    idle=timedelta(minutes=10),
    protected=timedelta(minutes=15),
    gone=timedelta(minutes=1),
    warning=timedelta(minutes=10),
    warning_p0=timedelta(minutes=3),
)
LOWER: Final = frozenset(Priority) - URGENT

priorities = st.sampled_from(Priority)
ages = st.integers(0, 7200).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def waiting(draw: Callable[[st.SearchStrategy[int]], int], number: int = 0) -> Waiting:
    asked = NOW - timedelta(seconds=draw(st.integers(0, 7200)))
    return Waiting(
        session_id=SessionId(f"ses_w{number}"),
        priority=list(Priority)[draw(st.integers(0, 4))],
        since=asked - timedelta(seconds=draw(st.integers(0, 3600))),
        asked=asked,
        sites=frozenset(["hq", "branch"][: draw(st.integers(0, 2))]),
        returning=bool(draw(st.integers(0, 1))),
    )


queues = st.integers(0, 12).flatmap(lambda count: st.tuples(*(waiting(number) for number in range(count))))


@st.composite
def seated(draw: Callable[[st.SearchStrategy[int]], int], number: int = 0) -> Seated:
    run = draw(st.integers(0, 7200))
    return Seated(
        session_id=SessionId(f"ses_s{number}"),
        priority=list(Priority)[draw(st.integers(0, 4))],
        attached=bool(draw(st.integers(0, 1))),
        idle_since=NOW - timedelta(seconds=draw(st.integers(0, run))),
        seated_at=NOW - timedelta(seconds=run),
        leaves_at=NOW + timedelta(seconds=draw(st.integers(-60, 600))) if draw(st.integers(0, 4)) == 0 else None,
    )


pools = st.integers(0, 12).flatmap(lambda count: st.tuples(*(seated(number) for number in range(count))))


def _claims(queue: tuple[Waiting, ...]) -> tuple[Waiting, ...]:
    return tuple(replace(one, claims=True) for one in queue if one.priority in URGENT)


@given(queues, st.randoms(use_true_random=False))
def test_order_is_total_and_does_not_depend_on_how_it_was_read(queue: tuple[Waiting, ...], chance: object) -> None:
    shuffled = list(queue)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random
    assert in_order(shuffled, NOW, AGING) == in_order(queue, NOW, AGING)
    assert Counter(in_order(queue, NOW, AGING)) == Counter(queue)


@given(queues, ages)
def test_who_waits_as_one_of_two_equals_never_falls_behind_as_time_goes_on(
    queue: tuple[Waiting, ...], later: timedelta
) -> None:
    """Within a class nobody is ever overtaken by somebody who came later."""
    order = in_order(queue, NOW + later, AGING)
    for priority in Priority:
        same = [one.since for one in order if one.priority is priority]
        assert same == sorted(same)


@given(priorities, st.timedeltas(timedelta(), timedelta(days=400)))
def test_aging_lifts_by_one_class_and_never_into_p0(priority: Priority, waited: timedelta) -> None:
    after = lifted(priority, waited, AGING)
    classes = list(Priority)
    assert 0 <= classes.index(priority) - classes.index(after) <= 1
    assert (after is Priority.P0) is (priority is Priority.P0)


used = st.fixed_dictionaries({priority: st.integers(0, 20) for priority in Priority})


@given(used, st.integers(0, 100), st.integers(0, 20), st.integers(0, 40), st.integers(0, 5), queues)
def test_a_lower_class_never_takes_a_seat_that_is_kept_from_it(
    taken: dict[Priority, int], total: int, p0: int, urgent: int, claims: int, queue: tuple[Waiting, ...]
) -> None:
    room = Room(total=total, used=taken, reserve=Reserve(p0, max(p0, urgent)), claims=claims)
    for one in queue:
        if blocked(one, room) is None and one.priority is not Priority.P0:
            left = room.free - 1
            assert left >= p0 - taken[Priority.P0]
            if one.priority in LOWER:
                assert left >= max(p0, urgent) - taken[Priority.P0] - taken[Priority.P1]
                assert left >= claims


@given(used, st.integers(0, 100), queues)
def test_p0_is_admitted_to_any_free_seat_whatever_line_and_gate(
    taken: dict[Priority, int], total: int, queue: tuple[Waiting, ...]
) -> None:
    room = Room(
        total=total,
        used=taken,
        reserve=Reserve(total, total),
        claims=99,
        full_lines=frozenset({"hq", "branch"}),
        gate_open=False,
    )
    for one in queue:
        if one.priority is Priority.P0:
            assert blocked(one, room) == (None if room.free else QueueReason.SEAT)


@given(*(st.integers(0, 1000) for _ in range(3)), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_reserves_are_no_more_than_pool_and_people(
    seats: int, p0_people: int, urgent_more: int, p0_percent: int, least: int, urgent_percent: int
) -> None:
    urgent_people = p0_people + urgent_more
    found = reserve(
        seats,
        p0_percent=p0_percent,
        p0_least=least,
        p0_people=p0_people,
        urgent_percent=urgent_percent,
        urgent_people=urgent_people,
    )
    assert 0 <= found.p0 <= min(seats // 4, p0_people)
    assert found.p0 <= found.urgent <= min(seats, urgent_people)


@given(queues, pools, st.integers(0, 5), st.integers(0, 5))
def test_who_has_to_leave(queue: tuple[Waiting, ...], pool: tuple[Seated, ...], parking: int, budget: int) -> None:
    """Only for P0 and P1; only P2 to P4; nobody at work before the protected time; within the limits; each once."""
    claims = _claims(queue)
    steps = clearing(claims, pool, parking_left=parking, budget=budget, now=NOW, rules=RULES)
    by_id = {one.session_id: one for one in pool}
    assert len({step.session_id for step in steps}) == len(steps)
    fresh = [step for step in steps if by_id[step.session_id].leaves_at is None]
    assert len(fresh) <= budget
    for step in fresh:
        one = by_id[step.session_id]
        assert one.priority in LOWER
        assert step.claim is not None
        assert step.claim in claims
        away = NOW - one.idle_since > RULES.idle
        match step.kind:
            case StepKind.PARK:
                assert away
            case StepKind.END:
                assert away
                assert not one.attached
            case _:
                assert step.kind is StepKind.WARN
                assert not away
                assert NOW - one.seated_at >= RULES.protected
                assert step.at == NOW + RULES.lead(step.claim.priority)
    for step in set(steps) - set(fresh):
        assert step.kind is not StepKind.WARN
        if step.kind is StepKind.HASTEN:
            assert step.claim is not None
            assert step.at == NOW + RULES.lead(step.claim.priority)
    told = sum(one.leaves_at is not None for one in pool)
    withdrawn = sum(step.kind is StepKind.WITHDRAW for step in steps)
    assert withdrawn == max(0, told - len(claims))
    assert told - withdrawn + len(fresh) <= max(told - withdrawn, len(claims))
    moved = sum(step.kind in (StepKind.PARK, StepKind.WARN) for step in fresh)
    assert moved <= max(0, parking - (told - withdrawn))


@given(pools)
def test_without_claims_nobody_leaves(pool: tuple[Seated, ...]) -> None:
    steps = clearing((), pool, parking_left=9, budget=9, now=NOW, rules=RULES)
    assert {step.kind for step in steps} <= {StepKind.WITHDRAW}


@given(pools)
def test_the_lowest_class_leaves_first_then_who_is_idle_longest(pool: tuple[Seated, ...]) -> None:
    claim = Waiting(SessionId("ses_c"), Priority.P0, NOW, NOW, claims=True)
    fresh = tuple(replace(seat, leaves_at=None) for seat in pool)
    steps = clearing((claim,), fresh, parking_left=1, budget=1, now=NOW, rules=RULES)
    if not steps:
        return
    leaving = next(seat for seat in fresh if seat.session_id == steps[0].session_id)
    if steps[0].kind is StepKind.WARN:
        others = [seat for seat in fresh if seat.priority in LOWER and NOW - seat.seated_at >= RULES.protected]
        assert leaving.priority == max(seat.priority for seat in others)
        assert leaving.idle_since == min(seat.idle_since for seat in others if seat.priority is leaving.priority)


@given(pools)
def test_p0_is_admitted_whenever_any_seat_is_preemptible(pool: tuple[Seated, ...]) -> None:
    """Domain property: played out round by round on a full pool, the seat is free within P0's warning."""
    seats = {one.session_id: replace(one, leaves_at=None) for one in pool}
    assume(
        any(
            one.priority in LOWER and (NOW - one.seated_at >= RULES.protected or NOW - one.idle_since > RULES.idle)
            for one in seats.values()
        )
    )
    claim = Waiting(SessionId("ses_c"), Priority.P0, NOW, NOW, claims=True)
    now, total = NOW, len(seats)
    while len(seats) == total:
        assert now <= NOW + RULES.warning_p0, "P0 still waits"
        for step in clearing((claim,), tuple(seats.values()), parking_left=3, budget=10, now=now, rules=RULES):
            if step.kind in (StepKind.PARK, StepKind.END):
                del seats[step.session_id]
            else:
                seats[step.session_id] = replace(seats[step.session_id], leaves_at=step.at)
        now += timedelta(seconds=30)
    room = Room(total=total, used=Counter(one.priority for one in seats.values()), reserve=Reserve(), claims=1)
    assert blocked(claim, room) is None
    assert blocked(replace(claim, priority=Priority.P2, claims=False), room) is QueueReason.SEAT
