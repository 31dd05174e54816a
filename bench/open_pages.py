"""From the second signature to the new answer on thousands of open pages of one node: `python -m bench.open_pages`.

The gateway is the real program with SQLite and 20 pools, without TLS, as behind a reverse proxy. Each page is a stream
of changes and a connection that asks, as the web client has them. Nobody signs in: people of the synthetic city, with
its plans, and their web sessions are rows that are there before the gateway starts, and its directory does not answer.
The pages run in this process, on the same machine: their work is in the figures. `bench/beside.py`, in a process of its
own, tells how long all others wait on the gateway's event loop meanwhile, relays among them.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import psutil
import trustme

from auth.rows import SessionRow, groups_text
from auth.store.sessions import session_values
from auth.store.tables import auth_user, auth_web_session
from auth.web_sessions import csrf_token
from bench.policy_bench import CITY, Row, show
from common.clock import SystemClock
from common.db import Database, upgrade
from common.ids import UserId, WebSessionId, token_hash
from common.settings import CONFIG_VARIABLE, PREFIX, environment, load
from gateway.demo import city, synthetic
from gateway.headers import SESSION_COOKIE
from gateway.settings import Settings
from policy.model import Zone
from tests.support.gateway import ask_admin, variables
from tests.support.xvnc import end

ROUNDS: Final = 1
EVERYBODY: Final = 600
MANY: Final = 3_000
SOME: Final = 500
GOAL: Final = 2.0
BESIDE_GOAL: Final = 20.0
RULES: Final = """
format: 1
name: {ja: 測定, en: Bench}
rules:
  - id: N-01
    effect: permit
    name: {ja: テレワーク, en: Telework}
    when: {groups: [telework], pools: [p00, p01, p02, p03, p04], totp_age: {at_most: 12h}}
  - id: N-02
    effect: permit
    name: {ja: 夜間, en: At night}
    when: {groups: [telework], pools: [p05, p06, p07, p08, p09], hours: {windows: ["03:00-03:10"]}}
"""
TOWN: Final = synthetic.generate(MANY + 2, pools={Zone.LGWAN: "p10", Zone.INTERNET: "p10"})
POOLS: Final = 20
GATHER_SECONDS: Final = 0.05
"""`GATHER_MS` of the web client."""
_ROOT: Final = Path(__file__).parents[1]
_QUIET_SECONDS: Final = 1.0


def cookie(number: int) -> str:
    """The cookie of that person's browser."""
    return f"bench-cookie-{number}"


async def fill(url: str, people: int, gaining: int) -> None:
    """People with web sessions: the last two sign, `gaining` of the others gain by the declaration."""
    await upgrade(url)
    now, clock = SystemClock().now(), Database(url)
    users, sessions = [], []
    for number, person in enumerate(TOWN.people[: people + 2]):
        groups = {city.TELEWORK} | ({city.BCP_HQ} if number < gaining else set())
        groups |= {"risk"} if number == people else {"board"} if number == people + 1 else set()
        user_id = UserId(f"usr_{number}")
        users.append({
            "tenant_id": CITY, "user_id": user_id, "directory_key": f"key-{number}", "username": person.uid,
            "display_name": person.display_name, "department": person.department, "employment": person.employment,
            "groups": groups_text(frozenset(groups)), "disabled": False, "created_at": now, "refreshed_at": now,
            "last_login_at": now,
        })  # fmt: skip
        row = SessionRow(
            id=WebSessionId(f"web_{number}"), token_hash=token_hash(cookie(number)), user_id=user_id, created_at=now,
            last_seen_at=now, expires_at=now + timedelta(hours=12), password_at=now, totp_at=now, source="203.0.113.7",
            user_agent_label="bench",
        )  # fmt: skip
        sessions.append(session_values(CITY, row))
    async with clock.transaction(seconds=60) as connection:
        await connection.execute(auth_user.insert(), users)
        await connection.execute(auth_web_session.insert(), sessions)
    await clock.close()


class Line:
    """A connection to the gateway, as a reverse proxy has one."""

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._head = (
            f"Host: 127.0.0.1:{port}\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n"
            f"Cookie: {SESSION_COOKIE}={cookie(number)}\r\n"
        )
        self._csrf = csrf_token(cookie(number))
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, content: object = None) -> asyncio.StreamReader:
        """Ask; the answer's body begins at the reader's next byte."""
        if self._pair is None:
            self._pair = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._pair
        body = b"" if content is None else json.dumps(content).encode()
        extra = "X-Background: 1\r\n" if method == "GET" else (
            f"Origin: https://127.0.0.1:{self._port}\r\nX-CSRF-Token: {self._csrf}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        )  # fmt: skip
        writer.write(f"{method} /api/v1{path} HTTP/1.1\r\n{self._head}{extra}\r\n".encode() + body)
        return reader

    async def ask(self, method: str, path: str, content: object = None) -> bytes:
        """A whole answer. Raises RuntimeError for any but 2xx."""
        reader = await self.send(method, path, content)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"{path}: {head.decode()}{body.decode()}")
        return body

    def close(self) -> None:
        """Gone."""
        if self._pair:
            self._pair[1].close()


@dataclass
class Page:
    """An open page: hears, waits as the web client does, and asks."""

    stream: Line
    line: Line
    asked: int = 0
    allowed: int = 0
    answered_at: float = 0.0
    gained_at: float | None = None

    async def live(self) -> None:
        """Until cancelled."""
        reader = await self.stream.send("GET", "/changes")
        while line := await reader.readline():
            if line == b"data: desktops\n":
                await asyncio.sleep(GATHER_SECONDS)
                await self.look()

    async def look(self) -> None:
        """Read the list of desktops."""
        allowed = (await self.line.ask("GET", "/desktops")).count(b'"allowed":true')
        self.asked, self.answered_at = self.asked + 1, time.perf_counter()
        if allowed > self.allowed and self.allowed:
            self.gained_at = self.answered_at
        self.allowed = allowed


@dataclass
class Node:
    """A gateway in a process of its own, with its pages."""

    settings: Settings
    process: psutil.Process
    pages: list[Page] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    async def settled(self) -> None:
        """Wait until no page has asked for a second."""
        while True:
            before = sum(page.asked for page in self.pages)
            await asyncio.sleep(_QUIET_SECONDS)
            if before == sum(page.asked for page in self.pages) and all(page.asked for page in self.pages):
                return


@asynccontextmanager
async def node(folder: Path, people: int, gaining: int) -> AsyncIterator[Node]:
    """The `kakehashi gateway` command, its pools, and a page for each person."""
    url = f"sqlite:///{folder / 'kakehashi.db'}"
    await fill(url, people, gaining)
    trustme.CA().cert_pem.write_to_path(folder / "ca.pem")
    nobody: Any = SimpleNamespace(host="localhost", ldaps_port=1, ca_file=folder / "ca.pem")
    (folder / "plans.yaml").write_text(TOWN.plans, "utf-8")
    official = {"username": TOWN.people[people + 1].uid, "rank": 1, "title_ja": "市長", "title_en": "Mayor"}
    given = variables(
        folder, nobody, url,
        http={"certificate_file": None, "key_file": None, "proxies": ["127.0.0.1/32"], "header_seconds": 120},
        bcp={"plans_file": folder / "plans.yaml", "officials": [official]},
        roles={"coordinator_groups": ["risk"], "approver_groups": ["board"]},
    )  # fmt: skip
    (folder / "policy.yaml").write_text(RULES, "utf-8")
    own = load(Settings, None, given)
    outer = {name: value for name, value in environment().items() if not name.startswith(PREFIX)}
    outer[CONFIG_VARIABLE] = str(folder / "gateway.toml")
    (folder / "gateway.toml").write_text("# all settings come by variables\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - before anything is measured
            [*COMMAND, "gateway"], env=outer | given, stdout=log, stderr=log, cwd=_ROOT
        )
    try:
        made = Node(own, psutil.Process(process.pid))
        await _offer(own, process, folder / "log")
        async with asyncio.TaskGroup() as group:
            tasks = []
            for number in range(people):
                page = Page(Line(own.http.port, number), Line(own.http.port, number))
                made.pages.append(page)
                tasks.append(group.create_task(page.live()))
                if number % 20 == 19:
                    await asyncio.sleep(0.05)
            await made.settled()
            yield made
            for task in tasks:
                task.cancel()
        for page in made.pages:
            page.stream.close()
            page.line.close()
    finally:
        end(process)


async def _offer(own: Settings, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for the gateway, and make its pools."""
    for number in range(POOLS):
        kind = "static" if number % 2 else "agent"
        pool = {"name_ja": "計測", "name_en": "Bench", "kind": kind, "zone": "lgwan", "max_desktops": 100}
        while True:
            try:
                status, answer = await ask_admin(own, "PUT", f"/pools/p{number:02}", pool)
                break
            except OSError as error:
                if process.poll() is not None:
                    raise RuntimeError(f"no gateway:\n{log.read_text()[-2000:]}") from error  # noqa: ASYNC240
                await asyncio.sleep(0.1)
        if status != 200:
            raise RuntimeError(str(answer))


async def declared(at: Node) -> tuple[float, float, dict[int, int]]:
    """Two signatures. When the second was given, and what processor time and questions had been until then."""
    port, people = at.settings.http.port, len(at.pages)
    chief, mayor = Line(port, people), Line(port, people + 1)
    proposal = {
        "scope": {"kind": "tenant"}, "level": "first", "plan_id": "quake", "cause": "earthquake", "reason": "bench",
    }  # fmt: skip
    waiting = json.loads(await chief.ask("POST", "/bcp/declarations", {"proposal": proposal}))
    await at.settled()
    before, cpu = {id(page): page.asked for page in at.pages}, at.cpu_seconds()
    began = time.perf_counter()
    await mayor.ask("POST", f"/bcp/declarations/{waiting['id']}/approve", {"digest": waiting["digest"]})
    chief.close()
    mayor.close()
    return began, cpu, before


@dataclass(frozen=True)
class Told:
    """What came of a declaration, in seconds from the second signature, and the gateway's work for it."""

    last_gained: float
    last_of_all: float
    cpu_ms_a_page: float
    waited: tuple[tuple[float, float], ...]
    """When somebody beside asked, and after how many milliseconds they had their answer."""

    def beside(self, since: float, until: float) -> float:
        """The wait that one in a hundred beside exceeded in that time."""
        return statistics.quantiles([ms for at, ms in self.waited if since <= at < until], n=100)[-1]


@asynccontextmanager
async def beside(port: int) -> AsyncIterator[list[tuple[float, float]]]:
    """Somebody else asks meanwhile; the answers' times are in the list at the end."""
    waited: list[tuple[float, float]] = []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.beside", str(port), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT
    )
    try:
        yield waited
    finally:
        out, _ = await process.communicate(b"")  # its input ends
    waited += [(at, ms) for at, ms in json.loads(out)]


async def told(people: int, gaining: int) -> Told:
    """One declaration."""
    with tempfile.TemporaryDirectory() as folder:
        async with node(Path(folder), people, gaining) as at:
            async with beside(at.settings.http.port) as waited:
                began, cpu, before = await declared(at)
                async with asyncio.timeout(120):
                    while not all(page.asked > before[id(page)] for page in at.pages):  # noqa: ASYNC110 - pages stay light
                        await asyncio.sleep(0.05)
                cpu = at.cpu_seconds() - cpu
            gained = [page.gained_at - began for page in at.pages if page.gained_at is not None]
            if len(gained) != gaining:
                raise RuntimeError(f"{len(gained)} of {gaining} pages gained anything")
            last = max(page.answered_at for page in at.pages) - began
            since = tuple((asked - began, ms) for asked, ms in waited)
            return Told(max(gained), last, 1000 * cpu / people, since)


COMMAND: Sequence[str] = (sys.executable, "-m", "gateway.cli")


def run() -> list[Row]:
    """All figures."""
    everybody = [asyncio.run(told(EVERYBODY, EVERYBODY)) for _ in range(ROUNDS)]
    some = [asyncio.run(told(MANY, SOME)) for _ in range(ROUNDS)]
    both = everybody + some
    return [
        row(f"{EVERYBODY:,} pages, all newly allowed: the last", [one.last_gained for one in everybody], "s", GOAL),
        row(f"{MANY:,} pages, {SOME} newly allowed: the last of these", [one.last_gained for one in some], "s", GOAL),
        row(f"{MANY:,} pages: the last of all", [one.last_of_all for one in some], "s"),
        row("somebody beside, p99: before", [one.beside(-2, 0) for one in both], "ms"),
        row(
            "the same, while the newly allowed are told",
            [one.beside(0, one.last_gained) for one in both],
            "ms",
            BESIDE_GOAL,
        ),
        row(
            "the same, while the others are told",
            [one.beside(one.last_gained, one.last_of_all) for one in some],
            "ms",
            BESIDE_GOAL,
        ),
        row("processor time of the gateway for a page", [one.cpu_ms_a_page for one in both], "ms"),
    ]


def row(name: str, figures: list[float], unit: str, goal: float | None = None) -> Row:
    """A line of the table."""
    return Row(name, min(figures), statistics.median(figures), unit, goal)


def main() -> int:
    """Print the table."""
    show("pages: from the second signature to the new answer, one node, SQLite", run(), width=72)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
