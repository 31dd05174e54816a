"""Brings the sample city up and down: folder, certificates, directory, session host, gateway, pools, and back.

Counterparts: `kakehashi demo` (the command line) and the other modules here, one a part. Every program is real and is
started as in an installation; this module only orders them, watches them and ends them.
"""

import asyncio
import fcntl
import os
import shutil
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import aiohttp

from common.clock import SystemClock
from common.errors import ConfigError
from common.settings import CONFIG_VARIABLE, environment
from common.tasks import spawn
from gateway.demo import children, configuration, directory, folder, guide, pki, pools, register, synthetic
from gateway.demo.children import Account, Child, ChildFailed
from gateway.demo.configuration import Addresses, GatewayFiles
from gateway.demo.directory import DirectoryFolder
from gateway.demo.folder import DemoFolder

CHECKOUT: Final = Path(__file__).resolve().parents[2]
"""Where the packages lie: a checkout, or site-packages of an installation."""
POLICY: Final = CHECKOUT / "deploy" / "policy.demo.yaml"
ONCE_VARIABLE: Final = "KAKEHASHI_DEMO_ONCE"
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TRIED_PORTS: Final = 50
_LOWEST_DIRECTORY_PORT: Final = 16_360
_AGENT_SECONDS: Final = 30.0
_GATEWAY_SECONDS: Final = 60.0
_STEPS: Final = 6
_IS_CHECKOUT: Final = (CHECKOUT / "pyproject.toml").is_file()


class DemoFailed(Exception):
    """The demo cannot start; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose."""

    root: Path = field(default_factory=lambda: (CHECKOUT if _IS_CHECKOUT else Path.cwd()) / ".demo")
    listen: str = "127.0.0.1"
    port: int = 8443
    names: tuple[str, ...] = ("localhost", "127.0.0.1")
    fresh: bool = False
    check: bool = False
    """Start everything, verify that the address answers, end."""


def main(options: Options) -> int:
    """Run until Ctrl-C or SIGTERM (or, with `check`, until all was seen to work). Gives the exit status."""
    if environment().get(ONCE_VARIABLE) == "1":
        options = replace(options, check=True)
    try:
        return asyncio.run(_main(options))
    except (DemoFailed, ChildFailed, ConfigError, aiohttp.ClientError, OSError) as error:
        _say(f"stopped: {error}")
        return 1


async def _main(options: Options) -> int:
    _end_on_signals()
    try:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(_goodbye)
            started = await _bring_up(options, stack)
            if options.check:
                _say("everything answers; ending, as asked")
                return 0
            return await _watch(started)
    except asyncio.CancelledError:
        return 0


def _end_on_signals() -> None:
    """The first signal cancels the current task; further ones do not disturb its clean-up."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end() -> None:
        for number in signals:
            loop.add_signal_handler(number, lambda: None)
        if task is not None:
            task.cancel()

    for number in signals:
        loop.add_signal_handler(number, end)


async def _goodbye() -> None:
    _say("all programs have ended")


async def _watch(started: list[Child]) -> int:
    """Wait for the first program that ends by itself: that is always a fault."""
    waits = {spawn(child.wait(), name=f"demo {child.name}"): child for child in started}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    for wait in done:
        child = waits[wait]
        _say(f"{child.name} ended by itself ({wait.result()}); its log: {child.log}\n{child.last_lines()}")
    return 1


async def _bring_up(options: Options, stack: AsyncExitStack) -> list[Child]:
    if fault := folder.path_fault(options.root):
        raise DemoFailed(fault)
    place = folder.locate(options.root, checkout=CHECKOUT)
    _step(1, f"folder {place.root} (kept between runs; --fresh empties it)")
    _lock(place.root, stack)
    folder.prepare(place, fresh=options.fresh)
    _explain_accounts(place)
    addresses = _addresses(options)

    _step(2, "certificates of the demo's own CA")
    slapd_place, is_empty = _certificates(place, addresses)

    _step(3, "directory: slapd with the staff of the sample city")
    slapd = await _start_directory(place, slapd_place, addresses, stack, is_empty=is_empty)

    _step(4, "session host: kakehashi-agent, which starts the desktops")
    agent = await _start_agent(place, stack) if os.geteuid() == 0 else None
    if agent is None:
        _say("      not root: left out, so no desktop can be started")

    _step(5, "gateway")
    gateway, files = await _start_gateway(place, slapd_place, addresses, stack, with_agent=agent is not None)

    _step(6, "pools of desktops, duties with their rosters")
    await pools.set_up(files.admin_socket)
    _say(f"      {await register.set_up(files.admin_socket)} duties")
    accounts = place.root / "accounts.txt"
    accounts.write_text(guide.account_list(), "utf-8")
    _write(
        guide.welcome(addresses.url, ca=str(place.ca_certificate), accounts=str(accounts), desktops=agent is not None)
    )
    return [child for child in (slapd, agent, gateway) if child is not None]


def _lock(root: Path, stack: AsyncExitStack) -> None:
    """One demo a folder; the lock goes with this program, however it ends."""
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    stack.callback(os.close, handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DemoFailed(f"another demo already runs in {root}; end it with Ctrl-C in its own terminal") from None


def _explain_accounts(place: DemoFolder) -> None:
    if os.geteuid() != 0:
        _say("      not root: the gateway and the directory run as you")
    elif place.gateway_account is None:
        _say("      note: this checkout or its Python can only be read by root, so the demo's gateway runs as root;")
        _say("      in a checkout that others may read it gives up root, as an installation always does")


def _addresses(options: Options) -> Addresses:
    try:
        is_loopback = ip_address(options.listen).is_loopback
    except ValueError:
        raise DemoFailed(f"--listen takes an IP address, such as 127.0.0.1 or 0.0.0.0, not {options.listen}") from None
    if not is_loopback:
        _say("      note: open to the network, and everybody who reaches it can know the sample passwords")
    port = _free_port(options.listen, options.port)
    if port != options.port:
        _say(f"      port {options.port} is taken by another program: using {port}")
    # Looked for from another number on for each gateway: demos that start together would find the same one free.
    directory_port = _free_port("127.0.0.1", _LOWEST_DIRECTORY_PORT + port % 10_000)
    return Addresses(options.listen, options.names, port, directory_port)


def _free_port(address: str, wanted: int) -> int:
    for port in range(wanted, wanted + _TRIED_PORTS):
        with socket.socket() as probe:
            # As the gateway itself will: a port whose last connections are still fading counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise DemoFailed(f"no free port from {wanted} to {wanted + _TRIED_PORTS - 1} on {address}")


def _certificates(place: DemoFolder, addresses: Addresses) -> tuple[DirectoryFolder, bool]:
    clock = SystemClock()
    ca = pki.ensure_ca(place.pki, clock)
    shutil.copyfile(ca.certificate, place.ca_certificate)
    place.ca_certificate.chmod(0o644)
    slapd_ca = place.directory / "slapd-ca.pem"
    tls = pki.Pair(place.directory / "slapd.pem", place.directory / "slapd.key")
    slapd_place = DirectoryFolder(place.directory, tls, slapd_ca, place.directory_account)
    is_empty = directory.prepare(slapd_place)
    pki.ensure_leaf(place.directory, "slapd", ["127.0.0.1"], ca, clock)
    pki.ensure_leaf(place.gateway, "gateway", addresses.names, ca, clock)
    certificate = ca.certificate.read_bytes()
    pki.write_private(slapd_ca, certificate)
    pki.write_private(configuration.gateway_files(place).directory_ca, certificate)
    return slapd_place, is_empty


async def _start_directory(
    place: DemoFolder, slapd_place: DirectoryFolder, addresses: Addresses, stack: AsyncExitStack, *, is_empty: bool
) -> Child:
    folder.hand_over(place)
    env = _environment(place.directory)
    port = addresses.directory_port
    slapd = await directory.run(slapd_place, port=port, log=place.logs / "slapd.log", env=env)
    stack.push_async_callback(slapd.stop)
    if is_empty:
        count = await directory.fill(slapd_place, port=port, env=env)
        _say(f"      {count} people added")
    return slapd


async def _start_agent(place: DemoFolder, stack: AsyncExitStack) -> Child:
    settings = configuration.write_agent(place)
    env = _environment(place.agent) | {CONFIG_VARIABLE: str(settings)}
    return await _start_ours(
        "kakehashi-agent",
        children.delegated([sys.executable, "-m", "agents"]),
        place=place,
        account=None,
        env=env,
        stack=stack,
        probe=lambda: _accepts(configuration.agent_socket(place)),
        seconds=_AGENT_SECONDS,
    )


async def _start_gateway(
    place: DemoFolder, slapd_place: DirectoryFolder, addresses: Addresses, stack: AsyncExitStack, *, with_agent: bool
) -> tuple[Child, GatewayFiles]:
    files = configuration.write_gateway(
        place, addresses, service_password=slapd_place.service_password, with_agent=with_agent
    )
    # Kept from earlier runs: people edit both.
    if not files.policy.exists():
        shutil.copyfile(POLICY, files.policy)
    if not files.plans.exists():
        files.plans.write_text(synthetic.sample().plans, "utf-8")
    folder.hand_over(place)
    env = _environment(place.gateway) | {CONFIG_VARIABLE: str(files.settings), "LDAPNOINIT": "1"}
    context = ssl.create_default_context(cafile=str(place.ca_certificate))
    gateway = await _start_ours(
        "gateway",
        [sys.executable, "-c", "from gateway.cli import main; main()", "gateway"],
        place=place,
        account=place.gateway_account,
        env=env,
        stack=stack,
        probe=lambda: answers(addresses.url, context),
        seconds=_GATEWAY_SECONDS,
    )
    return gateway, files


async def _start_ours(
    name: str,
    command: list[str],
    *,
    place: DemoFolder,
    account: Account | None,
    env: dict[str, str],
    stack: AsyncExitStack,
    probe: Callable[[], Awaitable[bool]],
    seconds: float,
) -> Child:
    log = place.logs / f"{name}.log"
    child = await children.start(name, command, log=log, account=account, env=env, folder=CHECKOUT)
    stack.push_async_callback(child.stop)
    await child.ready(probe, seconds)
    return child


def _environment(home: Path) -> dict[str, str]:
    """What a service gets: nothing of the terminal that started the demo."""
    return {"PATH": _PATH, "LANG": "C.UTF-8", "HOME": str(home), "PYTHONUNBUFFERED": "1"}


async def _accepts(path: Path) -> bool:
    try:
        _reader, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    writer.transport.abort()
    return True


async def answers(url: str, context: ssl.SSLContext) -> bool:
    """The gateway at this address says over verified TLS that it is ready, and shows its page."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            for path in ("/readyz", "/"):
                async with session.get(url + path, ssl=context) as answer:
                    if answer.status != HTTPStatus.OK:
                        return False
            return True
    except (aiohttp.ClientError, TimeoutError):
        return False


def _step(number: int, text: str) -> None:
    _say(f"[{number}/{_STEPS}] {text}")


def _say(text: str) -> None:
    _write(f"[demo] {text}\n")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
