"""Things that happen at the same moment, on both databases: exactly one wins, and no limit is passed."""

import asyncio
from collections import Counter
from typing import Any

from broker.models import DesktopSession, EndReason, Redeemed, Viewer
from broker.states import SEATED, SessionEvent, SessionState
from broker.store import SessionStore
from common.errors import ErrorCode, InvalidTransition, KakehashiError, TicketInvalid
from common.ids import PoolId, WebSessionId
from tests.integration.broker.conftest import CITY, OFFICE, Screen, World, pool


async def test_ticket_redeemed_many_times_at_once_has_one_winner(world: World) -> None:
    session = await world.session()
    key: dict[str, Any] = {"user_id": session.user_id, "web_session_id": WebSessionId("web_1")}
    ticket = await world.broker.attachments.issue_ticket(CITY, session.id, **key)
    tries = await asyncio.gather(
        *(world.broker.attachments.redeem(ticket, tenant_id=CITY, session_id=session.id, **key) for _ in range(10)),
        return_exceptions=True,
    )
    assert Counter(type(outcome) for outcome in tries) == {Redeemed: 1, TicketInvalid: 9}
    assert world.audit.names().count("redeem-ticket") == 1
    assert world.audit.names().count("refuse-ticket") == 9


async def test_many_activations_at_once_leave_one_viewer(world: World) -> None:
    session = await world.session()
    proofs = [await world.redeemed(session, web=f"web_{number}") for number in range(6)]
    screens = [Screen() for _ in proofs]
    viewers = await asyncio.gather(
        *(
            world.broker.attachments.activate(
                proof, world.grant(), cut=screen.cuts.append, regrant=screen.grants.append
            )
            for proof, screen in zip(proofs, screens, strict=True)
        )
    )
    assert sorted(viewer.number for viewer in viewers) == [1, 2, 3, 4, 5, 6]
    last = max(viewers, key=lambda viewer: viewer.number)
    for viewer, screen in zip(viewers, screens, strict=True):
        assert screen.cuts == ([] if viewer is last else [EndReason.TAKEN_OVER])
    after = await world.look(session.id)
    assert (after.state, after.viewer, after.web_session_id) == (
        SessionState.ACTIVE,
        6,
        last.session.web_session_id,
    )
    assert [live.number for live in world.broker.registry.live()] == [6]


async def test_twenty_requests_at_once_never_pass_the_seats(world: World) -> None:
    await world.broker.catalogue.put_pool(pool(max_desktops=5, max_queued=10), actor="test")
    asked = await asyncio.gather(
        *(
            world.broker.sessions.request(world.grant(f"usr_{number}"), web_session_id=WebSessionId(f"web_{number}"))
            for number in range(20)
        ),
        return_exceptions=True,
    )
    refused = [outcome for outcome in asked if isinstance(outcome, KakehashiError)]
    assert {error.code for error in refused} == {ErrorCode.BUSY}
    assert len(refused) == 5
    await world.broker.launcher.idle()
    states = Counter(session.state for session in await world.broker.sessions.list_all(CITY))
    assert states == {SessionState.READY: 5, SessionState.QUEUED: 10}
    assert len(world.agent.running()) == 5


async def test_one_person_asking_twenty_times_at_once_gets_one_session(world: World) -> None:
    asked = await asyncio.gather(
        *(
            world.broker.sessions.request(world.grant(), web_session_id=WebSessionId(f"web_{number}"))
            for number in range(20)
        )
    )
    assert len({session.id for session in asked}) == 1
    await world.broker.launcher.idle()
    assert len(world.agent.started) == 1


async def test_one_person_asking_for_many_pools_at_once_keeps_to_the_limit(world: World) -> None:
    for number in range(8):
        await world.broker.catalogue.put_pool(pool(id=PoolId(f"pool-{number}"), user_session_limit=3), actor="test")
    asked = await asyncio.gather(
        *(
            world.broker.sessions.request(
                world.grant(pool_id=PoolId(f"pool-{number}")), web_session_id=WebSessionId("web_1")
            )
            for number in range(8)
        ),
        return_exceptions=True,
    )
    assert Counter(type(outcome) for outcome in asked) == {DesktopSession: 3, KakehashiError: 5}


async def test_two_gateways_admit_the_same_queue_without_passing_the_seats(world: World) -> None:
    await world.broker.catalogue.put_pool(pool(max_desktops=3), actor="test")
    other = await world.another("gw-2")
    brokers = [world.broker, other]
    await asyncio.gather(
        *(
            brokers[number % 2].sessions.request(world.grant(f"usr_{number}"), web_session_id=WebSessionId("web_1"))
            for number in range(12)
        )
    )
    for broker in brokers:
        await broker.launcher.idle()
    sessions = await world.broker.sessions.list_all(CITY)
    assert sum(session.state in SEATED for session in sessions) == 3
    assert len(world.agent.running()) == 3


async def test_end_and_activation_at_once_never_leave_a_viewer_on_an_ended_session(world: World) -> None:
    for number in range(8):
        session = await world.session(f"usr_{number}")
        proof = await world.redeemed(session)
        screen = Screen()
        attached, _ = await asyncio.gather(
            world.broker.attachments.activate(
                proof, world.grant(f"usr_{number}"), cut=screen.cuts.append, regrant=screen.grants.append
            ),
            world.broker.sessions.end(CITY, session.id, EndReason.ADMIN, user_id=None, actor="usr_admin"),
            return_exceptions=True,
        )
        assert isinstance(attached, InvalidTransition) or screen.cuts == [EndReason.ADMIN]
        if isinstance(attached, Viewer):
            await world.broker.attachments.viewer_lost(attached, EndReason.ADMIN)
        assert (await world.settled(session.id)).state is SessionState.ENDED
    assert len(world.broker.registry) == 0


async def test_compare_and_set_lets_one_of_two_through(world: World) -> None:
    session = await world.session()
    store = SessionStore(world.database, world.broker.triage.situation)
    now = world.clock.now()
    moves = await asyncio.gather(
        *(
            store.move(session, SessionEvent.END, now, end_reason=reason, keep_until=None)
            for reason in (EndReason.ADMIN, EndReason.IDLE, EndReason.USER_LOGGED_OUT)
        )
    )
    winners = [moved for moved in moves if moved is not None]
    assert len(winners) == 1
    assert (await world.look(session.id)).end_reason is winners[0].end_reason


async def test_cancelled_callers_leave_no_seat_without_a_start(world: World) -> None:
    """Callers cancelled at ever later moments: each session is started or ended in the end, no seat is lost."""
    await world.broker.catalogue.put_pool(pool(max_desktops=30), actor="test")
    for number in range(24):
        asking = asyncio.ensure_future(
            world.broker.sessions.request(world.grant(f"usr_{number}"), web_session_id=WebSessionId("web_1"))
        )
        await asyncio.sleep(number * 0.001)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await world.broker.launcher.idle()
    world.clock.advance(61)
    await world.broker.recovery.confirm()
    await world.broker.recovery.sweep()
    await world.broker.launcher.idle()
    left = await world.broker.sessions.list_all(CITY)
    assert {session.state for session in left} <= {SessionState.READY}
    assert (await world.broker.catalogue.seats(CITY))[OFFICE].used == len(left) == len(world.agent.running())
