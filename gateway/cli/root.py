"""The commands themselves. Heavy modules are imported by the command that needs them, so that --help is quick."""

from pathlib import Path
from typing import Annotated

import typer

from common import log
from common.db import upgrade
from gateway.cli import admin, audit, backup, bcp, bcp_plans, duties, policy
from gateway.cli.common import ConfigOption, run, say, settings

app = typer.Typer(
    name="kakehashi",
    help="Kakehashi (架け橋): secure telework gateway. Only pixels go out, only key and pointer events come in.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
database = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(database, name="db")
app.add_typer(audit.audit, name="audit")
app.add_typer(policy.policy, name="policy")
app.add_typer(admin.pool, name="pool")
app.add_typer(admin.desktop, name="desktop")
app.add_typer(admin.session, name="session")
app.add_typer(admin.user, name="user")
bcp.bcp.add_typer(bcp_plans.plan, name="plan")
app.add_typer(bcp.bcp, name="bcp")
app.add_typer(duties.duty, name="duty")
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)


@app.command("gateway")
def gateway_run(config: ConfigOption = None) -> None:
    """Run the gateway until it is told to stop (SIGTERM or Ctrl-C)."""
    from gateway.run import fastest_loop, serve

    own = settings(config)
    log.configure(json=own.log.format == "json", level=own.log.level)
    run(serve(own), loop_factory=fastest_loop())


@app.command("doctor")
def doctor_run(config: ConfigOption = None) -> None:
    """Check settings and everything the gateway depends on; say what to fix. Ends with 1 when something is wrong."""
    from gateway.doctor import examine

    findings = run(examine(settings(config)))
    for finding in findings:
        say(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.subject}: {finding.text}")
        if not finding.ok and finding.remedy:
            say(f"      -> {finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command("demo")
def demo_run(
    folder: Annotated[
        Path | None, typer.Option(help="Everything the demo writes stays in here. Default: .demo")
    ] = None,
    listen: Annotated[str, typer.Option(help="Address of the web pages.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the web pages.")] = 8443,
    name: Annotated[list[str] | None, typer.Option(help="Further host names under which the pages are opened.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier demo left.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Start everything, see that it answers, end.")] = False,
) -> None:
    """Start a sample city on this machine: directory, gateway, real desktops."""
    from gateway.demo.run import Options
    from gateway.demo.run import main as demo

    plain = Options()
    chosen = Options(
        root=folder.resolve() if folder else plain.root,
        listen=listen,
        port=port,
        names=(*(name or ()), *plain.names),
        fresh=fresh,
        check=check,
    )
    raise typer.Exit(demo(chosen))


@database.command("upgrade")
def db_upgrade(config: ConfigOption = None) -> None:
    """Bring the schema up to date."""
    run(upgrade(settings(config).database.url))
    say("the database is up to date")


def main() -> None:
    """Entry point of the `kakehashi` command."""
    app()
