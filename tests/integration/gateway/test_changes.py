"""The stream of changes through the whole gateway: what is told, how soon, that it is names alone, when it ends."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from gateway.changes import PER_BROWSER
from gateway.headers import SECURITY_HEADERS
from gateway.services import SERVICES
from tests.e2e.attacker import closed_with, desktop, ticket, viewer
from tests.integration.gateway.test_bcp import POOL, PROPOSAL, Scene, declared, more, town
from tests.support.changes import listening
from tests.support.gateway import POLICY

__all__ = ["declared", "more", "town"]


async def test_a_declaration_is_told_to_everybody_when_it_holds_and_its_steps_to_the_console(declared: Scene) -> None:
    async with listening(declared["kato"]) as employee, listening(declared["ikeda"]) as approver:
        _, proposed = await declared["mori"].call("POST", "/bcp/declarations", {"proposal": PROPOSAL})
        await approver.hears("bcp")
        assert await employee.heard() == set()
        began = time.monotonic()
        path = f"/bcp/declarations/{proposed['id']}/approve"
        status, _ = await declared["ikeda"].call("POST", path, {"digest": proposed["digest"]})
        assert status == 200
        await employee.hears("desktops")
        assert await declared.may_work("kato")
        assert time.monotonic() - began < 2
        await declared["ikeda"].call("POST", f"/bcp/declarations/{proposed['id']}/lift", {"text": ""})
        await employee.hears("desktops")
        assert not await declared.may_work("kato")


async def test_a_changed_policy_is_told(declared: Scene) -> None:
    async with listening(declared["kato"]) as employee:
        wider = POLICY.replace("[telework]", "[telework, day-shift]")
        declared.running.settings.policy.path.write_text(wider, "utf-8")
        await employee.hears("desktops")
        assert await declared.may_work("kato")


async def test_an_edited_pool_is_told_and_so_are_receipts_to_the_console_alone(declared: Scene) -> None:
    kato = declared["kato"]
    async with listening(kato) as employee, listening(declared["ikeda"]) as console:
        await console.heard()  # everything: it has just been opened
        await declared.declare()
        while not (notices := (await kato.call("GET", "/notices"))[1]["items"]):
            await console.hears("receipts")  # a notice is written: first that to the officials
        [notice] = notices
        assert (await kato.call("POST", f"/notices/{notice['id']}/answer", {"ability": "partly"}))[0] == 204
        await console.hears("receipts", within=4)
        assert "receipts" not in await employee.heard()
        assert (await declared.running.admin("PUT", "/pools/section", POOL | {"max_desktops": 1}))[0] == 200
        await employee.hears("desktops")
        await console.hears("bcp")


async def test_own_sessions_are_told_and_those_of_others_are_not(declared: Scene) -> None:
    await declared.declare()
    async with listening(declared["kato"]) as own, listening(declared["suzuki"]) as other:
        await desktop(declared["kato"], "section")
        await own.hears("sessions")
        assert "sessions" not in await other.heard()


async def test_what_is_remembered_for_all_shows_nobody_the_session_of_another(declared: Scene) -> None:
    wider = POLICY.replace("[telework]", "[telework, day-shift]")
    declared.running.settings.policy.path.write_text(wider, "utf-8")
    async with listening(declared["kato"]) as page:
        await page.hears("desktops")
        while not await declared.may_work("kato"):
            await page.hears("desktops")
    session = await desktop(declared["kato"], "section")
    for uid, expected in (("kato", session["id"]), ("suzuki", None), ("kato", session["id"])):
        _, listed = await declared[uid].call("GET", "/desktops")
        [item] = [item for item in listed["items"] if item["pool_id"] == "section"]
        assert (item["session"] and item["session"]["id"]) == expected


async def test_a_session_that_loses_its_declaration_is_told_until_when_it_goes_on(declared: Scene) -> None:
    signed, kato = await declared.declare(), declared["kato"]
    session = await desktop(kato, "section")
    async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened, listening(kato) as page:
        await opened.start()
        await asyncio.sleep(1.2)  # a round of oversight has seen what the session rests on
        began = time.monotonic()
        await declared["mori"].call("POST", f"/bcp/declarations/{signed['id']}/lift", {"text": ""})
        await page.hears("sessions")
        _, listed = await kato.call("GET", "/desktops")
        _, viewed = await kato.call("GET", f"/sessions/{session['id']}")
        assert time.monotonic() - began < 2
        assert viewed["notices"] == listed["notices"]
        [banner] = listed["notices"]
        assert banner["kind"] == "losing_basis"
        assert "「係の端末」の接続は" in banner["text_ja"]
        assert "対策本部" in banner["text_ja"]
        assert banner["until"] == listed["items"][0]["session"]["ends_at"]
        assert await closed_with(opened) == (4403, "policy")
    _, listed = await kato.call("GET", "/desktops")
    assert listed["notices"] == []


async def test_it_has_the_headers_of_every_answer_and_no_stranger_gets_it(declared: Scene) -> None:
    async with listening(declared["kato"]) as page:
        assert page.response.headers["Content-Type"] == "text/event-stream"
        assert {name: page.response.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False)) as stranger,
        stranger.get(f"{declared.running.url}/api/v1/changes") as refused,
    ):
        assert refused.status == 401


async def test_it_ends_at_logout_and_is_refused_from_then_on(declared: Scene) -> None:
    kato = declared["kato"]
    async with listening(kato) as page:
        assert (await kato.call("POST", "/logout", {}))[0] == 204
        with pytest.raises(EOFError):
            await page.next()
    assert (await kato.call("GET", "/changes"))[0] == 401


async def test_a_browser_has_few_and_one_that_is_closed_counts_no_more(declared: Scene) -> None:
    kato = declared["kato"]
    async with AsyncExitStack() as stack:
        for _ in range(PER_BROWSER):
            await stack.enter_async_context(listening(kato))
        assert len(declared.running.listeners._runner.app[SERVICES].changes) == PER_BROWSER
        status, refused = await kato.call("GET", "/changes")
        assert (status, refused["code"]) == (503, "busy")
    await asyncio.sleep(0.1)  # the gateway sees that the connections are closed
    async with listening(kato):
        pass


async def test_neither_the_stream_nor_background_questions_keep_a_login_alive(
    declared: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.web_sessions.SEEN_STEP", timedelta())
    kato = declared["kato"]

    async def seen() -> Any:
        """When the gateway saw activity last, asked without being any."""
        _, found = await kato.call("GET", "/me/web-sessions", headers={"X-Background": "1"})
        return found["items"][0]["last_seen_at"]

    await kato.call("GET", "/desktops")
    before = await seen()
    await asyncio.sleep(0.05)
    async with listening(kato):
        await kato.call("GET", "/desktops", headers={"X-Background": "1"})
        assert await seen() == before
    await kato.call("GET", "/desktops")
    assert await seen() > before


async def test_a_stopping_gateway_does_not_wait_for_its_streams(declared: Scene) -> None:
    async with listening(declared["kato"]) as page:
        began = time.monotonic()
        await declared.running.listeners.stop()
        assert time.monotonic() - began < 1.5
        with pytest.raises((EOFError, aiohttp.ClientError)):
            await page.next()
