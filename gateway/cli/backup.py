"""`kakehashi backup|restore`: all that a gateway cannot make again, in one file."""

from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from common.clock import TOKYO, SystemClock
from common.db import upgrade
from common.errors import KakehashiError
from common.settings import config_path
from gateway.cli.common import DEFAULT_CONFIG, ConfigOption, fail, run, say, settings


def backup(
    archive: Annotated[Path, typer.Argument(help="File to write, such as kakehashi-2026-11-25.tar.gz.")],
    config: ConfigOption = None,
) -> None:
    """Copy database, keys, settings, rules and plans into one new file, also while the gateway runs."""
    from gateway.backup import write

    settings(config)  # faults of the settings are told in full
    try:
        made = write(_settings_file(config), archive.absolute(), SystemClock().now().astimezone(UTC))
    except KakehashiError as error:
        fail(error.detail)
    for name in made.members:
        say(f"  {name}")
    say(f"{archive}: it holds every key of this gateway. Keep it off this machine, and as safe as the keys.")
    say("Not in it: people's files on the session hosts, KAKEHASHI_* variables (such as /etc/kakehashi/gateway.env).")


def restore(
    archive: Annotated[Path, typer.Argument(help="A file that `kakehashi backup` wrote.")],
    config: ConfigOption = None,
) -> None:
    """Put a copy back where nothing else lies. What exists and differs is named, and nothing is changed."""
    from gateway.backup import restore as put_back

    place = _settings_file(config)
    try:
        found = put_back(archive.absolute(), place)
    except KakehashiError as error:
        fail(error.detail)
    run(upgrade(settings(place).database.url))
    say(f"restored what {found.node_id} had at {found.made_at.astimezone(TOKYO):%Y-%m-%d %H:%M} (Tokyo)")
    say("What happened after that moment is unknown here. Before people come back:")
    say("  kakehashi doctor         what is still missing")
    say("  kakehashi audit verify   the chain as far as it goes")
    say("  kakehashi bcp status     (once it runs) lift declarations that were over already")
    say("  recovery codes used since then work again: kakehashi user reset-factors for whom that matters")


def _settings_file(config: Path | None) -> Path:
    return config or config_path() or DEFAULT_CONFIG
