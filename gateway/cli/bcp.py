"""`kakehashi bcp …`: declarations from a terminal, for when no browser is at hand.

Administrators have no part in it: whoever uses this signs in as themselves, with password and one-time code, over the
same API as the console. What is asked goes to standard error, so that `--json` leaves pure JSON on standard output.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from common.clock import TOKYO, SystemClock
from common.errors import KakehashiError
from gateway.cli import bcp_records
from gateway.cli.common import say, table
from gateway.cli.visit import CaOption, JsonOption, UrlOption, UserOption, Visit, as_person, ask, show_json

bcp = typer.Typer(help="Emergencies: declare, approve, extend, narrow, lift, drill, report.", no_args_is_help=True)
bcp.add_typer(bcp_records.report, name="report")

PlanArgument = Annotated[str, typer.Argument(help="Plan.")]
DeclarationArgument = Annotated[str, typer.Argument(help="Id of the declaration, as `status` shows it.")]
ScopeOption = Annotated[str, typer.Option(help="tenant, or kind:id,id such as site:honcho or department:総務課.")]
AbsentOption = Annotated[bool, typer.Option("--absent", help="Higher-ranked officials cannot be reached.")]

NamesOption = Annotated[bool, typer.Option("--names", help="Also the name of everybody who gains, by pool.")]


@bcp.command("status")
def status(url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False) -> None:
    """What is declared, what waits for a second person, how full the pools are."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", "/bcp/status")
        if json:
            show_json(found)
            return
        for title in ("active", "waiting"):
            say(f"{title}: {len(found[title])}")
            _table(found[title])
        say(f"people at work: {found['people_working']}")
        table(found["pools"], ("pool_id", "name_ja", "used", "total", "queued"))

    as_person(url, user, ca, work)


@bcp.command("whatif")
def whatif(
    plan: PlanArgument,
    url: UrlOption,
    user: UserOption,
    level: Annotated[str, typer.Option(help="first or second.")] = "first",
    scope: ScopeOption = "tenant",
    names: NamesOption = False,
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """The effect of a declaration, before anybody signs."""
    proposal = _proposal(plan, level, scope, "other", "what-if", None)

    async def work(visit: Visit) -> None:
        found = await visit.call("POST", "/bcp/what-if", proposal | {"all_names": names})
        if json:
            show_json(found)
        else:
            say_effect(found, names=names)

    as_person(url, user, ca, work)


@bcp.command("declare")
def declare(
    plan: PlanArgument,
    url: UrlOption,
    user: UserOption,
    reason: Annotated[str, typer.Option(help="Why, in your own words.")],
    cause: Annotated[
        str, typer.Option(help="earthquake, storm_flood, heavy_snow, infection, outage or other.")
    ] = "other",
    level: Annotated[str, typer.Option(help="alert, first or second.")] = "first",
    scope: ScopeOption = "tenant",
    hours: Annotated[int | None, typer.Option(min=1, max=336, help="For how long; default 72.")] = None,
    absent: AbsentOption = False,
    break_glass: Annotated[bool, typer.Option("--break-glass", help="Alone, level 1, four hours, one scope.")] = False,
    names: NamesOption = False,
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """Show the effect, ask, and give the first signature."""
    proposal = _proposal(plan, level, scope, cause, reason, hours) | {"absent": absent, "break_glass": break_glass}
    as_person(url, user, ca, lambda visit: _sign(visit, proposal, names=names, json=json))


@bcp.command("drill")
def drill(
    plan: Annotated[str, typer.Argument(help="Plan that has a drill.")],
    url: UrlOption,
    user: UserOption,
    reason: Annotated[str, typer.Option(help="What is practised.")],
    level: Annotated[str, typer.Option(help="first or second.")] = "first",
    scope: ScopeOption = "tenant",
    hours: Annotated[int, typer.Option(min=1, max=8, help="For how long.")] = 2,
    absent: Annotated[int, typer.Option(min=0, max=90, help="Percent of the staff who play absent.")] = 0,
    directory_off: Annotated[bool, typer.Option("--directory-off", help="Note who could sign in without it.")] = False,
    site_down: Annotated[list[str] | None, typer.Option(help="Site that is down; may be repeated.")] = None,
    half_capacity: Annotated[bool, typer.Option("--half-capacity", help="Only half the drill's seats.")] = False,
    names: NamesOption = False,
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """Start a drill: one person, at most eight hours; a real declaration ends it at once."""
    injects = {
        "absent_percent": absent,
        "directory_off": directory_off,
        "sites_down": site_down or [],
        "half_capacity": half_capacity,
    }
    proposal = _proposal(plan, level, scope, "other", reason, hours) | {"drill": True, "injects": injects}
    as_person(url, user, ca, lambda visit: _sign(visit, proposal, names=names, json=json))


async def _sign(visit: Visit, proposal: dict[str, Any], *, names: bool, json: bool) -> None:
    effect = await visit.call("POST", "/bcp/what-if", proposal | {"all_names": names})
    say_effect(effect, names=names, err=json)
    await ask()
    found = await visit.call("POST", "/bcp/declarations", {"proposal": proposal, "seen_diff": effect["digest"]})
    _done(found, json=json)


@bcp.command("approve")
def approve(
    declaration: DeclarationArgument,
    url: UrlOption,
    user: UserOption,
    absent: AbsentOption = False,
    names: NamesOption = False,
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """The second signature: under a proposal, a later end or a break-glass, whichever waits. Shows the effect first."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/declarations/{declaration}")
        step = next((step for step in ("approve", "extend_approve", "ratify") if step in found["may"]), None)
        if step is None:
            raise KakehashiError(f"{declaration} waits for no signature of yours ({found['state']})")
        pending = found["pending"] if step == "extend_approve" else None
        effect = await visit.call("POST", f"/bcp/declarations/{declaration}/what-if", {"all_names": names})
        say(_line(found), err=json)
        if pending:
            say(f"  new end: {_time(pending['ends_at'])}", err=json)
        say_effect(effect, names=names, err=json)
        await ask()
        content = {"digest": (pending or found)["digest"], "seen_diff": effect["digest"], "absent": absent}
        path = f"/bcp/declarations/{declaration}/{step.replace('_', '/')}"
        _done(await visit.call("POST", path, content), json=json)

    as_person(url, user, ca, work)


@bcp.command("reject")
def reject(
    declaration: DeclarationArgument,
    url: UrlOption,
    user: UserOption,
    note: Annotated[str, typer.Option(help="Why, for whoever proposed it.")],
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """Turn a proposal down, or a later end that waits: nothing changes. Shows a later end first."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/declarations/{declaration}")
        content = {"text": note}
        if pending := found["pending"]:
            say(_line(found), err=json)
            say(f"  new end: {_time(pending['ends_at'])}, proposed by {pending['person']}", err=json)
            await ask("Reject the later end?", "nothing was rejected")
            content["digest"] = pending["digest"]
        _done(await visit.call("POST", f"/bcp/declarations/{declaration}/reject", content), json=json)

    as_person(url, user, ca, work)


@bcp.command("extend")
def extend(
    declaration: DeclarationArgument,
    hours: Annotated[int, typer.Argument(min=1, max=336, help="Hours from now.")],
    url: UrlOption,
    user: UserOption,
    absent: AbsentOption = False,
    names: NamesOption = False,
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """Propose a later end, with the first signature; a second person approves."""
    end = _in_hours(hours)

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/declarations/{declaration}")
        question = {"ends_at": end, "all_names": names}
        effect = await visit.call("POST", f"/bcp/declarations/{declaration}/what-if", question)
        say(_line(found), err=json)
        say_effect(effect, names=names, err=json)
        await ask(f"Sign the later end, {hours} hours from now?")
        content = {"ends_at": end, "seen_diff": effect["digest"], "absent": absent}
        _done(await visit.call("POST", f"/bcp/declarations/{declaration}/extend", content), json=json)

    as_person(url, user, ca, work)


@bcp.command("narrow")
def narrow(
    declaration: DeclarationArgument,
    url: UrlOption,
    user: UserOption,
    level: Annotated[str | None, typer.Option(help="Lower level: first, alert or recovery.")] = None,
    scope: Annotated[str | None, typer.Option(help="Part of the scope that stays: kind:id,id.")] = None,
    hours: Annotated[int | None, typer.Option(min=1, max=336, help="Earlier end, in hours from now.")] = None,
    block: Annotated[list[str] | None, typer.Option(help="User name to leave out; may be given again.")] = None,
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """Less of it, at once: one person. At least one of the options says what."""
    content: dict[str, Any] = {"block": block or []}
    if level:
        content["level"] = level
    if scope:
        content["scope"] = _scope(scope)
    if hours:
        content["ends_at"] = _in_hours(hours)
    if content == {"block": []}:
        raise typer.BadParameter("say what to narrow: --level, --scope, --hours or --block")
    _step(url, user, ca, f"/bcp/declarations/{declaration}/narrow", content, json=json)


@bcp.command("lift")
def lift(
    declaration: DeclarationArgument,
    url: UrlOption,
    user: UserOption,
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """End it now: one person, at once. Ends a drill as well."""
    _step(url, user, ca, f"/bcp/declarations/{declaration}/lift", {"text": note}, json=json)


bcp.command("reach")(bcp_records.reach)
bcp.command("score")(bcp_records.score)
bcp.command("drills")(bcp_records.drills)


def _step(url: str, user: str, ca: CaOption, path: str, content: dict[str, Any], *, json: bool) -> None:
    async def work(visit: Visit) -> None:
        _done(await visit.call("POST", path, content), json=json)

    as_person(url, user, ca, work)


def _proposal(plan: str, level: str, scope: str, cause: str, reason: str, hours: int | None) -> dict[str, Any]:
    end = _in_hours(hours) if hours else None
    return {
        "scope": _scope(scope),
        "level": level,
        "plan_id": plan,
        "cause": cause,
        "reason": reason,
        "ends_at": end,
    }


def _scope(text: str) -> dict[str, Any]:
    kind, _, ids = text.partition(":")
    return {"kind": kind, "ids": [one for one in ids.split(",") if one]}


def _in_hours(hours: int) -> str:
    return (SystemClock().now() + timedelta(hours=hours)).isoformat()


def say_effect(found: dict[str, Any], *, names: bool = False, err: bool = False) -> None:
    """The effect of a proposal, line by line."""
    say(f"{found['gain_people']} of {found['base_people']} people gain something ({found['gain_now']} now):", err=err)
    for gain in found["gains"]:
        say(f"  {gain['name_ja']} ({gain['pool_id']}): {gain['people']}{_when(gain)}", err=err)
        for person in gain["named"] if names else ():
            say(f"    {person['display_name']} ({person['username']}, {person['department'] or '-'})", err=err)
        if names and gain["more"]:
            say(f"    and {gain['more']} more", err=err)
    places = ", ".join(place["name_ja"] for place in found["tried_places"])
    tried = f"at any time from {_time(found['tried_from'])} to {_time(found['tried_until'])}"
    say(f"counted: who gains {tried}, from any of: {places}", err=err)
    say(f"expected when {found['at_once_percent']} % of them come at once:", err=err)
    for pool in found["capacity"]:
        say(f"  {_fit(pool)} seats of {pool['name_ja']} ({pool['pool_id']})", err=err)
    for line in found["lines"]:
        busiest = f"busiest {line['peak_mbps']:g} Mbps"
        say(f"  {_fit(line)} sessions over the line of {line['name_ja']}, {busiest}", err=err)
    for pool_id in found["unplaced"]:
        say(f"  no line known for {pool_id}", err=err)
    gateway = found["gateway"]
    say(f"  {_fit(gateway)} sessions of the gateway, load now {gateway['load_percent']} %", err=err)
    for kept in found["forbidden"]:
        say(f"  stays closed by {kept['rule_id']}: {kept['text_ja']} / {kept['text_en']}", err=err)
    told = found["told"]
    by_mail = f"{told['with_address']} by mail or message"
    say(f"told: {told['people']} people ({by_mail}), {told['officials']} officials", err=err)


def _when(gain: dict[str, Any]) -> str:
    """From when and from where people gain a pool."""
    parts = [f"{gain['now']} now"]
    if gain["later_at"]:
        parts.append(f"{'others' if gain['now'] else 'the first'} from {_time(gain['later_at'])}")
    if gain["used_up"]:
        parts.append(f"{gain['used_up']} only once their days of the week are used up")
    if gain["places"] is not None:
        parts.append(f"only from {', '.join(place['name_ja'] for place in gain['places'])}")
    return f" ({'; '.join(parts)})"


def _fit(one: dict[str, Any]) -> str:
    mark = f" ({one['short']} too many)" if one["short"] else ""
    return f"{'!' if one['short'] else ' '} {one['forecast']} of {one['total']}{mark}"


def _done(found: dict[str, Any], *, json: bool) -> None:
    if json:
        show_json(found)
    else:
        say(_line(found))


def _line(one: dict[str, Any]) -> str:
    names = ", ".join(f"{signed['person']} ({signed['role']})" for signed in one["signatures"])
    what = "  ".join((one["id"], _level(one), one["plan"]["name_ja"], one["scope"]["text_ja"], one["state"]))
    return f"  {what}  until {_time(one['ends_at'])}  {names}"


def _table(items: list[dict[str, Any]]) -> None:
    rows = [
        {
            "id": one["id"],
            "level": _level(one),
            "scope": one["scope"]["text_ja"],
            "state": one["state"],
            "until": _time(one["ends_at"]),
            "signed": ", ".join(f"{signed['person']} ({signed['role']})" for signed in one["signatures"]),
        }
        for one in items
    ]
    if rows:
        table(rows, tuple(rows[0]))


def _level(one: dict[str, Any]) -> str:
    return f"{'【訓練】' if one['drill'] else ''}{one['level_ja']}"


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(TOKYO):%Y-%m-%d %H:%M}"
