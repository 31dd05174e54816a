"""Streams to open pages: who hears what, that nothing piles up, and when they end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import pytest

from auth.models import TOPIC_USER_CHANGED, TOPIC_WEB_SESSION_ENDED, Identity, WebSession
from broker.chronicle import TOPIC as TOPIC_SESSION
from common.bus import LocalBus
from common.errors import ErrorCode, KakehashiError
from common.ids import PoolId, SessionId, TenantId, UserId, WebSessionId
from gateway.changes import (
    AT_ONCE,
    LOOKED_AT_ONCE,
    PER_BROWSER,
    PER_PERSON,
    REST_PAUSE_SECONDS,
    Changes,
    ChangeStream,
    Topic,
    _Unlooked,
)
from policy.bcp.model import TOPIC as TOPIC_BCP
from tests.support.clock import FakeClock

EVERYTHING = tuple(sorted(Topic))
AT_WORK = {UserId("at-work")}


@pytest.fixture
def bus() -> LocalBus:
    return LocalBus()


@pytest.fixture
async def changes(bus: LocalBus, clock: FakeClock) -> AsyncIterator[Changes]:
    async def owner_of(session_id: SessionId) -> UserId | None:
        return {"ses_a": UserId("kato")}.get(session_id)

    made = Changes(bus, clock, owner_of, lambda: AT_WORK)
    made.start()
    yield made
    await made.close()


def signed_in(clock: FakeClock, user: str = "kato", browser: str = "web_1") -> WebSession:
    now = clock.now()
    who = Identity(UserId(user), TenantId("city"), user, user, None, frozenset(), None)
    end = now + timedelta(hours=12)
    return WebSession(WebSessionId(browser), who, now, now, now + timedelta(minutes=30), end, now, now, "", "")


async def heard(stream: ChangeStream) -> tuple[Topic, ...] | None:
    """What the page is told soon; () when nothing."""
    return await stream.next(2 * REST_PAUSE_SECONDS)


async def settle(*streams: ChangeStream) -> None:
    """Hear what every page is told first: everything."""
    for stream in streams:
        assert await heard(stream)


async def test_a_topic_waits_once_and_only_for_those_it_is_for(changes: Changes, clock: FakeClock) -> None:
    with (
        changes.stream(signed_in(clock), console=False) as employee,
        changes.stream(signed_in(clock, "mori"), console=True) as coordinator,
    ):
        assert await heard(employee) == ("desktops", "sessions")
        assert await heard(coordinator) == EVERYTHING
        for _ in range(1_000):
            changes.tell_all(Topic.BCP, Topic.DESKTOPS)
        assert await heard(employee) == ("desktops",)
        assert await heard(coordinator) == ("bcp", "desktops")
        assert (await heard(employee), await heard(coordinator)) == ((), ())


async def test_what_the_bus_says_reaches_those_it_concerns(changes: Changes, bus: LocalBus, clock: FakeClock) -> None:
    with (
        changes.stream(signed_in(clock), console=False) as employee,
        changes.stream(signed_in(clock, "mori", "web_2"), console=True) as coordinator,
    ):
        await settle(employee, coordinator)
        await bus.publish(TOPIC_SESSION, "ses_a")
        await bus.publish(TOPIC_SESSION, "ses_unknown")
        await bus.publish(TOPIC_BCP, "dec_1")
        assert await heard(employee) == ("sessions",)
        assert await heard(coordinator) == ("bcp",)


@pytest.mark.parametrize(("topic", "key"), [(TOPIC_USER_CHANGED, "kato"), (TOPIC_WEB_SESSION_ENDED, "web_1")])
async def test_it_ends_with_the_login_and_when_roles_may_be_others(
    topic: str, key: str, changes: Changes, bus: LocalBus, clock: FakeClock
) -> None:
    with (
        changes.stream(signed_in(clock), console=True) as concerned,
        changes.stream(signed_in(clock, "mori", "web_2"), console=True) as other,
    ):
        await settle(concerned, other)
        await bus.publish(topic, key)
        assert await heard(concerned) is None
        assert await heard(other) == ()


async def test_all_come_again_when_events_may_have_been_lost(changes: Changes, bus: LocalBus, clock: FakeClock) -> None:
    with changes.stream(signed_in(clock), console=False) as stream:
        await settle(stream)
        bus.deliver_missed()
        assert await heard(stream) is None


async def test_it_ends_at_the_latest_with_the_web_session(changes: Changes, clock: FakeClock) -> None:
    with changes.stream(signed_in(clock), console=False) as stream:
        await settle(stream)
        clock.advance(timedelta(hours=12) - timedelta(seconds=1))
        assert await stream.next(0) == ()
        clock.advance(1)
        assert await stream.next(0) is None


async def test_a_page_that_waits_is_woken_at_once(changes: Changes, clock: FakeClock) -> None:
    with changes.stream(signed_in(clock), console=False) as stream:
        await settle(stream)
        waiting = asyncio.ensure_future(stream.next(60))
        await asyncio.sleep(0)
        changes.tell({UserId("kato")}, Topic.SESSIONS)
        assert await asyncio.wait_for(waiting, 1) == ("sessions",)


async def test_many_are_told_in_turn_and_those_at_work_last(changes: Changes, clock: FakeClock) -> None:
    with ExitStack() as stack:
        streams = [
            stack.enter_context(changes.stream(signed_in(clock, user, f"web_{user}_{number}"), console=False))
            for user in ("at-work", *(f"staff-{number}" for number in range(AT_ONCE)))
            for number in range(2)
        ]
        await asyncio.sleep(4 * REST_PAUSE_SECONDS)
        for stream in streams:
            assert await stream.next(0)
        changes.tell_all(Topic.DESKTOPS)
        order: list[ChangeStream] = []

        async def listen(stream: ChangeStream) -> None:
            assert await stream.next(60) == ("desktops",)
            order.append(stream)

        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            for stream in streams:
                group.create_task(listen(stream))
            await asyncio.sleep(REST_PAUSE_SECONDS / 2)
            assert len(order) == AT_ONCE
        assert [stream.user_id for stream in order[-2:]] == ["at-work"] * 2


async def test_pages_with_a_new_answer_are_told_first_and_in_the_end_all(changes: Changes, clock: FakeClock) -> None:
    office = frozenset({PoolId("office")})

    def wrong_clock() -> frozenset[PoolId]:
        raise KakehashiError("clock", code=ErrorCode.CLOCK_WRONG)

    def broken() -> frozenset[PoolId]:
        raise RuntimeError("a fault of ours")

    now = {
        "faulty": (office, broken),
        "newly-allowed": (frozenset(), lambda: office),
        "newly-refused": (office, frozenset),
        "undecidable": (office, wrong_clock),
    }
    same = [f"staff-{number}" for number in range(2 * LOOKED_AT_ONCE)]
    with ExitStack() as stack:
        streams = [
            stack.enter_context(changes.stream(signed_in(clock, user, user), console=False))
            for user in ("never-asked", *same, *now)
        ]
        for user in same:
            changes.note(WebSessionId(user), office, lambda: office, "staff")
        for user, (allowed, again) in now.items():
            changes.note(WebSessionId(user), allowed, again, user)
        changes.note(WebSessionId("no stream"), office, frozenset, "staff")
        for stream in streams:
            assert await stream.next(5)
        order: list[str] = []

        async def listen(stream: ChangeStream) -> None:
            assert await stream.next(60) == ("desktops",)
            order.append(stream.user_id)

        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            for stream in streams:
                group.create_task(listen(stream))
            await asyncio.sleep(0)
            changes.tell_all(Topic.DESKTOPS)
        assert set(order[: len(now)]) == set(now)
        assert set(order) == {"never-asked", *same, *now}


async def test_where_one_has_news_all_of_that_kind_are_looked_at_before_others(
    changes: Changes, clock: FakeClock
) -> None:
    looked: list[str] = []
    people = [f"{kind}-{number}" for number in range(10) for kind in ("normal", "shelter", "other")]

    def again(user: str) -> frozenset[PoolId]:
        looked.append(user)
        return frozenset({PoolId("office")}) if user.startswith("shelter") else frozenset()

    with ExitStack() as stack:
        for user in people:
            stream = stack.enter_context(changes.stream(signed_in(clock, user, user), console=False))
            changes.note(WebSessionId(user), frozenset(), partial(again, user), user.partition("-")[0])
            assert await stream.next(5)
        changes.tell_all(Topic.DESKTOPS)
        async with asyncio.timeout(5):
            while len(looked) < len(people):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
    assert len([user for user in looked[:12] if user.startswith("shelter")]) == 10
    assert sorted(looked) == sorted(people)


async def test_a_kind_of_one_person_without_news_costs_no_other_kind_its_place(
    changes: Changes, clock: FakeClock
) -> None:
    with ExitStack() as stack:
        lone, first, second, last = (
            stack.enter_context(changes.stream(signed_in(clock, user, user), console=False)) for user in "abcd"
        )
        unlooked = _Unlooked()
        for stream, kind in ((lone, "lone"), (first, "many"), (second, "many"), (last, "last")):
            unlooked.add(stream, kind)
        looked = []
        while unlooked:
            stream, its_kind = unlooked.next()
            looked.append(stream)
            unlooked.turn_away_from(its_kind)
        assert looked == [lone, first, last, second]


async def test_neither_a_browser_nor_a_person_has_too_many(changes: Changes, clock: FakeClock) -> None:
    with ExitStack() as stack:
        for number in range(PER_PERSON):
            browser = f"web_{number // PER_BROWSER}"
            stack.enter_context(changes.stream(signed_in(clock, browser=browser), console=False))
        for user, browser in (("kato", "web_0"), ("kato", "web_new")):
            with (
                pytest.raises(KakehashiError) as refused,
                changes.stream(signed_in(clock, user, browser), console=False),
            ):
                pass
            assert refused.value.code is ErrorCode.BUSY
        stack.enter_context(changes.stream(signed_in(clock, "mori", "web_9"), console=False))


async def test_a_page_that_has_gone_takes_no_place(changes: Changes, clock: FakeClock) -> None:
    with ExitStack() as stack:
        for _ in range(PER_BROWSER):
            gone = stack.enter_context(changes.stream(signed_in(clock), console=False, connected=lambda: False))
        stack.enter_context(changes.stream(signed_in(clock), console=False))
        assert await gone.next(0) is None


async def test_who_comes_costs_no_look_at_the_pages_of_others(changes: Changes, clock: FakeClock) -> None:
    looks = 0

    def connected() -> bool:
        nonlocal looks
        looks += 1
        return True

    with ExitStack() as stack:
        for number in range(100):
            who = signed_in(clock, f"user-{number}", f"web_{number}")
            stack.enter_context(changes.stream(who, console=False, connected=connected))
        assert looks == 0
        own = signed_in(clock, "user-7", "web_7")
        stack.enter_context(changes.stream(own, console=False))
        assert looks == 2
        changes.tell([UserId("user-7"), UserId("nobody")], Topic.SESSIONS)
    assert len(changes) == 0


async def test_a_stopping_gateway_ends_all_and_takes_none(changes: Changes, clock: FakeClock) -> None:
    with changes.stream(signed_in(clock), console=False) as stream:
        await changes.close()
        assert await stream.next(60) is None
        with pytest.raises(KakehashiError), changes.stream(signed_in(clock, "mori"), console=False):
            pass
