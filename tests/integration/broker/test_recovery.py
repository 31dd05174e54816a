"""After a crash, and when time passes: what a dead gateway, a dead desktop or a forgotten session leaves behind."""

import asyncio
from datetime import timedelta

import pytest

from agents.messages import DesktopState, EndCause, Refusal
from broker.models import EndReason
from broker.states import SessionState
from broker.store import WorkedDayStore
from common.ids import DesktopId, PoolId, UserId, WebSessionId
from tests.integration.broker.conftest import CITY, Screen, World, pool
from tests.support.sham_agent import desktop_info


async def test_a_gateway_that_starts_again_finds_its_viewers_gone_and_keeps_the_desktops(world: World) -> None:
    viewer = await world.attach(await world.session())
    world.clock.advance(10)
    await world.broker.recovery.confirm()
    world.clock.advance(300)
    again = await world.another("gw-1")
    await again.recovery.after_start()
    after = await world.look(viewer.session.id)
    assert after.state is SessionState.DISCONNECTED
    # Working time counts to the last sign of life, not to the restart.
    assert after.active_seconds(world.clock.now()) == 10
    assert after.desktop_id in world.agent.running()


async def test_another_gateway_lets_go_of_what_a_dead_one_held(world: World) -> None:
    other = await world.another("gw-2")
    viewer = await world.attach(await world.session())
    await other.recovery.sweep()
    assert (await world.look(viewer.session.id)).state is SessionState.ACTIVE
    world.clock.advance(20)
    await world.broker.recovery.confirm()
    world.clock.advance(20)
    await other.recovery.sweep()
    assert (await world.look(viewer.session.id)).state is SessionState.ACTIVE
    world.clock.advance(31)
    await other.recovery.sweep()
    assert (await world.look(viewer.session.id)).state is SessionState.DISCONNECTED


async def test_a_gateway_taken_for_dead_cuts_its_viewer_when_it_wakes(world: World) -> None:
    other = await world.another("gw-2")
    screen = Screen()
    await world.attach(await world.session(), screen)
    world.clock.advance(60)
    await other.recovery.sweep()
    await world.broker.recovery.confirm()
    assert screen.cuts == [EndReason.GATEWAY_STOPPING]


async def test_an_end_on_another_gateway_cuts_the_viewer_here(world: World) -> None:
    other = await world.another("gw-2")
    await world.broker.start()
    screen, told = Screen(), asyncio.Event()
    session = await world.session()

    def cut(reason: EndReason) -> None:
        screen.cuts.append(reason)
        told.set()

    await world.broker.attachments.activate(
        await world.redeemed(session),
        world.grant(),
        cut=cut,
        regrant=screen.grants.append,
    )
    await other.sessions.end(CITY, session.id, EndReason.ADMIN, user_id=None)
    await asyncio.wait_for(told.wait(), 5)
    assert screen.cuts == [EndReason.ADMIN]
    await other.launcher.idle()


async def test_a_take_over_on_another_gateway_cuts_the_viewer_here(world: World) -> None:
    other = await world.another("gw-2")
    session = await world.session()
    here, there = Screen(), Screen()
    await world.attach(session, here)
    await other.attachments.activate(
        await world.redeemed(session, web="web_2"),
        world.grant(),
        cut=there.cuts.append,
        regrant=there.grants.append,
    )
    await world.broker.recovery.confirm()
    assert (here.cuts, there.cuts) == ([EndReason.TAKEN_OVER], [])


async def test_a_start_whose_gateway_died_is_started_again(world: World) -> None:
    world.agent.may_start.clear()
    asked = await world.broker.sessions.request(world.grant(), web_session_id=WebSessionId("web_1"))
    await world.broker.close()
    assert (await world.look(asked.id)).state is SessionState.STARTING
    world.agent.may_start.set()
    again = await world.another("gw-1")
    await again.recovery.after_start()
    await again.recovery.sweep()
    await again.launcher.idle()
    after = await again.sessions.get(CITY, asked.id, user_id=None)
    assert (after.state, after.desktop_id) == (SessionState.READY, asked.desktop_id)


async def test_a_stop_whose_gateway_died_is_carried_on(world: World) -> None:
    session = await world.session()
    world.agent.may_stop.clear()
    await world.broker.sessions.end(CITY, session.id, EndReason.ADMIN, user_id=None)
    await world.broker.close()
    world.agent.may_stop.set()
    again = await world.another("gw-1")
    await again.recovery.sweep()
    await again.launcher.idle()
    assert (await again.sessions.get(CITY, session.id, user_id=None)).state is SessionState.ENDED
    assert world.agent.running() == set()


async def test_a_desktop_that_does_not_stop_keeps_its_seat_until_it_does(world: World) -> None:
    session = await world.session()
    world.agent.refuse_stop = Refusal.INTERNAL
    await world.broker.sessions.end(CITY, session.id, EndReason.ADMIN, user_id=None)
    for _ in range(3):
        assert (await world.settled(session.id)).state is SessionState.ENDING
        await world.broker.recovery.sweep()
    await world.broker.launcher.idle()
    assert world.audit.names().count("fail-desktop-stop") == 1
    world.agent.refuse_stop = None
    await world.broker.recovery.sweep()
    assert (await world.settled(session.id)).state is SessionState.ENDED


async def test_reconciliation_ends_sessions_without_desktops_and_stops_desktops_without_sessions(world: World) -> None:
    gone = await world.session("usr_a")
    left = await world.session("usr_b")
    crashed = await world.session("usr_c")
    fine = await world.session("usr_d")
    screen = Screen()
    await world.attach(gone, screen)
    assert gone.desktop_id is not None
    assert left.desktop_id is not None
    assert crashed.desktop_id is not None
    world.agent.vanish(gone.desktop_id)
    world.agent.vanish(left.desktop_id, EndCause.LOGGED_OFF)
    world.agent.vanish(crashed.desktop_id, EndCause.CRASHED)
    orphan = DesktopId("dsk_orphan")
    world.agent.desktops[orphan] = desktop_info(orphan, UserId("usr_x"), PoolId("office"), DesktopState.READY, None)
    await world.broker.recovery.reconcile()
    ends = [(await world.settled(session.id)).end_reason for session in (gone, left, crashed, fine)]
    assert ends == [EndReason.DESKTOP_FAILED, EndReason.DESKTOP_ENDED, EndReason.DESKTOP_FAILED, None]
    assert screen.cuts == [EndReason.DESKTOP_FAILED]
    assert world.agent.running() == {fine.desktop_id}
    assert orphan in world.agent.stopped


async def test_reconciliation_ends_nothing_when_the_host_does_not_answer(small_world: World) -> None:
    session = await small_world.session()
    small_world.agent.raw_answer = b'{"ok":true,"desktops":"none"}\n'
    await small_world.broker.recovery.reconcile()
    small_world.agent.raw_answer = b""
    await small_world.broker.recovery.reconcile()
    assert (await small_world.look(session.id)).state is SessionState.READY


@pytest.mark.parametrize("attached", [False, True])
async def test_a_desktop_without_a_viewer_is_given_up_after_the_pools_time(small_world: World, attached: bool) -> None:
    session = await small_world.session()
    if attached:
        await small_world.broker.attachments.viewer_lost(await small_world.attach(session))
    small_world.clock.advance(timedelta(minutes=119))
    await small_world.broker.recovery.sweep()
    assert (await small_world.settled(session.id)).state is not SessionState.ENDED
    small_world.clock.advance(timedelta(minutes=1))
    await small_world.broker.recovery.sweep()
    after = await small_world.settled(session.id)
    assert (after.state, after.end_reason) == (SessionState.ENDED, EndReason.IDLE)


async def test_the_total_limit_ends_even_an_active_session(world: World) -> None:
    screen = Screen()
    viewer = await world.attach(await world.session(), screen, total_limit=timedelta(hours=1))
    world.clock.advance(timedelta(minutes=59, seconds=59))
    await world.broker.recovery.confirm()
    await world.broker.recovery.sweep()
    assert screen.cuts == []
    world.clock.advance(1)
    await world.broker.recovery.sweep()
    assert screen.cuts == [EndReason.TOTAL_LIMIT]
    after = await world.settled(viewer.session.id)
    assert (after.end_reason, after.active_seconds(world.clock.now())) == (EndReason.TOTAL_LIMIT, 3600)


async def test_an_active_session_that_nobody_here_knows_is_let_go_after_a_while(small_world: World) -> None:
    viewer = await small_world.attach(await small_world.session())
    small_world.broker.registry.remove(viewer.session.id, viewer.number)
    for _ in range(3):
        await small_world.broker.recovery.confirm()
        assert (await small_world.look(viewer.session.id)).state is SessionState.ACTIVE
        small_world.clock.advance(14)
    await small_world.broker.recovery.confirm()
    assert (await small_world.look(viewer.session.id)).state is SessionState.DISCONNECTED


async def test_ended_sessions_are_forgotten_after_their_time(world: World) -> None:
    session = await world.session()
    await world.broker.sessions.end(CITY, session.id, EndReason.ADMIN, user_id=None)
    await world.broker.launcher.idle()
    world.clock.advance(timedelta(days=89))
    await world.broker.jobs.forget()
    assert (await world.look(session.id)).state is SessionState.ENDED
    world.clock.advance(timedelta(days=2))
    await world.broker.jobs.forget()
    assert await world.broker.sessions._store.get(CITY, session.id) is None


async def test_days_of_past_weeks_are_forgotten_with_the_rest(world: World) -> None:
    today, person = world.clock.now().date(), (CITY, UserId("usr_test"))
    store = WorkedDayStore(world.database)
    await store.add([(person, today - timedelta(days=days)) for days in (1, 30)])
    await world.broker.jobs.forget()
    assert (await store.since([person], today - timedelta(days=99)))[person] == {today - timedelta(days=1)}


async def test_jobs_run_by_themselves_and_survive_a_failing_round(small_world: World) -> None:
    settings = small_world.broker.jobs._settings.model_copy(
        update={"heartbeat_seconds": 0.02, "sweep_seconds": 0.02, "reconcile_seconds": 0.02}
    )
    small_world.broker.jobs._settings = settings
    session = await small_world.session()
    small_world.agent.raw_answer = b"junk\n"
    await small_world.broker.start()
    await asyncio.sleep(0.1)
    small_world.agent.raw_answer = None
    assert session.desktop_id is not None
    small_world.agent.vanish(session.desktop_id)
    async with asyncio.timeout(10):
        while (await small_world.look(session.id)).state is not SessionState.ENDED:  # noqa: ASYNC110 - the jobs' own pace is the subject
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("cause", [EndCause.LOGGED_OFF, EndCause.CRASHED])
async def test_a_desktop_that_closed_its_stream_is_asked_for_and_ended(small_world: World, cause: EndCause) -> None:
    viewer = await small_world.attach(await small_world.session())
    assert viewer.session.desktop_id is not None
    await small_world.broker.attachments.viewer_lost(viewer, EndReason.DESKTOP_ENDED)
    small_world.agent.vanish(viewer.session.desktop_id, cause)
    async with asyncio.timeout(10):
        while (await small_world.look(viewer.session.id)).state is not SessionState.ENDED:  # noqa: ASYNC110 - its pace is the subject
            await asyncio.sleep(0.02)
    expected = EndReason.DESKTOP_ENDED if cause is EndCause.LOGGED_OFF else EndReason.DESKTOP_FAILED
    assert (await small_world.look(viewer.session.id)).end_reason is expected


async def test_stopping_gateway_cuts_its_viewers_and_leaves_the_desktops(small_world: World) -> None:
    screen = Screen()
    viewer = await small_world.attach(await small_world.session(), screen)
    await small_world.broker.close()
    assert screen.cuts == [EndReason.GATEWAY_STOPPING]
    after = await small_world.broker.attachments.viewer_lost(viewer, EndReason.GATEWAY_STOPPING)
    assert after.state is SessionState.DISCONNECTED
    assert after.desktop_id in small_world.agent.running()


async def test_pool_is_not_deleted_while_in_use(world: World) -> None:
    session = await world.session()
    assert await world.broker.catalogue._pools.delete(CITY, session.pool_id) is False
    await world.broker.sessions.end(CITY, session.id, EndReason.ADMIN, user_id=None)
    await world.broker.launcher.idle()
    await world.broker.catalogue.delete_pool(CITY, session.pool_id, actor="usr_admin")
    assert await world.broker.catalogue.pools(CITY) == ()
    assert pool().id == session.pool_id
