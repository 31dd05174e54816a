"""kakehashi-agent: the program on a session host that starts desktops for the gateway. Composition root of `agents`."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import signal
import sys
from pathlib import Path

from agents import limits, preflight
from agents.control import ControlSocket
from agents.desktop import Ground
from agents.host import SessionHost
from agents.settings import AgentSettings
from agents.uids import UidBook
from common.clock import SystemClock
from common.errors import ConfigError
from common.log import configure, get_logger
from common.settings import Section, config_path, load

_log = get_logger("agents")


class AgentFile(Section):
    """The agent's TOML file: one table."""

    agent: AgentSettings = AgentSettings()


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; exit status 0 then, 1 on faults of machine or settings."""
    options = _parse(arguments)
    configure(json=options.log_json, level=options.log_level)
    try:
        settings = load(AgentFile, options.config or config_path()).agent
        if options.check:
            preflight.check_machine(settings)
            return 0
        asyncio.run(run(settings))
    except ConfigError as error:
        _log.error("agent cannot run", why=error.detail)
        return 1
    return 0


async def run(settings: AgentSettings) -> None:
    """Prepare the machine, listen, and end every desktop when told to stop."""
    preflight.check_machine(settings)
    lock = preflight.prepare_folders(settings)
    try:
        ground = Ground(
            settings=settings,
            limiter=limits.choose(hashlib.sha256(os.fsencode(settings.state_dir)).hexdigest()[:8]),
            clock=SystemClock(),
            desktop_dir=preflight.copy_session_files(settings),
            locale_dir=preflight.build_locale(settings),
        )
        book = UidBook(
            settings.state_dir / "uids.json", settings.homes_dir, base=settings.uid_base, count=settings.uid_count
        )
        host = SessionHost(ground, book)
        control = ControlSocket(
            host, settings.socket_path, settings.socket_owner_uid, max_channels=8 * settings.max_desktops + 32
        )
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        control.listen()
        _log.info("agent ready", socket=str(settings.socket_path), limits=ground.limiter.kind, network=settings.network)
        await stop.wait()
        _log.info("agent stopping")
        # Desktops first: their viewers see the streams end, then the door closes.
        await host.close()
        await control.close()
        ground.limiter.close()
    finally:
        os.close(lock)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="kakehashi-agent",
        description="Starts desktops for the Kakehashi gateway. Needs root; listens on a unix socket only.",
        epilog="Settings: table [agent] of the TOML file; KAKEHASHI_AGENT__<SETTING> in the environment wins over it.",
    )
    parser.add_argument(
        "--config", type=Path, metavar="TOML", help="settings file (default: $KAKEHASHI_CONFIG, if set)"
    )
    parser.add_argument("--check", action="store_true", help="check settings and machine, start nothing")
    parser.add_argument("--log-json", action="store_true", help="log JSON lines instead of text")
    parser.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error"), help="default: info"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
