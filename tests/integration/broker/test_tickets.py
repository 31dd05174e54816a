"""Tickets: one use, seconds-long, bound, and only their hash is stored."""

from typing import Any

import pytest
from sqlalchemy import text

from common.errors import AuditUnavailable, InvalidTransition, TicketInvalid
from common.ids import SessionId, TenantId, UserId, WebSessionId, token_hash
from tests.integration.broker.conftest import CITY, World


def _key(web: str = "web_1", user: str = "usr_test") -> dict[str, Any]:
    return {"user_id": UserId(user), "web_session_id": WebSessionId(web)}


async def test_a_ticket_works_once(world: World) -> None:
    session = await world.session()
    ticket = await world.broker.attachments.issue_ticket(CITY, session.id, **_key())
    proof = await world.broker.attachments.redeem(ticket, tenant_id=CITY, session_id=session.id, **_key())
    assert (proof.session.id, proof.user_id, proof.web_session_id) == (session.id, "usr_test", "web_1")
    with pytest.raises(TicketInvalid):
        await world.broker.attachments.redeem(ticket, tenant_id=CITY, session_id=session.id, **_key())


async def test_a_ticket_lapses_to_the_second(world: World) -> None:
    session = await world.session()
    for wait, valid in ((29.999, True), (30, False)):
        ticket = await world.broker.attachments.issue_ticket(CITY, session.id, **_key())
        world.clock.advance(wait)
        redeeming = world.broker.attachments.redeem(ticket, tenant_id=CITY, session_id=session.id, **_key())
        if valid:
            await redeeming
        else:
            with pytest.raises(TicketInvalid):
                await redeeming


@pytest.mark.parametrize(
    "wrong",
    [
        {"tenant_id": TenantId("town")},
        {"session_id": SessionId("ses_other")},
        {"user_id": UserId("usr_other")},
        {"web_session_id": WebSessionId("web_other")},
    ],
)
async def test_a_ticket_shown_by_somebody_else_is_refused_and_used_up(
    small_world: World, wrong: dict[str, Any]
) -> None:
    session = await small_world.session()
    attachments = small_world.broker.attachments
    ticket = await attachments.issue_ticket(CITY, session.id, **_key())
    right: dict[str, Any] = {"tenant_id": CITY, "session_id": session.id, **_key()}
    for key in (right | wrong, right):
        with pytest.raises(TicketInvalid):
            await attachments.redeem(ticket, **key)
    assert small_world.audit.names().count("refuse-ticket") == 2
    assert small_world.audit.events[-1].outcome == "denied"


@pytest.mark.parametrize("junk", ["", "x", "a" * 65, "チケット", "\0" * 43, "A" * 43])
async def test_junk_is_refused(small_world: World, junk: str) -> None:
    session = await small_world.session()
    with pytest.raises(TicketInvalid):
        await small_world.broker.attachments.redeem(junk, tenant_id=CITY, session_id=session.id, **_key())


async def test_a_newer_ticket_of_the_same_web_session_voids_the_older(world: World) -> None:
    session = await world.session()
    attachments = world.broker.attachments
    older = await attachments.issue_ticket(CITY, session.id, **_key())
    elsewhere = await attachments.issue_ticket(CITY, session.id, **_key("web_2"))
    newer = await attachments.issue_ticket(CITY, session.id, **_key())
    with pytest.raises(TicketInvalid):
        await attachments.redeem(older, tenant_id=CITY, session_id=session.id, **_key())
    await attachments.redeem(newer, tenant_id=CITY, session_id=session.id, **_key())
    await attachments.redeem(elsewhere, tenant_id=CITY, session_id=session.id, **_key("web_2"))


async def test_only_the_hash_is_stored_and_nothing_is_audited_of_it(world: World) -> None:
    session = await world.session()
    ticket = await world.broker.attachments.issue_ticket(CITY, session.id, **_key())
    async with world.database.transaction() as connection:
        rows = [str(tuple(row)) for row in await connection.execute(text("select * from desktop_ticket"))]
    assert len(rows) == 1
    assert token_hash(ticket) in rows[0]
    assert ticket not in rows[0]
    assert ticket not in repr(world.audit.events)


async def test_no_ticket_before_the_desktop_is_ready_or_without_audit(small_world: World) -> None:
    small_world.agent.may_start.clear()
    asked = await small_world.broker.sessions.request(small_world.grant(), web_session_id=WebSessionId("web_1"))
    with pytest.raises(InvalidTransition):
        await small_world.broker.attachments.issue_ticket(CITY, asked.id, **_key())
    small_world.agent.may_start.set()
    await small_world.broker.launcher.idle()
    small_world.audit.broken = True
    with pytest.raises(AuditUnavailable):
        await small_world.broker.attachments.issue_ticket(CITY, asked.id, **_key())


async def test_lapsed_tickets_are_forgotten(world: World) -> None:
    session = await world.session()
    await world.broker.attachments.issue_ticket(CITY, session.id, **_key())
    world.clock.advance(31)
    await world.broker.jobs.forget()
    async with world.database.transaction() as connection:
        assert (await connection.execute(text("select count(*) from desktop_ticket"))).scalar_one() == 0
