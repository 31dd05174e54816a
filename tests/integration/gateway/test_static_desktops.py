"""Existing desktops through the whole gateway: each security, both databases, stop and return, audit and log."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from common.audit import AuditEvent
from common.audit_store import read, verify
from common.db import Database
from tests.e2e.attacker import closed_with, desktop, ticket, viewer
from tests.support.gateway import Running, run_gateway, settings
from tests.support.person import Person
from tests.support.slapd import Slapd
from tests.support.xvnc import Xvnc, run_xvnc

PASSWORD = "secret12"
POOL = {"name_ja": "係の端末", "name_en": "Section PC", "kind": "static", "zone": "lgwan", "max_desktops": 5}


@pytest.fixture(params=["unix-none", "tcp-vncauth", "tcp-x509"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Xvnc, dict[str, Any]]]:
    """A real TigerVNC with one kind of security, and the definition of a static desktop for it."""
    folder = tmp_path / "gateway" / "t"
    with ExitStack() as stack:
        definition: dict[str, Any] = {"pool_id": "section", "name_ja": "端末一", "name_en": "PC one"}
        if request.param == "unix-none":
            server = stack.enter_context(run_xvnc(folder))
            definition |= {"address_kind": "unix", "host": str(server.socket), "security": ["none"]}
        else:
            definition |= {"address_kind": "tcp", "host": "127.0.0.1"}
            extra = ["-PasswordFile", str(_password_file(tmp_path))]
            if request.param == "tcp-vncauth":
                server = stack.enter_context(run_xvnc(folder, tcp=True, security="VncAuth", extra=extra))
                definition |= {"security": ["vnc_auth"]}
            else:
                authority = trustme.CA()
                extra += _tls_arguments(tmp_path, authority)
                server = stack.enter_context(run_xvnc(folder, tcp=True, security="X509Vnc", extra=extra))
                definition |= {"security": ["x509"], "ca_pem": authority.cert_pem.bytes().decode()}
            definition |= {"port": server.port}
        server.start("xsetroot", "-solid", "#336699")
        yield server, definition


def _password_file(tmp_path: Path) -> Path:

    path = tmp_path / "vnc.pw"
    path.write_bytes(
        subprocess.run(["tigervncpasswd", "-f"], input=f"{PASSWORD}\n".encode(), capture_output=True, check=True).stdout
    )
    return path


def _tls_arguments(tmp_path: Path, authority: trustme.CA) -> list[str]:
    issued = authority.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "vnc.pem", tmp_path / "vnc.key"
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return ["-X509Cert", str(certificate), "-X509Key", str(key)]


async def _offer(running: Running, definition: dict[str, Any]) -> None:
    assert (await running.admin("PUT", "/pools/section", POOL))[0] == 200
    status, answer = await running.admin("PUT", "/desktops/pc-1", definition)
    assert status == 200, answer
    if definition["security"] != ["none"]:
        status, answer = await running.admin("PUT", "/desktops/pc-1/credential", {"password": PASSWORD})
        assert status == 204, answer


async def test_a_static_desktop_shows_its_picture_until_the_viewer_breaks_the_protocol(
    target: tuple[Xvnc, dict[str, Any]], tmp_path: Path, directory: Slapd, database_url: str
) -> None:
    _, definition = target
    own = settings(tmp_path / "gateway", directory, database_url)
    async with run_gateway(own) as running, Person(running.url, "sato", "sato-pw-2026") as sato:
        await _offer(running, definition)
        await sato.log_in()
        session = await desktop(sato, "section")
        async with viewer(sato, session["id"], await ticket(sato, session["id"])) as opened:
            await opened.start()
            await opened.full()
            assert opened.size == (640, 480)
            assert opened.screen.getpixel((400, 300)) == (0x33, 0x66, 0x99)
            await opened.raw(b"\xaa" * 20)
            assert await closed_with(opened) == (4422, "protocol_violation")
        assert PASSWORD not in str((await running.admin("GET", "/desktops"))[1])

    recorded = {event.name: event for event in await _events(own.database.url) if event.session_id == session["id"]}
    broken, ended = recorded["break-protocol"], recorded["end-session"]
    assert (broken.outcome, broken.details["cause"]) == ("failed", "viewer: viewer message 170 not allowed")
    assert (ended.subject, ended.details["reason"]) == ("sato", "protocol_violation")


async def test_stopping_tells_the_viewer_and_the_next_gateway_gives_the_same_desktop(
    tmp_path: Path, directory: Slapd, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with run_xvnc(tmp_path / "gateway" / "t") as server:
        definition = {
            "pool_id": "section", "name_ja": "端末一", "name_en": "PC one",
            "address_kind": "unix", "host": str(server.socket), "security": ["none"],
        }  # fmt: skip
        own = settings(tmp_path / "gateway", directory, database_url)
        async with Person(f"https://127.0.0.1:{own.http.port}", "sato", "sato-pw-2026") as sato:
            async with run_gateway(own) as running:
                await _offer(running, definition)
                await sato.log_in()
                before = await desktop(sato, "section")
                opened = viewer(sato, before["id"], await ticket(sato, before["id"]))
                connected = await opened.__aenter__()
                await connected.start()
                told = asyncio.ensure_future(closed_with(connected))
                await asyncio.sleep(0)
            assert await told == (1001, "gateway_stopping")
            await opened.__aexit__(None, None, None)
            async with run_gateway(own):
                after = await desktop(sato, "section")
                assert after["id"] == before["id"], "the web session and the desktop session outlive a restart"
                async with viewer(sato, after["id"], await ticket(sato, after["id"])) as again:
                    await again.start()
                    await again.full()
    await _audit_is_whole(own.database.url)
    written = capfd.readouterr().err
    for secret in ("sato-pw-2026", sato.secret or "-", *sato.recovery_codes, sato.csrf):
        assert secret not in written


async def _events(url: str) -> list[AuditEvent]:
    database = Database(url)
    try:
        return [chained.event async for chained in read(database, "test")]
    finally:
        await database.close()


async def _audit_is_whole(url: str) -> None:
    database = Database(url)
    try:
        found = await verify(database, "test")
        assert found.fault is None
        assert found.unsigned_events == 0
        names = [chained.event.name async for chained in read(database, "test")]
    finally:
        await database.close()
    for name in ("start-gateway", "request-session", "issue-ticket", "redeem-ticket", "attach-viewer", "lose-viewer"):
        assert name in names


async def test_a_desktop_that_is_down_is_a_clear_end(gateway: Running, sato: Person) -> None:
    definition = {
        "pool_id": "section", "name_ja": "端末一", "name_en": "PC one",
        "address_kind": "tcp", "host": "127.0.0.1", "port": 1, "security": ["none"],
    }  # fmt: skip
    await _offer(gateway, definition)
    await sato.log_in()
    session = await desktop(sato, "section")
    async with viewer(sato, session["id"], await ticket(sato, session["id"])) as opened:
        assert await closed_with(opened) == (4502, "target_unreachable")


async def test_addresses_outside_the_allowed_networks_are_not_dialled(gateway: Running, sato: Person) -> None:
    for host in ("127.0.0.2", "169.254.169.254", "10.0.0.1", "0.0.0.0", "::1", "localhost.localdomain"):
        definition = {
            "pool_id": "section", "name_ja": "端末一", "name_en": "PC one",
            "address_kind": "tcp", "host": host, "port": 22, "security": ["none"],
        }  # fmt: skip
        await _offer(gateway, definition)
        if not sato.csrf:
            await sato.log_in()
        session = await desktop(sato, "section")
        async with viewer(sato, session["id"], await ticket(sato, session["id"])) as opened:
            assert await closed_with(opened) == (4502, "target_unreachable"), host
        await sato.call("DELETE", f"/sessions/{session['id']}")
