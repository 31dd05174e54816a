"""Seats, queues and places in them through the whole gateway."""

import asyncio
from typing import Any

from tests.e2e.attacker import desktop
from tests.integration.gateway.test_bcp import POOL, Scene, declared, more, town

__all__ = ["declared", "more", "town"]


async def test_coordinators_and_auditors_see_the_load_and_nobody_else(declared: Scene) -> None:
    for uid, status in (("mori", 200), ("ota", 200), ("kato", 404), ("suzuki", 404)):
        assert (await declared[uid].call("GET", "/bcp/capacity"))[0] == status, uid
    await declared.declare()
    await desktop(declared["kato"], "section")
    _, found = await declared["mori"].call("GET", "/bcp/capacity")
    section = next(pool for pool in found["pools"] if pool["pool_id"] == "section")
    assert (section["seats"], section["normal_seats"], section["used"], section["waiting"]) == (1, 5, 1, 0)
    assert section["declared"] is True
    assert section["classes"][4] == {"priority": "P4", "used": 1, "waiting": 0}
    # A fixed desktop is its own seat: nobody makes room there.
    assert (section["parked"], section["parking"], section["leaving"]) == (0, 0, [])
    assert (found["lines"], found["starts_per_minute"]) == ([], 120)


async def test_who_waits_reads_the_place_and_nobody_elses(declared: Scene) -> None:
    policy = declared.running.settings.policy.path
    policy.write_text(policy.read_text("utf-8").replace("[telework]", "[it, day-shift]"), "utf-8")
    async with asyncio.timeout(10):
        while not (await declared.may_work("kato") and await declared.may_work("suzuki")):  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.1)
    await declared.running.admin("PUT", "/pools/section", POOL | {"max_desktops": 1})
    kato, suzuki = declared["kato"], declared["suzuki"]
    first = await desktop(kato, "section")
    _, shown = await kato.call("GET", f"/sessions/{first['id']}")
    assert shown["queue"] is None
    assert shown["held_until"] is not None
    status, second = await suzuki.call("POST", "/sessions", {"pool_id": "section"})
    assert (status, second["state"]) == (201, "queued"), second
    expected: dict[str, Any] = {"place": 1, "ahead": 0, "estimate_seconds": None, "reason": "seat", "priority": "P4"}
    assert second["queue"] == expected
    assert (second["held_until"], second["warning"]) == (None, None)
    _, listed = await suzuki.call("GET", "/desktops")
    assert next(item for item in listed["items"] if item["pool_id"] == "section")["session"]["queue"] == expected
    assert (await kato.call("GET", f"/sessions/{second['id']}"))[0] == 404
