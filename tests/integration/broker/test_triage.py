"""Who gets a seat when there are not enough, on both databases, with a scripted agent."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest

from broker.assembly import Broker
from broker.duties.models import Priority
from broker.models import AddressKind, DesktopSession, EndReason, PoolKind, StaticTarget, TargetSecurity, Viewer
from broker.states import SEATED, SessionState
from broker.triage.room import QueueReason
from common.errors import AuditUnavailable, ErrorCode, InvalidTransition, KakehashiError
from common.ids import DesktopId, UserId, WebSessionId
from policy.bcp.model import Level
from policy.model import QualityProfile
from tests.integration.broker.conftest import CITY, OFFICE, Screen, World, pool
from tests.support.triage import Office, declared

P0, P1, P2, P3, P4 = Priority
PEOPLE = {"chief": P0, "shelter": P1, "shelter2": P1, "tax": P2, "library": P3, "sato": None, "suzuki": None}


def bind(world: World, office: Office, *brokers: Broker) -> None:
    for broker in brokers or (world.broker,):
        broker.triage.situation.bind(CITY, book=lambda: office.book, active=lambda: office.active)


def tune(world: World, **over: Any) -> None:
    """Other settings of triage."""
    situation = world.broker.triage.situation
    situation.settings = situation.settings.model_copy(update=over)


async def seats(world: World, count: int, **over: Any) -> Office:
    """A pool of so many seats, everybody in the register, nothing declared."""
    await world.broker.catalogue.put_pool(pool(max_desktops=count, **over), actor="test")
    office = Office(PEOPLE)
    bind(world, office)
    return office


async def working(world: World, *users: str) -> dict[str, tuple[DesktopSession, Screen]]:
    """These people have a desktop on their screens."""
    found = {}
    for user in users:
        screen = Screen()
        session = await world.session(f"usr_{user}", web=f"web_{user}")
        await world.attach(session, screen, web=f"web_{user}")
        found[user] = (await world.look(session.id), screen)
    return found


async def rounds(world: World, *, minutes: float = 0, step: float = 30) -> None:
    """Let time pass with the round running, and the desktops starting and stopping meanwhile."""
    until = world.clock.now() + timedelta(minutes=minutes)
    while True:
        await world.broker.recovery.confirm()
        await world.broker.triage.round()
        await world.broker.launcher.idle()
        if world.clock.now() >= until:
            return
        world.clock.advance(step)


async def queue_of(world: World, sessions: Sequence[DesktopSession]) -> list[tuple[str, int | None]]:
    found = []
    for session in sessions:
        standing = await world.broker.triage.standing(await world.look(session.id))
        found.append((session.username, standing.place.place if standing.place else None))
    return found


async def test_queue_is_by_class_then_time_and_long_waiting_lifts_by_one(world: World) -> None:
    await seats(world, 1)
    await working(world, "sato")
    asked = []
    for user in ("suzuki", "library", "tax", "shelter"):
        asked.append(await world.session(f"usr_{user}"))
        world.clock.advance(1)
    assert all(session.state is SessionState.QUEUED for session in asked)
    world.clock.advance(2)
    assert await queue_of(world, asked) == [("suzuki", 4), ("library", 3), ("tax", 2), ("shelter", 1)]
    world.clock.advance(1800)
    late = await world.session("usr_shelter2")
    world.clock.advance(2)
    # The waiting P2 has become like P1 and came earlier than the new P1; P1 itself is lifted no higher.
    assert await queue_of(world, [*asked, late]) == [
        ("suzuki", 5), ("library", 4), ("tax", 1), ("shelter", 2), ("shelter2", 3),
    ]  # fmt: skip


async def test_p0_finds_a_seat_in_normal_times_when_all_others_find_the_pool_full(world: World) -> None:
    await seats(world, 4)
    for user in ("sato", "suzuki", "tax"):
        assert (await world.session(f"usr_{user}")).state is SessionState.READY
    assert (await world.session("usr_library")).state is SessionState.QUEUED
    assert (await world.session("usr_shelter")).state is SessionState.QUEUED  # P1 has no reserve in normal times
    assert (await world.session("usr_chief")).state is SessionState.READY
    assert (await world.broker.catalogue.seats(CITY))[OFFICE].used == 4


async def test_a_full_queue_does_not_turn_p1_away(world: World) -> None:
    await seats(world, 1, max_queued=1)
    await working(world, "sato")
    await world.session("usr_suzuki")
    with pytest.raises(KakehashiError) as refused:
        await world.session("usr_tax")
    assert refused.value.code is ErrorCode.BUSY
    assert (await world.session("usr_shelter")).state is SessionState.QUEUED


async def test_under_a_declaration_p1_gets_a_seat_after_ten_minutes_and_the_work_is_kept(world: World) -> None:
    office = await seats(world, 2)
    people = await working(world, "tax", "sato")
    world.clock.advance(timedelta(minutes=20))
    office.active = (declared(world.clock.now()),)
    for user in people:
        await _touch(world, people[user][0])
    waiting = await world.session("usr_shelter")
    await rounds(world)
    # The lowest class is warned, with time and number; nobody is cut yet.
    victim, screen = people["sato"]
    standing = await world.broker.triage.standing(await world.look(victim.id))
    assert standing.warning is not None
    assert standing.warning.at == world.clock.now() + timedelta(minutes=10)
    assert standing.warning.contact is not None
    assert screen.cuts == []
    world.clock.advance(2)
    place = (await world.broker.triage.standing(await world.look(waiting.id))).place
    assert place is not None
    assert (place.place, place.estimate_seconds, place.reason, place.priority) == (1, 598, QueueReason.SEAT, P1)
    for _ in range(9):
        for user in people:
            await _touch(world, people[user][0])
        await rounds(world, minutes=1)
    assert screen.cuts == []
    await rounds(world, minutes=1.5)
    assert screen.cuts == [EndReason.PREEMPTED]
    parked = await world.look(victim.id)
    assert (parked.state, parked.end_reason) == (SessionState.PARKED, EndReason.PREEMPTED)
    assert parked.desktop_id in world.agent.running()
    assert (await world.look(waiting.id)).state is SessionState.READY
    assert people["tax"][1].cuts == []
    assert (await world.broker.catalogue.seats(CITY))[OFFICE].used == 2
    names = world.audit.names()
    for name in ("warn-preemption", "claim-seat", "preempt-session"):
        assert name in names
    event = next(event for event in world.audit.events if event.name == "preempt-session")
    assert (event.session_id, event.details["for_session"], event.details["for_priority"]) == (
        victim.id,
        waiting.id,
        P1,
    )
    with pytest.raises(InvalidTransition):
        await world.redeemed(parked, web="web_sato")
    # Nothing takes the parked desktop for an orphan.
    await world.broker.recovery.reconcile()
    assert parked.desktop_id in world.agent.running()


async def _touch(world: World, session: DesktopSession, idle_minutes: float = 0) -> None:
    live = world.broker.registry.get(session.id)
    assert live is not None
    await world.broker.sessions.note_input([(live, idle_minutes * 60)])


async def _parked(world: World) -> tuple[Office, DesktopSession, DesktopSession]:
    """Somebody who was away has made room for the shelter: office, parked session, the one that has the seat."""
    office = await seats(world, 1)
    people = await working(world, "sato")
    office.active = (declared(world.clock.now()),)
    world.clock.advance(timedelta(minutes=13))
    await _touch(world, people["sato"][0], idle_minutes=12)
    ready = await world.session("usr_shelter")
    await rounds(world)
    parked = await world.look(people["sato"][0].id)
    assert parked.state is SessionState.PARKED
    return office, parked, await world.look(ready.id)


async def test_who_is_not_there_gives_the_seat_up_without_anybody_being_warned(world: World) -> None:
    _, _, ready = await _parked(world)
    assert ready.state is SessionState.READY
    assert "warn-preemption" not in world.audit.names()


async def test_of_whom_nothing_is_known_they_are_at_work(world: World) -> None:
    """A declaration that begins finds people who have worked for hours, and whose input nobody noted so far."""
    office = await seats(world, 1)
    people = await working(world, "sato")
    session, screen = people["sato"]
    office.active = (declared(world.clock.now()),)
    await _touch(world, session)
    office.active = ()
    world.clock.advance(timedelta(hours=1))
    await _touch(world, session)  # nothing is declared: what was noted is dropped
    assert (await world.look(session.id)).input_at is None
    world.clock.advance(timedelta(hours=1))
    office.active = (declared(world.clock.now()),)
    await world.session("usr_shelter")
    await rounds(world)
    assert screen.cuts == []
    assert (await world.look(session.id)).leaves_at == world.clock.now() + timedelta(minutes=10)


async def test_a_line_that_drops_for_a_moment_costs_no_minutes_of_the_warning(world: World) -> None:
    office = await seats(world, 1)
    people = await working(world, "sato")
    session, _screen = people["sato"]
    world.clock.advance(timedelta(minutes=20))
    office.active = (declared(world.clock.now()),)
    await world.session("usr_shelter")
    await rounds(world)
    live = world.broker.registry.get(session.id)
    assert live is not None
    await world.broker.attachments.viewer_lost(Viewer(session, live.number, live.grant))
    world.clock.advance(30)
    await rounds(world)
    assert (await world.look(session.id)).state is SessionState.DISCONNECTED
    world.clock.advance(60)
    await rounds(world)
    assert (await world.look(session.id)).state is SessionState.PARKED


async def test_back_to_the_same_desktop_through_the_queue_and_ahead_of_later_requests(world: World) -> None:
    _, parked, ready = await _parked(world)
    other = await world.session("usr_suzuki")
    again = await world.session("usr_sato")
    assert (again.id, again.state) == (parked.id, SessionState.QUEUED)
    world.clock.advance(2)
    assert await queue_of(world, [again, other]) == [("sato", 1), ("suzuki", 2)]
    await world.broker.recovery.reconcile()
    assert parked.desktop_id in world.agent.running()
    await world.broker.sessions.end(CITY, ready.id, EndReason.USER_LOGGED_OUT, user_id=None)
    await rounds(world)
    back = await world.look(parked.id)
    assert (back.state, back.desktop_id) == (SessionState.READY, parked.desktop_id)
    screen = Screen()
    await world.attach(back, screen)
    assert screen.cuts == []
    assert (await world.look(other.id)).state is SessionState.QUEUED


async def test_a_seat_held_for_somebody_parked_is_given_on_and_the_work_still_kept(world: World) -> None:
    _, parked, ready = await _parked(world)
    await world.session("usr_sato")
    await world.broker.sessions.end(CITY, ready.id, EndReason.USER_LOGGED_OUT, user_id=None)
    await rounds(world)
    other = await world.session("usr_suzuki")
    world.clock.advance(121)
    await rounds(world)
    assert (await world.look(parked.id)).state is SessionState.PARKED
    assert parked.desktop_id in world.agent.running()
    assert (await world.look(other.id)).state is SessionState.READY


async def test_a_parked_desktop_is_given_up_in_the_end(world: World) -> None:
    _, parked, _ = await _parked(world)
    assert parked.keep_until is not None
    world.clock.advance(parked.keep_until - world.clock.now())
    await world.broker.recovery.sweep()
    await world.broker.launcher.idle()
    assert (await world.look(parked.id)).state is SessionState.ENDED
    assert parked.desktop_id not in world.agent.running()


async def test_p0_hastens_a_warning_that_was_given_for_p1(world: World) -> None:
    office = await seats(world, 2)
    tune(world, parked_percent=100)
    people = await working(world, "sato", "suzuki")
    world.clock.advance(timedelta(minutes=20))
    office.active = (declared(world.clock.now()),)
    for user in people:
        await _touch(world, people[user][0])
    await world.session("usr_shelter")
    await rounds(world)
    chief = await world.session("usr_chief")
    await rounds(world)
    leaving = sorted([s.leaves_at for s in await world.broker.sessions.list_all(CITY) if s.leaves_at])
    assert leaving == [world.clock.now() + timedelta(minutes=3), world.clock.now() + timedelta(minutes=10)]
    await rounds(world, minutes=3)
    assert (await world.look(chief.id)).state is SessionState.READY


async def test_a_warning_is_withdrawn_when_a_seat_comes_free_otherwise(world: World) -> None:
    office = await seats(world, 2)
    people = await working(world, "tax", "sato")
    world.clock.advance(timedelta(minutes=20))
    office.active = (declared(world.clock.now()),)
    for user in people:
        await _touch(world, people[user][0])
    waiting = await world.session("usr_shelter")
    await rounds(world)
    await world.broker.sessions.end(CITY, people["tax"][0].id, EndReason.USER_LOGGED_OUT, user_id=None)
    await world.broker.launcher.idle()
    await rounds(world)
    assert (await world.look(waiting.id)).state is SessionState.READY
    assert (await world.look(people["sato"][0].id)).leaves_at is None
    assert "withdraw-preemption" in world.audit.names()


@pytest.mark.parametrize("how", ["nothing", "alert", "drill", "blocked", "nowhere to park"])
async def test_nobody_makes_room(small_world: World, how: str) -> None:
    world = small_world
    office = await seats(world, 1)
    now = world.clock.now()
    match how:
        case "alert":
            office.active = (declared(now, level=Level.ALERT),)
        case "drill":
            office.active = (declared(now, drill=True, ends_at=now + timedelta(hours=2)),)
        case "blocked":
            found = declared(now)
            narrowed = replace(found.declaration, blocked=frozenset({UserId("usr_shelter")}))
            office.active = (replace(found, declaration=narrowed),)
        case "nowhere to park":
            office.active = (declared(now),)
            tune(world, parked_percent=0)
        case _:
            assert how == "nothing"
    people = await working(world, "sato")
    world.clock.advance(timedelta(minutes=40))
    waiting = await world.session("usr_shelter")
    await rounds(world, minutes=12)
    assert (await world.look(waiting.id)).state is SessionState.QUEUED
    assert people["sato"][1].cuts == []


async def test_not_more_than_the_limit_are_asked_within_a_minute(small_world: World) -> None:
    world = small_world
    office = await seats(world, 3)
    people = await working(world, "sato", "suzuki", "library")
    world.clock.advance(timedelta(minutes=20))
    office.active = (declared(world.clock.now()),)
    for user in people:
        await _touch(world, people[user][0])
    tune(world, preemptions_per_minute=1, parked_percent=100)
    for user in ("shelter", "shelter2"):
        await world.session(f"usr_{user}")
    await rounds(world)
    await rounds(world)
    asked = [s for s in await world.broker.sessions.list_all(CITY) if s.leaves_at]
    assert len(asked) == 1
    world.clock.advance(61)
    await rounds(world)
    assert len([s for s in await world.broker.sessions.list_all(CITY) if s.leaves_at]) == 2


async def test_two_gateways_ask_one_person_for_one_seat(world: World) -> None:
    office = await seats(world, 3)
    other = await world.another("gw-2")
    bind(world, office, world.broker, other)
    people = await working(world, "sato", "suzuki", "library")
    world.clock.advance(timedelta(minutes=20))
    office.active = (declared(world.clock.now()),)
    for user in people:
        await _touch(world, people[user][0])
    await world.session("usr_shelter")
    await asyncio.gather(*(broker.triage.round() for broker in (world.broker, other) for _ in range(3)))
    asked = [s for s in await world.broker.sessions.list_all(CITY) if s.leaves_at]
    assert len(asked) == 1
    assert world.audit.names().count("warn-preemption") == 1
    world.clock.advance(timedelta(minutes=10))
    # The other gateway decides; the one that has the viewer learns of it and cuts.
    await other.triage.round()
    await other.launcher.idle()
    await world.broker.attachments.look_again(asked[0].id)
    assert people[asked[0].username][1].cuts == [EndReason.PREEMPTED]
    assert sum(s.state in SEATED for s in await world.broker.sessions.list_all(CITY)) == 3


async def test_what_cannot_be_recorded_is_not_announced(world: World) -> None:
    office = await seats(world, 1)
    people = await working(world, "sato")
    world.clock.advance(timedelta(minutes=20))
    office.active = (declared(world.clock.now()),)
    await _touch(world, people["sato"][0])
    await world.session("usr_shelter")
    world.audit.broken = True
    with pytest.raises(AuditUnavailable):
        await world.broker.triage.round()
    world.audit.broken = False
    assert (await world.look(people["sato"][0].id)).leaves_at is None


async def test_a_seat_nobody_takes_goes_to_the_next_who_keeps_the_place_once(world: World) -> None:
    await seats(world, 1)
    first = await world.session("usr_sato")
    held = (await world.broker.triage.standing(first)).held_until
    assert held == world.clock.now() + timedelta(seconds=120)
    world.clock.advance(121)
    await rounds(world)
    assert (await world.look(first.id)).state is SessionState.READY  # nobody waits: nothing is taken
    second = await world.session("usr_suzuki")
    await rounds(world)
    lapsed = await world.settled(first.id)
    assert (lapsed.state, lapsed.end_reason) == (SessionState.ENDED, EndReason.HOLD_LAPSED)
    assert "lapse-hold" in world.audit.names()
    assert (await world.look(second.id)).state is SessionState.READY
    again = await world.session("usr_sato")
    assert again.waits_since == first.created_at
    world.clock.advance(121)
    await rounds(world)
    world.clock.advance(1)
    third = await world.session("usr_suzuki")
    assert (await world.look(again.id)).state is SessionState.READY
    world.clock.advance(121)
    await rounds(world)
    assert (await world.look(third.id)).state is SessionState.READY
    assert (await world.session("usr_sato")).credited_since is None


async def test_nobody_is_asked_when_the_host_has_no_room_for_both_desktops(small_world: World) -> None:
    world = small_world
    office = await seats(world, 2)
    people = await working(world, "sato", "suzuki")
    world.agent.max_desktops = 2
    world.clock.advance(timedelta(minutes=20))
    office.active = (declared(world.clock.now()),)
    for user in people:
        await _touch(world, people[user][0])
    await world.session("usr_chief")
    await rounds(world)
    assert not [s for s in await world.broker.sessions.list_all(CITY) if s.leaves_at]
    world.agent.max_desktops = 3
    await rounds(world)
    assert len([s for s in await world.broker.sessions.list_all(CITY) if s.leaves_at]) == 1


async def test_a_plans_seats_are_there_while_it_is_declared(world: World) -> None:
    office = await seats(world, 1)
    await working(world, "sato")
    waiting = await world.session("usr_suzuki")
    office.active = (declared(world.clock.now(), capacity=({"pool": OFFICE, "seats": 2, "reserved_percent": 0},)),)
    office.set(PEOPLE | {"chief": None, "shelter": None, "shelter2": None})
    await rounds(world)
    assert (await world.look(waiting.id)).state is SessionState.READY
    assert (await world.broker.catalogue.seats(CITY))[OFFICE].total == 2
    office.active = ()
    assert (await world.broker.catalogue.seats(CITY))[OFFICE].total == 1


async def test_classes_follow_the_register(world: World) -> None:
    office = await seats(world, 1)
    await working(world, "sato")
    waiting = await world.session("usr_tax")
    assert waiting.priority is P2
    office.set(PEOPLE | {"tax": P1})
    world.broker.triage.classes_changed()
    await rounds(world)
    assert (await world.look(waiting.id)).priority is P1
    event = next(event for event in world.audit.events if event.name == "change-class")
    assert (event.details["priority"], event.details["before"]) == (P1, P2)


async def test_a_full_line_makes_people_of_that_site_wait_and_others_not(world: World) -> None:
    await seats(world, 10)
    bind(world, Office(PEOPLE, line_mbps=2))
    inside: dict[str, Any] = {"source": ip_address("10.1.2.3")}
    for user in ("sato", "suzuki"):
        assert (await world.session(f"usr_{user}", **inside)).source_site == "hq"
    third = await world.session("usr_tax", **inside)
    assert third.state is SessionState.QUEUED
    place = (await world.broker.triage.standing(third)).place
    assert place is not None
    assert place.reason is QueueReason.SITE_LINE
    assert (await world.session("usr_library")).state is SessionState.READY  # from home
    assert (await world.session("usr_chief", **inside)).state is SessionState.READY  # P0
    load = await world.broker.triage.load(CITY)
    assert [(line.site, line.planned_mbps, line.budget_mbps) for line in load.lines] == [("hq", 1.5, 1.4)]


async def test_a_desktop_at_a_site_takes_of_its_line_wherever_the_person_sits(world: World) -> None:
    await seats(world, 10, site="hq")
    bind(world, Office(PEOPLE, line_mbps=2))
    assert (await world.session("usr_sato", source=ip_address("10.1.2.3"))).state is SessionState.READY
    assert (await world.session("usr_suzuki")).state is SessionState.READY  # from home
    third = await world.session("usr_tax")
    place = (await world.broker.triage.standing(third)).place
    assert place is not None
    assert (third.state, place.reason) == (SessionState.QUEUED, QueueReason.SITE_LINE)
    assert await world.broker.triage.lines(CITY) == {"hq": 1.0}


async def test_pictures_are_lowered_for_a_line_that_p1_waits_for(world: World) -> None:
    await seats(world, 10)
    office = Office(PEOPLE, line_mbps=2)
    office.active = (declared(world.clock.now()),)
    bind(world, office)
    inside: dict[str, Any] = {"source": ip_address("10.1.2.3")}
    for user in ("sato", "suzuki"):
        session = await world.session(f"usr_{user}", web=f"web_{user}", **inside)
        await world.attach(session, web=f"web_{user}", **inside)
    waiting = await world.session("usr_shelter", **inside)
    assert waiting.state is SessionState.QUEUED
    await rounds(world)
    assert (await world.look(session.id)).terms.quality is QualityProfile.SLOW
    await rounds(world)
    assert (await world.look(waiting.id)).state is SessionState.READY
    assert "lower-quality" in world.audit.names()
    await rounds(world)
    assert "restore-quality" in world.audit.names()


async def test_the_morning_gate_spreads_starts_and_delays_no_reconnect_and_no_p0(world: World) -> None:
    world.clock.set(datetime(2026, 4, 1, 23, 30, tzinfo=UTC))  # 08:30 in Tokyo
    await seats(world, 10)
    tune(world, gate_starts_per_minute=6)
    first = await world.session("usr_sato")
    assert first.state is SessionState.READY
    second = await world.session("usr_suzuki")
    place = (await world.broker.triage.standing(second)).place
    assert place is not None
    assert (place.reason, place.estimate_seconds) == (QueueReason.START_GATE, 10)
    await world.attach(first)  # a desktop that runs is not a start
    assert (await world.session("usr_chief")).state is SessionState.READY
    world.clock.advance(11)
    await rounds(world)
    assert (await world.look(second.id)).state is SessionState.READY


async def test_ones_own_pc_takes_no_seat_from_anybody(world: World) -> None:
    office = Office(PEOPLE)
    bind(world, office)
    await world.broker.catalogue.put_pool(pool(id="pcs", kind=PoolKind.STATIC, max_desktops=9), actor="test")
    for number, owner in enumerate(("usr_sato", None)):
        await world.broker.catalogue.put_target(
            StaticTarget(
                tenant_id=CITY,
                id=DesktopId(f"pc-{number}"),
                pool_id=pool(id="pcs").id,
                name_ja="端末",
                name_en="PC",
                address_kind=AddressKind.TCP,
                host="192.0.2.1",
                port=5900,
                security=(TargetSecurity.NONE,),
                assigned_user_id=owner,  # type: ignore[arg-type]  # a plain string will do
            ),
            actor="test",
        )
    office.active = (declared(world.clock.now()),)
    sato = await world.session("usr_sato", pool_id=pool(id="pcs").id)
    suzuki = await world.session("usr_suzuki", pool_id=pool(id="pcs").id)
    assert (sato.desktop_id, suzuki.desktop_id) == ("pc-0", "pc-1")
    await world.attach(sato)
    world.clock.advance(timedelta(minutes=40))
    waiting = await world.broker.sessions.request(
        world.grant("usr_chief", pool_id=pool(id="pcs").id), web_session_id=WebSessionId("web_1")
    )
    await rounds(world)
    assert (await world.look(sato.id)).state is SessionState.ACTIVE
    assert (await world.look(waiting.id)).state in (SessionState.QUEUED, SessionState.READY)


async def test_the_load_says_what_coordinators_ask(world: World) -> None:
    office = await seats(world, 4)
    await working(world, "sato", "tax", "suzuki")
    office.active = (declared(world.clock.now()),)
    waiting = await world.session("usr_library")
    assert waiting.state is SessionState.QUEUED
    load = (await world.broker.triage.load(CITY)).pools[0]
    assert (load.seats, dict(load.used), dict(load.waiting)) == (4, {P2: 1, P4: 2}, {P3: 1})
    assert (load.reserve.p0, load.reserve.urgent, load.declared) == (1, 2, True)
    assert load.reasons == {QueueReason.SEAT: 1}
    assert (load.parked, load.parking, load.leaving) == (0, 2, ())
