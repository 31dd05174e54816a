"""The head office is down: one's own PC is shown as out of use, and the pool in another building is offered."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from broker.duties.models import Site
from common.ids import DesktopId
from gateway.services import SERVICES
from tests.e2e.attacker import closed_with, desktop, ticket, viewer
from tests.integration.gateway.test_bcp import POOL, Scene, declared, more, town
from tests.integration.gateway.test_duties import import_register
from tests.support.person import Person
from tests.support.register import member, register
from tests.support.xvnc import run_xvnc

__all__ = ["declared", "more", "town"]
OWN = "own-pc"
RULE = """
  - id: T-02
    effect: permit
    name: {ja: 自分の端末, en: One's own PC}
    when: {groups: [day-shift], pools: [own-pc], totp_age: {at_most: 12h}}
"""


async def test_an_own_pc_that_is_down_is_shown_so_and_the_outside_pool_is_offered(
    declared: Scene, tmp_path: Path
) -> None:
    """Real servers; the pool "section" stands in the other building and is open by a declaration for the city hall
    only, where Kato belongs."""
    kato = declared["kato"]
    await _own_pcs(declared)
    await _two_buildings(declared)
    with run_xvnc(tmp_path / "own", tcp=True) as server:
        await _stands_at(declared, server.port)
        await _works(kato, OWN)
        assert (await _shown(kato, OWN))["unreachable"] is None
    await _fails(kato)
    found = await _shown(kato, OWN)
    assert found["allowed"] is True, "policy has nothing against it"
    assert "応答がありません" in found["unreachable"]["text_ja"]
    assert found["unreachable"]["instead_pool_id"] is None, "nothing else is open"
    assert (await _shown(kato, "section"))["unreachable"] is None

    await declared.declare(scope={"kind": "site", "ids": ["hq"]})
    assert (await _shown(kato, OWN))["unreachable"]["instead_pool_id"] == "section"
    await _works(kato, "section")

    with run_xvnc(tmp_path / "again", tcp=True) as server:
        await _stands_at(declared, server.port)
        await _works(kato, OWN)
        assert (await _shown(kato, OWN))["unreachable"] is None, "it answers again"


async def test_an_own_pc_that_answers_and_refuses_is_not_shown_as_switched_off(declared: Scene, tmp_path: Path) -> None:
    kato = declared["kato"]
    await _own_pcs(declared)
    with run_xvnc(tmp_path / "own", tcp=True) as server:
        await _stands_at(declared, server.port, security="x509")  # the server offers no TLS
        await _fails(kato, "target_refused")
        assert (await _shown(kato, OWN))["unreachable"] is None


async def test_an_own_pc_in_use_by_another_node_is_not_shown_as_out_of_use(declared: Scene, tmp_path: Path) -> None:
    """This node's last attempt failed; the next one went by a node that this one does not hear of."""
    kato = declared["kato"]
    await _own_pcs(declared)
    with run_xvnc(tmp_path / "own", tcp=True) as server:
        await _stands_at(declared, server.port)
        session = await desktop(kato, OWN)
        async with viewer(kato, session["id"], await ticket(kato, session["id"])) as opened:
            await opened.start()
            await opened.full()
            gateway = declared.running.listeners._runner.app[SERVICES]
            gateway.unreachable._silent.failed(DesktopId("own-1"))
            found = await _shown(kato, OWN)
            assert (found["session"]["state"], found["unreachable"]) == ("active", None)


async def test_of_shared_pcs_a_silent_one_is_out_of_use_for_whoever_holds_it_only(
    declared: Scene, tmp_path: Path
) -> None:
    kato = declared["kato"]
    await _own_pcs(declared)
    with run_xvnc(tmp_path / "second", tcp=True) as server:
        await _stands_at(declared, 1, desktop_id="pc-1", owned=False)
        await _stands_at(declared, server.port, desktop_id="pc-2", owned=False)
        await _fails(kato)
        found = await _shown(kato, OWN)
        assert found["unreachable"], "their session holds the silent one"
        assert (await kato.call("DELETE", f"/sessions/{found['session']['id']}"))[0] == 204
        async with asyncio.timeout(10):
            while (found := await _shown(kato, OWN))["session"]:  # noqa: ASYNC110 - as a page asks
                await asyncio.sleep(0.1)
        assert found["unreachable"] is None
        await _works(kato, OWN)


async def _own_pcs(scene: Scene) -> None:
    policy = scene.running.settings.policy.path
    policy.write_text(policy.read_text("utf-8") + RULE, "utf-8")
    assert (await scene.running.admin("PUT", f"/pools/{OWN}", POOL))[0] == 200
    async with asyncio.timeout(10):
        while not (await _shown(scene["kato"], OWN))["allowed"]:  # noqa: ASYNC110 - nobody tells of a file
            await asyncio.sleep(0.1)


async def _two_buildings(scene: Scene) -> None:
    sites = {
        site_id: Site(site_id, name, name, (), 400, 1000) for site_id, name in (("hq", "本庁舎"), ("annex", "別館"))
    }
    wanted = replace(register(staff=(member("0301", "kato"),)), sites=sites)
    await import_register(scene.running, wanted)
    for pool_id, site in ((OWN, "hq"), ("section", "annex")):
        assert (await scene.running.admin("PUT", f"/pools/{pool_id}", POOL | {"site": site}))[0] == 200


async def _stands_at(
    scene: Scene, port: int | None, *, security: str = "none", desktop_id: str = "own-1", owned: bool = True
) -> None:
    """Kato's own PC (or one that is nobody's) is this server."""
    owner = (await scene["kato"].call("GET", "/me"))[1]["user"]["id"] if owned else None
    definition = {
        "pool_id": OWN, "name_ja": "自分の端末", "name_en": "Own PC", "assigned_user_id": owner,
        "address_kind": "tcp", "host": "127.0.0.1", "port": port, "security": [security],
    }  # fmt: skip
    status, answer = await scene.running.admin("PUT", f"/desktops/{desktop_id}", definition)
    assert status == 200, answer


async def _shown(person: Person, pool_id: str) -> dict[str, Any]:
    _, listed = await person.call("GET", "/desktops")
    found: dict[str, Any] = next(item for item in listed["items"] if item["pool_id"] == pool_id)
    return found


async def _works(person: Person, pool_id: str) -> None:
    session = await desktop(person, pool_id)
    async with viewer(person, session["id"], await ticket(person, session["id"])) as opened:
        await opened.start()
        await opened.full()


async def _fails(person: Person, why: str = "target_unreachable") -> None:
    session = await desktop(person, OWN)
    async with viewer(person, session["id"], await ticket(person, session["id"])) as opened:
        assert await closed_with(opened) == (4502, why)
