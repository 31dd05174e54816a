"""The schema says the same as the code, and refuses by itself what the code would never write."""

import pytest
from sqlalchemy import CheckConstraint, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from broker.models import EndReason
from broker.states import LIVE, SEATED, TRANSITIONS, SessionState
from broker.store import SessionStore
from broker.store.tables import desktop_session, desktop_session_transition
from common.db import Database, metadata
from common.ids import SessionId, UserId
from tests.integration.broker.conftest import CITY, World


async def test_transition_table_of_the_schema_is_the_one_of_the_code(database: Database) -> None:
    async with database.transaction() as connection:
        rows = await connection.execute(desktop_session_transition.select())
        stored = {(row.from_state, row.event): row.to_state for row in rows}
    assert stored == {(str(state), str(event)): str(after) for (state, event), after in TRANSITIONS.items()}


@pytest.mark.parametrize(
    "table", [t for t in metadata.sorted_tables if t.name.startswith(("desktop", "static", "pool"))]
)
def test_every_table_has_a_tenant(table: object) -> None:
    columns = table.c  # type: ignore[attr-defined]  # a Table; parametrize says object
    if "without_tenant" in table.info:  # type: ignore[attr-defined]  # likewise
        return
    assert not columns.tenant_id.nullable


async def test_database_refuses_every_transition_that_the_table_does_not_hold(world: World) -> None:
    session = await world.session()
    allowed = {(state, after) for (state, _), after in TRANSITIONS.items()}
    assert session.state is SessionState.READY
    for wanted in SessionState:
        if (session.state, wanted) in allowed:
            continue
        with pytest.raises(DBAPIError, match="no such transition"):
            async with world.database.transaction() as connection:
                await connection.execute(
                    text("update desktop_session set state = :state where id = :id"),
                    {"state": wanted, "id": session.id},
                )
    assert (await world.look(session.id)).state is SessionState.READY


async def test_nothing_leaves_ended(world: World) -> None:
    session = await world.session()
    await world.broker.sessions.end(CITY, session.id, EndReason.ADMIN, user_id=None)
    await world.broker.launcher.idle()
    for wanted in SessionState:
        with pytest.raises(DBAPIError, match="no such transition"):
            async with world.database.transaction() as connection:
                await connection.execute(
                    text("update desktop_session set state = :state, ended_at = null where id = :id"),
                    {"state": wanted, "id": session.id},
                )


async def test_a_session_begins_as_requested_only(world: World) -> None:
    session = await world.session()
    async with world.database.transaction() as connection:
        row = dict((await connection.execute(desktop_session.select())).mappings().one())
    fresh = row | {"id": "ses_new", "user_id": "usr_new", "desktop_id": None}
    for state in set(SessionState) - {SessionState.REQUESTED}:
        with pytest.raises(DBAPIError):
            async with world.database.transaction() as connection:
                await connection.execute(desktop_session.insert().values(fresh | {"state": state}))
    async with world.database.transaction() as connection:
        await connection.execute(desktop_session.insert().values(fresh | {"state": SessionState.REQUESTED}))
    assert session.id != "ses_new"


async def test_one_live_session_for_person_and_pool_even_without_the_services_locks(world: World) -> None:
    session = await world.session()
    async with world.database.transaction() as connection:
        row = dict((await connection.execute(desktop_session.select())).mappings().one())
    with pytest.raises(IntegrityError):
        async with world.database.transaction() as connection:
            await connection.execute(
                desktop_session.insert().values(
                    row | {"id": "ses_second", "desktop_id": None, "state": SessionState.REQUESTED}
                )
            )
    store = SessionStore(world.database, world.broker.triage.situation)
    assert [found.id for found in await store.live_of(CITY, UserId("usr_test"))] == [session.id]
    assert await store.find(SessionId("ses_second")) is None


def test_partial_indexes_name_the_states_of_the_code() -> None:
    clauses = {
        str(index.name): str(index.dialect_options["sqlite"]["where"])
        for index in desktop_session.indexes
        if index.unique
    }
    for name, states in (("uq_desktop_session_live", LIVE), ("uq_desktop_session_desktop", SEATED)):
        assert {state for state in SessionState if f"'{state}'" in clauses[name]} == states
    assert any(isinstance(constraint, CheckConstraint) for constraint in desktop_session.constraints)
