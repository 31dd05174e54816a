"""Many who ask share one look."""

import asyncio

import pytest

from gateway import readiness as readiness_module
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


async def test_a_check_that_hangs_is_named_and_holds_up_no_other(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness_module, "CHECK_SECONDS", 0.05)

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    async def answers() -> bool:
        return True

    readiness = Readiness({"database": hangs, "directory": answers}, clock)
    async with asyncio.timeout(1):
        assert await readiness.look() == {"database": False, "directory": True}
