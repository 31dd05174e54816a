"""The directory hangs under a gateway at work: the second server helps, then the roster signs in without it and nobody
else does; and all is normal again with the directory."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
import trustme

from common.audit_store import read, verify
from common.db import Database
from tests.e2e.attacker import desktop, ticket, viewer
from tests.integration.gateway.test_bcp import TOWN, Scene, open_scene
from tests.support.clock import SteppedClock
from tests.support.gateway import ldap
from tests.support.person import Person
from tests.support.slapd import Slapd, run_slapd

MOST_SECONDS = 9.0
"""`login_timeout_seconds` and a busy machine."""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Slapd, Slapd]]:
    """The office's directory and its replica elsewhere."""
    ca = trustme.CA()
    with run_slapd(tmp_path / "first", TOWN, ca=ca) as first, run_slapd(tmp_path / "second", TOWN, ca=ca) as second:
        yield first, second


async def _password(person: Person, given: str | None = None) -> dict[str, Any]:
    began = time.monotonic()
    await person.call("DELETE", "/login")
    status, state = await person.call(
        "POST", "/login", {"username": person.uid, "password": given or f"{person.uid}-pw-2026"}
    )
    assert status == 200, state
    assert time.monotonic() - began < MOST_SECONDS
    found: dict[str, Any] = state
    return found


async def _code(person: Person, clock: SteppedClock) -> dict[str, Any]:
    assert person.secret
    code = pyotp.TOTP(person.secret).at(clock.now())
    status, state = await person.call("POST", "/login/totp", {"code": code})
    assert (status, state["step"]) == (200, "done"), state
    _, me = await person.call("GET", "/me")
    person.csrf = me["csrf_token"]
    found: dict[str, Any] = me
    return found


async def _ready(scene: Scene) -> dict[str, bool]:
    person = scene["kato"]
    async with asyncio.timeout(2), person.client.get(f"{person.url}/healthz") as answer:
        assert answer.status == 200
    async with asyncio.timeout(MOST_SECONDS), person.client.get(f"{person.url}/readyz") as answer:
        found: dict[str, bool] = (await answer.json())["checks"]
        return found


async def test_replica_then_degraded_login_then_back(tmp_path: Path, servers: tuple[Slapd, Slapd]) -> None:
    first, second = servers
    clock = SteppedClock()
    url = f"sqlite:///{tmp_path / 'kakehashi.db'}"
    more = {
        "auth": {
            "ldap": ldap(first, second) | {"server_timeout_seconds": 1.0, "key_attribute": "uid"},  # no true replica
            "degraded": {"groups": ["day-shift", "hq"]},
        }
    }
    who = ("ikeda", "mori", "kato", "ota")
    async with open_scene(tmp_path / "gateway", first, url, more=more, clock=clock, who=who) as scene:
        ikeda, kato, ota = scene["ikeda"], scene["kato"], scene["ota"]
        clock.step = timedelta(seconds=31)  # each code is good once

        first.hang()
        assert (await _password(ikeda))["step"] == "totp"
        assert not (await _code(ikeda, clock))["web_session"]["degraded"]
        assert (await _ready(scene))["directory"], "the replica is directory enough"

        second.hang()
        for person in (kato, ota):
            state = await _password(person)
            assert state["error"]["code"] == "directory_unavailable", "five minutes have not passed"
            assert state["error"]["text_ja"]
        assert not (await _ready(scene))["directory"]
        status, me = await scene["mori"].call("GET", "/me")
        assert (status, me["user"]["username"]) == (200, "mori"), "who is signed in works on"

        declared = await scene.declare()  # an emergency opens it at once
        restore = f"/bcp/declarations/{declared['id']}/restore"
        status, refusal = await scene["mori"].call("POST", restore, {"verifiers": True})
        assert (status, refusal["refusal"]) == (409, "restore_needs_directory"), "nobody is left without a way in"
        assert (await _password(kato, "wrong"))["error"]["code"] == "degraded_login_failed"
        assert (await _password(ota))["error"]["code"] == "degraded_login_failed", "not in the roster"
        state = await _password(kato)
        assert (state["step"], state["degraded"]) == ("totp", True)
        assert (await _code(kato, clock))["web_session"]["degraded"]
        session = await desktop(kato, "section")
        async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
            await opened.start()
            await opened.full()
            first.resume()
            second.resume()
            async with asyncio.timeout(20):
                while not (await _ready(scene))["directory"]:  # noqa: ASYNC110 - nobody tells us
                    await asyncio.sleep(0.5)
            await opened.update()
            assert (await _password(ota))["step"] == "totp", "the directory decides again"
    database = Database(url)
    assert (await verify(database, "test")).fault is None
    names = [chained.event.name async for chained in read(database, "test")]
    await database.close()
    assert names.count("lose-directory") == names.count("degraded-login") == 1
