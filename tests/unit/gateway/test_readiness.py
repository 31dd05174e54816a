"""Many who ask share one look."""

import asyncio

from gateway.readiness import FRESH_SECONDS, Readiness
from tests.support.clock import FakeClock


async def test_the_checks_run_once_for_all_who_ask_at_the_same_time(clock: FakeClock) -> None:
    looks = 0
    up = True

    async def database() -> bool:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return up

    readiness = Readiness({"database": database}, clock)
    found = await asyncio.gather(*(readiness.look() for _ in range(50)))
    assert looks == 1
    assert all(one == {"database": True} for one in found)
    up = False
    assert (await readiness.look())["database"], "still fresh"
    clock.advance(FRESH_SECONDS)
    assert not (await readiness.look())["database"]
    assert looks == 2
