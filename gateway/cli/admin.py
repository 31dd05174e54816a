"""`kakehashi pool|desktop|session|user`: thin clients of the admin API."""

import getpass
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from gateway.cli.common import ConfigOption, admin_api, fail, run, say, table

pool = typer.Typer(help="Pools of desktops.", no_args_is_help=True)
desktop = typer.Typer(help="Existing desktops that a static pool offers.", no_args_is_help=True)
session = typer.Typer(help="Desktop sessions.", no_args_is_help=True)
user = typer.Typer(help="People.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="YAML file: id -> definition. '-' reads standard input.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@pool.command("list")
def pool_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List all pools."""
    columns = ("id", "name_ja", "kind", "pool_class", "zone", "site", "max_desktops", "enabled")
    _show(run(admin_api(config).call("GET", "/pools"))["items"], columns, as_json=as_json)


@pool.command("apply")
def pool_apply(file: FileArgument, config: ConfigOption = None) -> None:
    """Create or change the pools that a YAML file defines; others stay as they are."""
    _apply(file, "pools", config)


@pool.command("remove")
def pool_remove(pool_id: str, config: ConfigOption = None) -> None:
    """Remove a pool that has no live session."""
    run(admin_api(config).call("DELETE", f"/pools/{_segment(pool_id)}"))
    say(f"removed {pool_id}")


@desktop.command("list")
def desktop_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List all static desktops."""
    columns = ("id", "name_ja", "pool_id", "address_kind", "host", "port", "has_credential", "enabled")
    _show(run(admin_api(config).call("GET", "/desktops"))["items"], columns, as_json=as_json)


@desktop.command("apply")
def desktop_apply(file: FileArgument, config: ConfigOption = None) -> None:
    """Create or change the static desktops that a YAML file defines."""
    _apply(file, "desktops", config)


@desktop.command("credential")
def desktop_credential(
    desktop_id: str,
    username: Annotated[str | None, typer.Option(help="User name, where the desktop asks for one.")] = None,
    config: ConfigOption = None,
) -> None:
    """Set what the gateway logs in to a desktop with. The password is asked for, or read from standard input."""
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not password:
        fail("an empty password is not a credential", 2)
    content = {"username": username, "password": password}
    run(admin_api(config).call("PUT", f"/desktops/{_segment(desktop_id)}/credential", content))
    say(f"stored, encrypted, for {desktop_id}")


@desktop.command("remove")
def desktop_remove(desktop_id: str, config: ConfigOption = None) -> None:
    """Remove a static desktop."""
    run(admin_api(config).call("DELETE", f"/desktops/{_segment(desktop_id)}"))
    say(f"removed {desktop_id}")


@session.command("list")
def session_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List all live sessions."""
    columns = ("id", "short_code", "username", "display_name", "pool_id", "state", "active_seconds")
    _show(run(admin_api(config).call("GET", "/sessions"))["items"], columns, as_json=as_json)


@session.command("end")
def session_end(session_id: str, config: ConfigOption = None) -> None:
    """End a session at once: the person is told, the desktop is stopped."""
    run(admin_api(config).call("DELETE", f"/sessions/{_segment(session_id)}"))
    say(f"ended {session_id}")


@user.command("reset-factors")
def user_reset_factors(username: str, config: ConfigOption = None) -> None:
    """Remove a person's authenticator and recovery codes: the next login sets up new ones."""
    run(admin_api(config).call("DELETE", f"/users/{_segment(username)}/factors"))
    say(f"{username} sets up a new authenticator at the next login")


def _apply(file: Path, what: str, config: Path | None) -> None:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
        wanted = yaml.safe_load(text)
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}", 2)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        fail(f"{file}: not valid YAML: {error}", 2)
    if not isinstance(wanted, dict) or not all(isinstance(entry, dict) for entry in wanted.values()):
        fail(f"{file}: must map each id to its definition", 2)
    api = admin_api(config)
    for name, definition in wanted.items():
        run(api.call("PUT", f"/{what}/{_segment(str(name))}", definition))
        say(f"{what[:-1]} {name} set")


def _segment(text: str) -> str:
    """A path segment: what could leave its place in the path is refused, not escaped."""
    if not text or any(c in "/?#%\\" or not c.isprintable() for c in text) or text in (".", ".."):
        fail(f"{text!r} is not a valid name", 2)
    return text


def _show(items: list[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        say(json.dumps(items, ensure_ascii=False, indent=2))
        return
    table(items, columns)
