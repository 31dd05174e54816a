"""Behind a real nginx, set up as docs/how-to/reverse-proxy.md says: log-in, stream of changes, a desktop's picture."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.headers import SECURITY_HEADERS
from tests.e2e.attacker import desktop, ticket, viewer
from tests.integration.gateway.test_static_desktops import POOL
from tests.support.changes import listening
from tests.support.gateway import POLICY, Running, run_gateway, settings, trusted_pair
from tests.support.nginx import ADDRESS, run_nginx
from tests.support.person import Person
from tests.support.ports import free_port
from tests.support.slapd import Slapd
from tests.support.xvnc import run_xvnc


@pytest.fixture
async def proxied(tmp_path: Path, directory: Slapd) -> AsyncIterator[tuple[Running, Person]]:
    """A gateway without TLS, and a person who comes by the proxy."""
    port, folder = free_port(), tmp_path / "gateway"
    http = {
        "certificate_file": None,
        "key_file": None,
        "proxies": [f"{ADDRESS}/32"],
        "origins": [f"https://127.0.0.1:{port}"],
    }
    own = settings(folder, directory, f"sqlite:///{tmp_path / 'k.db'}", http=http)
    async with run_gateway(own) as running:
        with run_nginx(tmp_path / "nginx", port, running.listeners.port, *trusted_pair(folder)):
            async with Person(f"https://127.0.0.1:{port}", "sato", "sato-pw-2026") as sato:
                yield running, sato


async def test_a_person_logs_in_and_the_true_address_is_known(proxied: tuple[Running, Person]) -> None:
    _, sato = proxied
    await sato.log_in()
    forged = {"X-Forwarded-For": "203.0.113.99", "X-Forwarded-Proto": "http"}
    status, listed = await sato.call("GET", "/me/web-sessions", headers=forged)
    assert status == 200, "what a browser says of forwarding is overwritten"
    assert [one["source"] for one in listed["items"]] == ["127.0.0.1"]
    async with sato.client.get(f"{sato.url}/") as response:
        for name, value in SECURITY_HEADERS.items():
            assert response.headers.getall(name) == [value]


async def test_changes_are_told_at_once_and_nothing_is_kept_back(proxied: tuple[Running, Person]) -> None:
    running, sato = proxied
    await sato.log_in()
    async with listening(sato) as page:
        wider = POLICY.replace("[telework]", "[telework, day-shift]")
        began = time.monotonic()
        running.settings.policy.path.write_text(wider, "utf-8")
        await page.hears("desktops")
        assert time.monotonic() - began < 2


async def test_a_desktop_shows_its_picture(proxied: tuple[Running, Person], tmp_path: Path) -> None:
    running, sato = proxied
    with run_xvnc(tmp_path / "gateway" / "t") as server:
        server.start("xsetroot", "-solid", "#336699")
        definition = {
            "pool_id": "section", "name_ja": "端末一", "name_en": "PC one",
            "address_kind": "unix", "host": str(server.socket), "security": ["none"],
        }  # fmt: skip
        assert (await running.admin("PUT", "/pools/section", POOL))[0] == 200
        assert (await running.admin("PUT", "/desktops/pc-1", definition))[0] == 200
        await sato.log_in()
        session = await desktop(sato, "section")
        async with viewer(sato, session["id"], await ticket(sato, session["id"])) as opened:
            await opened.start()
            await opened.full()
            assert opened.screen.getpixel((400, 300)) == (0x33, 0x66, 0x99)
