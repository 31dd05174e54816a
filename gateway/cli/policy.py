"""`kakehashi policy check|explain|whatif`: is the file right, why may this person use that pool, what would change."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from common.clock import TOKYO, SystemClock
from gateway.cli import policy_effect
from gateway.cli.common import ConfigOption, admin_api, fail, run, say
from policy.report import Report, check_report

policy = typer.Typer(help="The rules.", no_args_is_help=True)
LanguageOption = Annotated[str, typer.Option("--language", "-l", help="ja or en.")]


@policy.command("check")
def policy_check(
    file: Annotated[Path, typer.Argument(help="Policy file (YAML); '-' reads standard input.")],
    language: LanguageOption = "ja",
) -> None:
    """Check a policy file and print its rules in words. Ends with 1 when the gateway would refuse it."""
    report = _checked(file, _read(file), _language(language))
    say(report.text)
    if not report.ok:
        raise typer.Exit(1)


@policy.command("explain")
def policy_explain(
    username: Annotated[str, typer.Argument(help="User name in the directory.")],
    pool_id: Annotated[str, typer.Argument(help="Pool.")],
    at: Annotated[datetime | None, typer.Option(help="Time in Tokyo; default: now.")] = None,
    source: Annotated[str | None, typer.Option("--from", help="Address the person comes from.")] = None,
    days_worked: Annotated[
        int | None, typer.Option(min=0, max=6, help="Days of that week with work before; default: as recorded.")
    ] = None,
    language: LanguageOption = "ja",
    config: ConfigOption = None,
) -> None:
    """Ask the running gateway: may this person use that pool, by which rule, what is missing? Ends with 1 for no."""
    moment = at.replace(tzinfo=TOKYO).isoformat() if at and at.tzinfo is None else at and at.isoformat()
    question: dict[str, object] = {"username": username, "pool_id": pool_id, "at": moment, "source": source}
    if days_worked is not None:
        question["days_worked"] = days_worked
    found = run(admin_api(config).call("POST", "/policy/explain", question))
    say(found[f"text_{_language(language)}"])
    if not found["allowed"]:
        raise typer.Exit(1)


@policy.command("whatif")
def policy_whatif(
    file: Annotated[Path, typer.Argument(help="Policy file (YAML) to try; '-' reads standard input.")],
    against: Annotated[
        Path | None, typer.Option(help="Policy file to set it against. Default: the policy in force.")
    ] = None,
    people: Annotated[bool, typer.Option("--people", help="Name them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as JSON.")] = False,
    language: LanguageOption = "ja",
    config: ConfigOption = None,
) -> None:
    """Ask the running gateway who would gain and lose what under another policy file. Nothing is changed.

    Ends with 1 when a file has errors or the gateway refuses, whatever the effect is otherwise with 0.
    """
    chosen = _language(language)
    question: dict[str, object] = {"people": people}
    for name, path in (("text", file), ("against", against)):
        if path is not None:
            content = _read(path)
            report = _checked(path, content, chosen)
            if not report.ok:
                say(report.text, err=True)
                raise typer.Exit(1)
            question[name] = content.decode("utf-8-sig")
    found = run(admin_api(config).call("POST", "/policy/what-if", question))
    if as_json:
        say(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for line in policy_effect.lines(found, chosen):
        say(line)


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}", 2)


def _checked(file: Path, content: bytes, language: Literal["ja", "en"]) -> Report:
    today = SystemClock().now().astimezone(TOKYO).date()
    return check_report(content, name=str(file), today=today, language=language)


def _language(text: str) -> Literal["ja", "en"]:
    if text not in ("ja", "en"):
        fail("--language takes ja or en", 2)
    return "ja" if text == "ja" else "en"
