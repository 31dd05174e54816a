"""`kakehashi bcp …`: declarations from a terminal, for when no browser is at hand.

Administrators have no part in it: whoever uses this signs in as themselves, with password and one-time code, over the
same API as the console.
"""

import asyncio
import getpass
import json
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import typer

from common.clock import TOKYO, SystemClock
from common.errors import KakehashiError
from gateway.cli.common import fail, refusal_text, run, say

bcp = typer.Typer(help="Emergencies: declare, approve, extend, narrow, lift, drill.", no_args_is_help=True)

UrlOption = Annotated[str, typer.Option("--url", help="Address of the gateway's pages.")]
UserOption = Annotated[str, typer.Option("--user", "-u", help="Your user name.")]
CaOption = Annotated[Path | None, typer.Option("--ca", help="PEM file of the CA of the gateway's certificate.")]
_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


class Visit:
    """A signed-in person's requests."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        self._url = url
        self._token = ""

    async def call(self, method: str, path: str, content: object = None) -> Any:
        """A request under /api/v1. Raises KakehashiError with the gateway's own words."""
        headers = {"Origin": self._url, "X-CSRF-Token": self._token}
        try:
            async with self._client.request(
                method, f"{self._url}/api/v1{path}", json=content, headers=headers
            ) as response:
                text = await response.text()
        except aiohttp.ClientError as error:
            raise KakehashiError(f"{self._url} does not answer: {error}") from error
        if response.status >= 400:
            raise KakehashiError(refusal_text(response.status, text))
        return json.loads(text) if text else None

    async def sign_in(self, user: str, password: str, code: Callable[[], str]) -> None:
        """Password, then the one-time code."""
        state = await self.call("POST", "/login", {"username": user, "password": password})
        if state["step"] == "totp":
            state = await self.call("POST", "/login/totp", {"code": code()})
        if state["step"] != "done":
            error = state["error"]
            raise KakehashiError(error["text_en"] if error else f"sign in with a browser first ({state['step']})")
        self._token = (await self.call("GET", "/me"))["csrf_token"]


@asynccontextmanager
async def _visit(url: str, user: str, ca: Path | None) -> AsyncIterator[Visit]:
    trust = ssl.create_default_context(cafile=str(ca) if ca else None)
    jar = aiohttp.CookieJar(unsafe=True)  # an address instead of a name is fine; the certificate is checked
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, timeout=_TIMEOUT) as client:
        visit = Visit(client, url.rstrip("/"))
        password = await asyncio.to_thread(getpass.getpass, "Password: ")
        await visit.sign_in(user, password, lambda: getpass.getpass("One-time code: "))
        try:
            yield visit
        finally:
            await visit.call("POST", "/logout")


def _do(url: str, user: str, ca: Path | None, work: Callable[[Visit], Coroutine[Any, Any, None]]) -> None:
    async def visit_and_work() -> None:
        async with _visit(url, user, ca) as visit:
            await work(visit)

    run(visit_and_work())


@bcp.command("status")
def status(url: UrlOption, user: UserOption, ca: CaOption = None) -> None:
    """What is declared, what waits for a second person."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", "/bcp/status")
        for title, items in (("active", found["active"]), ("waiting", found["waiting"])):
            say(f"{title}: {len(items)}")
            for one in items:
                say(_line(one))
        say(f"people at work: {found['people_working']}")

    _do(url, user, ca, work)


@bcp.command("whatif")
def whatif(
    plan: Annotated[str, typer.Argument(help="Plan.")],
    url: UrlOption,
    user: UserOption,
    level: Annotated[str, typer.Option(help="first or second.")] = "first",
    scope: Annotated[str, typer.Option(help="tenant, or kind:id,id such as department:総務課.")] = "tenant",
    ca: CaOption = None,
) -> None:
    """The effect of a declaration, before anybody signs."""
    proposal = _proposal(plan, level, scope, "other", "what-if", None)

    async def work(visit: Visit) -> None:
        _effect(await visit.call("POST", "/bcp/what-if", proposal))

    _do(url, user, ca, work)


@bcp.command("declare")
def declare(
    plan: Annotated[str, typer.Argument(help="Plan.")],
    url: UrlOption,
    user: UserOption,
    reason: Annotated[str, typer.Option(help="Why, in your own words.")],
    cause: Annotated[
        str, typer.Option(help="earthquake, storm_flood, heavy_snow, infection, outage or other.")
    ] = "other",
    level: Annotated[str, typer.Option(help="alert, first or second.")] = "first",
    scope: Annotated[str, typer.Option(help="tenant, or kind:id,id such as site:honcho.")] = "tenant",
    hours: Annotated[int | None, typer.Option(min=1, max=336, help="For how long; default 72.")] = None,
    absent: Annotated[bool, typer.Option("--absent", help="Higher-ranked officials cannot be reached.")] = False,
    break_glass: Annotated[bool, typer.Option("--break-glass", help="Alone, level 1, four hours, one scope.")] = False,
    ca: CaOption = None,
) -> None:
    """Show the effect, ask, and give the first signature."""
    proposal = _proposal(plan, level, scope, cause, reason, hours) | {"absent": absent, "break_glass": break_glass}
    _do(url, user, ca, lambda visit: _sign(visit, proposal))


@bcp.command("drill")
def drill(
    plan: Annotated[str, typer.Argument(help="Plan that has a drill.")],
    url: UrlOption,
    user: UserOption,
    reason: Annotated[str, typer.Option(help="What is practised.")],
    level: Annotated[str, typer.Option(help="first or second.")] = "first",
    scope: Annotated[str, typer.Option(help="tenant, or kind:id,id.")] = "tenant",
    hours: Annotated[int, typer.Option(min=1, max=8, help="For how long.")] = 2,
    absent: Annotated[int, typer.Option(min=0, max=90, help="Percent of the staff who play absent.")] = 0,
    directory_off: Annotated[bool, typer.Option("--directory-off", help="Note who could sign in without it.")] = False,
    site_down: Annotated[list[str] | None, typer.Option(help="Site that is down; may be repeated.")] = None,
    half_capacity: Annotated[bool, typer.Option("--half-capacity", help="Only half the drill's seats.")] = False,
    ca: CaOption = None,
) -> None:
    """Start a drill: one person, at most eight hours; a real declaration ends it at once."""
    injects = {
        "absent_percent": absent,
        "directory_off": directory_off,
        "sites_down": site_down or [],
        "half_capacity": half_capacity,
    }
    proposal = _proposal(plan, level, scope, "other", reason, hours) | {"drill": True, "injects": injects}
    _do(url, user, ca, lambda visit: _sign(visit, proposal))


async def _sign(visit: Visit, proposal: dict[str, Any]) -> None:
    effect = await visit.call("POST", "/bcp/what-if", proposal)
    _effect(effect)
    await _sure("Sign this?")
    found = await visit.call("POST", "/bcp/declarations", {"proposal": proposal, "seen_diff": effect["digest"]})
    say(_line(found))


@bcp.command("approve")
def approve(
    declaration: Annotated[str, typer.Argument(help="Id, as `status` shows it.")],
    url: UrlOption,
    user: UserOption,
    absent: Annotated[bool, typer.Option("--absent", help="Higher-ranked officials cannot be reached.")] = False,
    ca: CaOption = None,
) -> None:
    """The second signature: under a proposal, a later end or a break-glass, whichever waits."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/declarations/{declaration}")
        step = next((step for step in ("approve", "extend_approve", "ratify") if step in found["may"]), None)
        if step is None:
            raise KakehashiError(f"{declaration} waits for no signature of yours ({found['state']})")
        say(_line(found))
        wanted = found["pending"]["digest"] if step == "extend_approve" else found["digest"]
        effect = await visit.call("POST", "/bcp/what-if", _proposal_of(found))
        _effect(effect)
        await _sure("Sign this?")
        path = f"/bcp/declarations/{declaration}/{step.replace('_', '/')}"
        signed = {"digest": wanted, "seen_diff": effect["digest"], "absent": absent}
        say(_line(await visit.call("POST", path, signed)))

    _do(url, user, ca, work)


@bcp.command("extend")
def extend(
    declaration: Annotated[str, typer.Argument(help="Id.")],
    hours: Annotated[int, typer.Argument(min=1, max=336, help="Hours from now.")],
    url: UrlOption,
    user: UserOption,
    ca: CaOption = None,
) -> None:
    """Propose a later end; a second person approves."""
    end = (SystemClock().now() + timedelta(hours=hours)).isoformat()

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/declarations/{declaration}")
        say(_line(found))
        effect = await visit.call("POST", "/bcp/what-if", _proposal_of(found, end))
        _effect(effect)
        await _sure(f"Sign the later end, {hours} hours from now?")
        signed = {"ends_at": end, "seen_diff": effect["digest"]}
        say(_line(await visit.call("POST", f"/bcp/declarations/{declaration}/extend", signed)))

    _do(url, user, ca, work)


@bcp.command("lift")
def lift(
    declaration: Annotated[str, typer.Argument(help="Id.")],
    url: UrlOption,
    user: UserOption,
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    ca: CaOption = None,
) -> None:
    """End it now: one person, at once."""

    async def work(visit: Visit) -> None:
        say(_line(await visit.call("POST", f"/bcp/declarations/{declaration}/lift", {"text": note})))

    _do(url, user, ca, work)


@bcp.command("score")
def score(
    declaration: Annotated[str, typer.Argument(help="Id, as `status` shows it.")],
    url: UrlOption,
    user: UserOption,
    ca: CaOption = None,
) -> None:
    """How well a drill or a declaration went so far."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/declarations/{declaration}/score")
        seconds = found["seconds_to_declare"]
        alone = " (one signature)" if found["alone"] else ""
        say(f"from proposal to effect: {'-' if seconds is None else f'{seconds} s'}{alone}")
        say(f"P0 and P1 staff at work within the hour: {found['p1_within_hour']} of {found['p1_roster']}")
        say(f"refused: {found['refused']} ({found['refused_people']} people), preempted: {found['preempted']}")
        say(f"playing absent: {found['absent']}")
        say(f"log-ins without the directory: {found['rehearsed']}, of which would fail: {found['rehearsed_failed']}")
        for duty in found["duties"]:
            say(
                f"  {duty['name_ja']} ({duty['id']}): {duty['within_hour']} of {duty['roster']} within the hour, "
                f"absent {duty['absent']}, refused {duty['refused']}, preempted {duty['preempted']}"
            )

    _do(url, user, ca, work)


def _proposal(plan: str, level: str, scope: str, cause: str, reason: str, hours: int | None) -> dict[str, Any]:
    kind, _, ids = scope.partition(":")
    end = (SystemClock().now() + timedelta(hours=hours)).isoformat() if hours else None
    held = {"kind": kind, "ids": [one for one in ids.split(",") if one]}
    return {"scope": held, "level": level, "plan_id": plan, "cause": cause, "reason": reason, "ends_at": end}


def _proposal_of(found: dict[str, Any], end: str | None = None) -> dict[str, Any]:
    """The proposal that a declaration came from, to ask for its effect before the next signature."""
    wanted = end or (found["pending"] or {}).get("ends_at") or found["planned_end"] or found["ends_at"]
    same = {key: found[key] for key in ("level", "cause", "reason", "drill", "break_glass")}
    held = {"kind": found["scope"]["kind"], "ids": found["scope"]["ids"]}
    injects = found["injects"] or {}
    if injects:
        injects = injects | {"sites_down": [site["id"] for site in injects["sites_down"]]}
    return same | {"scope": held, "plan_id": found["plan"]["id"], "ends_at": wanted, "injects": injects}


async def _sure(question: str) -> None:
    if not await asyncio.to_thread(typer.confirm, question):
        fail("nothing was signed")


def _effect(found: dict[str, Any]) -> None:
    say(f"{found['gain_people']} of {found['base_people']} people gain something:")
    for gain in found["gains"]:
        say(f"  {gain['name_ja']} ({gain['pool_id']}): {gain['people']}")
    say(f"expected when {found['at_once_percent']} % of them come at once:")
    for pool in found["capacity"]:
        say(f"  {_fit(pool)} seats of {pool['name_ja']} ({pool['pool_id']})")
    for line in found["lines"]:
        say(f"  {_fit(line)} sessions over the line of {line['name_ja']}, busiest {line['peak_mbps']:g} Mbps")
    for pool_id in found["unplaced"]:
        say(f"  no line known for {pool_id}")
    say(f"  {_fit(found['gateway'])} sessions of the gateway, load now {found['gateway']['load_percent']} %")
    for kept in found["forbidden"]:
        say(f"  stays closed by {kept['rule_id']}: {kept['text_ja']} / {kept['text_en']}")
    told = found["told"]
    say(f"told: {told['people']} people ({told['with_address']} by mail or message), {told['officials']} officials")


def _fit(one: dict[str, Any]) -> str:
    mark = f" ({one['short']} too many)" if one["short"] else ""
    return f"{'!' if one['short'] else ' '} {one['forecast']} of {one['total']}{mark}"


def _line(one: dict[str, Any]) -> str:
    end = datetime.fromisoformat(one["ends_at"]).astimezone(TOKYO)
    drill = "【訓練】" if one["drill"] else ""
    names = ", ".join(f"{signed['person']} ({signed['role']})" for signed in one["signatures"])
    what = "  ".join(
        (one["id"], drill + one["level_ja"], one["plan"]["name_ja"], one["scope"]["text_ja"], one["state"])
    )
    return f"  {what}  until {end:%Y-%m-%d %H:%M}  {names}"
