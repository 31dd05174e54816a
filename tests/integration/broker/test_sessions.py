"""A session from the request to the end, on both databases."""

from datetime import timedelta

import pytest

from agents.messages import Refusal
from broker.models import EndReason
from broker.states import SessionState
from common.errors import AuditUnavailable, ErrorCode, InvalidTransition, KakehashiError, NotFound
from common.ids import PoolId, SessionId, TenantId, UserId, WebSessionId
from policy.model import Action
from tests.integration.broker.conftest import CITY, OFFICE, Screen, World, pool


async def test_request_starts_a_desktop_with_the_persons_names(world: World) -> None:
    session = await world.session()
    assert session.state is SessionState.READY
    assert session.desktop_id in world.agent.running()
    started = world.agent.started[0]
    assert (started.username, started.display_name, started.user) == ("test", "佐藤 花子", "usr_test")
    assert (str(started.geometry), started.pool) == ("1280x800", OFFICE)
    assert world.audit.names()[1:] == [
        "request-session",
        "queue-session",
        "admit-session",
        "start-desktop",
        "ready-desktop",
    ]
    request = world.audit.events[1]
    assert (request.actor, request.session_id, request.source) == ("usr_test", session.id, "203.0.113.7")
    assert "T-01" in str(request.details["rules"])


async def test_request_gives_the_live_session_there_is(world: World) -> None:
    first = await world.session()
    again = await world.session(web="web_2")
    assert again.id == first.id
    assert len(world.agent.started) == 1


async def test_the_same_person_gets_the_same_desktop_again(world: World) -> None:
    first = await world.session()
    await world.broker.sessions.end(CITY, first.id, EndReason.USER_LOGGED_OUT, user_id=first.user_id)
    assert (await world.settled(first.id)).state is SessionState.ENDED
    second = await world.session()
    assert second.id != first.id
    assert second.desktop_id == first.desktop_id


async def test_other_people_and_tenants_get_not_found(world: World) -> None:
    session = await world.session()
    sessions = world.broker.sessions
    stranger, web = UserId("usr_other"), WebSessionId("web_9")
    with pytest.raises(NotFound):
        await sessions.get(CITY, session.id, user_id=stranger)
    with pytest.raises(NotFound):
        await world.broker.attachments.issue_ticket(CITY, session.id, user_id=stranger, web_session_id=web)
    with pytest.raises(NotFound):
        await sessions.end(CITY, session.id, EndReason.USER_LOGGED_OUT, user_id=stranger)
    with pytest.raises(NotFound):
        await sessions.get(TenantId("town"), session.id, user_id=None)
    assert await sessions.list_for_user(CITY, stranger) == ()
    assert await sessions.list_for_user(TenantId("town"), session.user_id) == ()
    assert await sessions.list_all(TenantId("town")) == ()
    assert [s.id for s in await sessions.list_all(CITY)] == [session.id]
    with pytest.raises(NotFound):
        await sessions.get(CITY, SessionId("ses_none"), user_id=None)


async def test_viewer_attaches_loses_the_line_and_comes_back_to_the_same_desktop(world: World) -> None:
    session = await world.session()
    viewer = await world.attach(session)
    assert (viewer.session.state, viewer.number) == (SessionState.ACTIVE, 1)
    world.clock.advance(90)
    kept = await world.broker.attachments.viewer_lost(viewer)
    assert (kept.state, kept.active_seconds(world.clock.now())) == (SessionState.DISCONNECTED, 90)
    assert kept.keep_until == world.clock.now() + timedelta(minutes=120)
    world.clock.advance(600)
    again = await world.attach(kept, web="web_tablet")
    assert again.session.desktop_id == session.desktop_id
    assert (again.number, again.session.web_session_id) == (2, "web_tablet")
    world.clock.advance(30)
    assert (await world.look(session.id)).active_seconds(world.clock.now()) == 120
    assert len(world.agent.started) == 1


async def test_take_over_tells_the_old_viewer_whose_end_then_changes_nothing(world: World) -> None:
    session = await world.session()
    old, new = Screen(), Screen()
    first = await world.attach(session, old)
    world.clock.advance(10)
    second = await world.attach(session, new, web="web_2")
    assert (old.cuts, new.cuts) == ([EndReason.TAKEN_OVER], [])
    after = await world.broker.attachments.viewer_lost(first, EndReason.TAKEN_OVER)
    assert (after.state, after.viewer) == (SessionState.ACTIVE, second.number)
    after = await world.broker.attachments.viewer_lost(first, EndReason.PROTOCOL_VIOLATION)
    assert after.state is SessionState.ACTIVE
    world.clock.advance(5)
    assert after.active_seconds(world.clock.now()) == 15
    assert world.audit.names().count("take-over-session") == 1


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (None, SessionState.DISCONNECTED),
        (EndReason.IDLE, SessionState.DISCONNECTED),
        (EndReason.POLICY, SessionState.DISCONNECTED),
        (EndReason.TARGET_UNREACHABLE, SessionState.DISCONNECTED),
        (EndReason.GATEWAY_STOPPING, SessionState.DISCONNECTED),
        (EndReason.PROTOCOL_VIOLATION, SessionState.ENDED),
        (EndReason.DESKTOP_ENDED, SessionState.DISCONNECTED),
        (EndReason.DESKTOP_FAILED, SessionState.DISCONNECTED),
        (EndReason.TOTAL_LIMIT, SessionState.ENDED),
    ],
)
async def test_what_a_viewers_end_means(small_world: World, reason: EndReason | None, state: SessionState) -> None:
    viewer = await small_world.attach(await small_world.session())
    await small_world.broker.attachments.viewer_lost(viewer, reason)
    after = await small_world.settled(viewer.session.id)
    assert (after.state, after.end_reason) == (state, reason)
    assert (after.desktop_id in small_world.agent.running()) is (state is SessionState.DISCONNECTED)
    assert len(small_world.broker.registry) == 0
    ends = [event.details["reason"] for event in small_world.audit.events if event.name == "end-session"]
    assert ends == ([] if state is SessionState.DISCONNECTED else [reason])


async def test_end_cuts_the_viewer_stops_the_desktop_and_is_final(world: World) -> None:
    screen = Screen()
    viewer = await world.attach(await world.session(), screen)
    world.clock.advance(61)
    ending = await world.broker.sessions.end(CITY, viewer.session.id, EndReason.ADMIN, user_id=None, actor="usr_admin")
    assert (ending.state, screen.cuts) == (SessionState.ENDING, [EndReason.ADMIN])
    await world.broker.attachments.viewer_lost(viewer, EndReason.ADMIN)
    ended = await world.settled(viewer.session.id)
    assert (ended.state, ended.end_reason, ended.active_seconds(world.clock.now())) == (
        SessionState.ENDED,
        EndReason.ADMIN,
        61,
    )
    assert world.agent.stopped == [viewer.session.desktop_id]
    again = await world.broker.sessions.end(CITY, ended.id, EndReason.USER_LOGGED_OUT, user_id=ended.user_id)
    assert again.end_reason is EndReason.ADMIN
    assert await world.broker.sessions.list_for_user(CITY, ended.user_id) == ()
    event = next(event for event in world.audit.events if event.name == "end-session")
    assert (event.actor, event.details["reason"], event.details["worked_seconds"]) == ("usr_admin", "admin", 61)
    with pytest.raises(InvalidTransition):
        await world.broker.attachments.issue_ticket(
            CITY, ended.id, user_id=ended.user_id, web_session_id=WebSessionId("web_1")
        )


async def test_a_failed_start_ends_the_session_and_says_why_only_in_the_audit(world: World) -> None:
    world.agent.refuse_start = Refusal.START_FAILED
    session = await world.session()
    assert (session.state, session.end_reason) == (SessionState.ENDED, EndReason.DESKTOP_FAILED)
    event = next(event for event in world.audit.events if event.name == "end-session")
    assert event.outcome == "failed"
    assert "start_failed" in str(event.details["detail"])
    world.agent.refuse_start = None
    assert (await world.session()).state is SessionState.READY


async def test_a_start_that_hangs_fails_in_time(small_world: World) -> None:
    small_world.broker.launcher._settings = small_world.broker.launcher._settings.model_copy(
        update={"start_seconds": 0.2}
    )
    small_world.agent.may_start.clear()
    session = await small_world.session()
    assert (session.state, session.end_reason) == (SessionState.ENDED, EndReason.DESKTOP_FAILED)


async def test_end_while_starting_stops_what_was_started(small_world: World) -> None:
    small_world.agent.may_start.clear()
    asked = await small_world.broker.sessions.request(small_world.grant(), web_session_id=WebSessionId("web_1"))
    assert asked.state is SessionState.STARTING
    await small_world.broker.sessions.end(CITY, asked.id, EndReason.USER_LOGGED_OUT, user_id=asked.user_id)
    ended = await small_world.settled(asked.id)
    assert (ended.state, ended.end_reason) == (SessionState.ENDED, EndReason.USER_LOGGED_OUT)
    assert small_world.agent.stopped == [asked.desktop_id]


async def test_nothing_begins_that_cannot_be_audited(world: World) -> None:
    world.audit.broken = True
    with pytest.raises(AuditUnavailable):
        await world.session()
    assert world.agent.started == []
    assert await world.broker.sessions.list_for_user(CITY, UserId("usr_test")) == ()
    world.audit.broken = False
    session = await world.session()
    redeemed = await world.redeemed(session)
    world.audit.broken = True
    screen = Screen()
    with pytest.raises(AuditUnavailable):
        await world.broker.attachments.activate(
            redeemed, world.grant(), cut=screen.cuts.append, regrant=screen.grants.append
        )
    after = await world.look(session.id)
    assert (after.state, after.end_reason) == (SessionState.DISCONNECTED, EndReason.AUDIT_UNAVAILABLE)
    assert len(world.broker.registry) == 0
    # An end is never held up by a broken audit log.
    await world.broker.sessions.end(CITY, session.id, EndReason.USER_LOGGED_OUT, user_id=session.user_id)
    assert (await world.settled(session.id)).state is SessionState.ENDED


async def test_stale_grant_or_one_for_something_else_opens_nothing(world: World) -> None:
    sessions, web = world.broker.sessions, WebSessionId("web_1")
    old = world.grant(now=world.clock.now() - timedelta(seconds=31))
    early = world.grant(now=world.clock.now() + timedelta(seconds=31))
    clipboard = world.grant(action=Action.CLIPBOARD_IN, clipboard_in_chars=100)
    for bad in (old, early, clipboard):
        with pytest.raises(KakehashiError) as refused:
            await sessions.request(bad, web_session_id=web)
        assert refused.value.code is ErrorCode.FORBIDDEN
    session = await world.session()
    redeemed = await world.redeemed(session)
    for bad in (old, world.grant("usr_other"), world.grant(pool_id=PoolId("other-pool"))):
        with pytest.raises(KakehashiError) as refused:
            await world.broker.attachments.activate(redeemed, bad, cut=print, regrant=print)
        assert refused.value.code is ErrorCode.FORBIDDEN
    assert (await world.look(session.id)).state is SessionState.READY


async def test_unknown_and_disabled_pools_are_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await world.session(pool_id=PoolId("nowhere"))
    await world.broker.catalogue.put_pool(pool(enabled=False), actor="test")
    with pytest.raises(NotFound):
        await world.session()
    assert world.audit.names().count("refuse-session") == 2


async def test_a_persons_limit_counts_over_all_pools(world: World) -> None:
    for number in range(3):
        await world.broker.catalogue.put_pool(pool(id=PoolId(f"pool-{number}"), user_session_limit=2), actor="test")
    await world.session(pool_id=PoolId("pool-0"))
    await world.session(pool_id=PoolId("pool-1"))
    with pytest.raises(KakehashiError) as refused:
        await world.session(pool_id=PoolId("pool-2"))
    assert refused.value.code is ErrorCode.BUSY


async def test_queue_is_served_first_come_first(world: World) -> None:
    await world.broker.catalogue.put_pool(pool(max_desktops=1, max_queued=2), actor="test")
    first = await world.session("usr_a")
    world.clock.advance(1)
    second = await world.session("usr_b")
    world.clock.advance(1)
    third = await world.session("usr_c")
    assert [first.state, second.state, third.state] == [SessionState.READY, SessionState.QUEUED, SessionState.QUEUED]
    with pytest.raises(KakehashiError) as refused:
        await world.session("usr_d")
    assert refused.value.code is ErrorCode.BUSY
    await world.broker.sessions.end(CITY, first.id, EndReason.USER_LOGGED_OUT, user_id=first.user_id)
    assert (await world.settled(second.id)).state is SessionState.READY
    assert (await world.look(third.id)).state is SessionState.QUEUED
    seats = (await world.broker.catalogue.seats(CITY))[OFFICE]
    assert (seats.used, seats.total, seats.queued) == (1, 1, 1)


async def test_a_new_request_waits_until_the_old_desktop_has_stopped(world: World) -> None:
    world.agent.may_stop.clear()
    first = await world.session()
    await world.broker.sessions.end(CITY, first.id, EndReason.USER_LOGGED_OUT, user_id=first.user_id)
    second = await world.broker.sessions.request(world.grant(), web_session_id=WebSessionId("web_1"))
    assert second.state is SessionState.QUEUED
    world.agent.may_stop.set()
    after = await world.settled(second.id)
    assert (after.state, after.desktop_id) == (SessionState.READY, first.desktop_id)
    assert after.desktop_id in world.agent.running()


async def test_starts_at_once_are_bounded(small_world: World) -> None:
    small_world.agent.may_start.clear()
    for number in range(7):
        await small_world.broker.sessions.request(
            small_world.grant(f"usr_{number}"), web_session_id=WebSessionId("web_1")
        )
    small_world.agent.may_start.set()
    await small_world.broker.launcher.idle()
    assert len(small_world.agent.running()) == 7
    assert small_world.agent.most_starting <= 4


async def test_web_session_end_takes_the_screen_and_voids_tickets_but_keeps_the_desktop(world: World) -> None:
    session = await world.session()
    screen = Screen()
    viewer = await world.attach(session, screen)
    sessions = world.broker.sessions
    unused = await world.broker.attachments.issue_ticket(
        CITY, session.id, user_id=session.user_id, web_session_id=WebSessionId("web_1")
    )
    assert await sessions.web_session_ended(CITY, WebSessionId("web_1")) == 1
    assert screen.cuts == [EndReason.SIGNED_OUT]
    assert (await world.broker.attachments.viewer_lost(viewer, screen.cuts[0])).state is SessionState.DISCONNECTED
    with pytest.raises(KakehashiError):
        await world.broker.attachments.redeem(
            unused,
            tenant_id=CITY,
            session_id=session.id,
            user_id=session.user_id,
            web_session_id=WebSessionId("web_1"),
        )


async def test_session_values_survive_the_database(world: World) -> None:
    asked = world.grant(clipboard_in_chars=2000, idle_limit=timedelta(minutes=7))
    session = await world.broker.sessions.request(asked, web_session_id=WebSessionId("web_1"))
    assert session.obligations == asked.obligations
    assert session.expires_at == session.created_at + asked.obligations.total_limit
    assert len(session.short_code) == 4
