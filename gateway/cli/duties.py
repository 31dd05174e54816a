"""`kakehashi duty list|import|export`: the register of duties, sites, departments and staff, over the admin API."""

import base64
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.duties.csv_files import to_cp932
from gateway.cli.common import ConfigOption, admin_api, fail, run, say, table

duty = typer.Typer(help="Duties, sites, departments and staff.", no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_NOTHING = "-"


class Language(StrEnum):
    """Of what is said about a file."""

    JA = "ja"
    EN = "en"


class Encoding(StrEnum):
    """Of an exported file."""

    UTF_8 = "utf-8"
    CP932 = "cp932"


LanguageOption = Annotated[Language, typer.Option("--language", "-l", help="Of what is said about the files.")]


@duty.command("list")
def duty_list(config: ConfigOption = None, as_json: JsonOption = False, language: LanguageOption = Language.JA) -> None:
    """List all duties, and what is wrong or left over in the register."""
    found = run(admin_api(config).call("GET", "/duties"))
    if as_json:
        say(json.dumps(found, ensure_ascii=False, indent=2))
        return
    columns = ("id", f"name_{language}", "priority", "resume_within", "telework", "zone", "people", "substitutes")
    table([{c: _cell(item[c]) for c in columns} for item in found["duties"]], columns)
    _findings(found["findings"], language)
    counts = ", ".join(f"{count} {kind}" for kind, count in found["counts"].items())
    say(f"version {found['version']}: {counts}")


@duty.command("import")
def duty_import(
    files: Annotated[list[Path], typer.Argument(help="CSV lists or YAML files, everything that belongs together.")],
    digest: Annotated[
        str | None, typer.Option("--apply", help="Make the change that was shown with this digest.")
    ] = None,
    as_json: JsonOption = False,
    language: LanguageOption = Language.JA,
    config: ConfigOption = None,
) -> None:
    """Show what importing files would change; with --apply and the digest shown, change it.

    Each list in the files replaces the whole list. Ends with 1 when a file has faults: then nothing is changed.
    """
    sent: dict[str, object] = {"files": [_sent(file) for file in files]}
    path = "/duties/preview" if digest is None else "/duties/apply"
    plan = run(admin_api(config).call("POST", path, sent if digest is None else sent | {"digest": digest}))
    if as_json:
        say(json.dumps(plan, ensure_ascii=False, indent=2))
    else:
        _plan(plan, files, language)
    if plan["faults"]:
        raise typer.Exit(1)


@duty.command("export")
def duty_export(
    name: Annotated[
        str,
        typer.Argument(help="sites.csv, departments.csv, staff.csv, duties.csv, register.yaml or version-N.yaml."),
    ],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; default: standard output.")] = None,
    encoding: Annotated[Encoding, typer.Option(help="cp932 for old programs; what it lacks becomes 〓.")] = (
        Encoding.UTF_8
    ),
    config: ConfigOption = None,
) -> None:
    """Write a list as CSV for a spreadsheet, or everything as YAML."""
    if not all(c.isalnum() or c in ".-" for c in name):
        fail(f"{name!r} is not the name of an export", 2)
    text = run(admin_api(config).call("GET", f"/duties/export/{name}"))["content"]
    if encoding is Encoding.CP932:
        content, lost = to_cp932(text)
        for line, character in lost:
            sys.stderr.write(f"line {line}: {character} (U+{ord(character):04X}) is not in CP932, written as 〓\n")
    else:
        content = text.encode()
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        fail(f"{output}: cannot be written: {error.strerror}", 2)


def _sent(file: Path) -> dict[str, str]:
    try:
        return {"name": file.name, "content": base64.b64encode(file.read_bytes()).decode()}
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}", 2)


def _plan(plan: dict[str, Any], files: list[Path], language: Language) -> None:
    for change in plan["changes"]:
        mark = {"added": "+", "changed": "~", "removed": "-"}[change["op"]]
        say(f"{mark} {change['kind']} {change['entry_id']} {change['name']}")
        if change["op"] == "changed":
            for field in change["fields"]:
                say(f"    {field['title']}: {_line(field['before'])} → {_line(field['after'])}")
    _findings([*plan["faults"], *plan["orphans"]], language)
    if plan["faults"]:
        words = {Language.JA: "件の誤りがあります。何も変更していません。", Language.EN: " faults: nothing is changed"}
        say(f"{len(plan['faults'])}{words[language]}")
        return
    say(f"+{plan['added']} ~{plan['changed']} -{plan['removed']}")
    if plan["applied"]:
        say({Language.JA: "反映しました。", Language.EN: "applied"}[language])
    elif plan["changes"]:
        names = " ".join(str(file) for file in files)
        say({Language.JA: "反映するには:", Language.EN: "to apply:"}[language])
        say(f"  kakehashi duty import {names} --apply {plan['digest']}")


def _findings(found: list[dict[str, Any]], language: Language) -> None:
    for finding in found:
        place = ":".join(str(part) for part in (finding["file"], finding["line"]) if part is not None)
        entry = " ".join(part for part in (finding["kind"], finding["entry_id"]) if part)
        mark = "FAULT " if finding["severity"] == "fault" else "orphan"
        where = " ".join(part for part in (place, entry) if part)
        say(f"{mark} {where}: {finding[f'text_{language}']}\n       -> {finding[f'remedy_{language}']}")


def _cell(value: object) -> object:
    return len(value) if isinstance(value, list) else value


def _line(text: str | None) -> str:
    return _NOTHING if not text else text.replace("\n", " / ")
