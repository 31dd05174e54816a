"""`kakehashi bcp plan …`: versions of plans from a terminal, over the same API and with the same two persons."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.bcp import say_effect
from gateway.cli.common import fail, say
from gateway.cli.visit import CaOption, JsonOption, UrlOption, UserOption, Visit, as_person, ask, show_json

plan = typer.Typer(help="Versions of plans: list, show, check, export, propose, adopt, reject.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(help="Plan and version, as `list` shows them: quake.3.")]
FileArgument = Annotated[Path, typer.Argument(help="A plan file (YAML) with one plan.", exists=True, dir_okay=False)]


@plan.command("list")
def list_versions(url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False) -> None:
    """Every version of every plan, and what is wrong with plans that cannot be used."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", "/bcp/plan-versions")
        if json:
            show_json(found)
            return
        for version in found["items"]:
            say(_line(version))
        _say_problems(found["problems"])

    as_person(url, user, ca, work)


@plan.command("show")
def show(version: IdArgument, url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False) -> None:
    """One version: who signed it and why, and its text."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/plan-versions/{version}")
        if json:
            show_json(found)
            return
        say(_line(found["version"]))
        say(f"why: {found['version']['note'] or '-'}")
        say(f"digest: {found['version']['digest']}")
        say(found["text"])

    as_person(url, user, ca, work)


@plan.command("export")
def export(
    version: IdArgument,
    file: Annotated[Path, typer.Argument(help="File to write; it must not exist.")],
    url: UrlOption,
    user: UserOption,
    ca: CaOption = None,
) -> None:
    """Write one version as a plan file."""
    if file.exists():
        fail(f"{file} exists already")

    async def work(visit: Visit) -> None:
        text = (await visit.call("GET", f"/bcp/plan-versions/{version}"))["text"]
        file.write_text(text, "utf-8")
        say(f"{file} written")

    as_person(url, user, ca, work)


@plan.command("check")
def check(file: FileArgument, url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False) -> None:
    """Errors and warnings of a file, beside the gateway's policy. Ends with 1 when it cannot be proposed."""
    text = file.read_text("utf-8")

    async def work(visit: Visit) -> None:
        found = await _check(visit, text)
        if json:
            show_json(found)
        else:
            _say_problems(found["problems"])
        if not found["ok"]:
            fail("it cannot be proposed")
        say("it can be proposed", err=json)

    as_person(url, user, ca, work)


@plan.command("propose")
def propose(
    file: FileArgument,
    url: UrlOption,
    user: UserOption,
    note: Annotated[str, typer.Option(help="Why it is changed, in your own words.")],
    ca: CaOption = None,
    json: JsonOption = False,
) -> None:
    """First signature on a new version: show the effect at both levels, ask, sign."""
    text = file.read_text("utf-8")

    async def work(visit: Visit) -> None:
        found = await _check(visit, text)
        _say_problems(found["problems"], err=json)
        if not found["ok"]:
            fail("it cannot be proposed")
        await _say_effects(visit, text, err=json)
        await ask("Propose this version?")
        _done(await visit.call("POST", "/bcp/plan-versions", {"text": text, "note": note}), json=json)

    as_person(url, user, ca, work)


@plan.command("adopt")
def adopt(version: IdArgument, url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False) -> None:
    """Second signature: show text and effect, ask, sign. From then on this version is what can be declared."""

    async def work(visit: Visit) -> None:
        found = await visit.call("GET", f"/bcp/plan-versions/{version}")
        say(found["text"], err=json)
        seen = await _say_effects(visit, found["text"], err=json)
        await ask(f"Adopt {version}, proposed by {found['version']['proposed']['display_name']}?")
        signed = {"digest": found["version"]["digest"], "seen_diff": seen}
        _done(await visit.call("POST", f"/bcp/plan-versions/{version}/adopt", signed), json=json)

    as_person(url, user, ca, work)


@plan.command("reject")
def reject(
    version: IdArgument, url: UrlOption, user: UserOption, ca: CaOption = None, json: JsonOption = False
) -> None:
    """Turn a proposed version down: one person, at once."""

    async def work(visit: Visit) -> None:
        _done(await visit.call("POST", f"/bcp/plan-versions/{version}/reject", {}), json=json)

    as_person(url, user, ca, work)


async def _check(visit: Visit, text: str) -> dict[str, Any]:
    found: dict[str, Any] = await visit.call("POST", "/bcp/plan-versions/check", {"text": text})
    return found


async def _say_effects(visit: Visit, text: str, *, err: bool) -> str:
    """At both levels; the digest of the higher one, which contains the other, is what the signature names."""
    digest = ""
    for level in ("first", "second"):
        found = await visit.call("POST", "/bcp/plan-versions/what-if", {"text": text, "level": level})
        say(f"declared at level {level} for the whole municipality:", err=err)
        say_effect(found, err=err)
        digest = found["digest"]
    return digest


def _done(version: dict[str, Any], *, json: bool) -> None:
    if json:
        show_json(version)
    else:
        say(_line(version))


def _say_problems(problems: list[dict[str, Any]], *, err: bool = False) -> None:
    for found in problems:
        place = ":".join(str(part) for part in (found["line"], found["rule"] or found["path"]) if part is not None)
        say(f"  {found['severity']}: {place}: {found['text_ja']} / {found['text_en']}", err=err)


def _line(version: dict[str, Any]) -> str:
    signed = [version[step]["display_name"] for step in ("proposed", "adopted") if version[step]]
    origin = "file" if version["from_file"] else " + ".join(signed)
    return f"  {version['id']:<18}{version['standing']:<10}{version['name_ja']}  ({origin})"
