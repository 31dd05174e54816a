"""`kakehashi policy check|explain`: is the file right, and why may this person use that pool or not."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from common.clock import TOKYO, SystemClock
from gateway.cli.common import ConfigOption, admin_api, fail, run, say
from policy.report import check_report

policy = typer.Typer(help="The rules.", no_args_is_help=True)
LanguageOption = Annotated[str, typer.Option("--language", "-l", help="ja or en.")]


@policy.command("check")
def policy_check(
    file: Annotated[Path, typer.Argument(help="Policy file (YAML); '-' reads standard input.")],
    language: LanguageOption = "ja",
) -> None:
    """Check a policy file and print its rules in words. Ends with 1 when the gateway would refuse it."""
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}", 2)
    today = SystemClock().now().astimezone(TOKYO).date()
    report = check_report(content, name=str(file), today=today, language=_language(language))
    say(report.text)
    if not report.ok:
        raise typer.Exit(1)


@policy.command("explain")
def policy_explain(
    username: Annotated[str, typer.Argument(help="User name in the directory.")],
    pool_id: Annotated[str, typer.Argument(help="Pool.")],
    at: Annotated[datetime | None, typer.Option(help="Time in Tokyo; default: now.")] = None,
    source: Annotated[str | None, typer.Option("--from", help="Address the person comes from.")] = None,
    language: LanguageOption = "ja",
    config: ConfigOption = None,
) -> None:
    """Ask the running gateway: may this person use that pool, by which rule, what is missing? Ends with 1 for no."""
    moment = at.replace(tzinfo=TOKYO).isoformat() if at and at.tzinfo is None else at and at.isoformat()
    question = {"username": username, "pool_id": pool_id, "at": moment, "source": source}
    found = run(admin_api(config).call("POST", "/policy/explain", question))
    say(found[f"text_{_language(language)}"])
    if not found["allowed"]:
        raise typer.Exit(1)


def _language(text: str) -> Literal["ja", "en"]:
    if text not in ("ja", "en"):
        fail("--language takes ja or en", 2)
    return "ja" if text == "ja" else "en"
