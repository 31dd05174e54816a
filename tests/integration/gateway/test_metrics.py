"""The figures of a running gateway: on a listener of their own, true, and telling of nobody."""

import asyncio
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.attacker import desktop, ticket, viewer
from tests.support.gateway import Running, run_gateway, settings
from tests.support.person import Person
from tests.support.slapd import Slapd
from tests.support.xvnc import run_xvnc

_POOL = {"name_ja": "係の端末", "name_en": "Section PC", "kind": "static", "zone": "lgwan", "max_desktops": 5}


async def _page(running: Running) -> str:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://127.0.0.1:{running.listeners.metrics_port}/metrics") as response,
    ):
        assert response.status == 200
        assert "Server" not in response.headers
        return await response.text()


def _figures(page: str) -> dict[str, float]:
    """Each sample by its name and the values of its labels, in the order of the labels' names."""
    return {
        ":".join([sample.name, *(value for _, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def _left(person: Person, session_id: str) -> None:
    """Wait until the gateway has noticed that the viewer is gone."""
    async with asyncio.timeout(5):
        while True:
            _, session = await person.call("GET", f"/sessions/{session_id}")
            if session["state"] == "disconnected":
                return
            await asyncio.sleep(0.05)


async def test_a_monitoring_system_reads_what_happened(tmp_path: Path, directory: Slapd) -> None:
    folder = tmp_path / "gateway"
    own = settings(folder, directory, f"sqlite:///{tmp_path / 'kakehashi.db'}", metrics={"port": 0})
    with run_xvnc(folder / "t") as server:
        async with run_gateway(own) as running, Person(running.url, "sato", "sato-pw-2026") as sato:
            await running.admin("PUT", "/pools/section", _POOL)
            target = {
                "pool_id": "section", "name_ja": "端末一", "name_en": "PC one",
                "address_kind": "unix", "host": str(server.socket), "security": ["none"],
            }  # fmt: skip
            await running.admin("PUT", "/desktops/pc-1", target)
            assert (await sato.call("POST", "/login", {"username": "sato", "password": "wrong"}))[0] == 200
            await sato.log_in()
            session = await desktop(sato, "section")
            async with viewer(sato, session["id"], await ticket(sato, session["id"])) as opened:
                await opened.start()
                await opened.full()
                during = _figures(await _page(running))
            await _left(sato, session["id"])
            page = await _page(running)
    after = _figures(page)

    assert during["kakehashi_viewers"] == 1
    assert during["kakehashi_relay_bytes_total:down"] > 100
    assert during["kakehashi_pool_seats:used:section"] == 1
    assert during["kakehashi_dependency_up:directory"] == during["kakehashi_dependency_up:database"] == 1
    assert after["kakehashi_viewers"] == 0
    assert after["kakehashi_relay_bytes_total:down"] >= during["kakehashi_relay_bytes_total:down"]
    assert after["kakehashi_viewer_ends_total:viewer_left"] == 1
    assert after["kakehashi_http_responses_total:POST:/api/v1/sessions:201"] == 1
    assert after["kakehashi_http_request_seconds_count:POST:/api/v1/login"] == 2
    assert after["kakehashi_audit_events_total:accept-login:ok"] == 1
    assert after["kakehashi_audit_failures_total"] == 0
    for of_a_person in ("sato", "佐藤", session["id"], session["short_code"], "127.0.0.1"):
        assert of_a_person not in page


async def test_the_public_listener_does_not_show_them(gateway: Running, sato: Person) -> None:
    assert gateway.listeners.metrics_port is None
    async with sato.client.get(f"{gateway.url}/metrics") as response:
        assert response.content_type == "text/html"
        assert "kakehashi_" not in await response.text()


async def test_a_stranger_makes_no_new_series(tmp_path: Path, directory: Slapd) -> None:
    own = settings(tmp_path / "gateway", directory, f"sqlite:///{tmp_path / 'kakehashi.db'}", metrics={"port": 0})
    async with run_gateway(own) as running, Person(running.url, "sato", "sato-pw-2026") as stranger:
        async with stranger.client.get(f"{running.url}/nothing") as response:
            assert response.status == 200  # the web client, which has a page for it
        await stranger.call("GET", "/sessions/none")
        before = set(_figures(await _page(running)))
        for number in range(20):
            async with stranger.client.get(f"{running.url}/nothing-{number}"):
                pass
            await stranger.call("GET", f"/sessions/none-{number}")
        assert set(_figures(await _page(running))) == before
