"""Turns for slow work: a few at once, fewer of one person, a bounded wait, nothing kept of who has gone."""

import asyncio
import threading

import pytest

from common.errors import ErrorCode, KakehashiError
from gateway import slow_turns
from gateway.slow_turns import AT_ONCE, MOST_OF_ONE, OF_ONE, Slow, SlowTurns, WatchedThreads

LOOKING = Slow.LOOKING


class Work:
    """Counts who is at it; goes on when it is told to."""

    def __init__(self, turns: SlowTurns) -> None:
        self.turns = turns
        self.running: list[str] = []
        self.go_on = asyncio.Event()

    async def do(self, who: str) -> None:
        async with self.turns.take(who):
            self.running.append(who)
            await self.go_on.wait()
            self.running.remove(who)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_person_takes_a_part_of_the_turns_and_the_others_have_theirs() -> None:
    work = Work(SlowTurns(LOOKING))
    async with asyncio.TaskGroup() as group:
        for who in ["mallory"] * MOST_OF_ONE + ["mori", "ikeda", "kato"]:
            group.create_task(work.do(who))
        await settle()
        assert sorted(work.running) == ["mallory", "mallory", "mori"]
        assert (len(work.running), work.running.count("mallory")) == (AT_ONCE[LOOKING], OF_ONE[LOOKING])
        with pytest.raises(KakehashiError) as refused:
            await work.do("mallory")
        assert refused.value.code is ErrorCode.BUSY
        work.go_on.set()
    assert work.running == []
    assert not work.turns._own


async def test_who_waits_too_long_is_told_so_and_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_turns, "WAIT_SECONDS", 0.05)
    work = Work(SlowTurns(LOOKING))
    async with asyncio.TaskGroup() as group:
        for who in ("mori", "mori", "ikeda"):
            group.create_task(work.do(who))
        await settle()
        for who in ("mori", "kato"):
            with pytest.raises(KakehashiError) as refused:
                await work.do(who)
            assert refused.value.code is ErrorCode.BUSY
        work.go_on.set()
    async with asyncio.timeout(1):
        await asyncio.gather(*(work.do(who) for who in ("mori", "kato", "kato")))
    assert not work.turns._own


async def test_a_turn_comes_back_when_the_work_fails() -> None:
    turns = SlowTurns(LOOKING)
    for _ in range(AT_ONCE[LOOKING] + 1):
        with pytest.raises(ValueError, match="broken"):
            async with turns.take("mori"):
                raise ValueError("broken")
    async with asyncio.timeout(1), turns.take("mori"):
        assert turns._own


async def test_a_turn_lasts_as_long_as_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_turns, "WAIT_SECONDS", 0.05)
    asyncio.get_running_loop().set_default_executor(WatchedThreads())
    turns, go_on = SlowTurns(Slow.PLANNING), threading.Event()

    async def ask(*, within: float) -> None:
        async with asyncio.timeout(within), turns.take("mallory"):
            await asyncio.to_thread(go_on.wait, 20)

    with pytest.raises(TimeoutError):
        await ask(within=0.05)
    try:
        for who in ("mallory", "mori"):  # her turn of one person, and the only one of all
            with pytest.raises(KakehashiError) as refused:
                async with turns.take(who):
                    pass
            assert refused.value.code is ErrorCode.BUSY
    finally:
        go_on.set()
    monkeypatch.setattr(slow_turns, "WAIT_SECONDS", 5.0)
    await ask(within=5)
    assert not turns._own
