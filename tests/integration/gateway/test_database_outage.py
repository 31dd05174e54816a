"""The database stops, hangs or cannot be written under a gateway at work: pictures and keys go on, nothing new begins,
nobody waits long, ends still come on time, and the audit holds it all.
"""

import asyncio
import contextlib
import itertools
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from common.audit_store import read, verify
from common.db import Database
from common.ids import new_id
from tests.e2e.attacker import closed_with, desktop, ticket, viewer
from tests.integration.gateway.test_bcp import POOL, open_scene, town
from tests.support.gateway import Running, run_gateway, settings
from tests.support.person import Person
from tests.support.postgres import Postgres, run_postgres
from tests.support.rfb_viewer import RfbViewer
from tests.support.slapd import Slapd
from tests.support.xvnc import Xvnc, run_xvnc

__all__ = ["town"]  # a fixture
MOST_SECONDS = 10.0
"""For any one request: one deadline of the database, the end of the connection, a busy machine."""
QUICK = {"sessions": {"heartbeat_seconds": 0.5, "sweep_seconds": 0.5, "node_lost_seconds": 5}}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One that these tests may stop."""
    with TemporaryDirectory(prefix="kakehashi-") as folder, run_postgres(Path(folder)) as own:
        yield own


@pytest.fixture(params=["stop", "hang"])
def fault(request: pytest.FixtureRequest) -> str:
    """A server that is gone, and one that says nothing."""
    return str(request.param)


def _break(server: Postgres, fault: str) -> None:
    server.stop() if fault == "stop" else server.hang()


def _mend(server: Postgres, fault: str) -> None:
    server.start() if fault == "stop" else server.resume()


@dataclass
class Watched:
    """A gateway, and somebody who is signed in."""

    running: Running
    sato: Person

    async def refused(self, method: str, path: str, content: object = None) -> dict[str, Any]:
        """A request that must be refused for the database's sake, soon."""
        began = time.monotonic()
        sent = {"X-CSRF-Token": self.sato.csrf}
        url = f"{self.running.url}/api/v1{path}"
        async with self.sato.client.request(method, url, json=content, headers=sent) as answer:
            assert time.monotonic() - began < MOST_SECONDS
            assert answer.status == 503, await answer.text()
            assert answer.content_type == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
            problem: dict[str, Any] = await answer.json(content_type=None)
        assert problem["code"] == "store_unavailable"
        assert "データベースに接続できない" in problem["text_ja"]
        return problem

    async def health(self) -> tuple[int, dict[str, bool]]:
        """Is the process alive (asserted), and what does it say of its dependencies?"""
        async with asyncio.timeout(5), self.sato.client.get(f"{self.running.url}/healthz") as answer:
            assert answer.status == 200
        async with asyncio.timeout(MOST_SECONDS), self.sato.client.get(f"{self.running.url}/readyz") as answer:
            return answer.status, (await answer.json())["checks"]

    async def until_spooled(self) -> None:
        """Something of this outage is on record, on the node's own disk."""
        own = self.running.settings
        async with asyncio.timeout(20):
            while not own.audit.spool_for(own.node_id).stat().st_size:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.1)

    async def until_ready(self) -> None:
        """All dependencies answer again."""
        async with asyncio.timeout(30):
            while (await self.health())[0] != 200:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.2)


@dataclass
class Office(Watched):
    """sato at her desktop, with a terminal that notes what is typed."""

    screen: Xvnc
    typed: Path

    async def session(self) -> dict[str, Any]:
        """Her desktop session."""
        return await desktop(self.sato, "section")

    async def takes(self, opened: RfbViewer, word: str) -> None:
        """Type a line, and again while the terminal has not taken it (it may still be starting)."""
        async with asyncio.timeout(30):
            for number in itertools.count():
                if self.typed.exists() and word in self.typed.read_text():
                    return
                if number % 10 == 0:
                    await opened.pointer(20, 20)
                    await opened.type(f"{word}\n")
                await asyncio.sleep(0.2)

    async def shows(self, opened: RfbViewer, colour: str) -> None:
        """Paint the desktop, and wait until the browser has it."""
        self.screen.start("xsetroot", "-solid", colour)
        wanted = tuple(bytes.fromhex(colour[1:]))
        async with asyncio.timeout(30):  # a busy machine
            while opened.screen.getpixel((630, 470)) != wanted:
                await opened.update(incremental=True)


async def _offer(running: Running, screen: Xvnc) -> None:
    assert (await running.admin("PUT", "/pools/section", POOL))[0] == 200
    definition = {
        "pool_id": "section", "name_ja": "端末一", "name_en": "PC one",
        "address_kind": "unix", "host": str(screen.socket), "security": ["none"],
    }  # fmt: skip
    assert (await running.admin("PUT", "/desktops/pc-1", definition))[0] == 200


@contextlib.asynccontextmanager
async def open_office(
    folder: Path, directory: Slapd, url: str, *, web: Path | None = None, **over: Any
) -> AsyncIterator[Office]:
    """A gateway on that database, at work; with the pages in `web` where a browser looks at it."""
    own = settings(folder, directory, url, **{"broker": _broker(folder), **over})
    if web is not None:
        shutil.copytree(web, folder / "web", dirs_exist_ok=True)
    typed = folder / "typed"
    async with AsyncExitStack() as stack:
        screen = stack.enter_context(run_xvnc(folder / "t"))
        running = await stack.enter_async_context(run_gateway(own))
        await _offer(running, screen)
        sato = await stack.enter_async_context(Person(running.url, "sato", "sato-pw-2026"))
        await sato.log_in()
        screen.start("xterm", "-geometry", "60x20+0+0", "-e", "sh", "-c", f"while read l; do echo $l >> {typed}; done")
        yield Office(running, sato, screen, typed)


def _broker(folder: Path) -> dict[str, Any]:
    return QUICK | {"targets": {"allowed_networks": ["127.0.0.1/32"], "allowed_socket_directories": [folder]}}


@pytest.fixture
async def office(tmp_path: Path, directory: Slapd, server: Postgres) -> AsyncIterator[Office]:
    """With a database of its own on the server that may be stopped."""
    name = new_id("test")
    server.sql(f"create database {name}")
    try:
        async with open_office(tmp_path / "gateway", directory, server.url(name)) as opened:
            yield opened
    finally:
        server.resume()


async def _audit(url: str) -> list[str]:
    """Names of all events of a chain that is whole."""
    database = Database(url)
    try:
        found = await verify(database, "test")
        assert found.fault is None
        return [chained.event.name async for chained in read(database, "test")]
    finally:
        await database.close()


async def audit_after(office: Watched) -> list[str]:
    """What the audit holds of the outage, once it has been carried over."""
    url = office.running.settings.database.url
    async with asyncio.timeout(20):
        while "regain-database" not in (names := await _audit(url)):  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.2)
    assert not list(office.running.settings.audit.key_file.parent.glob("*distrusted*"))
    # Events that were on their way when the database went away stand before the one that says so.
    return names[names.index("attach-viewer") + 1 : names.index("regain-database")]


async def test_a_session_goes_on_and_nothing_new_begins(office: Office, server: Postgres, fault: str) -> None:
    session = await office.session()
    given = await ticket(office.sato, session["id"])
    async with viewer(office.sato, session["id"], given) as opened:
        await opened.start()
        await opened.full()
        await office.takes(opened, "before")
        _break(server, fault)
        try:
            await opened.cut_text(b"is on record, although refused")
            await office.shows(opened, "#336699")
            await office.takes(opened, "during")
            # A ticket is used up in the database and a login counted there: neither can be while it is away.
            await office.refused("POST", "/sessions", {"pool_id": "section"})
            await office.refused("POST", f"/sessions/{session['id']}/ticket")
            await office.refused("POST", "/login", {"username": "suzuki", "password": "suzuki-pw-2026"})
            await office.refused("GET", "/desktops")
            assert await office.health() == (503, {"database": False, "directory": True, "audit": True, "clock": True})
            async with asyncio.timeout(2), office.sato.client.get(f"{office.running.url}/api/v1/notice") as answer:
                assert answer.status == 200, "what is declared is known without the database"
            began = time.monotonic()
            await asyncio.gather(*(office.refused("GET", "/me") for _ in range(60)))
            assert time.monotonic() - began < MOST_SECONDS, "a crowd waits no longer than one"
            await asyncio.sleep(6)  # longer than node_lost_seconds: after the outage nobody may be taken for dead
            await office.shows(opened, "#993366")
            await office.until_spooled()
        finally:
            _mend(server, fault)
        await office.until_ready()
        await asyncio.sleep(2)  # several sweeps
        await office.shows(opened, "#339966")
        await office.takes(opened, "after")
        assert set(office.typed.read_text().split()) == {"before", "during", "after"}
        status, found = await office.sato.call("GET", f"/sessions/{session['id']}")
        assert (status, found["state"]) == (200, "active")
        assert "block-clipboard" in await audit_after(office)
        again_given = await ticket(office.sato, session["id"])
        async with viewer(office.sato, session["id"], again_given) as again:
            await again.start()
            await office.shows(again, "#996633")
        assert (await closed_with(opened))[0] == 4409


async def test_a_line_that_is_lost_meanwhile_leads_back_to_the_same_desktop(
    office: Office, server: Postgres, fault: str
) -> None:
    session = await office.session()
    given = await ticket(office.sato, session["id"])
    async with viewer(office.sato, session["id"], given) as opened:
        await opened.start()
        await opened.update()
        _break(server, fault)
    try:
        await office.refused("POST", f"/sessions/{session['id']}/ticket")
        await office.until_spooled()
    finally:
        _mend(server, fault)
    await office.until_ready()
    async with asyncio.timeout(10):
        while (await office.sato.call("GET", f"/sessions/{session['id']}"))[1]["state"] != "disconnected":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert (await office.session())["id"] == session["id"]
    async with viewer(office.sato, session["id"], await ticket(office.sato, session["id"])) as again:
        await again.start()
        await office.shows(again, "#336699")
    assert "lose-viewer" in await audit_after(office)


async def test_an_administrator_can_still_cut_a_screen(office: Office, server: Postgres) -> None:
    """Who must be stopped at once is stopped at once: the screen goes dark, the desktop ends when the table is back."""
    session = await office.session()
    async with viewer(office.sato, session["id"], await ticket(office.sato, session["id"])) as opened:
        await opened.start()
        await opened.update()
        server.stop()
        try:
            status, problem = await office.running.admin("DELETE", f"/sessions/{session['id']}")
            assert (status, problem["code"]) == (503, "store_unavailable")
            assert (await closed_with(opened))[0] == 4410
            await office.until_spooled()
        finally:
            server.start()
    await office.until_ready()
    assert "cut-viewer" in await audit_after(office)


async def test_a_stop_in_an_outage_ends_and_the_next_start_carries_the_record_over(
    tmp_path: Path, directory: Slapd, server: Postgres, fault: str
) -> None:
    name = new_id("test")
    server.sql(f"create database {name}")
    own = settings(tmp_path / "gateway", directory, server.url(name))
    began = time.monotonic()
    try:
        async with run_gateway(own):
            _break(server, fault)
            began = time.monotonic()
        assert time.monotonic() - began < 40
    finally:
        _mend(server, fault)
    async with run_gateway(own):
        pass
    names = await _audit(own.database.url)
    lost = names.index("lose-database")
    assert names[lost - 1 : lost + 1] == ["stop-gateway", "lose-database"]
    assert names[lost + 1 :].count("start-gateway") == 1
    assert "regain-database" in names[lost:]


async def test_a_declaration_ends_on_time_with_the_database_away(
    tmp_path: Path, town: Slapd, server: Postgres, fault: str
) -> None:
    name = new_id("test")
    server.sql(f"create database {name}")
    folder = tmp_path / "gateway"
    who = ("ikeda", "mori", "kato")
    async with (
        open_scene(folder, town, server.url(name), more={"broker": _broker(folder)}, who=who) as scene,
        AsyncExitStack() as stack,
    ):
        ends_at = datetime.now(UTC) + timedelta(seconds=20)  # noqa: TID251 - the gateway runs by this clock, too
        declared = await scene.declare(ends_at=ends_at.isoformat())
        session = await desktop(scene["kato"], "section")
        office = Watched(scene.running, scene["kato"])
        opened = await stack.enter_async_context(
            viewer(scene["kato"], session["id"], await ticket(scene["kato"], session["id"]))
        )
        await opened.start()
        await opened.update()
        _break(server, fault)
        try:
            # Narrowing is a change, too: it needs the database, so a personal block has to wait; see the page.
            status, problem = await scene["mori"].call(
                "POST", f"/bcp/declarations/{declared['id']}/lift", {"note": "終わり"}
            )
            assert (status, problem["code"]) == (503, "store_unavailable")
            assert (await closed_with(opened, within=60))[0] == 4403
            late = (datetime.now(UTC) - ends_at).total_seconds()  # noqa: TID251
            assert 2.5 < late < 3 + MOST_SECONDS, "the signed end and the plan's grace of three seconds"
            await office.until_spooled()
        finally:
            _mend(server, fault)
        await office.until_ready()
        assert "cut-viewer" in await audit_after(office)
        status, refused = await scene["kato"].call("POST", "/sessions", {"pool_id": "section"})
        assert (status, refused["code"]) == (403, "forbidden")
