"""Through the whole gateway, as it is installed: HTTP over TLS, a directory, sign-in, ticket, policy, audit, database.

Set-ups: people with a desktop that runs ask for a ticket and connect, until the first byte of the desktop is there;
beside it, websockify's bare set-ups over TLS. Picture: the same once more with a real TigerVNC, until every pixel was
painted. Counterparts: `bench/setup_load.py`, `bench/relay.py`.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psutil

from bench.contenders import PEER, ROOT, line_of, program
from bench.relay import SCENARIOS, Setting, measured
from bench.table import Goal, Row
from common.settings import CONFIG_VARIABLE, PREFIX, environment, load
from gateway.settings import Settings
from tests.e2e.attacker import cookie_of, desktop, ticket, viewer
from tests.support.gateway import ask_admin, variables
from tests.support.person import Person
from tests.support.postgres import run_postgres
from tests.support.slapd import Slapd, group, person, person_dn, run_slapd
from tests.support.xvnc import end, run_xvnc

PEOPLE: Final = 20
PICTURES: Final = 30
_PASSWORD: Final = "bench-pw-2026"  # noqa: S105 - of a directory that lives for this run
_START_SECONDS: Final = 60.0
_POOL: Final = {"name_ja": "計測", "name_en": "Bench", "kind": "static", "zone": "lgwan", "max_desktops": 100}


@dataclass(frozen=True)
class Running:
    """A gateway in a process of its own."""

    url: str
    settings: Settings
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


def _uid(number: int) -> str:
    return f"bench{number:02d}"


@contextmanager
def directory(folder: Path) -> Iterator[Slapd]:
    """Everybody who takes part."""
    uids = [_uid(number) for number in range(PEOPLE)]
    ldif = "".join(person(uid, _PASSWORD) for uid in uids) + group("telework", *(person_dn(uid) for uid in uids))
    with run_slapd(folder / "slapd", ldif) as slapd:
        yield slapd


@contextmanager
def gateway(folder: Path, slapd: Slapd, database_url: str) -> Iterator[Running]:
    """The `kakehashi gateway` command."""
    given = variables(folder, slapd, database_url)
    own = load(Settings, None, given)
    outer = {name: value for name, value in environment().items() if not name.startswith(PREFIX)}
    outer[CONFIG_VARIABLE] = str(folder / "gateway.toml")
    (folder / "gateway.toml").write_text("# all settings come by variables\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "gateway"], env=outer | given, stdout=log, stderr=log, cwd=ROOT
        )
    try:
        running = Running(f"https://127.0.0.1:{own.http.port}", own, psutil.Process(process.pid))
        asyncio.run(_until_answering(own, process, folder / "log"))
        yield running
    finally:
        end(process)


async def _until_answering(own: Settings, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            await ask_admin(own, "GET", "/pools")
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the gateway did not start:\n{log.read_text()[-2000:]}") from error  # noqa: ASYNC240
            await asyncio.sleep(0.1)
        else:
            return


async def _offer(running: Running, number: int, target: dict[str, object]) -> None:
    """A static desktop of the pool."""
    for method, path, content in (
        ("PUT", "/pools/bench", _POOL),
        ("PUT", f"/desktops/pc-{number}", {"pool_id": "bench", "name_ja": "端末", "name_en": "PC", **target}),
    ):
        status, answer = await ask_admin(running.settings, method, path, content)
        if status != 200:
            raise RuntimeError(f"{path}: {answer}")


async def _seats(running: Running, port: int) -> list[dict[str, str]]:
    """Everybody signs in and has a desktop that is ready."""
    seats = []
    for number in range(PEOPLE):
        await _offer(running, number, _tcp(port))
        async with Person(running.url, _uid(number), _PASSWORD) as someone:
            await someone.log_in()
            session = await desktop(someone, "bench")
            seats.append({"session": session["id"], "cookie": cookie_of(someone), "csrf": someone.csrf})
    return seats


def _tcp(port: int | None) -> dict[str, object]:
    return {"address_kind": "tcp", "host": "127.0.0.1", "port": port, "security": ["none"]}


def set_ups(setting: Setting, database: str) -> list[Row]:
    """Rate, cost and time of a set-up with everything, on "SQLite" or "PostgreSQL"."""
    ours: list[float] = []
    theirs: list[dict[str, float]] = []
    cost: list[float] = []
    slow: list[float] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kkbench")))
        folder.chmod(0o755)  # PostgreSQL runs as somebody else
        url = f"sqlite:///{folder / 'kakehashi.db'}"
        if database == "PostgreSQL":
            place = folder / "postgres"
            place.mkdir()
            server = stack.enter_context(run_postgres(place))
            server.sql("create database bench")
            url = server.url("bench")
        target = stack.enter_context(program("bench.replay_target", "idle", str(setting.recording)))
        slapd = stack.enter_context(directory(folder))
        (folder / "gateway").mkdir()
        running = stack.enter_context(gateway(folder / "gateway", slapd, url))
        seats = folder / "seats.json"
        seats.write_text(json.dumps(asyncio.run(_seats(running, int(line_of(target))))))
        for _ in range(setting.rounds):
            before = running.cpu_seconds()
            with program("bench.setup_load", running.url, str(setting.seconds), str(seats)) as load_of_people:
                result = json.loads(line_of(load_of_people))
            if result["failures"]:
                raise RuntimeError(f"{result['failures']} set-ups failed: {result['first']}")
            ours.append(result["done"] / setting.seconds)
            cost.append((running.cpu_seconds() - before) * 1000 / max(1, result["done"]))
            slow.append(result["p95_us"] / 1000)
            theirs.append(measured(setting, SCENARIOS[-1], PEER, secure=True))
    name = f"set-ups with ticket, policy and audit, {database}, TLS"
    goal = Goal(3, ratio=True, at_least=True)
    return [
        Row(name, "/s", ours, [bare["per_second"] for bare in theirs], goal, "websockify: bare"),
        Row(f"{name}: CPU of each", "CPU-ms", cost, [bare["cpu_ms_each"] for bare in theirs]),
        Row(f"{name}: p95 of {PEOPLE} at a time", "ms", slow),
    ]


def first_picture(setting: Setting) -> list[Row]:
    """From asking for a ticket to a whole picture of a TigerVNC desktop that runs, 1280x800, over TLS; p95."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kkbench")))
        slapd = stack.enter_context(directory(folder))
        display = stack.enter_context(run_xvnc(folder / "x", tcp=True, geometry="1280x800"))
        display.start("xsetroot", "-mod", "7", "11", "-fg", "#336699", "-bg", "#ddeeff")
        (folder / "gateway").mkdir()
        running = stack.enter_context(gateway(folder / "gateway", slapd, f"sqlite:///{folder / 'kakehashi.db'}"))
        times = asyncio.run(_pictures(running, display.port, PICTURES // 3 if setting.quick else PICTURES))
    worst = sorted(times)[min(len(times) - 1, int(len(times) * 0.95))]
    return [Row("click to first picture, warm desktop, TLS, p95", "s", [worst], (), Goal(1.0), f"{len(times)} times")]


async def _pictures(running: Running, port: int | None, count: int) -> list[float]:
    times = []
    async with Person(running.url, _uid(0), _PASSWORD) as someone:
        await _offer(running, 0, _tcp(port))
        await someone.log_in()
        session = await desktop(someone, "bench")
        for _ in range(count):
            start = time.perf_counter()
            given = await ticket(someone, session["id"])
            async with viewer(someone, session["id"], given) as opened:
                await opened.start()
                await opened.full()
                times.append(time.perf_counter() - start)
    return times
