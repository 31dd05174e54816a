"""A drill that pretends, through the whole gateway: what it withholds from whom, what stays as it was, its score."""

from typing import Any

import pytest

from common.audit import AuditEvent
from common.audit_store import read
from common.db import Database
from policy.bcp.injects import Injects
from policy.bcp.model import drill_name
from tests.e2e.attacker import desktop
from tests.integration.gateway.test_bcp import PROPOSAL, Scene, declared, more, town
from tests.support.person import Person

__all__ = ["declared", "more", "town"]
HALF = Injects(absent_percent=50)
DRILL = PROPOSAL | {"drill": True}
NOBODY = {"absent_percent": 0, "directory_off": False, "sites_down": [], "half_capacity": False}


def reason(*, kato_absent: bool) -> str:
    """Words under which kato does, or does not, play absent."""
    found = (f"第{number}回訓練" for number in range(1, 100))
    return next(words for words in found if HALF.absent(drill_name("quake", words), "kato") is kato_absent)


async def practise(scene: Scene, injects: dict[str, Any], **over: Any) -> dict[str, Any]:
    """A drill by mori."""
    asked = {"proposal": DRILL | over | {"injects": injects}}
    status, found = await scene["mori"].call("POST", "/bcp/declarations", asked)
    assert (status, found.get("state")) == (201, "active"), found
    started: dict[str, Any] = found
    return started


async def section(scene: Scene, uid: str) -> dict[str, Any]:
    """What the page of desktops says of the section's desktop, which is the drill's, too."""
    _, found = await scene[uid].call("GET", "/desktops")
    item: dict[str, Any] = next(item for item in found["items"] if item["pool_id"] == "section")
    return item


async def recorded(scene: Scene, name: str | None = None) -> list[AuditEvent]:
    """Audit events of this name, or all."""
    database = Database(scene.running.settings.database.url)
    try:
        return [chained.event async for chained in read(database, "test") if name in (None, chained.event.name)]
    finally:
        await database.close()


async def test_who_plays_absent_is_refused_in_the_drill_only_and_reads_why(declared: Scene) -> None:
    words = reason(kato_absent=True)
    drill = await practise(declared, {"absent_percent": 50}, reason=words)
    assert drill["injects"] == NOBODY | {"absent_percent": 50}
    asked = DRILL | {"reason": words, "injects": {"absent_percent": 50}}
    assert (await declared["mori"].call("POST", "/bcp/what-if", asked))[1]["gain_people"] == 0
    item = await section(declared, "kato")
    assert (item["allowed"], item["reason"]["code"]) == (False, "drill_pretends")
    assert item["reason"]["text_ja"].startswith("【訓練】")
    assert (await declared["kato"].call("POST", "/sessions", {"pool_id": "section"}))[0] >= 400
    (denied,) = await recorded(declared, "deny-session")
    assert (denied.details["inject"], denied.details["code"]) == ("absent", "drill_pretends")
    assert (denied.details["normal_allowed"], denied.details["drill"]) == (False, True)
    _, score = await declared["ota"].call("GET", f"/bcp/declarations/{drill['id']}/score")
    assert (score["refused"], score["alone"], score["seconds_to_declare"]) == (1, True, 0)
    assert (await declared["kato"].call("GET", f"/bcp/declarations/{drill['id']}/score"))[0] == 404


async def test_who_is_there_may_practise_and_a_real_declaration_ends_it(declared: Scene) -> None:
    drill = await practise(declared, {"absent_percent": 50, "half_capacity": True}, reason=reason(kato_absent=False))
    assert await declared.may_work("kato")
    session = await desktop(declared["kato"], "section")
    marks = {e.name: e.details.get("drill") for e in await recorded(declared) if e.session_id == session["id"]}
    assert set(marks) >= {"request-session", "start-desktop"}
    assert set(marks.values()) == {True}
    await declared.declare()
    assert await declared.may_work("kato")
    _, found = await declared["mori"].call("GET", f"/bcp/declarations/{drill['id']}")
    assert (found["state"], found["drill"]) == ("lifted", True)


async def test_log_ins_are_rehearsed_while_the_directory_is_away_in_the_drill(declared: Scene) -> None:
    drill = await practise(declared, {"directory_off": True})
    async with Person(declared.running.url, "kato") as again:
        _, state = await again.call("POST", "/login", {"username": "kato", "password": "kato-pw-2026"})
        assert state["step"] == "totp"
    (rehearsed,) = await recorded(declared, "rehearse-degraded-login")
    assert (rehearsed.subject, rehearsed.outcome, rehearsed.details["cause"]) == ("kato", "denied", "no_verifier")
    assert (rehearsed.details["drill"], rehearsed.details["declaration_id"]) == (True, drill["id"])
    _, score = await declared["mori"].call("GET", f"/bcp/declarations/{drill['id']}/score")
    assert (score["rehearsed"], score["rehearsed_failed"]) == (1, 1)


@pytest.mark.parametrize(
    ("over", "refusal"),
    [
        ({"drill": False, "injects": {"half_capacity": True}}, "injects_not_in_drill"),
        ({"injects": {"sites_down": ["nowhere"]}}, "scope_unknown"),
        ({"injects": {"absent_percent": 91}}, None),
        ({"injects": {"earthquake": True}}, None),
    ],
)
async def test_what_cannot_be_pretended_is_refused(declared: Scene, over: dict[str, Any], refusal: str | None) -> None:
    status, found = await declared["mori"].call("POST", "/bcp/declarations", {"proposal": DRILL | over})
    assert (status, found.get("refusal")) == (400, refusal), found
    assert (await declared["mori"].call("GET", "/bcp/declarations"))[1]["items"] == []
