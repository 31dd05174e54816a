"""`kakehashi bcp report|reach|drills`: what happened, who was reached, which drills are owed."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from common.clock import TOKYO
from common.errors import KakehashiError
from gateway.cli.common import say, table
from gateway.cli.visit import CaOption, JsonOption, UrlOption, UserOption, Visit, as_person, show_json

report = typer.Typer(help="After-action reports: list, show, get, make.", no_args_is_help=True)

ReportArgument = Annotated[str, typer.Argument(help="Id of the report, as `report list` shows it.")]
DeclarationArgument = Annotated[str, typer.Argument(help="Id of the declaration.")]


@report.command("list")
def list_reports(url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False) -> None:
    """All reports, newest first."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", "/bcp/reports")
        if json:
            show_json(found)
        else:
            table([_row(head) for head in found["items"]], ("id", "about", "edition", "made", "by", "sha256"))

    as_person(url, user, ca, work)


@report.command("show")
def show_report(
    report_id: ReportArgument, url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False
) -> None:
    """What a report covers, compared with its hash; how fast it went; what is left to do."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/reports/{report_id}")
        if json:
            show_json(found)
        else:
            _detail(found)

    as_person(url, user, ca, work)


@report.command("get")
def get_report(
    report_id: ReportArgument,
    file: Annotated[Path, typer.Argument(help="Where to save it; must end in .pdf or .csv and not exist yet.")],
    url: UrlOption,
    user: UserOption,
    ca: CaOption = None,
) -> None:
    """Save a report as PDF (to print) or CSV (all its events)."""
    form = file.suffix.lower().removeprefix(".")
    if form not in ("pdf", "csv"):
        raise typer.BadParameter("the file's name must end in .pdf or .csv")
    if file.exists():
        raise typer.BadParameter(f"{file} is there already")

    async def work(visit: Visit) -> None:
        content = await visit.fetch(f"/bcp/reports/{report_id}/{form}")
        try:
            with file.open("xb") as target:
                target.write(content)
        except OSError as error:
            raise KakehashiError(f"{file} cannot be written: {error.strerror}") from error
        say(f"{file}: {len(content)} bytes")

    as_person(url, user, ca, work)


@report.command("make")
def make_report(
    declaration: DeclarationArgument, url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False
) -> None:
    """Freeze a report of what is known now; one is made by itself an hour after the end."""

    async def work(visit: Visit) -> None:
        made = await visit.call("POST", f"/bcp/declarations/{declaration}/report", {})
        if json:
            show_json(made)
        else:
            table([_row(made)], ("id", "about", "edition", "made", "by", "sha256"))

    as_person(url, user, ca, work)


def reach(
    declaration: DeclarationArgument,
    url: UrlOption,
    user: UserOption,
    names: Annotated[bool, typer.Option("--names", help="Also whom to telephone, the most urgent first.")] = False,
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """Who was reached, has read it, can work, is working: by class."""

    async def work(visit: Visit) -> None:
        path = f"/bcp/declarations/{declaration}/reach"
        found = await visit.call("GET", path)
        lists = await visit.call("GET", f"{path}/people") if names else None
        if json:
            show_json(found | {"people": lists} if lists else found)
            return
        classes = [{"class": one["priority"] or "-", **one["tally"]} for one in found["classes"]]
        columns = ("class", "people", "not_reached", "read", "silent", "working", "can", "partly", "cannot")
        table([*classes, {"class": "all", **found["total"]}], columns)
        for title, people in (lists or {}).items():
            say(f"\n{title}: {len(people['items']) + people['more']}")
            rows = [_person(person) for person in people["items"]]
            if rows:
                table(rows, tuple(rows[0]))

    as_person(url, user, ca, work)


def score(
    declaration: DeclarationArgument, url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False
) -> None:
    """How well a drill or a declaration went so far."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/declarations/{declaration}/score")
        if json:
            show_json(found)
            return
        seconds = found["seconds_to_declare"]
        alone = " (one signature)" if found["alone"] else ""
        say(f"from proposal to effect: {'-' if seconds is None else f'{seconds} s'}{alone}")
        say(f"P0 and P1 staff at work within the hour: {found['p1_within_hour']} of {found['p1_roster']}")
        say(f"refused: {found['refused']} ({found['refused_people']} people), preempted: {found['preempted']}")
        say(f"playing absent: {found['absent']}")
        say(f"log-ins without the directory: {found['rehearsed']}, of which would fail: {found['rehearsed_failed']}")
        columns = ("id", "name_ja", "roster", "absent", "within_hour", "refused", "preempted")
        if found["duties"]:
            table(found["duties"], columns)

    as_person(url, user, ca, work)


def drills(url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False) -> None:
    """Drills held and owed in this fiscal year and the one before. Ends with 3 when one is overdue."""
    overdue = False

    async def work(visit: Visit) -> None:
        nonlocal overdue
        found = await visit.call("GET", "/bcp/drills")
        overdue = found["overdue"]
        if json:
            show_json(found)
            return
        rows = [
            {
                "year": year["name_en"],
                "half": half["name_ja"],
                "state": half["state"],
                "due": half["last"],
                "held": " ".join(f"{drill['day']} ({drill['declaration_id']})" for drill in half["drills"]) or "-",
            }
            for year in found["years"]
            for half in year["halves"]
        ]
        table(rows, tuple(rows[0]))

    as_person(url, user, ca, work)
    if overdue:
        raise typer.Exit(3)


def _row(head: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": head["id"],
        "about": _about(head),
        "edition": head["edition"],
        "made": _time(head["made_at"]),
        "by": head["made_by"],
        "sha256": head["sha256"][:16],
    }


def _about(head: dict[str, Any]) -> str:
    about = head["about"]
    if about is None:
        return str(head["declaration_id"])
    return f"{'【訓練】' if about['drill'] else ''}{about['level_ja']} {about['scope']['text_ja']}"


def _detail(found: dict[str, Any]) -> None:
    head, score = found["head"], found["score"]
    seconds = score["seconds_to_declare"]
    say(f"{head['id']}  {_about(head)}  edition {head['edition']}")
    say(f"made {_time(head['made_at'])} by {head['made_by']}; {'final' if found['final'] else 'not final'}")
    say(f"sha256 {head['sha256']} (checked)")
    say(f"from {_time(found['window_from'])} to {_time(found['window_to'])}: {found['events']} events")
    say(f"people {found['people']}, sessions {found['sessions']}, refused {found['refused']}")
    say(f"proposal to effect: {'-' if seconds is None else f'{seconds} s'}")
    say(f"P0 and P1 people at work within 1 h: {score['p1_within_hour']} of {score['p1_roster']}")
    for left in found["follow_ups"]:
        say(f"  {left['count']}  {left['text_ja']} ({left['code']})")


def _person(person: dict[str, Any]) -> dict[str, Any]:
    return {
        "class": person["priority"] or "-",
        "name": person["name"],
        "section": person["department_ja"],
        "duty": person["duty"]["name_ja"] if person["duty"] else "-",
        "standing": person["standing"],
        "answer": person["ability"] or "-",
        "note": person["note"] or "-",
    }


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(TOKYO):%Y-%m-%d %H:%M}"
