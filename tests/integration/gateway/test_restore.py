"""The way back to normal: one list of what an emergency left behind; what is ticked on it ends, and nothing else."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pyotp
import pytest

from common.audit_store import read
from common.clock import SystemClock
from common.db import Database
from tests.integration.gateway.test_bcp import Scene, declared, town
from tests.support.person import Person
from tests.support.slapd import Slapd

__all__ = ["declared", "town"]


@pytest.fixture
def more() -> dict[str, Any]:
    """Nothing but what the scene has."""
    return {}


async def listed(scene: Scene, declaration_id: str, uid: str = "mori") -> dict[str, Any]:
    status, found = await scene[uid].call("GET", f"/bcp/declarations/{declaration_id}/restore")
    assert status == 200, found
    left: dict[str, Any] = found
    return left


async def card_of(scene: Scene, uid: str) -> None:
    """Print an emergency card; the code of the next half minute was not used yet."""
    person = scene[uid]
    assert person.secret
    code = pyotp.TOTP(person.secret).at(SystemClock().now(), counter_offset=1)
    status, found = await person.call("POST", "/me/emergency-card", {"code": code})
    assert (status, found["error"]) == (200, None)
    person.csrf = found["csrf_token"]


def age_the_code(scene: Scene) -> None:
    """Nobody's second factor was proved of late."""
    with closing(sqlite3.connect(scene.running.settings.database.url.removeprefix("sqlite:///"))) as rows, rows:
        assert rows.execute("update auth_web_session set totp_at = null").rowcount


def mark(scene: Scene, column: str, *, on: bool) -> None:
    """Everybody is signed in like this."""
    with closing(sqlite3.connect(scene.running.settings.database.url.removeprefix("sqlite:///"))) as rows, rows:
        assert rows.execute(f"update auth_web_session set {column} = ?", (on,)).rowcount  # noqa: S608 - our own word


async def step_up(person: Person) -> None:
    """The code of the next half minute was not used yet."""
    assert person.secret
    code = pyotp.TOTP(person.secret).at(SystemClock().now(), counter_offset=1)
    _, proven = await person.call("POST", "/me/step-up", {"code": code})
    assert proven["error"] is None
    person.csrf = proven["csrf_token"]


async def test_what_was_left_behind_is_listed_and_ends_when_it_is_ticked(declared: Scene) -> None:
    signed = await declared.declare()
    await card_of(declared, "kato")
    path = f"/bcp/declarations/{signed['id']}/restore"
    status, answer = await declared["mori"].call("POST", path, {"cards": ["kato"]})
    assert (status, answer["refusal"]) == (409, "restore_too_early")
    await declared["ikeda"].call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": ""})
    left = await listed(declared, signed["id"])
    assert [card["username"] for card in left["cards"]] == ["kato"]
    assert (left["may_restore"], left["needs_directory"], left["rules_before"]) == (True, False, left["rules_now"])
    assert left["rules_before"]
    assert (await declared["mori"].call("POST", path, {"cards": ["kato", "ota"]}))[0] == 404
    assert [card["username"] for card in (await listed(declared, signed["id"]))["cards"]] == ["kato"]
    age_the_code(declared)
    status, answer = await declared["mori"].call("POST", path, {"cards": ["kato"], "verifiers": True})
    assert (status, answer["refusal"]) == (403, "totp_not_fresh"), "looking needs no fresh code, taking back does"
    assert [card["username"] for card in (await listed(declared, signed["id"]))["cards"]] == ["kato"]
    await step_up(declared["mori"])
    for emergency in ("degraded", "temporary_factor"):
        mark(declared, emergency, on=True)
        status, answer = await declared["mori"].call("POST", path, {"cards": ["kato"], "verifiers": True})
        assert (status, answer["refusal"]) == (409, "restore_needs_directory"), emergency
        told = await listed(declared, signed["id"])
        assert (told["may_restore"], told["needs_directory"]) == (False, True), emergency
        mark(declared, emergency, on=False)
    status, after = await declared["mori"].call("POST", path, {"cards": ["kato"], "verifiers": True})
    assert (status, after["cards"], after["verifiers"]) == (200, [], 0)
    database = Database(declared.running.settings.database.url)
    try:
        events = [chained.event async for chained in read(database, "test")]
    finally:
        await database.close()
    assert "revoke-emergency-card" in {event.name for event in events}
    (restored,) = [event for event in events if event.name == "restore-normal"]
    assert (restored.actor, restored.details["cards"], restored.details["rules_same"]) == ("mori", 1, True)


async def test_the_list_says_beforehand_that_the_directory_is_away(declared: Scene, town: Slapd) -> None:
    signed = await declared.declare()
    await declared["ikeda"].call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": ""})
    town.stop()
    try:
        away = await listed(declared, signed["id"])
        assert (away["may_restore"], away["needs_directory"]) == (False, True)
    finally:
        town.start()
    async with asyncio.timeout(20):
        while not (await listed(declared, signed["id"]))["may_restore"]:  # noqa: ASYNC110 - only the API tells
            await asyncio.sleep(0.2)


async def test_auditors_look_and_staff_see_nothing(declared: Scene) -> None:
    signed = await declared.declare()
    await declared["ikeda"].call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": ""})
    looked = await listed(declared, signed["id"], "ota")
    assert (looked["may_restore"], looked["needs_directory"]) == (False, False)
    path = f"/bcp/declarations/{signed['id']}/restore"
    assert (await declared["ota"].call("POST", path, {"verifiers": True}))[0] == 404
    assert (await declared["kato"].call("GET", path))[0] == 404
    assert (await declared["suzuki"].call("POST", path, {"verifiers": True}))[0] == 404
