"""Argon2id: what is stored, what it costs, and that a full queue says so."""

import asyncio
import re
import time

import pytest

from auth.slow_hash import DECOY, MOST_WAITING, SlowHash, TooManyWaiting
from common.secret import Secret


@pytest.mark.parametrize("password", ["sato-pw-2026", "パスワード・漢字🔑", "x" * 1024, "\ud800"])
async def test_a_verifier_takes_its_password_only(password: str) -> None:
    slow = SlowHash(1)
    verifier = await slow.make(Secret(password))
    assert re.fullmatch(r"\$argon2id\$v=19\$m=47104,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", verifier)
    assert await slow.matches(verifier, Secret(password))
    assert not await slow.matches(verifier, Secret(password + "x"))
    assert not await slow.matches(verifier, Secret(""))
    assert not await slow.matches(None, Secret(password))
    assert await slow.make(Secret(password)) != verifier
    slow.close()


async def test_nobodys_password_costs_what_everybodys_does() -> None:
    slow = SlowHash(1)
    verifier = await slow.make(Secret("right"))
    assert DECOY.rsplit("$", 2)[0] == verifier.rsplit("$", 2)[0]
    times: dict[str | None, list[float]] = {verifier: [], None: []}
    for _ in range(7):
        for subject, taken in times.items():
            began = time.perf_counter()
            await slow.matches(subject, Secret("wrong"))
            taken.append(time.perf_counter() - began)
    real, decoy = (sorted(taken)[3] for taken in times.values())
    assert 0.6 < decoy / real < 1.7
    slow.close()


async def test_the_loop_goes_on_and_a_full_queue_refuses() -> None:
    slow = SlowHash(2)
    waiting = [asyncio.ensure_future(slow.matches(None, Secret("x"))) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyWaiting):
        await slow.make(Secret("x"))
    worst, last = 0.0, time.perf_counter()
    while not waiting[5].done():
        await asyncio.sleep(0.001)
        worst, last = max(worst, time.perf_counter() - last), time.perf_counter()
    assert worst < 1.0  # two computations run meanwhile; on the loop they would block for their whole time
    slow.close()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
