"""Two gateways on one PostgreSQL: each step of a declaration acts on both in time, and one goes on without the other.

The nodes are programs of their own; people, desktops, directory and database are real.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.audit_store import verify
from common.clock import SystemClock
from common.db import Database
from common.ids import new_id
from tests.e2e.attacker import closed_with, desktop, ticket, viewer
from tests.integration.gateway.test_bcp import PLANS, POOL, PROPOSAL
from tests.support.changes import Listener, listening
from tests.support.gateway import variables
from tests.support.nodes import Node, run_node
from tests.support.person import Person
from tests.support.postgres import Postgres
from tests.support.rfb_viewer import RfbViewer
from tests.support.slapd import STAFF, Slapd, group, person, person_dn, run_slapd
from tests.support.xvnc import run_xvnc

pytestmark = pytest.mark.slow

IN_TIME = 2.0
BACK_WITHIN = 10.0
TAKEN_OVER_WITHIN = 60.0
GRACE = 3.0
"""Of the plan."""
WORKERS = ("kato", "nishi")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """ikeda and mori decide, kato and nishi work the day shift."""
    people = "".join(person(uid, f"{uid}-pw-2026", surname=uid) for uid in ("ikeda", "mori", *WORKERS))
    groups = group("hq", person_dn("ikeda"), person_dn("mori")) + group("day-shift", *map(person_dn, WORKERS))
    with run_slapd(tmp_path_factory.mktemp("slapd") / "two", STAFF + people + groups) as slapd:
        yield slapd


@dataclass
class Pair:
    """Two nodes of one city, and its people, who signed in at the first."""

    first: Node
    second: Node
    people: dict[str, Person]
    database_url: str

    async def open(self, node: Node) -> dict[str, bool]:
        """Who of the workers may work, as this node says."""
        found = {}
        for uid in WORKERS:
            async with self.people[uid].at(node.url) as worker:
                _, listed = await worker.call("GET", "/desktops")
                found[uid] = bool(listed["items"][0]["allowed"])
        return found

    async def declare(self) -> str:
        """Proposed at the first node, approved at the second: the declaration's id."""
        status, found = await self.people["mori"].call("POST", "/bcp/declarations", {"proposal": PROPOSAL})
        assert status == 201, found
        async with self.people["ikeda"].at(self.second.url) as ikeda:
            path = f"/bcp/declarations/{found['id']}/approve"
            status, signed = await ikeda.call("POST", path, {"digest": found["digest"]})
        assert (status, signed["state"]) == (200, "active"), signed
        return str(found["id"])

    async def narrow(self, declaration: str, **less: Any) -> None:
        """One person, at the second node."""
        async with self.people["mori"].at(self.second.url) as mori:
            status, found = await mori.call("POST", f"/bcp/declarations/{declaration}/narrow", less)
            assert status == 200, found

    async def loses_basis(self, uid: str, page: Listener) -> None:
        """The open page is told, and both nodes say until when the session goes on."""
        await page.hears("sessions")
        for node in (self.first, self.second):
            async with self.people[uid].at(node.url) as worker:
                _, listed = await worker.call("GET", "/desktops")
            assert "losing_basis" in [banner["kind"] for banner in listed["notices"]], node.url
            assert [item["session"]["ends_at"] is not None for item in listed["items"] if item["session"]] == [True]


@pytest.fixture
async def pair(tmp_path: Path, town: Slapd, postgres: Postgres) -> AsyncIterator[Pair]:
    name = new_id("test")
    postgres.sql(f"create database {name}")
    url = postgres.url(name)
    (tmp_path / "plans.yaml").write_text(PLANS, "utf-8")
    officials = [{"username": "ikeda", "rank": 1, "title_ja": "危機管理監", "title_en": "Head"}]

    def node(name: str) -> dict[str, str]:
        folder = tmp_path / name
        over: dict[str, Any] = {
            "bcp": {
                "plans_file": tmp_path / "plans.yaml",
                "bundle_file": folder / "bundle.json",
                "officials": officials,
            },
            "roles": {"coordinator_groups": ["hq"], "approver_groups": ["hq"]},
            "broker": {"targets": {"allowed_socket_directories": [tmp_path / "t"]}},
        }
        made = variables(folder, town, url, **over)
        return made | {"KAKEHASHI_NODE_ID": name, "KAKEHASHI_SECRETS_FILE": str(tmp_path / "keys.json")}

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(run_node(tmp_path / "first", node("first")))
        second = await stack.enter_async_context(run_node(tmp_path / "second", node("second")))
        await first.admin("PUT", "/pools/section", POOL)
        for uid in WORKERS:
            server = stack.enter_context(run_xvnc(tmp_path / "t" / uid))
            definition = {
                "pool_id": "section", "name_ja": "端末", "name_en": "PC",
                "address_kind": "unix", "host": str(server.socket), "security": ["none"],
            }  # fmt: skip
            status, answer = await first.admin("PUT", f"/desktops/{uid}", definition)
            assert status == 200, answer
        people = {}
        for uid in ("ikeda", "mori", *WORKERS):
            people[uid] = await stack.enter_async_context(Person(first.url, uid, f"{uid}-pw-2026"))
            await people[uid].log_in()
        yield Pair(first, second, people, url)
    postgres.sql(f"drop database {name} with (force)")


async def work(stack: AsyncExitStack, worker: Person) -> tuple[str, RfbViewer]:
    """The person at their desktop, through the node they are at: session and viewer."""
    session = await desktop(worker, "section")
    opened = await stack.enter_async_context(viewer(worker, session["id"], await ticket(worker, session["id"])))
    await opened.start()
    await opened.full()
    return str(session["id"]), opened


async def test_every_step_acts_on_every_live_session_of_both_nodes_in_time(pair: Pair) -> None:
    """Activation, personal block, expiry and a smaller scope, each taken at one node and measured at the other."""
    async with AsyncExitStack() as stack:
        kato = pair.people["kato"]
        nishi = await stack.enter_async_context(pair.people["nishi"].at(pair.second.url))
        pages = [await stack.enter_async_context(listening(who)) for who in (kato, nishi)]
        assert await pair.open(pair.first) == await pair.open(pair.second) == {"kato": False, "nishi": False}
        began = time.monotonic()
        declaration = await pair.declare()
        for page in pages:
            await page.hears("desktops")
        assert await pair.open(pair.first) == await pair.open(pair.second) == {"kato": True, "nishi": True}
        assert time.monotonic() - began < IN_TIME

        _, blocked = await work(stack, kato)
        _, other = await work(stack, nishi)
        await asyncio.sleep(1.2)  # a round of oversight has seen what the sessions rest on
        began = time.monotonic()
        await pair.narrow(declaration, block=["kato"])
        assert await closed_with(blocked) == (4403, "policy")
        assert time.monotonic() - began < IN_TIME
        assert await pair.open(pair.first) == await pair.open(pair.second) == {"kato": False, "nishi": True}

        ends_at = SystemClock().now() + timedelta(seconds=3)
        await pair.narrow(declaration, ends_at=ends_at.isoformat())
        await asyncio.sleep((ends_at - SystemClock().now()).total_seconds())
        expired = time.monotonic()
        await pair.loses_basis("nishi", pages[1])
        assert time.monotonic() - expired < IN_TIME
        assert await closed_with(other) == (4403, "policy")
        assert GRACE <= time.monotonic() - expired < GRACE + IN_TIME
        assert await pair.open(pair.first) == await pair.open(pair.second) == {"kato": False, "nishi": False}

        elsewhere: dict[str, Any] = {"scope": {"kind": "department", "ids": ["税務課"]}}
        for less in (elsewhere, {"level": "recovery"}):
            declaration = await pair.declare()
            _, left_out = await work(stack, kato)
            await asyncio.sleep(1.2)
            page = await stack.enter_async_context(listening(kato))
            narrowed = time.monotonic()
            await pair.narrow(declaration, **less)
            await pair.loses_basis("kato", page)
            assert time.monotonic() - narrowed < IN_TIME
            assert await closed_with(left_out) == (4403, "policy")
            assert GRACE <= time.monotonic() - narrowed < GRACE + IN_TIME
            assert await pair.open(pair.first) == await pair.open(pair.second) == {"kato": False, "nishi": False}


async def test_when_a_node_dies_the_other_carries_on_with_desktops_and_declarations(pair: Pair) -> None:
    """kato's browser comes to the other node at once; nishi stays away, and the desktop is let go of and kept."""
    declaration = await pair.declare()
    async with asyncio.timeout(IN_TIME):  # the other node signed it
        while not all((await pair.open(pair.first)).values()):  # noqa: ASYNC110 - a program of its own
            await asyncio.sleep(0.05)
    kato, nishi = pair.people["kato"], pair.people["nishi"]
    async with AsyncExitStack() as stack:
        session_id, lost = await work(stack, kato)
        left_id, _ = await work(stack, nishi)
        killed = time.monotonic()
        pair.first.kill()
        with pytest.raises(EOFError):
            await lost.update()
        kato = await stack.enter_async_context(kato.at(pair.second.url))
        again_id, opened = await work(stack, kato)
        assert again_id == session_id
        assert time.monotonic() - killed < BACK_WITHIN

        assert await pair.open(pair.second) == {"kato": True, "nishi": True}
        await asyncio.sleep(1.2)
        began = time.monotonic()
        await pair.narrow(declaration, block=["kato"])
        assert await closed_with(opened) == (4403, "policy")
        assert time.monotonic() - began < IN_TIME
        assert await pair.open(pair.second) == {"kato": False, "nishi": True}

        nishi = await stack.enter_async_context(nishi.at(pair.second.url))
        async with asyncio.timeout(TAKEN_OVER_WITHIN):
            while (await nishi.call("GET", f"/sessions/{left_id}"))[1]["state"] != "disconnected":  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        assert time.monotonic() - killed < TAKEN_OVER_WITHIN
        assert (await work(stack, nishi))[0] == left_id
    database = Database(pair.database_url)
    try:
        assert [(await verify(database, node)).fault for node in ("first", "second")] == [None, None]
    finally:
        await database.close()
