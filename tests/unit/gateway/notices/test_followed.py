"""Whom a coordinator has to telephone: standings, counts by class and duty, the order of the lists."""

from datetime import UTC, datetime
from typing import Any

from broker.duties.book import EMPTY, DutyBook
from broker.duties.models import (
    Department,
    Duty,
    Priority,
    Register,
    ResumeWithin,
    StaffMember,
    Telework,
)
from gateway.notices import followed
from gateway.notices.followed import SHOWN, Standing, Tally
from gateway.notices.model import Ability, Answered, Reach, Reached
from policy.model import Zone

NOON = datetime(2026, 11, 25, 3, tzinfo=UTC)


def member(number: int, username: str) -> StaffMember:
    return StaffMember(f"{number:04}", username, username, "", "d1", "主事", "regular", None, on_leave=False)


def duty(duty_id: str, priority: Priority, people: tuple[str, ...], substitutes: tuple[str, ...] = ()) -> Duty:
    return Duty(
        duty_id, duty_id, duty_id, "d1", Zone.LGWAN, Telework.ALLOWED, "", priority, ResumeWithin.HOURS_3, ("office",),
        (), people, substitutes,
    )  # fmt: skip


def book() -> DutyBook:
    staff = [member(n, f"s{n}") for n in range(1, 7)]
    return DutyBook(
        Register(
            1,
            departments={"d1": Department("d1", "総務課", "General Affairs", ())},
            staff={one.id: one for one in staff},
            duties={
                "shelter": duty("shelter", Priority.P1, ("0001", "0002"), ("0003",)),
                "pay": duty("pay", Priority.P3, ("0003", "0004", "0001")),
            },
        )
    )


def reached(username: str, **over: Any) -> Reached:
    values: dict[str, Any] = {"sent": False, "failed": False, "read_at": None, "answer": None}
    return Reached(username, username, **(values | over))


def answered(username: str, ability: Ability) -> Reached:
    return reached(username, sent=True, read_at=NOON, answer=Answered(username, ability, "停電", NOON))


PEOPLE = Reach(
    (
        reached("s1", failed=True),
        answered("s2", Ability.PARTLY),
        reached("s3", sent=True),
        reached("s4"),
        answered("s5", Ability.CAN),
        reached("s6", failed=True),
    )
)


def test_the_strongest_sign_counts_signers_know_and_a_message_under_way_has_reached_nobody() -> None:
    people = followed.follow(PEOPLE, book(), working={"S6"}, signers={"s3"})
    assert [one.standing for one in people] == [
        Standing.FAILED,
        Standing.ANSWERED,
        Standing.READ,
        Standing.WAITING,
        Standing.ANSWERED,
        Standing.WORKING,
    ]
    found = followed.tally(people)
    assert found == Tally(people=6, reached=4, read=4, working=1, can=1, partly=1, cannot=0)
    assert (found.not_reached, found.silent) == (2, 0)


def test_people_count_in_the_class_of_their_own_duties_and_in_each_of_their_duties() -> None:
    people = followed.follow(PEOPLE, book(), working=(), signers=())
    assert [(priority, counts.people) for priority, counts in followed.by_class(people)] == [
        (Priority.P1, 2),
        (Priority.P3, 2),  # s3 stands in at the shelter, but the own duty is pay
        (None, 2),
    ]
    assert [(one.id, counts.people) for one, counts in followed.by_duty(people)] == [("shelter", 3), ("pay", 3)]


def test_the_most_urgent_are_called_first() -> None:
    people = followed.follow(PEOPLE, book(), working=(), signers=())
    names = [one.reached.username for one in followed.not_reached(people).people]
    assert names == ["s1", "s4", "s6"]
    assert [one.reached.username for one in followed.silent(people).people] == ["s3"]
    assert [one.reached.username for one in followed.limited(people).people] == ["s2"]
    assert [one.reached.username for one in followed.of_duty(people, "shelter")] == ["s1", "s2", "s3"]


def test_lists_end_and_say_how_many_more_there_are() -> None:
    crowd = Reach(tuple(reached(f"staff{n:04}") for n in range(SHOWN + 5)))
    found = followed.not_reached(followed.follow(crowd, EMPTY, working=(), signers=()))
    assert (len(found.people), found.more) == (SHOWN, 5)
